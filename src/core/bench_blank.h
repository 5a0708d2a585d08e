#ifndef CORE_BENCH_BLANK_H
#define CORE_BENCH_BLANK_H

#include "base/buf.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ids are numbers of so many digits, so that a family's commands differ in them alone. */
#define BENCH_DIGITS 12
void bench_blank_digits(char *out, uint64_t number);

/*
 * The bytes of a family's command with holes where the digits go; found by
 * rendering it for different numbers and looking where they differ.
 */
#define BENCH_HOLES_MAX 8
struct bench_blank {
	bool usable;
	struct buf text;
	size_t holes[BENCH_HOLES_MAX];
	size_t hole_count;
	size_t key_at; /* where the key is in the text */
	size_t key_len;
};

/* Appends the command for that number; returns its key, valid until the next call. */
typedef struct bytes bench_render_fn(void *ctx, uint64_t number, struct buf *out);

/* Not usable afterwards when the commands differ in more. Release text in either case. */
void bench_blank_make(struct bench_blank *blank, bench_render_fn *fn, void *ctx);
/* Writes the command for that number to where text.len bytes are free. */
void bench_blank_fill(const struct bench_blank *blank, uint64_t number, char *out);

/*
 * The commands of a batch, one behind the other, in a room where those of the
 * last one still are: a blank that is already in its place gets other digits.
 */
struct bench_sheet {
	struct buf text; /* may be taken: an empty one is begun anew */
	struct bench_place *places;
	size_t count; /* commands of this batch */
	size_t known; /* places that hold what they say, of this batch or the last */
	size_t room;
};
struct bench_place {
	const struct bench_blank *blank; /* NULL: another command */
	size_t at;
};
void bench_sheet_begin(struct bench_sheet *sheet);
void bench_sheet_add(struct bench_sheet *sheet, const struct bench_blank *blank,
		     uint64_t number);
/* Where a command goes that is no blank's: to be appended there. */
struct buf *bench_sheet_other(struct bench_sheet *sheet);
void bench_sheet_release(struct bench_sheet *sheet);

#endif
