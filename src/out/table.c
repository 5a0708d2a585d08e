#include "out/format.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "out/fit.h"
#include "out/stream.h"
#include "out/terminal.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#define GAP "  " /* between columns */

/* Sections, with a blank line between two. */
enum section { SECTION_NONE, SECTION_FIELDS, SECTION_NOTES, SECTION_TABLE };

struct field {
	const char *title;
	struct buf value;
	bool warn;
};

struct table_sink {
	struct sink sink;
	enum section section; /* the last one written to */
	struct field *fields; /* wait until the section ends, to be aligned */
	size_t field_count;
	struct libscols_table *rows;
	bool *warns; /* of each column: some cell does */
	bool *says;  /* of each column: some cell is not zero or empty */
};

/* "no keys": what a table without rows says, where no heading says what it would hold. */
static char *nothing(const struct out_table *table)
{
	struct buf text = {0};

	if (!table->title)
		buf_add_str(&text, "no ");
	for (const char *c = table->title ? "none" : table->name; *c; c++)
		buf_add_char(&text, *c == '_' ? ' ' : *c);
	buf_add_char(&text, '\n');
	return buf_steal(&text);
}

/* Blanks behind a title: none but the gap where the value would wrap for them. */
static size_t padding_of(const struct sink *sink, const struct field *field, size_t title_width)
{
	size_t padding = title_width - out_fit_columns(field->title);
	size_t line = title_width + strlen(GAP) + out_fit_columns(buf_str(&field->value));

	if (!sink->terminal || !sink->terminal->is_tty || line <= sink->terminal->width)
		return padding;
	size_t over = line - sink->terminal->width;
	return over < padding ? padding - over : 0;
}

static void write_field(struct sink *sink, const struct field *field, size_t title_width)
{
	const char *style = out_style(sink->terminal, OUT_STYLE_YELLOW);

	out_stream_printf(sink->stream, "%s%*s" GAP, field->title,
			  (int)padding_of(sink, field, title_width), "");
	out_stream_printf(sink->stream, "%s%s%s\n", field->warn ? style : "",
			  buf_str(&field->value),
			  field->warn ? out_style(sink->terminal, OUT_STYLE_NONE) : "");
}

static void drop_fields(struct table_sink *table)
{
	for (size_t i = 0; i < table->field_count; i++)
		buf_release(&table->fields[i].value);
	table->field_count = 0;
}

static void write_fields(struct table_sink *table)
{
	size_t title_width = 0;

	for (size_t i = 0; i < table->field_count; i++) {
		size_t width = out_fit_columns(table->fields[i].title);

		title_width = width > title_width ? width : title_width;
	}
	for (size_t i = 0; i < table->field_count; i++)
		write_field(&table->sink, &table->fields[i], title_width);
	drop_fields(table);
}

static void enter(struct table_sink *table, enum section section)
{
	if (table->section == section && section != SECTION_TABLE)
		return;
	write_fields(table);
	if (table->section != SECTION_NONE)
		out_stream_write(table->sink.stream, BYTES("\n"));
	table->section = section;
}

static bool is_warning(const struct out_column *column, const struct out_value *value)
{
	return column->flags & OUT_WARN && !out_value_is_zero(value);
}

static void table_begin(struct sink *sink)
{
	((struct table_sink *)sink)->section = SECTION_NONE;
}

static void table_field(struct sink *sink, const struct out_column *column,
			const struct out_value *value)
{
	struct table_sink *table = (struct table_sink *)sink;

	if (column->flags & OUT_DETAIL)
		return;
	enter(table, SECTION_FIELDS);
	table->fields =
	    mem_resize(table->fields, table->field_count + 1, sizeof *table->fields);
	struct field *field = &table->fields[table->field_count++];
	*field = (struct field){.title = column->title, .warn = is_warning(column, value)};
	out_value_human(&field->value, value, column->unit, sink_is_ascii(sink));
}

static void table_note(struct sink *sink, struct bytes text)
{
	struct buf clean = {0};
	struct out_value value = out_text(text);

	enter((struct table_sink *)sink, SECTION_NOTES);
	out_value_human(&clean, &value, OUT_PLAIN, sink_is_ascii(sink));
	buf_add_char(&clean, '\n');
	out_stream_write(sink->stream, buf_bytes(&clean));
	buf_release(&clean);
}

/* Of the columns that are shown. */
static void shown_flags(const struct table_sink *table, unsigned *ret_flags)
{
	const struct out_table *shape = table->sink.table;
	size_t count = 0;

	for (size_t i = 0; i < shape->column_count; i++) {
		unsigned flags = shape->columns[i].flags;

		if (flags & OUT_DETAIL)
			continue;
		if (table->warns[i]) /* what warns must not be left out */
			flags &= ~(unsigned)OUT_MINOR;
		if (!table->says[i])
			flags |= OUT_FIT_EMPTY;
		if (shape->columns[i].unit == OUT_COUNT)
			flags |= OUT_FIT_COUNT;
		ret_flags[count++] = flags;
	}
}

