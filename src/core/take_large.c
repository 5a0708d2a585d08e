#include "core/take_private.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE 65536 /* bytes of a string at once */
#define PAGE 256    /* elements of a collection at once */
/* What has no pages is saved whole up to here: the server makes some 100 MB of DUMP a second.
 */
#define WHOLE_MAX ((uint64_t)8 * 1024 * 1024)

/* One key's pages on their way into the undo file. */
struct large {
	struct take *take;
	struct bytes key;
	char type[16];
	int64_t expires_ms;
	enum backup_kind kind;
	bool first;
	uint64_t size;   /* in memory, about */
	uint64_t length; /* bytes of a string, elements of a collection */
	uint64_t at;     /* bytes or elements so far */
	char cursor[24];
	bool done;
	bool no_field_ttls; /* the server knows none */
	bool has_field_ttls;
	struct mem_arena arena;
	struct {
		struct bytes *list;
		size_t count;
	} fields; /* of a hash: of the last page */
};

static void on_type(void *ctx, const struct reply *reply)
{
	struct large *large = ctx;

	if (reply->type != REPLY_STATUS) {
		take_refuse(large->take, reply, "TYPE", large->key);
		return;
	}
	snprintf(large->type, sizeof large->type, "%.*s", BYTES_ARG(reply->text));
}

static void on_ttl(void *ctx, const struct reply *reply)
{
	struct large *large = ctx;

	large->expires_ms = take_expiry(large->take, reply, large->key);
}

static void on_length(void *ctx, const struct reply *reply)
{
	struct large *large = ctx;

	if (reply->type == REPLY_INTEGER)
		large->length = (uint64_t)reply->integer;
	else
		take_refuse(large->take, reply, "STRLEN", large->key);
}

static int ask(struct large *large, const char *command, redis_reply_fn *fn)
{
	const struct bytes argv[] = {bytes_of(command), large->key};

	return take_send(large->take, argv, 2, 0, fn, large);
}

static int save_page(struct large *large, const struct bytes *items, size_t count, bool last)
{
	struct take *take = large->take;
	struct backup_record record = {.kind = large->kind,
				       .flags = (large->first ? BACKUP_FIRST : 0u) |
						(last ? BACKUP_LAST : 0u),
				       .key = large->key,
				       .expires_ms = large->expires_ms,
				       .set_ms = (int64_t)large->at,
				       .items = items,
				       .item_count = count};

	large->first = false;
	return take_save(take, &record);
}

static void save_items(struct large *large, const struct reply *list, bool last)
{
	struct bytes *items = mem_zalloc(list->count + 1, sizeof *items);

	for (size_t i = 0; i < list->count; i++)
		items[i] = list->items[i]->text;
	save_page(large, items, list->count, last);
	free(items);
}

static enum take_end refuse_whole(const struct large *large, const char *what)
{
	struct buf name = {0}, size = {0};

	text_escape(&name, bytes_sub(large->key, 0, 100));
	num_format_size(&size, large->size);
	err_set(
	    &large->take->refusal, ERR_ITEM,
	    "'%s' (%s, %s) could be saved only in one piece, which would hold up the server: "
	    "it was not dropped; --no-backup drops it unsaved",
	    buf_str(&name), what, buf_str(&size));
	buf_release(&size);
	buf_release(&name);
	return TAKE_REFUSED;
}

/* HPTTL of each field: -1 without one. Servers before Redis 7.4 and Valkey 9.0 do not know it.
 */
static void on_field_ttls(void *ctx, const struct reply *reply)
{
	struct large *large = ctx;

	if (reply_error_kind(reply) == REPLY_ERR_UNKNOWN_COMMAND)
		large->no_field_ttls = true;
	else if (reply->type != REPLY_ARRAY)
		take_refuse(large->take, reply, "HPTTL", large->key);
	for (size_t i = 0; reply->type == REPLY_ARRAY && i < reply->count; i++)
		large->has_field_ttls = large->has_field_ttls || reply->items[i]->integer >= 0;
}

