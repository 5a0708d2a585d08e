#include "core/serial_msgpack.h"

#include <stdint.h>

/* One object's head, as msgpack's spec.md lists the formats. */
struct head {
	enum { SCALAR, TEXT, ARRAY, MAP } kind;
	uint64_t count; /* bytes of a scalar's or a text's body; elements; pairs */
};

struct cursor {
	struct bytes doc;
	size_t at;
};

/* A big-endian number of width bytes. */
static bool read_number(struct cursor *cursor, size_t width, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (cursor->doc.len - cursor->at < width)
		return false;
	for (size_t i = 0; i < width; i++)
		number = number << 8 | (unsigned char)cursor->doc.ptr[cursor->at++];
	*ret_number = number;
	return true;
}

/* C0 to DF: what each is, the width of its length, bytes of body besides. C1 is never used. */
static const struct {
	unsigned char kind, width, body;
} formats[] = {
    {SCALAR, 0, 0},  {SCALAR, 0, 255}, {SCALAR, 0, 0}, {SCALAR, 0, 0}, /* nil - false true */
    {SCALAR, 1, 0},  {SCALAR, 2, 0},   {SCALAR, 4, 0},                 /* bin */
    {SCALAR, 1, 1},  {SCALAR, 2, 1},   {SCALAR, 4, 1},                 /* ext */
    {SCALAR, 0, 4},  {SCALAR, 0, 8},                                   /* float */
    {SCALAR, 0, 1},  {SCALAR, 0, 2},   {SCALAR, 0, 4}, {SCALAR, 0, 8}, /* uint */
    {SCALAR, 0, 1},  {SCALAR, 0, 2},   {SCALAR, 0, 4}, {SCALAR, 0, 8}, /* int */
    {SCALAR, 0, 2},  {SCALAR, 0, 3},   {SCALAR, 0, 5}, {SCALAR, 0, 9}, /* fixext */
    {SCALAR, 0, 17}, {TEXT, 1, 0},     {TEXT, 2, 0},   {TEXT, 4, 0},   /* fixext 16, str */
    {ARRAY, 2, 0},   {ARRAY, 4, 0},    {MAP, 2, 0},    {MAP, 4, 0},
};

static bool read_head(struct cursor *cursor, struct head *ret_head)
{
	uint64_t code = 0;
	uint64_t length = 0;

	if (!read_number(cursor, 1, &code) || code == 0xc1)
		return false;
	if (code <= 0x7f || code >= 0xe0)
		*ret_head = (struct head){SCALAR, 0};
	else if (code <= 0x8f)
		*ret_head = (struct head){MAP, code & 0x0f};
	else if (code <= 0x9f)
		*ret_head = (struct head){ARRAY, code & 0x0f};
	else if (code <= 0xbf)
		*ret_head = (struct head){TEXT, code & 0x1f};
	else if (!read_number(cursor, formats[code - 0xc0].width, &length))
		return false;
	else
		*ret_head = (struct head){formats[code - 0xc0].kind,
					  length + formats[code - 0xc0].body};
	return true;
}

/* A text or scalar behind its head. */
static bool read_body(struct cursor *cursor, const struct head *head)
{
	struct bytes body = bytes_sub(cursor->doc, cursor->at, (size_t)head->count);

	cursor->at += body.len;
	return body.len == head->count && (head->kind != TEXT || bytes_is_utf8(body));
}

/* Objects until none is owed: a container owes its elements. Each takes a byte at least, so a
 * lying count ends at the document's end. */
static bool skip_objects(struct cursor *cursor, uint64_t owed)
{
	struct head head;

	while (owed > 0) {
		if (owed > cursor->doc.len - cursor->at || !read_head(cursor, &head))
			return false;
		owed--;
		if (head.kind == ARRAY || head.kind == MAP)
			owed += head.count * (head.kind == MAP ? 2 : 1);
		else if (!read_body(cursor, &head))
			return false;
	}
	return true;
}

/* The pairs of a map, every key a text that is not empty. */
static bool read_map(struct cursor *cursor)
{
	struct head head;

	if (!read_head(cursor, &head) || head.kind != MAP || head.count == 0)
		return false;
	for (uint64_t pairs = head.count; pairs > 0; pairs--) {
		if (!read_head(cursor, &head) || head.kind != TEXT || head.count == 0 ||
		    !read_body(cursor, &head) || !skip_objects(cursor, 1))
			return false;
	}
	return true;
}

bool serial_msgpack_certain(struct bytes b)
{
	struct cursor cursor = {b, 0};
	struct cursor inner = {b, 0};
	struct head head;

	if (read_map(&cursor))
		return cursor.at == b.len;
	if (!read_head(&inner, &head) || head.kind != ARRAY || head.count == 0)
		return false;
	return read_map(&inner) && skip_objects(&inner, head.count - 1) && inner.at == b.len;
}
