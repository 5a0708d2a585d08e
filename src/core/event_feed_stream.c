#include "core/event_feed_stream.h"

#include "base/clock.h"
#include "wire/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many bytes of entries are good to have at once. */
#define PAGE_BYTES ((size_t)4 << 20)
#define PAGE_FIRST 64
#define ASKER_HASTE_MS 500 /* a figure is not worth more, nor is tidying up */

/* --- asking --- */

/* What will be the same the next time, unlike a server that is loading or gone. */
static int refuse(struct stream *stream, const struct reply *reply, const char *command,
		  struct err *err)
{
	switch (reply_error_kind(reply)) {
	case REPLY_ERR_WRONGTYPE:
	case REPLY_ERR_NOPERM:
	case REPLY_ERR_UNKNOWN_COMMAND:
	case REPLY_ERR_CROSSSLOT:
	case REPLY_ERR_OTHER:
		stream->feed.refused = true;
		break;
	default:
		break;
	}
	return redis_fail(stream->redis, reply, command, stream->options->key, err);
}

static int call(struct redis *redis, const char *command, struct bytes key,
		const struct bytes *argv, size_t argc, const struct reply **ret_reply,
		struct err *err)
{
	if (redis_call(redis, argv, argc, 0, ret_reply, err) != 0)
		return -1;
	if ((*ret_reply)->type == REPLY_ERROR || (*ret_reply)->type == REPLY_LOST)
		return redis_fail(redis, *ret_reply, command, key, err);
	return 0;
}

