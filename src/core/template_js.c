#include "core/template.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define MANTISSA_BITS 53
#define HEX_IN_U64 16

/* ECMA-262 §12.2 WhiteSpace and §12.3 LineTerminator beyond ASCII, as UTF-8. */
static const char *const wide_blanks[] = {
    "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82",
    "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87",
    "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9",
    "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80", "\xEF\xBB\xBF",
};

/* Length of the blank that text begins with, or 0. */
static size_t blank_len(struct bytes text)
{
	if (text.len == 0)
		return 0;
	unsigned char c = (unsigned char)text.ptr[0];
	if (c < 0x80)
		return (c >= '\t' && c <= '\r') || c == ' ';
	for (size_t i = 0; i < sizeof wide_blanks / sizeof *wide_blanks; i++)
		if (bytes_starts_with(text, bytes_of(wide_blanks[i])))
			return strlen(wide_blanks[i]);
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* m × 2^exponent to the nearest double, ties to even; lost: something non-zero follows m. */
static double round_even(uint64_t m, bool lost, int exponent)
{
	int bits = m ? 64 - __builtin_clzll(m) : 0;
	int drop = bits - MANTISSA_BITS;

	if (drop > 0) {
		uint64_t half = 1ULL << (drop - 1);
		uint64_t rest = m & (2 * half - 1);
		uint64_t kept = m >> drop;

		kept += rest > half || (rest == half && (lost || (kept & 1)));
		return ldexp((double)kept, exponent + drop);
	}
	return ldexp((double)m, exponent);
}

/* The longest run of hex digits as a double; -1 when there is none. */
static int parse_hex(struct bytes text, double *ret_value)
{
	uint64_t m = 0;
	size_t used = 0;
	size_t over = 0;
	bool lost = false;
	size_t i = 0;

	for (; i < text.len && hex_value(text.ptr[i]) >= 0; i++) {
		unsigned digit = (unsigned)hex_value(text.ptr[i]);

		if (used < HEX_IN_U64) {
			m = m << 4 | digit;
			used += m != 0;
		} else {
			lost = lost || digit;
			over++;
		}
	}
	if (i == 0)
		return -1;
	*ret_value = round_even(m, lost, over > 1000 ? 4000 : (int)over * 4);
	return 0;
}

int template_js_hex_mod(struct bytes id, unsigned n, int *ret_remainder)
{
	double value;
	bool negative = false;

	for (size_t len = blank_len(id); len; len = blank_len(id))
		id = bytes_sub(id, len, id.len);
	if (id.len && (id.ptr[0] == '-' || id.ptr[0] == '+')) {
		negative = id.ptr[0] == '-';
		id = bytes_sub(id, 1, id.len);
	}
	if (id.len >= 2 && id.ptr[0] == '0' && (id.ptr[1] | 0x20) == 'x')
		id = bytes_sub(id, 2, id.len);
	if (n == 0 || parse_hex(id, &value) || isinf(value))
		return -1;
	int remainder = (int)fmod(value, n);
	*ret_remainder = negative ? -remainder : remainder;
	return 0;
}
