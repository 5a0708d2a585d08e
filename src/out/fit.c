#include "out/fit.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "out/sink.h"

#include <libsmartcols/libsmartcols.h>
#include <stdint.h>
#include <stdlib.h>
#include <wchar.h>

enum { COLUMN_LEAST = 8 };

/* Length of the character at text in bytes, and its columns; a stray byte is one of each. */
static size_t measure(struct bytes text, mbstate_t *state, size_t *ret_columns)
{
	wchar_t wide = 0;
	size_t len = mbrtowc(&wide, text.ptr, text.len, state);

	if (len == 0 || len > text.len) { /* NUL, (size_t)-1 and -2 */
		*state = (mbstate_t){0};
		*ret_columns = 1;
		return 1;
	}
	int width = wcwidth(wide);
	*ret_columns = width > 0 ? (size_t)width : 0;
	return len;
}

/* Bytes of the longest start of text that fits; *ret_columns is what it takes. */
static size_t fitting(struct bytes text, size_t room, size_t *ret_columns)
{
	mbstate_t state = {0};
	size_t used = 0;
	size_t at = 0;

	while (at < text.len) {
		size_t wide = 0;
		size_t len = measure(bytes_sub(text, at, text.len), &state, &wide);

		if (wide > room - used)
			break;
		used += wide;
		at += len;
	}
	*ret_columns = used;
	return at;
}

size_t out_fit_columns(const char *text)
{
	size_t columns = 0;

	fitting(bytes_of(text), SIZE_MAX, &columns);
	return columns;
}

static const char *heading(struct libscols_table *table, size_t column)
{
	return scols_cell_get_data(
	    scols_column_get_header(scols_table_get_column(table, column)));
}

static const char *cell_text(struct libscols_line *line, size_t column)
{
	return scols_cell_get_data(scols_line_get_cell(line, column));
}

/* Lines are a list: scols_table_get_line would walk it from the start each time. */
static size_t widest(struct libscols_table *table, size_t column)
{
	struct libscols_iter *iter = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line = NULL;
	size_t most = out_fit_columns(heading(table, column));

	while (scols_table_next_line(table, iter, &line) == 0) {
		size_t width = out_fit_columns(cell_text(line, column));

		most = width > most ? width : most;
	}
	scols_free_iter(iter);
	return most;
}

static void cut_cell(struct libscols_line *line, size_t column, size_t width, bool ascii)
{
	const char *mark = ascii ? "..." : "…";
	struct bytes text = bytes_of(cell_text(line, column));
	size_t columns = 0;

	if (fitting(text, width, &columns) == text.len)
		return;
	size_t len = fitting(text, width - (ascii ? 3 : 1), &columns);
	/* The cell owns what it is referred to. */
	scols_line_refer_data(line, column, mem_printf("%.*s%s", (int)len, text.ptr, mark));
}

static void cut_column(struct libscols_table *table, size_t column, size_t width, bool ascii)
{
	struct libscols_iter *iter = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line = NULL;

	while (scols_table_next_line(table, iter, &line) == 0)
		cut_cell(line, column, width, ascii);
	scols_free_iter(iter);
}

/* The shrinkable column that is widest above its least width, or count. */
static size_t choose_column(const size_t *widths, const size_t *least, const unsigned *flags,
			    size_t count)
{
	size_t chosen = count;

	for (size_t i = 0; i < count; i++) {
		if (flags[i] & OUT_SHRINK && widths[i] > least[i] &&
		    (chosen == count || widths[i] > widths[chosen]))
			chosen = i;
	}
	return chosen;
}

/* The next column to leave out, or count: a warning stays longer than what is merely told. */
static size_t choose_minor(const size_t *widths, const unsigned *flags, size_t count)
{
	size_t chosen = count;

	for (size_t i = count; i-- > 0;) {
		if (!(flags[i] & OUT_MINOR) || widths[i] == 0)
			continue;
		if (!(flags[i] & OUT_WARN))
			return i;
		if (chosen == count)
			chosen = i;
	}
	return chosen;
}

/* Takes what is hidden off total, its width becomes 0. */
static void hide_minor(struct libscols_table *table, const unsigned *flags, size_t gap,
		       size_t width, size_t *widths, size_t *total)
{
	size_t count = scols_table_get_ncols(table);

	while (*total > width) {
		size_t i = choose_minor(widths, flags, count);

		if (i == count)
			break;
		struct libscols_column *column = scols_table_get_column(table, i);
		scols_column_set_flags(column,
				       scols_column_get_flags(column) | SCOLS_FL_HIDDEN);
		*total -= widths[i] + gap;
		widths[i] = 0;
	}
}

void out_fit_table(struct libscols_table *table, const unsigned *flags, size_t gap,
		   size_t width, bool ascii)
{
	size_t count = scols_table_get_ncols(table);
	size_t *widths = mem_zalloc(3 * count + 1, sizeof *widths);
	size_t *least = widths + count;
	size_t *wanted = least + count;
	size_t total = count ? gap * (count - 1) : 0;

	for (size_t i = 0; i < count; i++) {
		size_t title = out_fit_columns(heading(table, i));

		least[i] = title > COLUMN_LEAST ? title : COLUMN_LEAST;
		wanted[i] = widest(table, i);
		widths[i] = flags[i] & OUT_SHRINK && wanted[i] > width ? width : wanted[i];
		total += widths[i];
	}
	hide_minor(table, flags, gap, width, widths, &total);
	for (size_t i; total > width; total--) {
		i = choose_column(widths, least, flags, count);
		if (i == count)
			break;
		widths[i]--;
	}
	for (size_t i = 0; i < count; i++) {
		if (widths[i] && widths[i] < wanted[i])
			cut_column(table, i, widths[i], ascii);
	}
	free(widths);
}