static int make_group(struct stream *stream, struct err *err)
{
	const struct event_feed_options *options = stream->options;
	const struct bytes argv[] = {BYTES("XGROUP"), BYTES("CREATE"),
				     options->key,    bytes_of(options->group),
				     BYTES("0"),      BYTES("MKSTREAM")};
	const struct reply *reply = NULL;

	if (redis_call(stream->redis, argv, 6, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	if (reply->type == REPLY_ERROR && !bytes_starts_with(reply->text, BYTES("BUSYGROUP")))
		return refuse(stream, reply, "XGROUP CREATE", err);
	stream->ready = true;
	stream->history = true;
	snprintf(stream->last, sizeof stream->last, "0");
	return 0;
}

/* The group went with its stream (deleted, a server that lost its data): made again. */
static bool is_gone(const struct reply *reply)
{
	return reply->type == REPLY_ERROR &&
	       (bytes_starts_with(reply->text, BYTES("NOGROUP")) ||
		bytes_starts_with(reply->text, BYTES("UNBLOCKED")));
}

static void decimal(char room[24], uint64_t number)
{
	snprintf(room, 24, "%" PRIu64, number);
}

/* XREADGROUP from an id, or ">" and a wait. *ret_entries: NULL for none. */
static int read_group(struct stream *stream, size_t count, const char *from, int wait_ms,
		      const struct reply **ret_entries, struct err *err)
{
	const struct event_feed_options *options = stream->options;
	const struct reply *reply = NULL;
	char counted[24], block[24];
	struct bytes argv[12] = {BYTES("XREADGROUP"), BYTES("GROUP"), bytes_of(options->group),
				 bytes_of(stream->consumer)};
	size_t argc = 4;

	*ret_entries = NULL;
	decimal(counted, count);
	decimal(block, (uint64_t)wait_ms);
	argv[argc++] = BYTES("COUNT");
	argv[argc++] = bytes_of(counted);
	if (wait_ms > 0) {
		argv[argc++] = BYTES("BLOCK");
		argv[argc++] = bytes_of(block);
	}
	argv[argc++] = BYTES("STREAMS");
	argv[argc++] = options->key;
	argv[argc++] = bytes_of(from);
	if (redis_call(stream->redis, argv, argc, 0, &reply, err) != 0)
		return -1;
	if (is_gone(reply)) {
		stream->ready = false;
		return 0;
	}
	if (reply->type == REPLY_ERROR || reply->type == REPLY_LOST)
		return refuse(stream, reply, "XREADGROUP", err);
	if (reply->type == REPLY_ARRAY && reply->count == 1 && reply->items[0]->count == 2)
		*ret_entries = reply->items[0]->items[1];
	return 0;
}

/* --- what was delivered before --- */

struct deliveries {
	struct event_batch *batch;
};

/* [[id, consumer, idle, deliveries], …], in the order of ids as the batch. */
static void on_deliveries(void *ctx, const struct reply *reply)
{
	struct event_batch *batch = ((struct deliveries *)ctx)->batch;
	size_t at = 0;

	for (size_t i = 0; reply->type == REPLY_ARRAY && i < reply->count; i++) {
		const struct reply *entry = reply->items[i];

		for (size_t k = at; entry->count == 4 && k < batch->count; k++)
			if (bytes_equal(batch->items[k].id, entry->items[0]->text)) {
				batch->items[k].tries = (uint64_t)entry->items[3]->integer;
				at = k + 1;
				break;
			}
	}
}

static int ask_deliveries(struct stream *stream, struct event_batch *batch, struct err *err)
{
	const struct event_feed_options *options = stream->options;
	struct deliveries deliveries = {batch};
	char count[24];

	if (batch->count == 0)
		return 0;
	decimal(count, batch->count);
	const struct bytes argv[] = {BYTES("XPENDING"),
				     options->key,
				     bytes_of(options->group),
				     batch->items[0].id,
				     batch->items[batch->count - 1].id,
				     bytes_of(count),
				     bytes_of(stream->consumer)};
	struct redis_command command = {.argv = argv,
					.argc = 7,
					.flags = REDIS_IDEMPOTENT,
					.fn = on_deliveries,
					.ctx = &deliveries};
	if (redis_submit(stream->redis, &command, err) != 0)
		return -1;
	return redis_drain(stream->redis, 0, err);
}

static void add_entries(struct stream *stream, struct event_batch *batch,
			const struct reply *entries, uint64_t tries)
{
	size_t bytes = 0;

	for (size_t i = 0; entries && i < entries->count; i++)
		stream_add_entry(stream, batch, entries->items[i], tries);
	for (size_t i = 0; i < batch->count; i++)
		bytes += batch->items[i].event.data.len;
	if (bytes > PAGE_BYTES)
		stream->page = stream->page / 4 + 1;
	else if (bytes < PAGE_BYTES / 4 && batch->count == stream->page)
		stream->page *= 2;
	if (stream->page > batch->max)
		stream->page = batch->max;
}

/* Entries that this consumer got and never acknowledged. */
static int read_history(struct stream *stream, struct event_batch *batch, struct err *err)
{
	const struct reply *entries = NULL;

	if (read_group(stream, stream->page, stream->last, 0, &entries, err) != 0)
		return -1;
	add_entries(stream, batch, entries, 0);
	stream->history = batch->count > 0;
	if (batch->count == 0)
		return 0;
	snprintf(stream->last, sizeof stream->last, "%.*s",
		 BYTES_ARG(batch->items[batch->count - 1].id));
	return ask_deliveries(stream, batch, err);
}

/* Entries that some consumer, perhaps dead, left alone for too long. */
static int claim(struct stream *stream, struct event_batch *batch, struct err *err)
{
	const struct event_feed_options *options = stream->options;
	const struct reply *reply = NULL;
	size_t page = stream->page;
	char idle[24], count[24];

	decimal(idle, options->claim_ms);
	decimal(count, page);
	const struct bytes argv[] = {BYTES("XAUTOCLAIM"),      options->key,
				     bytes_of(options->group), bytes_of(stream->consumer),
				     bytes_of(idle),           BYTES("0-0"),
				     BYTES("COUNT"),           bytes_of(count)};
	if (redis_call(stream->redis, argv, 8, 0, &reply, err) != 0)
		return -1;
	if (is_gone(reply)) {
		stream->ready = false;
		return 0;
	}
	if (reply->type != REPLY_ARRAY || reply->count < 2)
		return refuse(stream, reply, "XAUTOCLAIM", err);
	add_entries(stream, batch, reply->items[1], 0);
	if (batch->count < page) /* no more of them now */
		stream->look_ms = clock_mono_ms() + options->claim_ms / 2 + 1;
	return ask_deliveries(stream, batch, err);
}

static int read_new(struct stream *stream, struct event_batch *batch, int wait_ms,
		    struct err *err)
{
	const struct reply *entries = NULL;
	uint64_t timeout = stream->options->target->timeout_ms;

	/* the wait must end before the session takes the server for dead */
	if (timeout && (uint64_t)wait_ms > timeout / 2)
		wait_ms = (int)(timeout / 2) + 1;
	if (read_group(stream, stream->page, ">", wait_ms, &entries, err) != 0)
		return -1;
	add_entries(stream, batch, entries, 1);
	return 0;
}

static int read_entries(struct stream *stream, struct event_batch *batch, int wait_ms,
			struct err *err)
{
	uint64_t now = clock_mono_ms();

	if (!stream->ready && make_group(stream, err) != 0)
		return -1;
	if (stream->history && read_history(stream, batch, err) != 0)
		return -1;
	if (batch->count == 0 && now >= stream->look_ms && claim(stream, batch, err) != 0)
		return -1;
	if (batch->count > 0 || !stream->ready)
		return 0;
	if (stream->look_ms > now && (uint64_t)wait_ms > stream->look_ms - now)
		wait_ms = (int)(stream->look_ms - now);
	return read_new(stream, batch, wait_ms > 0 ? wait_ms : 1, err);
}

static int stream_next(struct event_feed *feed, struct event_batch *batch, int wait_ms,
		       struct err *err)
{
	struct stream *stream = (struct stream *)feed;
	int status = read_entries(stream, batch, wait_ms, err);

	if (status != 0) { /* the group may be gone, entries may have been delivered unheard */
		stream->ready = false;
		batch->count = 0;
	}
	return status;
}

/* The group's lag, as the server counts it (7.0). */
static int64_t stream_waiting(struct event_feed *feed)
{
	struct stream *stream = (struct stream *)feed;
	const struct event_feed_options *options = stream->options;
	const struct bytes argv[] = {BYTES("XINFO"), BYTES("GROUPS"), options->key};
	const struct reply *reply = NULL;
	struct err ignored = {0};

	if (call(stream->asker, "XINFO", options->key, argv, 3, &reply, &ignored) != 0)
		return -1;
	for (size_t i = 0; i < reply->count; i++) {
		const struct reply *group = reply->items[i];

		if (!bytes_equal_str(stream_field(group, "name"), options->group))
			continue;
		for (size_t k = 0; k + 1 < group->count; k += 2)
			if (bytes_equal_str(group->items[k]->text, "lag") &&
			    group->items[k + 1]->type == REPLY_INTEGER)
				return group->items[k + 1]->integer;
	}
	return -1;
}

/* A name that nobody comes back under leaves nothing behind, unless entries hang on it. */
static void leave(struct stream *stream)
{
	const struct event_feed_options *options = stream->options;
	const struct bytes pending[] = {
	    BYTES("XPENDING"), options->key, bytes_of(options->group),  BYTES("-"),
	    BYTES("+"),        BYTES("1"),   bytes_of(stream->consumer)};
	const struct bytes drop[] = {BYTES("XGROUP"), BYTES("DELCONSUMER"), options->key,
				     bytes_of(options->group), bytes_of(stream->consumer)};
	const struct reply *reply = NULL;
	struct err ignored = {0};

	if (redis_is_connected(stream->asker) &&
	    call(stream->asker, "XPENDING", options->key, pending, 7, &reply, &ignored) == 0 &&
	    reply->type == REPLY_ARRAY && reply->count == 0)
		call(stream->asker, "XGROUP", options->key, drop, 5, &reply, &ignored);
}

static void stream_free(struct event_feed *feed, bool clean)
{
	struct stream *stream = (struct stream *)feed;

	if (clean && stream->own_name && redis_connect(stream->asker, NULL) == 0)
		leave(stream);
	redis_free(stream->redis);
	redis_free(stream->asker);
	free(stream->consumer);
	free(stream->dead);
	free(stream);
}

struct event_feed *event_feed_stream(const struct event_feed_options *options)
{
	struct stream *stream = mem_zalloc(1, sizeof *stream);
	char host[65] = "host";

	gethostname(host, sizeof host - 1);
	stream->feed = (struct event_feed){.next = stream_next,
					   .done = stream_done,
					   .waiting = stream_waiting,
					   .free = stream_free};
	stream->options = options;
	stream->redis = redis_new(options->target, options->cancel);
	stream->asker = redis_new(options->target, NULL);
	redis_set_haste(stream->asker, ASKER_HASTE_MS);
	stream->page = PAGE_FIRST;
	stream->own_name = options->consumer == NULL;
	stream->consumer = options->consumer ? mem_strdup(options->consumer)
					     : mem_printf("%s-%ld", host, (long)getpid());
	stream->dead = options->dead ? mem_strdup(options->dead)
				     : mem_printf("%.*s:dead", BYTES_ARG(options->key));
	return &stream->feed;
}
