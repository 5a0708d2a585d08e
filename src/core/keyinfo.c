#include "core/keyinfo.h"

#include "base/buf.h"
#include "base/err.h"
#include "wire/redis.h"

#include <stdio.h>
#include <string.h>

#define VALUE_WORDS 6

/*
 * How each type is measured and read. In the words of the value's command
 * KEY, ITEMS (how many), LAST_ITEM and LAST_BYTE (indexes) are filled in.
 */
static const char KEY[] = "key", ITEMS[] = "items", LAST_ITEM[] = "last-item",
		  LAST_BYTE[] = "last-byte";

struct kind {
	const char *type;
	const char *length;
	const char *value[VALUE_WORDS];
	void (*read)(const struct reply *reply, const struct keyinfo_limits *limits,
		     struct keyinfo *info);
};

static void add_item(struct keyinfo *info, const struct keyinfo_limits *limits,
		     struct bytes name, struct bytes value)
{
	if (info->item_count >= limits->items) {
		info->cut = true;
		return;
	}
	if (value.len > limits->value_bytes) {
		value.len = limits->value_bytes;
		info->cut = true;
	}
	info->items[info->item_count++] =
	    (struct keyinfo_item){.name = mem_arena_bytes(&info->arena, name),
				  .value = mem_arena_bytes(&info->arena, value)};
}

static void read_string(const struct reply *reply, const struct keyinfo_limits *limits,
			struct keyinfo *info)
{
	add_item(info, limits, (struct bytes){NULL, 0}, reply->text);
	info->cut = info->length >= 0 && (uint64_t)info->length > reply->text.len;
}

/* An HSCAN or SSCAN answer: [cursor, items]; stride 2 has names. */
static void read_cursor(const struct reply *reply, size_t stride,
			const struct keyinfo_limits *limits, struct keyinfo *info)
{
	const struct reply *list = reply->count == 2 ? reply->items[1] : NULL;

	for (size_t i = 0; list && i + stride <= list->count; i += stride)
		add_item(info, limits,
			 stride == 2 ? list->items[i]->text : (struct bytes){NULL, 0},
			 list->items[i + stride - 1]->text);
}

static void read_hash(const struct reply *reply, const struct keyinfo_limits *limits,
		      struct keyinfo *info)
{
	read_cursor(reply, 2, limits, info);
}

static void read_set(const struct reply *reply, const struct keyinfo_limits *limits,
		     struct keyinfo *info)
{
	read_cursor(reply, 1, limits, info);
}

static void read_list(const struct reply *reply, const struct keyinfo_limits *limits,
		      struct keyinfo *info)
{
	for (size_t i = 0; i < reply->count; i++) {
		char index[24];

		snprintf(index, sizeof index, "%zu", i);
		add_item(info, limits, bytes_of(index), reply->items[i]->text);
	}
}

/* ZRANGE … WITHSCORES: member, score, … */
static void read_zset(const struct reply *reply, const struct keyinfo_limits *limits,
		      struct keyinfo *info)
{
	for (size_t i = 0; i + 2 <= reply->count; i += 2)
		add_item(info, limits, reply->items[i + 1]->text, reply->items[i]->text);
}

/* XRANGE: [[id, [field, value, …]], …]; an entry reads as "field value field value". */
static void read_stream(const struct reply *reply, const struct keyinfo_limits *limits,
			struct keyinfo *info)
{
	for (size_t i = 0; i < reply->count; i++) {
		const struct reply *entry = reply->items[i];
		const struct reply *fields = entry->count == 2 ? entry->items[1] : NULL;
		struct buf text = {0};

		for (size_t j = 0; fields && j < fields->count; j++) {
			if (j)
				buf_add_char(&text, ' ');
			buf_add(&text, fields->items[j]->text);
		}
		if (fields)
			add_item(info, limits, entry->items[0]->text, buf_bytes(&text));
		buf_release(&text);
	}
}

static const struct kind kinds[] = {
    {"string", "STRLEN", {"GETRANGE", KEY, "0", LAST_BYTE}, read_string},
    {"hash", "HLEN", {"HSCAN", KEY, "0", "COUNT", ITEMS}, read_hash},
    {"set", "SCARD", {"SSCAN", KEY, "0", "COUNT", ITEMS}, read_set},
    {"list", "LLEN", {"LRANGE", KEY, "0", LAST_ITEM}, read_list},
    {"zset", "ZCARD", {"ZRANGE", KEY, "0", LAST_ITEM, "WITHSCORES"}, read_zset},
    {"stream", "XLEN", {"XRANGE", KEY, "-", "+", "COUNT", ITEMS}, read_stream},
};

static const struct kind *kind_of(const char *type)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

/* Where a figure goes. One that must be known fails the whole when it is refused. */
struct slot {
	int64_t *number;
	char *text;
	size_t text_size;
	bool needed;
	struct redis *redis;
	const struct bytes *argv;
	struct err *problem;
};

static void on_figure(void *ctx, const struct reply *reply)
{
	struct slot *slot = ctx;

	if (reply_error_kind(reply) == REPLY_ERR_LOST ||
	    (slot->needed && reply->type == REPLY_ERROR)) {
		if (!err_is_set(slot->problem))
			redis_fail(slot->redis, reply, slot->argv[0].ptr, slot->argv[1],
				   slot->problem);
		return;
	}
	if (slot->number && reply->type == REPLY_INTEGER)
		*slot->number = reply->integer;
	if (!slot->text || (reply->type != REPLY_STATUS && reply->type != REPLY_STRING))
		return;
	size_t len = reply->text.len < slot->text_size ? reply->text.len : slot->text_size - 1;
	memcpy(slot->text, reply->text.ptr, len);
	slot->text[len] = '\0';
}

