#include "core/keyinfo.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 256
#define PAGE_BYTES (INT64_C(1) << 20) /* that a page should not exceed by much */
#define ARGS_MAX 6

struct walk {
	struct redis *redis;
	struct bytes key;
	struct keyinfo *info;
	const struct keyinfo_limits *limits;
	keyinfo_item_fn *fn;
	void *ctx;
	size_t page;     /* elements asked for at once */
	uint64_t given;  /* to fn */
	uint64_t index;  /* of the next element of a list or sorted set */
	struct buf from; /* cursor, or the stream id behind which to go on */
	bool done;
	bool no_field_ttls; /* not to be asked */
	struct buf names;   /* of the page's fields, one behind the other */
	size_t *name_lens;
	size_t name_count;
};

static void give(struct walk *walk, struct bytes name, struct bytes value)
{
	bool cut = value.len > walk->limits->value_bytes;

	if (walk->done)
		return;
	if (cut)
		value.len = walk->limits->value_bytes;
	walk->given++;
	walk->done =
	    !walk->fn(walk->ctx, name, value, cut) || walk->given == walk->limits->items;
}

/* --- the TTLs of a hash's fields --- */

static void count_field_ttls(struct keyinfo *info, const struct reply *reply)
{
	info->field_ttls += info->field_ttls < 0;
	for (size_t i = 0; i < reply->count; i++) {
		int64_t ttl_ms = reply->items[i]->integer;

		if (reply->items[i]->type != REPLY_INTEGER || ttl_ms < 0)
			continue;
		if (info->field_ttls++ == 0 || ttl_ms < info->field_ttl_min_ms)
			info->field_ttl_min_ms = ttl_ms;
	}
}

/* Of a page's fields. A server before Redis 7.4 does not know the command. */
static int ask_field_ttls(struct walk *walk, struct err *err)
{
	char digits[24];
	struct bytes rest = buf_bytes(&walk->names);
	size_t count = walk->name_count;
	struct bytes *argv = mem_zalloc(4 + count, sizeof *argv);
	const struct reply *reply = NULL;

	snprintf(digits, sizeof digits, "%zu", count);
	argv[0] = BYTES("HPTTL");
	argv[1] = walk->key;
	argv[2] = BYTES("FIELDS");
	argv[3] = bytes_of(digits);
	for (size_t i = 0; i < count; i++) {
		argv[4 + i] = bytes_sub(rest, 0, walk->name_lens[i]);
		rest = bytes_sub(rest, walk->name_lens[i], rest.len);
	}
	int status = redis_call(walk->redis, argv, 4 + count, REDIS_IDEMPOTENT, &reply, err);
	free(argv);
	if (status != 0)
		return -1;
	if (reply->type == REPLY_ARRAY) {
		count_field_ttls(walk->info, reply);
		return 0;
	}
	walk->no_field_ttls = true; /* this server, or this user, has none */
	if (reply_error_kind(reply) == REPLY_ERR_NOPERM)
		keyinfo_refuse(walk->info, "HPTTL");
	return 0;
}

/* The names that a page brought, for the question about their TTLs: it outlives the answer. */
static void remember_fields(struct walk *walk, const struct reply *reply)
{
	const struct reply *list = reply->count == 2 ? reply->items[1] : NULL;
	uint64_t most = walk->limits->items ? walk->limits->items - walk->given : UINT64_MAX;

	buf_clear(&walk->names);
	walk->name_count = 0;
	if (walk->no_field_ttls || !list)
		return;
	walk->name_lens =
	    mem_resize(walk->name_lens, list->count / 2 + 1, sizeof *walk->name_lens);
	for (size_t i = 0; i + 2 <= list->count && walk->name_count < most; i += 2) {
		buf_add(&walk->names, list->items[i]->text);
		walk->name_lens[walk->name_count++] = list->items[i]->text.len;
	}
}

/* --- what an answer holds --- */

/* An HSCAN or SSCAN answer: [cursor, items]; stride 2 has names. */
static void take_cursor(struct walk *walk, const struct reply *reply, size_t stride)
{
	const struct reply *list = reply->count == 2 ? reply->items[1] : NULL;

	for (size_t i = 0; list && i + stride <= list->count; i += stride)
		give(walk, stride == 2 ? list->items[i]->text : (struct bytes){NULL, 0},
		     list->items[i + stride - 1]->text);
	buf_clear(&walk->from);
	if (list)
		buf_add(&walk->from, reply->items[0]->text);
	walk->done =
	    walk->done || walk->from.len == 0 || bytes_equal_str(buf_bytes(&walk->from), "0");
}

static void take_hash(struct walk *walk, const struct reply *reply)
{
	remember_fields(walk, reply);
	take_cursor(walk, reply, 2);
}

static void take_set(struct walk *walk, const struct reply *reply)
{
	take_cursor(walk, reply, 1);
}

static void take_list(struct walk *walk, const struct reply *reply)
{
	for (size_t i = 0; i < reply->count; i++) {
		char index[24];

		snprintf(index, sizeof index, "%" PRIu64, walk->index++);
		give(walk, bytes_of(index), reply->items[i]->text);
	}
	walk->done = walk->done || reply->count < walk->page;
}

