#include "core/backup_frame.h"

#include "base/mem.h"
#include "base/num.h"

#include <stddef.h>
#include <string.h>
#include <zlib.h>

#define BODY_FIXED 28 /* kind, flags, 2 × 0, expires, set, key's length, item count */

uint64_t backup_number(const char *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i > 0; i--)
		value = value << 8 | (unsigned char)bytes[i - 1];
	return value;
}

void backup_put_number(char *bytes, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++, value >>= 8)
		bytes[i] = (char)(value & 0xff);
}

static void add_number(struct buf *buf, size_t size, uint64_t value)
{
	backup_put_number(buf_reserve(buf, size), size, value);
	buf->len += size;
}

uint32_t backup_frame_check_more(uint32_t check, struct bytes bytes)
{
	while (bytes.len > 0) { /* zlib counts in unsigned int */
		size_t piece = bytes.len < (1U << 30) ? bytes.len : 1U << 30;

		check =
		    (uint32_t)crc32(check, (const unsigned char *)bytes.ptr, (unsigned)piece);
		bytes = bytes_sub(bytes, piece, bytes.len);
	}
	return check;
}

uint32_t backup_frame_check(const struct backup_frame *frame)
{
	char bytes[12];

	backup_put_number(bytes, 4, frame->len);
	backup_put_number(bytes + 4, 8, frame->number);
	return backup_frame_check_more(0, (struct bytes){bytes, sizeof bytes});
}

uint64_t backup_frame_size(const struct backup_record *record)
{
	uint64_t size = BACKUP_FRAME_HEAD + BODY_FIXED + record->key.len;

	for (size_t i = 0; i < record->item_count; i++)
		size += 4 + record->items[i].len;
	return size;
}

void backup_frame_write(struct buf *buf, const struct backup_record *record)
{
	uint64_t size = backup_frame_size(record);
	struct backup_frame frame = {.len = (uint32_t)(size - BACKUP_FRAME_HEAD),
				     .number = record->number};
	size_t start = buf->len;

	buf_reserve(buf, size);
	buf_add(buf, BYTES(BACKUP_MARKER));
	add_number(buf, 4, frame.len);
	add_number(buf, 8, frame.number);
	add_number(buf, 4, 0);
	add_number(buf, 1, (uint64_t)record->kind);
	add_number(buf, 1, record->flags);
	add_number(buf, 2, 0);
	add_number(buf, 8, (uint64_t)record->expires_ms);
	add_number(buf, 8, (uint64_t)record->set_ms);
	add_number(buf, 4, record->key.len);
	add_number(buf, 4, record->item_count);
	buf_add(buf, record->key);
	for (size_t i = 0; i < record->item_count; i++) {
		add_number(buf, 4, record->items[i].len);
		buf_add(buf, record->items[i]);
	}
	frame.check = backup_frame_check_more(
	    backup_frame_check(&frame),
	    bytes_sub(buf_bytes(buf), start + BACKUP_FRAME_HEAD, frame.len));
	backup_put_number(buf->ptr + start + 16, 4, frame.check);
}

bool backup_frame_head(const char *bytes, struct backup_frame *ret_frame)
{
	if (memcmp(bytes, BACKUP_MARKER, 4) != 0)
		return false;
	ret_frame->len = (uint32_t)backup_number(bytes + 4, 4);
	ret_frame->number = backup_number(bytes + 8, 8);
	ret_frame->check = (uint32_t)backup_number(bytes + 16, 4);
	return ret_frame->len >= BODY_FIXED;
}

static bool read_items(struct bytes rest, size_t count, struct bytes *items)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t len = rest.len >= 4 ? backup_number(rest.ptr, 4) : UINT64_MAX;

		if (rest.len < 4 || len > rest.len - 4)
			return false;
		items[i] = bytes_sub(rest, 4, len);
		rest = bytes_sub(rest, 4 + len, rest.len);
	}
	return rest.len == 0;
}

bool backup_frame_read(struct bytes body, uint64_t number, struct bytes **items,
		       size_t *items_size, struct backup_record *ret_record)
{
	const char *at = body.ptr;

	if (body.len < BODY_FIXED)
		return false;
	uint64_t key_len = backup_number(at + 20, 4);
	uint64_t count = backup_number(at + 24, 4);

	if (key_len > body.len - BODY_FIXED || count > (body.len - BODY_FIXED - key_len) / 4)
		return false;
	if (count > *items_size) {
		*items = mem_resize(*items, count, sizeof **items);
		*items_size = count;
	}
	*ret_record = (struct backup_record){
	    .kind = (enum backup_kind)(unsigned char)at[0],
	    .flags = (unsigned char)at[1],
	    .number = number,
	    .key = bytes_sub(body, BODY_FIXED, key_len),
	    .expires_ms = (int64_t)backup_number(at + 4, 8),
	    .set_ms = (int64_t)backup_number(at + 12, 8),
	    .items = *items,
	    .item_count = count,
	};
	return read_items(bytes_sub(body, BODY_FIXED + key_len, body.len), count, *items);
}

static void copy(char *text, size_t size, struct bytes value)
{
	size_t len = value.len < size ? value.len : size - 1;

	if (len)
		memcpy(text, value.ptr, len);
	text[len] = '\0';
}

void backup_frame_origin(const struct backup_record *record, struct backup_origin *ret_origin)
{
	static const struct {
		const char *name;
		size_t offset, size;
	} texts[] = {
#define TEXT(field)                                                                            \
	{#field, offsetof(struct backup_origin, field),                                        \
	 sizeof(((struct backup_origin *)0)->field)}
	    TEXT(target), TEXT(run_id), TEXT(replid), TEXT(replid2), TEXT(what),
#undef TEXT
	};
	uint64_t made = 0;

	*ret_origin = (struct backup_origin){0};
	for (size_t i = 0; i + 1 < record->item_count; i += 2) {
		struct bytes name = record->items[i], value = record->items[i + 1];

		for (size_t j = 0; j < sizeof texts / sizeof *texts; j++)
			if (bytes_equal_str(name, texts[j].name))
				copy((char *)ret_origin + texts[j].offset, texts[j].size,
				     value);
		if (bytes_equal_str(name, "db"))
			num_parse_u64(value, 0, UINT64_MAX, &ret_origin->db);
		else if (bytes_equal_str(name, "made_ms"))
			num_parse_u64(value, 0, INT64_MAX, &made);
		else if (bytes_equal_str(name, "keep_ms"))
			num_parse_u64(value, 0, UINT64_MAX, &ret_origin->keep_ms);
	}
	ret_origin->made_ms = (int64_t)made;
}
