#ifndef OUT_FORMAT_H
#define OUT_FORMAT_H

#include "out/sink.h"

#include <stddef.h>

struct buf;
struct cJSON;

/* What every format's sink begins with; the formats' own state follows it. */
struct sink {
	const struct out_format_ops *ops;
	enum out_format format;
	struct out_stream *stream;
	const struct out_terminal *terminal; /* may be NULL */
	const char *verb;                    /* from begin on */
	unsigned version;
	const struct out_table *table; /* the open one, or NULL */
	bool has_metrics;              /* some field or column so far names one */
};

/* One output format. field and row must be there; an operation that is NULL does nothing. */
struct out_format_ops {
	size_t size; /* of the sink, zeroed at the start */
	void (*begin)(struct sink *sink);
	void (*field)(struct sink *sink, const struct out_column *column,
		      const struct out_value *value);
	void (*table_begin)(struct sink *sink);
	void (*row)(struct sink *sink, const struct out_value *values);
	void (*table_end)(struct sink *sink);
	void (*note)(struct sink *sink, struct bytes text);
	void (*end)(struct sink *sink);
	void (*release)(struct sink *sink);
};
extern const struct out_format_ops out_table_ops;
extern const struct out_format_ops out_json_ops;
extern const struct out_format_ops out_ndjson_ops;
extern const struct out_format_ops out_csv_ops;
extern const struct out_format_ops out_prom_ops;

/* Appends a real in the fewest digits that read back as the same number. */
void out_value_real(struct buf *buf, double real);
/* Appends the value as bare text for programs: plain numbers, true/false, escaped bytes,
 * nothing for null. */
void out_value_plain(struct buf *buf, const struct out_value *value);
/* Appends the value for people, in its unit; ascii avoids other characters. */
void out_value_human(struct buf *buf, const struct out_value *value, enum out_unit unit,
		     bool ascii);
/* Null, false, 0 or no bytes. */
bool out_value_is_zero(const struct out_value *value);

/* Makes cJSON allocate through base/mem, so that no document is cut for want of memory. */
void out_member_init(void);
/* Adds the value to a JSON object, exactly: integers are not rounded, bytes not cut at NUL. */
void out_member_add(struct cJSON *object, const struct out_column *column,
		    const struct out_value *value);
/* Writes the object on one line, without a line end; frees it. */
void out_member_write(struct out_stream *stream, struct cJSON *object);

#endif