/* ZRANGE … WITHSCORES: member, score, … */
static void take_zset(struct walk *walk, const struct reply *reply)
{
	for (size_t i = 0; i + 2 <= reply->count; i += 2, walk->index++)
		give(walk, reply->items[i + 1]->text, reply->items[i]->text);
	walk->done = walk->done || reply->count < 2 * walk->page;
}

/* XRANGE: [[id, [field, value, …]], …]; an entry reads as "field value field value". */
static void take_stream(struct walk *walk, const struct reply *reply)
{
	struct buf text = {0};

	for (size_t i = 0; i < reply->count; i++) {
		const struct reply *entry = reply->items[i];

		if (entry->count != 2)
			continue;
		buf_clear(&text);
		for (size_t j = 0; j < entry->items[1]->count; j++) {
			if (j)
				buf_add_char(&text, ' ');
			buf_add(&text, entry->items[1]->items[j]->text);
		}
		give(walk, entry->items[0]->text, buf_bytes(&text));
		buf_clear(&walk->from);
		buf_add_char(&walk->from, '(');
		buf_add(&walk->from, entry->items[0]->text);
	}
	buf_release(&text);
	walk->done = walk->done || reply->count < walk->page;
}

/* --- pages --- */

/* In the words of a command FROM, COUNT, FIRST and LAST (indexes) are filled in. */
static const char FROM[] = "from", COUNT[] = "count", FIRST[] = "first", LAST[] = "last";

static const struct kind {
	const char *type;
	const char *command;
	const char *words[ARGS_MAX - 2];
	const char *start;
	void (*take)(struct walk *walk, const struct reply *reply);
} kinds[] = {
    {"hash", "HSCAN", {FROM, "COUNT", COUNT}, "0", take_hash},
    {"set", "SSCAN", {FROM, "COUNT", COUNT}, "0", take_set},
    {"list", "LRANGE", {FIRST, LAST}, "", take_list},
    {"zset", "ZRANGE", {FIRST, LAST, "WITHSCORES"}, "", take_zset},
    {"stream", "XRANGE", {FROM, "+", "COUNT", COUNT}, "-", take_stream},
};

static int next_page(struct walk *walk, const struct kind *kind, struct err *err)
{
	char count[24], first[24], last[24];
	const struct {
		const char *word;
		struct bytes value;
	} fills[] = {
	    {FROM, buf_bytes(&walk->from)},
	    {COUNT, {count, (size_t)snprintf(count, sizeof count, "%zu", walk->page)}},
	    {FIRST, {first, (size_t)snprintf(first, sizeof first, "%" PRIu64, walk->index)}},
	    {LAST,
	     {last,
	      (size_t)snprintf(last, sizeof last, "%" PRIu64, walk->index + walk->page - 1)}},
	};
	struct bytes argv[ARGS_MAX] = {bytes_of(kind->command), walk->key};
	const struct reply *reply = NULL;
	size_t argc = 2;

	for (; argc < ARGS_MAX && kind->words[argc - 2]; argc++) {
		argv[argc] = bytes_of(kind->words[argc - 2]);
		for (size_t i = 0; i < sizeof fills / sizeof *fills; i++)
			if (kind->words[argc - 2] == fills[i].word)
				argv[argc] = fills[i].value;
	}
	if (redis_call(walk->redis, argv, argc, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	if (reply_error_kind(reply) == REPLY_ERR_NOPERM && walk->given == 0) {
		keyinfo_refuse(walk->info, kind->command);
		walk->done = true;
		return 0;
	}
	if (reply->type != REPLY_ARRAY)
		return redis_fail(walk->redis, reply, kind->command, walk->key, err);
	kind->take(walk, reply);
	return walk->name_count ? ask_field_ttls(walk, err) : 0;
}

/* How many elements a page may have: few when they are large. */
static size_t page_of(const struct keyinfo *info, const struct keyinfo_limits *limits)
{
	int64_t page = PAGE_MAX;

	if (info->bytes > 0 && info->length > 0)
		page = PAGE_BYTES / (info->bytes / info->length + 1);
	if (limits->items && page > (int64_t)limits->items)
		page = (int64_t)limits->items;
	return page < 1 ? 1 : page > PAGE_MAX ? PAGE_MAX : (size_t)page;
}

int keyinfo_walk(struct redis *redis, struct bytes key, struct keyinfo *info,
		 const struct keyinfo_limits *limits, keyinfo_item_fn *fn, void *ctx,
		 struct err *err)
{
	struct walk walk = {.redis = redis,
			    .key = key,
			    .info = info,
			    .limits = limits,
			    .fn = fn,
			    .ctx = ctx,
			    .page = page_of(info, limits),
			    /* a hash of this encoding has none */
			    .no_field_ttls = strcmp(info->encoding, "listpack") == 0 ||
					     strcmp(info->encoding, "ziplist") == 0};
	const struct kind *kind = NULL;
	int status = 0;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].type, info->type) == 0)
			kind = &kinds[i];
	if (!kind)
		return 0;
	buf_add_str(&walk.from, kind->start);
	while (status == 0 && !walk.done)
		status = next_page(&walk, kind, err);
	buf_release(&walk.from);
	buf_release(&walk.names);
	free(walk.name_lens);
	return status;
}
