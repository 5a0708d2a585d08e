#include "out/sink.h"

#include "base/buf.h"
#include "base/mem.h"
#include "out/format.h"
#include "out/stream.h"
#include "out/terminal.h"

#include <langinfo.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *const out_format_names[] = {"table", "json", "ndjson", "csv", "prom", NULL};

struct out_value out_bool(bool flag)
{
	return (struct out_value){.type = OUT_T_BOOL, .is.flag = flag};
}

struct out_value out_int(int64_t value)
{
	return (struct out_value){.type = OUT_T_INT, .is.integer = value};
}

struct out_value out_uint(uint64_t value)
{
	return out_int(value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

struct out_value out_real(double value)
{
	if (!isfinite(value))
		return OUT_NONE;
	return (struct out_value){.type = OUT_T_REAL, .is.real = value};
}

struct out_value out_text(struct bytes text)
{
	return (struct out_value){.type = OUT_T_TEXT, .is.text = text};
}

struct out_value out_str(const char *text)
{
	return text ? out_text(bytes_of(text)) : OUT_NONE;
}

struct out_value out_raw(struct bytes json)
{
	return (struct out_value){.type = OUT_T_RAW, .is.text = json};
}

struct sink *sink_new(enum out_format format, struct out_stream *stream,
		      const struct out_terminal *terminal)
{
	static const struct out_format_ops *const formats[] = {
	    [OUT_TABLE] = &out_table_ops,   [OUT_JSON] = &out_json_ops,
	    [OUT_NDJSON] = &out_ndjson_ops, [OUT_CSV] = &out_csv_ops,
	    [OUT_PROM] = &out_prom_ops,
	};
	struct sink *sink = mem_zalloc(1, formats[format]->size);

	out_member_init();
	sink->ops = formats[format];
	sink->format = format;
	sink->stream = stream;
	sink->terminal = terminal;
	return sink;
}

void sink_free(struct sink *sink)
{
	if (sink && sink->ops->release)
		sink->ops->release(sink);
	free(sink);
}

enum out_format sink_format(const struct sink *sink)
{
	return sink->format;
}

bool sink_is_ascii(const struct sink *sink)
{
	bool tty_is_ascii = sink->terminal && sink->terminal->is_tty && !sink->terminal->utf8;

	/* libsmartcols 2.38 loops for ever on what the codeset cannot hold */
	return tty_is_ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

bool sink_has_metrics(const struct sink *sink)
{
	return sink->has_metrics;
}

void sink_begin(struct sink *sink, const char *verb, unsigned version)
{
	sink->verb = verb;
	sink->version = version;
	if (sink->ops->begin)
		sink->ops->begin(sink);
}

void sink_field(struct sink *sink, const struct out_column *column, struct out_value value)
{
	sink->has_metrics = sink->has_metrics || column->metric;
	sink->ops->field(sink, column, &value);
}

void sink_table_begin(struct sink *sink, const struct out_table *table)
{
	sink->table = table;
	for (size_t i = 0; i < table->column_count; i++)
		sink->has_metrics = sink->has_metrics || table->columns[i].metric;
	if (sink->ops->table_begin)
		sink->ops->table_begin(sink);
}

void sink_row(struct sink *sink, const struct out_value *values)
{
	sink->ops->row(sink, values);
}

void sink_table_end(struct sink *sink)
{
	if (sink->ops->table_end)
		sink->ops->table_end(sink);
	sink->table = NULL;
}

void sink_note(struct sink *sink, const char *format, ...)
{
	struct buf text = {0};
	va_list args;

	if (!sink->ops->note)
		return;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	sink->ops->note(sink, buf_bytes(&text));
	buf_release(&text);
}

int sink_end(struct sink *sink, struct err *err)
{
	if (sink->ops->end)
		sink->ops->end(sink);
	return out_stream_flush(sink->stream, err);
}

bool sink_failed(const struct sink *sink)
{
	return out_stream_failed(sink->stream);
}
