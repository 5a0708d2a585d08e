#include "core/keyinfo.h"

#include "base/err.h"
#include "wire/redis.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *type;
	const char *length;
} lengths[] = {{"string", "STRLEN"}, {"hash", "HLEN"},  {"set", "SCARD"},
	       {"list", "LLEN"},     {"zset", "ZCARD"}, {"stream", "XLEN"}};

static const char *length_command(const char *type)
{
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		if (strcmp(lengths[i].type, type) == 0)
			return lengths[i].length;
	return NULL;
}

/* Where a figure goes. One that must be known fails the whole when it is refused. */
struct slot {
	int64_t *number;
	int64_t refused; /* what it is when this user may not ask; 0: what it was */
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
	if (slot->refused && reply->type == REPLY_ERROR)
		*slot->number = slot->refused;
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
	    {.number = &info->ttl_ms, .refused = -3},
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
	return redis_settle(redis, &problem, err);
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

static int read_length(struct redis *redis, const char *command, struct bytes key,
		       struct keyinfo *info, struct err *err)
{
	const struct bytes argv[] = {bytes_of(command), key};
	const struct reply *reply = NULL;

	if (ask(redis, argv, 2, &reply, err) != 0)
		return -1;
	info->length = reply->type == REPLY_INTEGER ? reply->integer : -1;
	return 0;
}

static int read_string(struct redis *redis, struct bytes key,
		       const struct keyinfo_limits *limits, struct keyinfo *info,
		       struct err *err)
{
	char last[24];
	const struct bytes argv[] = {
	    BYTES("GETRANGE"),
	    key,
	    BYTES("0"),
	    {last, (size_t)snprintf(last, sizeof last, "%zu", limits->value_bytes - 1)}};
	const struct reply *reply = NULL;

	if (ask(redis, argv, 4, &reply, err) != 0)
		return -1;
	if (reply->type != REPLY_STRING)
		return redis_fail(redis, reply, "GETRANGE", key, err);
	info->items = mem_arena_alloc(&info->arena, sizeof *info->items);
	info->items[info->item_count++] =
	    (struct keyinfo_item){.value = mem_arena_bytes(&info->arena, reply->text)};
	info->cut = info->length >= 0 && (uint64_t)info->length > reply->text.len;
	return 0;
}

static bool keep_item(void *ctx, struct bytes name, struct bytes value, bool cut)
{
	struct keyinfo *info = ctx;

	info->cut = info->cut || cut;
	info->items[info->item_count++] =
	    (struct keyinfo_item){.name = mem_arena_bytes(&info->arena, name),
				  .value = mem_arena_bytes(&info->arena, value)};
	return true;
}

int keyinfo_read(struct redis *redis, struct bytes key, const struct keyinfo_limits *limits,
		 struct keyinfo *ret_info, struct err *err)
{
	*ret_info = (struct keyinfo){
	    .ttl_ms = -2, .bytes = -1, .length = -1, .idle_s = -1, .frequency = -1};
	if (read_figures(redis, key, ret_info, err) != 0)
		return -1;
	ret_info->exists = ret_info->ttl_ms != -2 && strcmp(ret_info->type, "none") != 0;
	const char *length = length_command(ret_info->type);
	if (!ret_info->exists || !length)
		return 0;
	if (read_length(redis, length, key, ret_info, err) != 0)
		return -1;
	if (strcmp(ret_info->type, "string") == 0)
		return read_string(redis, key, limits, ret_info, err);
	if (limits->items == 0)
		return 0;
	ret_info->items =
	    mem_arena_alloc(&ret_info->arena, limits->items * sizeof *ret_info->items);
	if (keyinfo_walk(redis, key, ret_info, limits, keep_item, ret_info, err) != 0)
		return -1;
	ret_info->cut = ret_info->cut || (ret_info->length >= 0 &&
					  (uint64_t)ret_info->length > ret_info->item_count);
	return 0;
}

void keyinfo_release(struct keyinfo *info)
{
	mem_arena_release(&info->arena);
	info->items = NULL;
	info->item_count = 0;
}
