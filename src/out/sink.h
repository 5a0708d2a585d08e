#ifndef OUT_SINK_H
#define OUT_SINK_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct out_stream;
struct out_terminal;

/*
 * What a verb answers, independent of the format. A document is a run of
 * fields (one figure each) and tables (rows of columns); every format renders
 * the same calls:
 *   table   fields as "Title  value" lines, tables through libsmartcols, units for people
 *   json    one object: {"schema":"ccache.VERB/1","field":…,"table":[{…},…]}
 *   ndjson  one object a line: rows as {"table":NAME,…} as they come, the fields
 *           last as {"table":"VERB","schema":…,…}: a document without it was cut off
 *   csv     RFC 4180 with LF: the primary table only; a document without one gives its
 *           fields as one header and one row
 *   prom    Prometheus text format 0.0.4: every numeric column or field that names a metric;
 *           times in seconds
 * Values are rendered at once and may go after the call, and so may a struct
 * out_column given to sink_field, and a struct out_table once it is ended; the strings in
 * them must stay until sink_end. table and prom hold their output until the table or the
 * document ends, the others write as they go.
 */
enum out_format {
	OUT_TABLE,
	OUT_JSON,
	OUT_NDJSON,
	OUT_CSV,
	OUT_PROM,
};
/* Names in that order, NULL-terminated, for an option row. */
extern const char *const out_format_names[];

enum out_unit { /* how `table` shows a number; other formats print it plain */
		OUT_PLAIN,
		OUT_COUNT,   /* 12,345 */
		OUT_SIZE,    /* bytes → 1.4 KiB */
		OUT_MS,      /* milliseconds → 4m 59s */
		OUT_US,      /* microseconds → 1.24 ms */
		OUT_PERCENT, /* 0..1 → 97.3 % */
		OUT_RATE,    /* per second → 12,345/s */
};

enum out_type {
	OUT_T_NULL, /* absent: table "-", json null, csv empty, prom left out */
	OUT_T_BOOL,
	OUT_T_INT,
	OUT_T_REAL,
	OUT_T_TEXT, /* bytes: not UTF-8 → json null plus "NAME_base64"; escaped for people, csv
		       and prom */
	OUT_T_RAW,  /* well-formed JSON, embedded as it is by json and ndjson, as text by the
		       others */
};

struct out_value {
	enum out_type type;
	union {
		bool flag;
		int64_t integer;
		double real;
		struct bytes text;
	} is;
};
#define OUT_NONE ((struct out_value){.type = OUT_T_NULL})
struct out_value out_bool(bool flag);
struct out_value out_int(int64_t value);
struct out_value out_uint(uint64_t value); /* values over INT64_MAX are clamped */
struct out_value out_real(double value);   /* NaN and infinities become OUT_NONE */
struct out_value out_text(struct bytes text);
struct out_value out_str(const char *text); /* NULL gives OUT_NONE */
struct out_value out_raw(struct bytes json);

enum out_column_flags {
	OUT_LABEL = 1,  /* prom: a label of the row's metrics */
	OUT_DETAIL = 2, /* left out by `table` (other formats have it) */
	OUT_SHRINK = 4, /* `table` may cut it when the terminal is narrow */
	OUT_WARN = 8,   /* table: shown in the warning colour when not zero/empty */
	OUT_MINOR = 16, /* `table` leaves it out when the terminal is narrow, before it cuts
			   any: the rightmost first, those with OUT_WARN last, and never
			   one that warns */
};

struct out_column {
	const char *name;  /* JSON name with its unit: "ttl_ms", "bytes"; [a-z0-9_] */
	const char *title; /* table heading: "TTL" */
	enum out_unit unit;
	unsigned flags;
	const char *metric; /* prom name: "callcache_keys", or NULL */
	const char *help;   /* prom HELP; required with metric. A name ending in _total is a
			       counter, else a gauge */
};

struct out_table {
	const char *name;  /* JSON member name: "namespaces" */
	const char *title; /* heading line of `table`, or NULL */
	const struct out_column *columns;
	size_t column_count;
	bool primary; /* the one that csv prints */
};

struct sink;

/* Renders to stream, which must outlive it. terminal gives width and colour (may be NULL: 80,
 * none). */
struct sink *sink_new(enum out_format format, struct out_stream *stream,
		      const struct out_terminal *terminal);
void sink_free(struct sink *sink);
enum out_format sink_format(const struct sink *sink);
/*
 * True when text must be ASCII: the terminal shows no more, or the locale's
 * codeset cannot hold it. For what is drawn; keys and values are escaped anyway.
 */
bool sink_is_ascii(const struct sink *sink);
/* Whether any field or table so far names a metric: without one prom prints nothing. */
bool sink_has_metrics(const struct sink *sink);

/* Opens the document of a verb; schema version counts from 1. */
void sink_begin(struct sink *sink, const char *verb, unsigned version);
void sink_field(struct sink *sink, const struct out_column *column, struct out_value value);
void sink_table_begin(struct sink *sink, const struct out_table *table);
/* values has column_count entries. */
void sink_row(struct sink *sink, const struct out_value *values);
void sink_table_end(struct sink *sink);
/* A line for people: only `table` shows it. Escaped. */
void sink_note(struct sink *sink, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * Closes the document. 0, or -1 with ERR_OUTPUT when the stream could not be
 * written at any moment (sticky: callers may ignore errors until here, and
 * may ask sink_failed to stop early).
 */
int sink_end(struct sink *sink, struct err *err);
bool sink_failed(const struct sink *sink);

#endif