/* The fields of the page that came: what it does not tell of them would be lost. */
static int ask_field_ttls(struct large *large)
{
	char number[24];
	size_t count = large->fields.count;
	struct bytes *argv = mem_zalloc(count + 4, sizeof *argv);

	argv[0] = BYTES("HPTTL");
	argv[1] = large->key;
	argv[2] = BYTES("FIELDS");
	argv[3] = (struct bytes){number, (size_t)snprintf(number, sizeof number, "%zu", count)};
	for (size_t i = 0; i < count; i++)
		argv[4 + i] = large->fields.list[i];
	int status = take_send(large->take, argv, count + 4, 0, on_field_ttls, large);
	free(argv);
	return status;
}

/* A hash whose fields have TTLs begins again, in one piece. */
static enum take_end settle_field_ttls(struct large *large)
{
	struct take *take = large->take;

	if (large->fields.count == 0 || large->no_field_ttls)
		return TAKE_DONE;
	enum take_end end = ask_field_ttls(large) == 0 ? take_settle(take) : TAKE_STOP;
	if (end != TAKE_DONE || !large->has_field_ttls)
		return end;
	if (large->size > WHOLE_MAX)
		return refuse_whole(large, "hash whose fields have TTLs");
	if (take_give_back(take) != 0)
		return TAKE_STOP;
	large->kind = BACKUP_DUMP;
	large->first = true;
	large->done = false;
	return TAKE_DONE;
}

/* For ask_field_ttls: a callback may not ask. */
static void keep_fields(struct large *large, const struct reply *list)
{
	mem_arena_clear(&large->arena);
	large->fields.count = list->count / 2;
	large->fields.list =
	    mem_arena_alloc(&large->arena, list->count / 2 * sizeof *large->fields.list);
	for (size_t i = 0; i < list->count / 2; i++)
		large->fields.list[i] =
		    mem_arena_bytes(&large->arena, list->items[2 * i]->text);
}

/* HSCAN, SSCAN, ZSCAN. */
static void on_page(void *ctx, const struct reply *reply)
{
	struct large *large = ctx;

	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    reply->items[0]->text.len >= sizeof large->cursor ||
	    reply->items[1]->type != REPLY_ARRAY) {
		take_refuse(large->take, reply, "SCAN", large->key);
		return;
	}
	memcpy(large->cursor, reply->items[0]->text.ptr, reply->items[0]->text.len);
	large->cursor[reply->items[0]->text.len] = '\0';
	large->done = strcmp(large->cursor, "0") == 0;
	if (large->kind == BACKUP_HASH && !large->no_field_ttls)
		keep_fields(large, reply->items[1]);
	save_items(large, reply->items[1], large->done);
}

static void on_range(void *ctx, const struct reply *reply)
{
	struct large *large = ctx;

	if (reply->type != REPLY_ARRAY) {
		take_refuse(large->take, reply, "LRANGE", large->key);
		return;
	}
	uint64_t next = large->at + reply->count;
	large->done = next >= large->length || reply->count == 0;
	save_items(large, reply, large->done);
	large->at = next;
}

static void on_slice(void *ctx, const struct reply *reply)
{
	struct large *large = ctx;

	if (reply->type != REPLY_STRING) {
		take_refuse(large->take, reply, "GETRANGE", large->key);
		return;
	}
	uint64_t next = large->at + reply->text.len;
	large->done = next >= large->length || reply->text.len == 0;
	save_page(large, &reply->text, 1, large->done);
	large->at = next;
}

static void on_dump(void *ctx, const struct reply *reply)
{
	struct large *large = ctx;

	large->done = true;
	if (reply->type == REPLY_STRING)
		save_page(large, &reply->text, 1, true);
	else if (reply->type == REPLY_NIL)
		large->take->lost = true;
	else
		take_refuse(large->take, reply, "DUMP", large->key);
}

static int ask_range(struct large *large, const char *command, uint64_t step,
		     redis_reply_fn *fn)
{
	char from[24], to[24];
	const struct bytes argv[] = {
	    bytes_of(command),
	    large->key,
	    {from, (size_t)snprintf(from, sizeof from, "%" PRIu64, large->at)},
	    {to, (size_t)snprintf(to, sizeof to, "%" PRIu64, large->at + step - 1)}};

	return take_send(large->take, argv, 4, SLICE, fn, large);
}

/* So many elements that they are about a SLICE. */
static uint64_t page_of(const struct large *large)
{
	uint64_t each = large->length ? large->size / large->length + 1 : 1;
	uint64_t page = SLICE / each;

	return page < 1 ? 1 : page > PAGE ? PAGE : page;
}