/* The figures, idle time and frequency first: asking for the value would reset them on servers
 * before 7.2. */
static int read_figures(struct redis *redis, struct bytes key, struct keyinfo *info,
			struct err *err)
{
	struct slot slots[] = {
	    {.number = &info->idle_s},
	    {.number = &info->frequency},
	    {.text = info->type, .text_size = sizeof info->type, .needed = true},
	    {.number = &info->ttl_ms, .needed = true},
	    {.text = info->encoding, .text_size = sizeof info->encoding},
	    {.number = &info->bytes},
	};
	struct err problem = {0};
	const struct bytes commands[][3] = {
	    {BYTES("OBJECT"), BYTES("IDLETIME"), key},
	    {BYTES("OBJECT"), BYTES("FREQ"), key},
	    {BYTES("TYPE"), key},
	    {BYTES("PTTL"), key},
	    {BYTES("OBJECT"), BYTES("ENCODING"), key},
	    {BYTES("MEMORY"), BYTES("USAGE"), key},
	};

	for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
		struct redis_command command = {.argv = commands[i],
						.argc = commands[i][2].ptr ? 3 : 2,
						.flags = REDIS_IDEMPOTENT,
						.fn = on_figure,
						.ctx = &slots[i]};

		slots[i].redis = redis;
		slots[i].argv = commands[i];
		slots[i].problem = &problem;
		if (redis_submit(redis, &command, err) != 0)
			return -1;
	}
	if (redis_drain(redis, 0, err) != 0)
		return -1;
	if (!err_is_set(&problem))
		return 0;
	*err = problem;
	return -1;
}

/* The answer of a read that has to succeed. */
static int ask(struct redis *redis, const struct bytes *argv, size_t argc,
	       const struct reply **ret_reply, struct err *err)
{
	if (redis_call(redis, argv, argc, REDIS_IDEMPOTENT, ret_reply, err) != 0)
		return -1;
	if ((*ret_reply)->type == REPLY_ERROR || (*ret_reply)->type == REPLY_LOST)
		return redis_fail(redis, *ret_reply, argv[0].ptr, argv[1], err);
	return 0;
}

static int read_length(struct redis *redis, const struct kind *kind, struct bytes key,
		       struct keyinfo *info, struct err *err)
{
	const struct bytes argv[] = {bytes_of(kind->length), key};
	const struct reply *reply = NULL;

	if (ask(redis, argv, 2, &reply, err) != 0)
		return -1;
	info->length = reply->type == REPLY_INTEGER ? reply->integer : -1;
	return 0;
}

/* The first part of the value: never more than the limits ask for. */
static int read_value(struct redis *redis, const struct kind *kind, struct bytes key,
		      const struct keyinfo_limits *limits, struct keyinfo *info,
		      struct err *err)
{
	char items[24], last_item[24], last_byte[24];
	const struct {
		const char *word;
		struct bytes value;
	} fills[] = {
	    {KEY, key},
	    {ITEMS, {items, (size_t)snprintf(items, sizeof items, "%zu", limits->items)}},
	    {LAST_ITEM,
	     {last_item,
	      (size_t)snprintf(last_item, sizeof last_item, "%zu", limits->items - 1)}},
	    {LAST_BYTE,
	     {last_byte,
	      (size_t)snprintf(last_byte, sizeof last_byte, "%zu", limits->value_bytes - 1)}},
	};
	struct bytes argv[VALUE_WORDS];
	const struct reply *reply = NULL;
	size_t argc = 0;

	for (; argc < VALUE_WORDS && kind->value[argc]; argc++) {
		argv[argc] = bytes_of(kind->value[argc]);
		for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++)
			if (kind->value[argc] == fills[i].word)
				argv[argc] = fills[i].value;
	}
	if (ask(redis, argv, argc, &reply, err) != 0)
		return -1;
	info->items = mem_arena_alloc(&info->arena, limits->items * sizeof *info->items);
	kind->read(reply, limits, info);
	if (kind->read != read_string && info->length >= 0 &&
	    (uint64_t)info->length > info->item_count)
		info->cut = true;
	return 0;
}

int keyinfo_read(struct redis *redis, struct bytes key, const struct keyinfo_limits *limits,
		 struct keyinfo *ret_info, struct err *err)
{
	*ret_info = (struct keyinfo){
	    .ttl_ms = -2, .bytes = -1, .length = -1, .idle_s = -1, .frequency = -1};
	if (read_figures(redis, key, ret_info, err) != 0)
		return -1;
	ret_info->exists = ret_info->ttl_ms != -2;
	const struct kind *kind = kind_of(ret_info->type);
	if (!ret_info->exists || !kind)
		return 0;
	if (read_length(redis, kind, key, ret_info, err) != 0)
		return -1;
	return read_value(redis, kind, key, limits, ret_info, err);
}

void keyinfo_release(struct keyinfo *info)
{
	mem_arena_release(&info->arena);
	info->items = NULL;
	info->item_count = 0;
}
