#ifndef OUT_FIT_H
#define OUT_FIT_H

#include <stdbool.h>
#include <stddef.h>

struct libscols_table;

/* Beside out_column_flags: no cell of the column says anything (zero, empty). */
#define OUT_FIT_EMPTY (1u << 16)
#define OUT_FIT_COUNT (1u << 17) /* it counts: with others it may add up */

/* Terminal columns that printable text takes, by the locale. */
size_t out_fit_columns(const char *text);
/* Bytes of the longest start of text that takes so many columns at most. */
size_t out_fit_len(const char *text, size_t columns);
/*
 * Makes the table at most width wide: hides the OUT_MINOR columns that have to
 * go, then, rather than let lines wrap, others from the right (never the first, nor
 * one that warns). Of these come back those with content for which there is
 * room, counts even where others are cut for them. Then it cuts cells of the
 * OUT_SHRINK ones, the widest column first, never below its heading. flags has
 * each column's out_column_flags. What is cut has "…" ("..." when ascii) in its
 * place, and keeps what tells it from the column's other cells if it can: keys
 * that begin alike lose of their beginning.
 */
void out_fit_table(struct libscols_table *table, const unsigned *flags, size_t gap,
		   size_t width, bool ascii);

#endif