static void add_column(struct sink *sink, const struct out_column *column)
{
	struct table_sink *table = (struct table_sink *)sink;
	const char *style = out_style(sink->terminal, OUT_STYLE_BOLD);
	int flags = column->unit == OUT_PLAIN ? 0 : SCOLS_FL_RIGHT; /* else by its values */
	struct out_value title = out_str(column->title);
	struct buf text = {0};

	out_value_human(&text, &title, OUT_PLAIN, sink_is_ascii(sink));
	struct libscols_column *added =
	    scols_table_new_column(table->rows, buf_str(&text), 0, flags);
	if (*style)
		scols_cell_set_color(scols_column_get_header(added), style);
	buf_release(&text);
}

static void rows_begin(struct sink *sink)
{
	struct table_sink *table = (struct table_sink *)sink;

	enter(table, SECTION_TABLE);
	if (sink->table->title)
		out_stream_printf(sink->stream, "%s%s%s\n",
				  out_style(sink->terminal, OUT_STYLE_BOLD), sink->table->title,
				  out_style(sink->terminal, OUT_STYLE_NONE));
	table->rows = scols_new_table();
	table->warns = mem_zalloc(sink->table->column_count, sizeof *table->warns);
	table->says = mem_zalloc(sink->table->column_count, sizeof *table->says);
	scols_table_enable_noencoding(table->rows, 1);
	scols_table_enable_colors(table->rows, sink->terminal && sink->terminal->colour);
	scols_table_set_column_separator(table->rows, GAP);
	scols_table_set_termforce(table->rows,
				  SCOLS_TERMFORCE_NEVER); /* out_fit_table did it */
	for (size_t i = 0; i < sink->table->column_count; i++) {
		if (!(sink->table->columns[i].flags & OUT_DETAIL))
			add_column(sink, &sink->table->columns[i]);
	}
}

/* Only on a terminal: who reads a pipe wants every byte. */
static void fit_rows(struct sink *sink)
{
	struct libscols_table *rows = ((struct table_sink *)sink)->rows;

	if (!sink->terminal || !sink->terminal->is_tty)
		return;
	unsigned *flags = mem_zalloc(sink->table->column_count + 1, sizeof *flags);
	shown_flags((struct table_sink *)sink, flags);
	out_fit_table(rows, flags, sizeof GAP - 1, sink->terminal->width, sink_is_ascii(sink));
	free(flags);
}

static void fill_cell(struct sink *sink, struct libscols_line *line, size_t at,
		      const struct out_column *column, const struct out_value *value)
{
	struct table_sink *table = (struct table_sink *)sink;
	struct libscols_column *place = scols_table_get_column(table->rows, at);
	struct buf text = {0};

	out_value_human(&text, value, column->unit, sink_is_ascii(sink));
	scols_line_set_data(line, at, buf_str(&text));
	buf_release(&text);
	if (value->type == OUT_T_INT || value->type == OUT_T_REAL)
		scols_column_set_flags(place, scols_column_get_flags(place) | SCOLS_FL_RIGHT);
	const char *style = out_style(sink->terminal, OUT_STYLE_YELLOW);
	if (is_warning(column, value) && *style)
		scols_cell_set_color(scols_line_get_cell(line, at), style);
}

static void table_row(struct sink *sink, const struct out_value *values)
{
	struct table_sink *table = (struct table_sink *)sink;
	struct libscols_line *line = scols_table_new_line(table->rows, NULL);
	size_t at = 0;

	for (size_t i = 0; i < sink->table->column_count; i++) {
		const struct out_column *column = &sink->table->columns[i];

		table->warns[i] |= is_warning(column, &values[i]);
		table->says[i] |= !out_value_is_zero(&values[i]);
		if (!(column->flags & OUT_DETAIL))
			fill_cell(sink, line, at++, column, &values[i]);
	}
}

static void rows_end(struct sink *sink)
{
	struct table_sink *table = (struct table_sink *)sink;
	char *text = NULL;

	fit_rows(sink);
	if (scols_table_is_empty(table->rows))
		text = nothing(sink->table);
	else if (scols_print_table_to_string(table->rows, &text) < 0)
		out_stream_fail(sink->stream, errno);
	out_stream_write(sink->stream, bytes_of(text));
	if (text && text[0] &&
	    text[strlen(text) - 1] != '\n') /* libsmartcols leaves the last one out */
		out_stream_write(sink->stream, BYTES("\n"));
	free(text);
	scols_unref_table(table->rows);
	table->rows = NULL;
	free(table->warns);
	free(table->says);
	table->warns = table->says = NULL;
}

static void table_end(struct sink *sink)
{
	write_fields((struct table_sink *)sink);
}

static void table_release(struct sink *sink)
{
	struct table_sink *table = (struct table_sink *)sink;

	scols_unref_table(table->rows);
	drop_fields(table);
	free(table->fields);
	free(table->warns);
	free(table->says);
}

const struct out_format_ops out_table_ops = {
    .size = sizeof(struct table_sink),
    .begin = table_begin,
    .field = table_field,
    .table_begin = rows_begin,
    .row = table_row,
    .table_end = rows_end,
    .note = table_note,
    .end = table_end,
    .release = table_release,
};
