#ifndef OUT_FIT_H
#define OUT_FIT_H

#include <stdbool.h>
#include <stddef.h>

struct libscols_table;

/* Terminal columns that printable text takes, by the locale. */
size_t out_fit_columns(const char *text);
/*
 * Makes the table at most width wide: hides the OUT_MINOR columns that have to
 * go, then cuts cells of the OUT_SHRINK ones, the widest column first, never
 * below its heading. flags has each column's out_column_flags. Cut text ends
 * in "…" ("..." when ascii): a cut key must not pass for a whole one.
 */
void out_fit_table(struct libscols_table *table, const unsigned *flags, size_t gap,
		   size_t width, bool ascii);

#endif