static int ask_page(struct large *large)
{
	char count[24];
	const struct bytes argv[] = {
	    large->kind == BACKUP_HASH  ? BYTES("HSCAN")
	    : large->kind == BACKUP_SET ? BYTES("SSCAN")
					: BYTES("ZSCAN"),
	    large->key,
	    bytes_of(large->cursor),
	    BYTES("COUNT"),
	    {count, (size_t)snprintf(count, sizeof count, "%" PRIu64, page_of(large))}};

	if (large->kind == BACKUP_STRING)
		return ask_range(large, "GETRANGE", SLICE, on_slice);
	if (large->kind == BACKUP_LIST)
		return ask_range(large, "LRANGE", page_of(large), on_range);
	if (large->kind == BACKUP_DUMP)
		return ask(large, "DUMP", on_dump);
	return take_send(large->take, argv, 5, SLICE, on_page, large);
}

/* Streams and modules' types have no pages that could be put back: they are saved whole. */
static enum backup_kind kind_of(const char *type)
{
	static const struct {
		const char *type;
		enum backup_kind kind;
	} kinds[] = {{"string", BACKUP_STRING},
		     {"hash", BACKUP_HASH},
		     {"set", BACKUP_SET},
		     {"zset", BACKUP_ZSET},
		     {"list", BACKUP_LIST}};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(type, kinds[i].type) == 0)
			return kinds[i].kind;
	return BACKUP_DUMP;
}

static const char *length_command(enum backup_kind kind)
{
	return kind == BACKUP_HASH   ? "HLEN"
	       : kind == BACKUP_SET  ? "SCARD"
	       : kind == BACKUP_ZSET ? "ZCARD"
	       : kind == BACKUP_LIST ? "LLEN"
				     : "STRLEN";
}

static enum take_end look(struct large *large)
{
	if (take_begin(large->take, &large->key, 1) != 0 || ask(large, "TYPE", on_type) != 0 ||
	    take_ask_expiry(large->take, large->key, on_ttl, large) != 0)
		return TAKE_STOP;
	enum take_end end = take_settle(large->take);
	if (end != TAKE_DONE || large->expires_ms == TAKE_ABSENT)
		return end;
	large->kind = kind_of(large->type);
	if (large->kind == BACKUP_DUMP)
		return large->size > WHOLE_MAX ? refuse_whole(large, large->type) : TAKE_DONE;
	if (ask(large, length_command(large->kind), on_length) != 0)
		return TAKE_STOP;
	return take_settle(large->take);
}

static int queue_unlink(struct take *take, void *ctx)
{
	const struct large *large = ctx;
	const struct bytes argv[] = {BYTES("UNLINK"), large->key};

	return take_sidecars(take, &large->key, 1) == 0
		   ? take_send(take, argv, 2, 0, take_on_queued, take)
		   : -1;
}

static void on_unlinked(void *ctx, const struct reply *reply)
{
	const struct large *large = ctx;
	struct take_counts *counts = large->take->counts;
	const struct reply *answer = reply->count == 2 ? reply->items[1] : reply;

	if (answer->type != REPLY_INTEGER || answer->integer < 0 || answer->integer > 1)
		take_refuse(large->take, answer, "UNLINK", large->key);
	else if (answer->integer == 1)
		counts->removed++;
	else
		counts->gone++;
}

enum take_end take_large(struct take *take, struct bytes key, uint64_t bytes)
{
	struct large large = {
	    .take = take, .key = key, .size = bytes, .first = true, .cursor = "0"};
	enum take_end end = look(&large);

	take->has_records = false;
	if (end != TAKE_DONE)
		return end;
	if (large.expires_ms == TAKE_ABSENT) {
		take->counts->gone++;
		return TAKE_DONE;
	}
	while (end == TAKE_DONE && !large.done) {
		end = ask_page(&large) == 0 ? take_settle(take) : TAKE_STOP;
		if (end == TAKE_DONE && large.kind == BACKUP_HASH)
			end = settle_field_ttls(&large);
		if (take->job->cancel && *take->job->cancel) {
			err_set(&take->err, ERR_INTERRUPTED, "interrupted");
			end = TAKE_STOP;
		}
	}
	mem_arena_release(&large.arena);
	if (end == TAKE_DONE)
		end = take_commit(take, queue_unlink, on_unlinked, &large);
	return end;
}
