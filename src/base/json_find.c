#include "base/json.h"

#include "base/buf.h"
#include "base/num.h"

#include <string.h>

enum json_type json_type_of(struct bytes value)
{
	switch (value.len > 0 ? value.ptr[0] : 'n') {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

int json_iter_init(struct json_iter *iter, struct bytes value)
{
	struct json_token token;

	json_reader_init(&iter->reader, value, JSON_STRICT, JSON_DEPTH_DATA);
	if (json_read(&iter->reader, &token) <= 0 || token.event != JSON_EV_BEGIN)
		return -1;
	iter->in_object = token.type == JSON_OBJECT;
	return 0;
}

/* 1 with the next member, 0 at the container's end, -1 where the text is not JSON. */
static int next_member(struct json_iter *iter, struct bytes *ret_name, struct bytes *ret_value)
{
	struct bytes name = {NULL, 0};
	struct json_token token;

	if (json_read(&iter->reader, &token) <= 0)
		return -1;
	if (token.event == JSON_EV_END)
		return 0;
	if (token.event == JSON_EV_KEY) {
		name = token.raw;
		if (json_read(&iter->reader, &token) <= 0)
			return -1;
	}
	if (json_skip(&iter->reader, &token, ret_value) < 0)
		return -1;
	*ret_name = name;
	return 1;
}

int json_iter_next(struct json_iter *iter, struct bytes *ret_name, struct bytes *ret_value)
{
	return next_member(iter, ret_name, ret_value) > 0;
}

bool json_pointer_valid(struct bytes pointer)
{
	if (pointer.len > 0 && pointer.ptr[0] != '/')
		return false;
	for (size_t i = 0; i < pointer.len; i++)
		if (pointer.ptr[i] == '~' &&
		    (i + 1 == pointer.len ||
		     (pointer.ptr[i + 1] != '0' && pointer.ptr[i + 1] != '1')))
			return false;
	return true;
}

/* Splits "/segment" off a valid pointer and stores the segment's text. */
static void take_segment(struct bytes *pointer, struct buf *segment)
{
	struct bytes rest = bytes_sub(*pointer, 1, pointer->len);
	size_t len = bytes_index(rest, '/');

	buf_clear(segment);
	for (size_t i = 0; i < len; i++) {
		char c = rest.ptr[i];

		if (c == '~')
			c = rest.ptr[++i] == '0' ? '~' : '/';
		buf_add_char(segment, c);
	}
	*pointer = bytes_sub(rest, len, rest.len);
}

/* Compares a name token with text; scratch is for decoding. */
static bool name_is(struct bytes name, struct bytes text, struct buf *scratch)
{
	struct bytes inner = bytes_sub(name, 1, name.len - 2);

	if (bytes_index(inner, '\\') == inner.len)
		return bytes_equal(inner, text);
	buf_clear(scratch);
	json_decode_string(scratch, name);
	return bytes_equal(buf_bytes(scratch), text);
}

static int find_in_object(struct json_iter *iter, struct bytes name, struct bytes *ret_value)
{
	struct buf scratch = {0};
	struct bytes member, value, found = {NULL, 0};
	int status = 0;

	while ((status = next_member(iter, &member, &value)) > 0)
		if (name_is(member, name, &scratch))
			found = value;
	buf_release(&scratch);
	if (status < 0 || found.len == 0)
		return -1;
	*ret_value = found;
	return 0;
}

/* An index has no leading zeros; "-" is the element that is not there yet. */
static int find_in_array(struct json_iter *iter, struct bytes segment, struct bytes *ret_value)
{
	struct bytes no_name, value;
	uint64_t index = 0;

	if (num_parse_u64(segment, 0, SIZE_MAX, &index) < 0 ||
	    (segment.len > 1 && segment.ptr[0] == '0'))
		return -1;
	while (next_member(iter, &no_name, &value) > 0)
		if (index-- == 0) {
			*ret_value = value;
			return 0;
		}
	return -1;
}

static int find_child(struct bytes container, struct bytes segment, struct bytes *ret_value)
{
	struct json_iter iter;

	if (json_iter_init(&iter, container) < 0)
		return -1;
	return iter.in_object ? find_in_object(&iter, segment, ret_value)
			      : find_in_array(&iter, segment, ret_value);
}

int json_find(struct bytes doc, struct bytes pointer, struct bytes *ret_value)
{
	struct buf segment = {0};
	struct json_reader reader;
	struct json_token token;
	int status = -1;

	if (!json_pointer_valid(pointer))
		return -1;
	if (pointer.len == 0) {
		json_reader_init(&reader, doc, JSON_STRICT, JSON_DEPTH_DATA);
		return json_read(&reader, &token) > 0 &&
			       json_skip(&reader, &token, ret_value) == 0
			   ? 0
			   : -1;
	}
	do {
		take_segment(&pointer, &segment);
		status = find_child(doc, buf_bytes(&segment), &doc);
	} while (status == 0 && pointer.len > 0);
	buf_release(&segment);
	if (status == 0)
		*ret_value = doc;
	return status;
}
