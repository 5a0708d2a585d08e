#include "core/shape.h"

#include "base/buf.h"

#include <string.h>

#define UUID_LEN 36
#define DATE_LEN 10
#define HEX_LEAST 8    /* shorter ones are words: "cafe", "face" */
#define TOKEN_DIGITS 5 /* letters and so many digits are an id: CA12345 */
#define TOKEN_LEAST 16 /* or so long, with two digits: 7fKq…, ULIDs */
#define PHONE_LEAST 7

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* True when text begins with this picture (x hex, 9 digit) and no letter or digit follows. */
static bool looks_like(struct bytes text, const char *picture)
{
	size_t len = strlen(picture);

	if (text.len < len || (text.len > len && is_alnum(text.ptr[len])))
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text.ptr[i];

		if (picture[i] == 'x'   ? !is_hex(c)
		    : picture[i] == '9' ? !is_digit(c)
					: c != picture[i])
			return false;
	}
	return true;
}

/* What a run of letters and digits is; 0: a word. */
static unsigned run_kind(struct bytes run)
{
	size_t digits = 0;
	size_t hex = 0;

	for (size_t i = 0; i < run.len; i++) {
		digits += is_digit(run.ptr[i]);
		hex += is_hex(run.ptr[i]);
	}
	if (digits == run.len)
		return SHAPE_NUMBER;
	if (hex == run.len && run.len >= HEX_LEAST && digits > 0)
		return SHAPE_HEX;
	if (digits >= TOKEN_DIGITS || (run.len >= TOKEN_LEAST && digits >= 2))
		return SHAPE_TOKEN;
	return 0;
}

/* Bytes of the run of letters and digits at text. */
static size_t run_length(struct bytes text)
{
	size_t len = 0;

	while (len < text.len && is_alnum(text.ptr[len]))
		len++;
	return len;
}

/* The id that text (at the begin of a run) starts with: its length, 0: none. */
static size_t id_at(struct bytes text, unsigned *ret_kind)
{
	size_t phone = text.ptr[0] == '+' ? run_length(bytes_sub(text, 1, text.len)) : 0;

	if (looks_like(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"))
		return *ret_kind = SHAPE_UUID, UUID_LEN;
	if (looks_like(text, "9999-99-99"))
		return *ret_kind = SHAPE_DATE, DATE_LEN;
	if (phone >= PHONE_LEAST && run_kind(bytes_sub(text, 1, phone)) == SHAPE_NUMBER)
		return *ret_kind = SHAPE_NUMBER, phone + 1;
	size_t len = run_length(text);
	*ret_kind = len ? run_kind(bytes_sub(text, 0, len)) : 0;
	return *ret_kind ? len : 0;
}

static bool is_printable(struct bytes part)
{
	for (size_t i = 0; i < part.len; i++)
		if ((unsigned char)part.ptr[i] < 0x20 || part.ptr[i] == 0x7f)
			return false;
	return bytes_is_utf8(part);
}

/* An opaque token as a whole, with - and _ as base64url has them. */
static bool is_opaque(struct bytes part)
{
	size_t digits = 0;
	size_t capitals = 0;
	size_t small = 0;

	for (size_t i = 0; i < part.len; i++) {
		char c = part.ptr[i];

		if (!is_alnum(c) && c != '-' && c != '_')
			return false;
		digits += is_digit(c);
		capitals += c >= 'A' && c <= 'Z';
		small += c >= 'a' && c <= 'z';
	}
	return part.len >= TOKEN_LEAST && digits >= 2 && capitals >= 2 && small >= 2;
}

void shape_label(struct bytes part, struct buf *label, unsigned *ret_kinds)
{
	unsigned kind = 0;

	*ret_kinds = 0;
	if (!is_printable(part) || part.len > 128 || is_opaque(part)) {
		*ret_kinds = is_opaque(part) ? SHAPE_TOKEN : SHAPE_BINARY;
		buf_add_str(label, "{id}");
		return;
	}
	for (size_t at = 0; at < part.len;) {
		struct bytes left = bytes_sub(part, at, part.len);
		size_t len = id_at(left, &kind);
		/* "a1b2" may not give up its head or its tail: a word goes as a whole */
		size_t word = len ? 0 : run_length(left);

		if (len) {
			buf_add_str(label, kind == SHAPE_DATE ? "{date}" : "{id}");
			*ret_kinds |= kind;
		} else if (word) {
			buf_add(label, bytes_sub(left, 0, word));
		} else {
			if (left.ptr[0] == '{' || left.ptr[0] == '}')
				buf_add_char(label, left.ptr[0]);
			buf_add_char(label, left.ptr[0]);
		}
		at += len ? len : word ? word : 1;
	}
}
