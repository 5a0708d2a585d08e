#include "base/text.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The code point of a well-formed sequence. */
static uint32_t code_point(struct bytes sequence)
{
	static const unsigned char lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	uint32_t code = (unsigned char)sequence.ptr[0] & lead_mask[sequence.len];

	for (size_t i = 1; i < sequence.len; i++)
		code = code << 6 | ((unsigned char)sequence.ptr[i] & 0x3F);
	return code;
}

/* What a terminal obeys instead of showing: controls, bidirectional marks, line separators. */
static bool drives_terminal(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x061C ||
	       code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
	       (code >= 0x2066 && code <= 0x2069);
}

static void escape_byte(struct buf *buf, unsigned char c)
{
	if (c == '\n')
		buf_add_str(buf, "\\n");
	else if (c == '\r')
		buf_add_str(buf, "\\r");
	else if (c == '\t')
		buf_add_str(buf, "\\t");
	else
		buf_printf(buf, "\\x%02x", c);
}

void text_escape(struct buf *buf, struct bytes b)
{
	size_t plain = 0; /* start of what is not yet copied */
	size_t at = 0;

	while (at < b.len) {
		if (b.ptr[at] >= 0x20 && b.ptr[at] < 0x7F) {
			at++;
			continue;
		}
		size_t len = bytes_utf8_len(bytes_sub(b, at, b.len));
		uint32_t code = len ? code_point((struct bytes){b.ptr + at, len}) : 0;

		if (len && !drives_terminal(code)) {
			at += len;
			continue;
		}
		buf_add(buf, bytes_sub(b, plain, at - plain));
		if (len > 1)
			buf_printf(buf, "\\u{%x}", (unsigned)code);
		else
			escape_byte(buf, (unsigned char)b.ptr[at]);
		at += len ? len : 1;
		plain = at;
	}
	buf_add(buf, bytes_sub(b, plain, b.len));
}

void text_quote(struct buf *buf, struct bytes b)
{
	buf_add_char(buf, '"');
	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.ptr[i];

		if (c == '"' || c == '\\')
			buf_add(buf, (struct bytes){(char[]){'\\', (char)c}, 2});
		else if (c == '\a')
			buf_add_str(buf, "\\a");
		else if (c == '\b')
			buf_add_str(buf, "\\b");
		else if (c >= 0x20 && c < 0x7F)
			buf_add_char(buf, (char)c);
		else
			escape_byte(buf, c);
	}
	buf_add_char(buf, '"');
}

char text_unescape(struct bytes *rest)
{
	char c = rest->ptr[0];

	*rest = bytes_sub(*rest, 1, rest->len);
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'a':
		return '\a';
	case 'b':
		return '\b';
	case 'x':
		if (rest->len >= 2 && num_hex_digit(rest->ptr[0]) >= 0 &&
		    num_hex_digit(rest->ptr[1]) >= 0) {
			c = (char)(num_hex_digit(rest->ptr[0]) * 16 +
				   num_hex_digit(rest->ptr[1]));
			*rest = bytes_sub(*rest, 2, rest->len);
		}
		return c;
	default: /* \" and \\ */
		return c;
	}
}

static size_t min2(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Damerau-Levenshtein, in its optimal string alignment form: three rows of the table. */
static size_t edit_distance(struct bytes a, struct bytes b)
{
	size_t *rows = mem_zalloc(3 * (b.len + 1), sizeof *rows);
	size_t *before = rows, *last = before + b.len + 1, *row = last + b.len + 1;

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *reused = before;

		before = last;
		last = row;
		row = reused;
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t differs = a.ptr[i - 1] != b.ptr[j - 1];

			row[j] = min2(min2(last[j], row[j - 1]) + 1, last[j - 1] + differs);
			if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
			    a.ptr[i - 2] == b.ptr[j - 1])
				row[j] = min2(row[j], before[j - 2] + 1);
		}
	}
	size_t distance = row[b.len];
	free(rows);
	return distance;
}

const char *text_nearest(struct bytes word, const char *const *candidates, size_t count)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		struct bytes candidate = bytes_of(candidates[i]);
		size_t longer = word.len > candidate.len ? word.len : candidate.len;
		size_t shorter = min2(word.len, candidate.len);
		size_t limit = longer / 3 ? longer / 3 : 1;

		if (longer - shorter > limit)
			continue;
		size_t distance = edit_distance(word, candidate);
		if (distance <= limit && distance < best && distance < longer) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}

void text_base64(struct buf *buf, struct bytes b)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < b.len; i += 3) {
		struct bytes group = bytes_sub(b, i, 3);
		uint32_t bits = 0;

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (j < group.len ? (unsigned char)group.ptr[j] : 0);
		char out[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
			       group.len > 1 ? digits[bits >> 6 & 63] : '=',
			       group.len > 2 ? digits[bits & 63] : '='};
		buf_add(buf, (struct bytes){out, sizeof out});
	}
}

/* The six bits that a base64 digit stands for, or -1. */
static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits, the last `pads` of them '='. Bits that pads leave over must be 0. */
static int base64_group(const char *digits, size_t pads, char *out)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int digit = i < 4 - pads ? base64_digit(digits[i]) : 0;

		if (digit < 0)
			return -1;
		bits = bits << 6 | (uint32_t)digit;
	}
	for (size_t i = 0; i < 3; i++)
		out[i] = (char)(bits >> (16 - 8 * i));
	return pads && (bits & ((UINT32_C(1) << 8 * pads) - 1)) ? -1 : 0;
}

int text_unbase64(struct buf *buf, struct bytes text)
{
	size_t pads = 0, start = buf->len;

	if (text.len % 4 != 0)
		return -1;
	if (text.len > 0 && text.ptr[text.len - 1] == '=')
		pads = text.ptr[text.len - 2] == '=' ? 2 : 1;
	buf_reserve(buf, text.len / 4 * 3);
	for (size_t i = 0; i < text.len; i += 4) {
		size_t group_pads = i + 4 == text.len ? pads : 0;
		char out[3];

		if (base64_group(text.ptr + i, group_pads, out) != 0) {
			buf->len = start;
			buf->ptr[start] = '\0';
			return -1;
		}
		buf_add(buf, (struct bytes){out, 3 - group_pads});
	}
	return 0;
}

void text_glob_escape(struct buf *buf, struct bytes b)
{
	static const char special[] = "*?[\\";

	for (size_t i = 0; i < b.len; i++) {
		if (memchr(special, b.ptr[i], sizeof special - 1))
			buf_add_char(buf, '\\');
		buf_add_char(buf, b.ptr[i]);
	}
}
