#include "base/json_lex.h"

#include "base/num.h"

#include <endian.h>
#include <string.h>

int json_lex_fail(struct json_reader *reader, size_t offset, const char *what)
{
	reader->error = (struct json_error){offset, what};
	return -1;
}

int json_lex_comment(struct json_reader *reader)
{
	struct bytes rest = bytes_sub(reader->doc, reader->at, reader->doc.len);
	int kind = json_lex_byte(reader, reader->at + 1);

	if (!(reader->flags & JSON_COMMENTS))
		return json_lex_fail(reader, reader->at, "comments are not allowed here");
	if (kind == '/') {
		int c = kind;

		while (c >= 0 && c != '\r' && c != '\n')
			c = json_lex_byte(reader, ++reader->at);
		return 0;
	}
	if (kind != '*')
		return json_lex_fail(reader, reader->at, "a lone / (comments are // or /* */)");
	const char *end = memmem(rest.ptr + 2, rest.len - 2, "*/", 2);
	if (!end)
		return json_lex_fail(reader, reader->at, "a comment without its end");
	reader->at = (size_t)(end + 2 - reader->doc.ptr);
	return 0;
}

/* Marks by its high bit the lowest byte that is a control, ", \ or not ASCII. */
static uint64_t special_bytes(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones * 0x80;
	uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';

	return (word | ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
		((backslash - ones) & ~backslash)) &
	       highs;
}

/* The offset of the first special byte from at on, or doc.len. */
static size_t find_special(struct bytes doc, size_t at)
{
	for (; doc.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
		uint64_t word = 0;

		memcpy(&word, doc.ptr + at, sizeof word);
		uint64_t special = special_bytes(le64toh(word));
		if (special)
			return at + (size_t)__builtin_ctzll(special) / 8;
	}
	while (at < doc.len &&
	       !(special_bytes((unsigned char)doc.ptr[at] | UINT64_C(0x4141414141414100))))
		at++;
	return at;
}

static int fail_early_end(struct json_reader *reader)
{
	return json_lex_fail(reader, reader->doc.len, "a string without its end");
}

/* The four digits of a \u escape at offset. */
static int read_hex4(struct json_reader *reader, size_t offset, unsigned *ret_code)
{
	unsigned code = 0;

	for (size_t i = offset; i < offset + 4; i++) {
		if (i >= reader->doc.len)
			return fail_early_end(reader);
		int digit = num_hex_digit(reader->doc.ptr[i]);
		if (digit < 0)
			return json_lex_fail(reader, i, "\\u needs four hexadecimal digits");
		code = code << 4 | (unsigned)digit;
	}
	*ret_code = code;
	return 0;
}

static int read_unicode_escape(struct json_reader *reader)
{
	size_t start = reader->at;
	unsigned code = 0, low = 0;

	if (read_hex4(reader, start + 2, &code) < 0)
		return -1;
	reader->at = start + 6;
	if (code < 0xD800 || code > 0xDFFF)
		return 0;
	if (code > 0xDBFF || json_lex_byte(reader, start + 6) != '\\' ||
	    json_lex_byte(reader, start + 7) != 'u')
		return json_lex_fail(reader, start, "a lone surrogate");
	if (read_hex4(reader, start + 8, &low) < 0)
		return -1;
	if (low < 0xDC00 || low > 0xDFFF)
		return json_lex_fail(reader, start, "a lone surrogate");
	reader->at = start + 12;
	return 0;
}

static int read_escape(struct json_reader *reader)
{
	static const char letters[] = "\"\\/bfnrt";
	int c = json_lex_byte(reader, reader->at + 1);

	if (c < 0)
		return fail_early_end(reader);
	if (c == 'u')
		return read_unicode_escape(reader);
	if (!memchr(letters, c, sizeof letters - 1))
		return json_lex_fail(reader, reader->at + 1, "no such escape");
	reader->at += 2;
	return 0;
}

/* The run of bytes outside ASCII at reader->at. */
static int read_wide(struct json_reader *reader)
{
	while (json_lex_byte(reader, reader->at) >= 0x80) {
		size_t len =
		    bytes_utf8_len(bytes_sub(reader->doc, reader->at, reader->doc.len));

		if (len == 0)
			return json_lex_fail(reader, reader->at, "malformed UTF-8");
		reader->at += len;
	}
	return 0;
}

int json_lex_string(struct json_reader *reader)
{
	int status = 0;

	for (reader->at++; status == 0;) {
		reader->at = find_special(reader->doc, reader->at);
		int c = json_lex_byte(reader, reader->at);

		if (c == '"') {
			reader->at++;
			return 0;
		}
		if (c == '\\')
			status = read_escape(reader);
		else if (c >= 0x80)
			status = read_wide(reader);
		else if (c < 0)
			status = fail_early_end(reader);
		else
			status = json_lex_fail(reader, reader->at,
					       "a raw control character in a string");
	}
	return status;
}

static int read_digits(struct json_reader *reader)
{
	size_t start = reader->at;

	while (reader->at < reader->doc.len &&
	       (unsigned char)(reader->doc.ptr[reader->at] - '0') <= 9)
		reader->at++;
	if (reader->at == start)
		return json_lex_fail(reader, start, "a digit is missing");
	return 0;
}

int json_lex_number(struct json_reader *reader)
{
	reader->at += json_lex_byte(reader, reader->at) == '-';
	size_t start = reader->at;
	if (read_digits(reader) < 0)
		return -1;
	if (reader->doc.ptr[start] == '0' && reader->at > start + 1)
		return json_lex_fail(reader, start, "a number may not start with 0");
	if (json_lex_byte(reader, reader->at) == '.') {
		reader->at++;
		if (read_digits(reader) < 0)
			return -1;
	}
	if ((json_lex_byte(reader, reader->at) | 0x20) != 'e')
		return 0;
	reader->at++;
	int sign = json_lex_byte(reader, reader->at);
	reader->at += sign == '+' || sign == '-';
	return read_digits(reader);
}

int json_lex_word(struct json_reader *reader, const char *word)
{
	for (; *word; word++, reader->at++)
		if (json_lex_byte(reader, reader->at) != *word)
			return json_lex_fail(reader, reader->at,
					     "not a JSON word (true, false, null)");
	return 0;
}
