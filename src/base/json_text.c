#include "base/json.h"

#include "base/buf.h"
#include "base/num.h"

#include <string.h>

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {
	    [JSON_NULL] = "null",     [JSON_FALSE] = "false",   [JSON_TRUE] = "true",
	    [JSON_NUMBER] = "number", [JSON_STRING] = "string", [JSON_ARRAY] = "array",
	    [JSON_OBJECT] = "object",
	};

	return names[type];
}

void json_locate(struct bytes doc, size_t offset, size_t *ret_line, size_t *ret_column)
{
	size_t line = 1, start = 0;

	for (size_t i = 0; i < offset && i < doc.len; i++) {
		bool cr_of_crlf =
		    doc.ptr[i] == '\r' && i + 1 < doc.len && doc.ptr[i + 1] == '\n';

		if (doc.ptr[i] == '\n' || (doc.ptr[i] == '\r' && !cr_of_crlf)) {
			line++;
			start = i + 1;
		}
	}
	*ret_line = line;
	*ret_column = offset - start + 1;
}

/* The code of the four digits at p, which the tokenizer has seen. */
static unsigned hex4(const char *p)
{
	unsigned code = 0;

	for (size_t i = 0; i < 4; i++)
		code = code << 4 | (unsigned)num_hex_digit(p[i]);
	return code;
}

static void add_utf8(struct buf *buf, unsigned code)
{
	char out[4];
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char leads[] = {0, 0x00, 0xC0, 0xE0, 0xF0};

	for (size_t i = len - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3F));
	out[0] = (char)(leads[len] | code);
	buf_add(buf, (struct bytes){out, len});
}

/* Decodes the escape at p; returns its length. */
static size_t decode_escape(struct buf *buf, const char *p)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";

	if (p[1] != 'u') {
		buf_add_char(buf, meant[strchr(letters, p[1]) - letters]);
		return 2;
	}
	unsigned code = hex4(p + 2);
	if (code < 0xD800 || code > 0xDBFF) {
		add_utf8(buf, code);
		return 6;
	}
	add_utf8(buf, 0x10000 + ((code - 0xD800) << 10) + (hex4(p + 8) - 0xDC00));
	return 12;
}

void json_decode_string(struct buf *buf, struct bytes raw)
{
	struct bytes rest = bytes_sub(raw, 1, raw.len - 2);

	for (;;) {
		size_t plain = bytes_index(rest, '\\');

		buf_add(buf, bytes_sub(rest, 0, plain));
		if (plain == rest.len)
			return;
		plain += decode_escape(buf, rest.ptr + plain);
		rest = bytes_sub(rest, plain, rest.len);
	}
}

int json_scalar_text(struct buf *buf, struct bytes value)
{
	switch (json_type_of(value)) {
	case JSON_STRING:
		json_decode_string(buf, value);
		return 0;
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
		buf_add(buf, value);
		return 0;
	default:
		return -1;
	}
}

static void add_escaped(struct buf *buf, char c)
{
	static const char codes[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *code = memchr(codes, c, sizeof codes - 1);

	if (code)
		buf_printf(buf, "\\%c", letters[code - codes]);
	else
		buf_printf(buf, "\\u%04x", (unsigned)c);
}

void json_quote(struct buf *buf, struct bytes b)
{
	size_t plain = 0; /* start of what is not yet copied */

	buf_add_char(buf, '"');
	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.ptr[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(buf, bytes_sub(b, plain, i - plain));
		add_escaped(buf, b.ptr[i]);
		plain = i + 1;
	}
	buf_add(buf, bytes_sub(b, plain, b.len));
	buf_add_char(buf, '"');
}
