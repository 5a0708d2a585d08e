#include "core/bench_blank.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void bench_blank_digits(char *out, uint64_t number)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";

	for (int i = BENCH_DIGITS; i > 0; i -= 2, number /= 100)
		memcpy(out + i - 2, pairs + number % 100 * 2, 2);
}

void bench_blank_fill(const struct bench_blank *blank, uint64_t number, char *out)
{
	char digits[BENCH_DIGITS];

	memcpy(out, blank->text.ptr, blank->text.len);
	bench_blank_digits(digits, number);
	for (size_t i = 0; i < blank->hole_count; i++)
		memcpy(out + blank->holes[i], digits, BENCH_DIGITS);
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
