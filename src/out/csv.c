#include "out/format.h"

#include "base/buf.h"
#include "out/stream.h"

struct csv_sink {
	struct sink sink;
	bool table_done;   /* the primary table was begun: fields are not printed */
	struct buf names;  /* of the fields */
	struct buf values; /* of the fields */
};

/* RFC 4180 §2: quoted when it holds a comma or a quote (line ends are escaped already). */
static void put_cell(struct buf *buf, struct bytes text)
{
	if (bytes_index(text, ',') == text.len && bytes_index(text, '"') == text.len) {
		buf_add(buf, text);
		return;
	}
	buf_add_char(buf, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			buf_add_char(buf, '"');
		buf_add_char(buf, text.ptr[i]);
	}
	buf_add_char(buf, '"');
}

static void put_value(struct buf *buf, const struct out_value *value)
{
	struct buf text = {0};

	out_value_plain(&text, value);
	put_cell(buf, buf_bytes(&text));
	buf_release(&text);
}

static void csv_field(struct sink *sink, const struct out_column *column,
		      const struct out_value *value)
{
	struct csv_sink *csv = (struct csv_sink *)sink;

	if (csv->table_done)
		return;
	if (csv->names.len) {
		buf_add_char(&csv->names, ',');
		buf_add_char(&csv->values, ',');
	}
	buf_add_str(&csv->names, column->name);
	put_value(&csv->values, value);
}

static void write_line(struct sink *sink, struct buf *line)
{
	buf_add_char(line, '\n');
	out_stream_write(sink->stream, buf_bytes(line));
	buf_release(line);
}

static void csv_table_begin(struct sink *sink)
{
	struct csv_sink *csv = (struct csv_sink *)sink;
	struct buf line = {0};

	if (!sink->table->primary)
		return;
	csv->table_done = true;
	for (size_t i = 0; i < sink->table->column_count; i++)
		buf_printf(&line, "%s%s", i ? "," : "", sink->table->columns[i].name);
	write_line(sink, &line);
}

static void csv_row(struct sink *sink, const struct out_value *values)
{
	struct buf line = {0};

	if (!sink->table->primary)
		return;
	for (size_t i = 0; i < sink->table->column_count; i++) {
		if (i)
			buf_add_char(&line, ',');
		put_value(&line, &values[i]);
	}
	write_line(sink, &line);
}

static void csv_end(struct sink *sink)
{
	struct csv_sink *csv = (struct csv_sink *)sink;

	if (csv->table_done || !csv->names.len)
		return;
	write_line(sink, &csv->names);
	write_line(sink, &csv->values);
}

static void csv_release(struct sink *sink)
{
	struct csv_sink *csv = (struct csv_sink *)sink;

	buf_release(&csv->names);
	buf_release(&csv->values);
}

const struct out_format_ops out_csv_ops = {
    .size = sizeof(struct csv_sink),
    .field = csv_field,
    .table_begin = csv_table_begin,
    .row = csv_row,
    .end = csv_end,
    .release = csv_release,
};
