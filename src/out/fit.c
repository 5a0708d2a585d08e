#include "out/fit.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "out/sink.h"

#include <libsmartcols/libsmartcols.h>
#include <stdint.h>
#include <stdlib.h>
#include <wchar.h>

enum {
	COLUMN_LEAST = 8,
	MINOR_LEAST = 20, /* a column that may go is not cut to less before it does */
	HEAD_MOST = 12,   /* of what cells begin with alike, before what tells them apart */
};

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

size_t out_fit_len(const char *text, size_t columns)
{
	size_t used = 0;

	return fitting(bytes_of(text), columns, &used);
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

/* What a cell begins with like another one of its column that differs from it. */
struct common {
	size_t len;
	size_t columns;
};

struct cell {
	struct libscols_line *line;
	struct bytes text;
	size_t common; /* bytes */
};

static int by_text(const void *a, const void *b)
{
	return bytes_compare(((const struct cell *)a)->text, ((const struct cell *)b)->text);
}

/* Of two neighbours in order, and so of all that are the same as one of them. */
static size_t common_start(struct bytes a, struct bytes b)
{
	size_t len = 0;

	while (len < a.len && len < b.len && a.ptr[len] == b.ptr[len])
		len++;
	return len;
}

/* The cells of a column in order of their text; *ret_count of them, malloc'd. */
static struct cell *read_cells(struct libscols_table *table, size_t column, size_t *ret_count)
{
	struct libscols_iter *iter = scols_new_iter(SCOLS_ITER_FORWARD);
	struct cell *cells = mem_zalloc(scols_table_get_nlines(table) + 1, sizeof *cells);
	struct libscols_line *line = NULL;
	size_t count = 0;

	while (scols_table_next_line(table, iter, &line) == 0)
		cells[count++] =
		    (struct cell){.line = line, .text = bytes_of(cell_text(line, column))};
	scols_free_iter(iter);
	qsort(cells, count, sizeof *cells, by_text);
	for (size_t i = 0, next = 0; i < count; i = next) {
		size_t behind = i ? common_start(cells[i - 1].text, cells[i].text) : 0;

		for (next = i + 1; next < count && by_text(&cells[i], &cells[next]) == 0;)
			next++;
		size_t ahead = next < count ? common_start(cells[i].text, cells[next].text) : 0;
		for (size_t j = i; j < next; j++)
			cells[j].common = ahead > behind ? ahead : behind;
	}
	*ret_count = count;
	return cells;
}

/* In whole characters. */
static struct common measure_common(const struct cell *cell)
{
	struct common common = {0};
	mbstate_t state = {0};
	size_t wide = 0;

	while (common.len < cell->common) {
		size_t len =
		    measure(bytes_sub(cell->text, common.len, cell->text.len), &state, &wide);

		if (len > cell->common - common.len)
			break;
		common.len += len;
		common.columns += wide;
	}
	return common;
}

/*
 * A cell that is too wide loses of what others begin with, too, between its head and
 * what tells it from them; then its end.
 */
static char *cut_text(struct bytes text, size_t width, const struct common *common,
		      const char *mark)
{
	size_t marked = out_fit_columns(mark);
	size_t room = width > marked ? width - marked : 0;
	size_t head_most = room / 2 < HEAD_MOST ? room / 2 : HEAD_MOST;
	size_t all = 0;
	size_t columns = 0;

	fitting(text, SIZE_MAX, &all);
	size_t rest = all > common->columns ? all - common->columns : 0;
	if (rest == 0 || common->columns <= head_most + marked) {
		size_t len = fitting(text, room, &columns);

		return mem_printf("%.*s%s", (int)len, text.ptr, mark);
	}
	size_t head = fitting(text, head_most, &columns);
	room -= columns;
	if (rest <= room) { /* to its end, and as much of what stands before as goes */
		size_t skip = fitting(text, all - room, &columns);
		if (columns < all - room) /* a wide character lies across */
			skip = fitting(text, all - room + 1, &columns);
		struct bytes tail = bytes_sub(text, skip, text.len);

		return mem_printf("%.*s%s%.*s", (int)head, text.ptr, mark, BYTES_ARG(tail));
	}
	struct bytes tail = bytes_sub(text, common->len, text.len);
	size_t len = fitting(tail, room > marked ? room - marked : 0, &columns);
	return mem_printf("%.*s%s%.*s%s", (int)head, text.ptr, mark, (int)len, tail.ptr, mark);
}

static void cut_column(struct libscols_table *table, size_t column, size_t width, bool ascii)
{
	size_t count = 0;
	size_t columns = 0;
	struct cell *cells = read_cells(table, column, &count);
	char **cuts = mem_zalloc(count + 1, sizeof *cuts);

	for (size_t i = 0; i < count; i++) {
		struct common common = measure_common(&cells[i]);

		if (fitting(cells[i].text, width, &columns) < cells[i].text.len)
			cuts[i] = cut_text(cells[i].text, width, &common, ascii ? "..." : "…");
	}
	for (size_t i = 0; i < count; i++)
		if (cuts[i]) /* the cell owns what it is referred to */
			scols_line_refer_data(cells[i].line, column, cuts[i]);
	free(cuts);
	free(cells);
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

/* How much a column matters: what is left out first comes first. */
static unsigned rank_of(unsigned flags)
{
	return (flags & OUT_MINOR ? 0U : 2U) + (flags & OUT_WARN ? 1U : 0U);
}

/* The next column to leave out, the rightmost of those that matter least; 0: none may go. */
static size_t choose_hidden(const size_t *widths, const unsigned *flags, size_t count,
			    unsigned most)
{
	size_t chosen = 0;

	for (size_t i = count; i-- > 1;) {
		if (widths[i] == 0 || rank_of(flags[i]) > most)
			continue;
		if (!chosen || rank_of(flags[i]) < rank_of(flags[chosen]))
			chosen = i;
	}
	return chosen;
}

struct fit {
	struct libscols_table *table;
	const unsigned *flags;
	size_t count;
	size_t gap;
	size_t width;
	size_t *widths; /* 0: hidden */
	size_t *least;
};

/* What the columns take at least; those that stay whatever happens may be cut further. */
static size_t total_of(const struct fit *fit, bool cut)
{
	size_t total = 0;

	for (size_t i = 0; i < fit->count; i++) {
		bool shrinks = fit->flags[i] & OUT_SHRINK && (cut || fit->flags[i] & OUT_MINOR);
		size_t least = cut                           ? fit->least[i]
			       : fit->least[i] > MINOR_LEAST ? fit->least[i]
							     : MINOR_LEAST;

		if (fit->widths[i])
			total += (shrinks && fit->widths[i] > least ? least : fit->widths[i]) +
				 (total ? fit->gap : 0);
	}
	return total;
}

/* Columns with these flags that were left out come back where there is room, the leftmost
 * first. */
static void bring_back(struct fit *fit, const size_t *wanted, unsigned flags)
{
	bool cut = flags != 0;

	for (size_t i = 0; i < fit->count; i++) {
		if (fit->widths[i] || (cut && fit->flags[i] & OUT_FIT_EMPTY) ||
		    (fit->flags[i] & flags) != flags)
			continue;
		fit->widths[i] = wanted[i];
		if (total_of(fit, cut) > fit->width)
			fit->widths[i] = 0;
	}
}

/*
 * First what may go, as long as what may be cut would have to be; then, so that no
 * line is wider than the terminal, what should not.
 */
static void hide(struct fit *fit)
{
	size_t *wanted = mem_zalloc(fit->count + 1, sizeof *wanted);
	size_t i;

	for (i = 0; i < fit->count; i++)
		wanted[i] = fit->widths[i];
	while (total_of(fit, false) > fit->width &&
	       (i = choose_hidden(fit->widths, fit->flags, fit->count, 1)) > 0)
		fit->widths[i] = 0;
	while (total_of(fit, true) > fit->width &&
	       (i = choose_hidden(fit->widths, fit->flags, fit->count, 2)) > 0)
		fit->widths[i] = 0;
	bring_back(fit, wanted, OUT_FIT_COUNT);
	bring_back(fit, wanted, 0);
	for (i = 0; i < fit->count; i++) {
		struct libscols_column *column = scols_table_get_column(fit->table, i);

		if (!fit->widths[i])
			scols_column_set_flags(column, scols_column_get_flags(column) |
							   SCOLS_FL_HIDDEN);
	}
	free(wanted);
}

void out_fit_table(struct libscols_table *table, const unsigned *flags, size_t gap,
		   size_t width, bool ascii)
{
	size_t count = scols_table_get_ncols(table);
	size_t *widths = mem_zalloc(3 * count + 1, sizeof *widths);
	size_t *least = widths + count;
	size_t *wanted = least + count;
	struct fit fit = {table, flags, count, gap, width, widths, least};
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		size_t title = out_fit_columns(heading(table, i));

		least[i] = title > COLUMN_LEAST ? title : COLUMN_LEAST;
		wanted[i] = widest(table, i);
		widths[i] = flags[i] & OUT_SHRINK && wanted[i] > width ? width : wanted[i];
	}
	hide(&fit);
	for (size_t i = 0; i < count; i++)
		total += widths[i] ? widths[i] + (total ? gap : 0) : 0;
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
