#include "core/bench_blank.h"

#include "base/mem.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define EIGHT_DIGITS UINT64_C(100000000)

/*
 * Eight decimal digits at once, the first in the lowest byte: a division by 10000,
 * then by 100 in two lanes, then by 10 in four, as multiplications that are exact
 * for what a lane can hold.
 */
static uint64_t eight_digits(uint64_t number)
{
	uint64_t fours = number / 10000 | number % 10000 << 32;
	uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
	uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
	uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000f000f000f000f);

	return (tens | (twos - tens * 10) << 8) + UINT64_C(0x3030303030303030);
}

struct digits {
	uint32_t head;
	uint64_t tail;
};

static struct digits digits_of(uint64_t number)
{
	static const char zeros[] = "0000";
	struct digits digits;

	/* There are seldom as many keys as that. */
	if (number < EIGHT_DIGITS) {
		memcpy(&digits.head, zeros, sizeof digits.head);
	} else {
		digits.head = htole32((uint32_t)(eight_digits(number / EIGHT_DIGITS) >> 32));
		number %= EIGHT_DIGITS;
	}
	digits.tail = htole64(eight_digits(number));
	return digits;
}

static void put_digits(char *out, struct digits digits)
{
	memcpy(out, &digits.head, sizeof digits.head);
	memcpy(out + sizeof digits.head, &digits.tail, sizeof digits.tail);
}

void bench_blank_digits(char *out, uint64_t number)
{
	put_digits(out, digits_of(number));
}

static void fill_holes(const struct bench_blank *blank, uint64_t number, char *out)
{
	struct digits digits = digits_of(number);

	for (size_t i = 0; i < blank->hole_count; i++)
		put_digits(out + blank->holes[i], digits);
}

void bench_blank_fill(const struct bench_blank *blank, uint64_t number, char *out)
{
	memcpy(out, blank->text.ptr, blank->text.len);
	fill_holes(blank, number, out);
}

/* The run's name stands in no other place: the key is where it is found. */
static bool find_key(struct bench_blank *blank, struct bytes key)
{
	const char *at = memmem(blank->text.ptr, blank->text.len, key.ptr, key.len);

	blank->key_len = key.len;
	if (at)
		blank->key_at = (size_t)(at - blank->text.ptr);
	return at != NULL;
}

static bool find_holes(struct bench_blank *blank, const char *other)
{
	const char *text = blank->text.ptr;
	size_t at = 0;

	while (at < blank->text.len) {
		if (text[at] == other[at]) {
			at++;
			continue;
		}
		if (blank->hole_count == BENCH_HOLES_MAX || at + BENCH_DIGITS > blank->text.len)
			return false;
		for (size_t i = 0; i < BENCH_DIGITS; i++)
			if (text[at + i] != '0' || other[at + i] != '1')
				return false;
		blank->holes[blank->hole_count++] = at;
		at += BENCH_DIGITS;
	}
	return true;
}

void bench_blank_make(struct bench_blank *blank, bench_render_fn *fn, void *ctx)
{
	static const uint64_t probes[] = {1,
					  2,
					  9,
					  123456,
					  8675309,
					  31415926,
					  777777777777,
					  271828182845,
					  99999999999,
					  500000000001,
					  42,
					  160217663};
	struct buf other = {0};
	char *filled = NULL;
	bool keyed = find_key(blank, fn(ctx, 0, &blank->text));

	(void)fn(ctx, UINT64_C(111111111111), &other);
	if (!keyed || other.len != blank->text.len || !find_holes(blank, other.ptr))
		goto out;
	filled = mem_alloc(blank->text.len);
	for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
		buf_clear(&other);
		(void)fn(ctx, probes[i], &other);
		bench_blank_fill(blank, probes[i], filled);
		if (other.len != blank->text.len || memcmp(other.ptr, filled, other.len) != 0)
			goto out;
	}
	blank->usable = true;
out:
	free(filled);
	buf_release(&other);
}

/* --- a batch --- */

void bench_sheet_begin(struct bench_sheet *sheet)
{
	sheet->text.len = 0;
	sheet->count = 0;
	if (!sheet->text.ptr)
		sheet->known = 0;
}

/* The next place; what lies behind it is overwritten. */
static void take_place(struct bench_sheet *sheet, const struct bench_blank *blank)
{
	if (sheet->count == sheet->room) {
		sheet->room = sheet->room ? sheet->room * 2 : 64;
		sheet->places = mem_resize(sheet->places, sheet->room, sizeof *sheet->places);
	}
	sheet->places[sheet->count++] =
	    (struct bench_place){.blank = blank, .at = sheet->text.len};
	sheet->known = sheet->count;
}

void bench_sheet_add(struct bench_sheet *sheet, const struct bench_blank *blank,
		     uint64_t number)
{
	const struct bench_place *place = &sheet->places[sheet->count];

	if (sheet->count < sheet->known && place->blank == blank &&
	    place->at == sheet->text.len) {
		fill_holes(blank, number, sheet->text.ptr + place->at);
		sheet->count++;
	} else {
		take_place(sheet, blank);
		bench_blank_fill(blank, number, buf_reserve(&sheet->text, blank->text.len));
	}
	sheet->text.len += blank->text.len;
}

struct buf *bench_sheet_other(struct bench_sheet *sheet)
{
	take_place(sheet, NULL);
	return &sheet->text;
}

void bench_sheet_release(struct bench_sheet *sheet)
{
	buf_release(&sheet->text);
	free(sheet->places);
	*sheet = (struct bench_sheet){0};
}
