#include "core/event_feed_stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Entries that were set aside are kept up to here. */
#define DEAD_MAX "10000"
#define FIELDS_MAX 1024

struct answers {
	struct redis *redis;
	const char *command;
	struct bytes key;
	struct err err;
};

static void on_answer(void *ctx, const struct reply *reply)
{
	struct answers *answers = ctx;

	if ((reply->type == REPLY_ERROR || reply->type == REPLY_LOST) &&
	    !err_is_set(&answers->err))
		redis_fail(answers->redis, reply, answers->command, answers->key,
			   &answers->err);
}

static int set_aside(struct stream *stream, const struct event_item *item,
		     struct answers *answers, struct err *err)
{
	struct bytes argv[FIELDS_MAX + 16] = {BYTES("XADD"),   bytes_of(stream->dead),
					      BYTES("MAXLEN"), BYTES("~"),
					      BYTES(DEAD_MAX), BYTES("*")};
	size_t argc = 6;
	char tries[24];

	for (size_t i = 0; item->fields && i < item->fields->count && i < FIELDS_MAX; i++)
		argv[argc++] = item->fields->items[i]->text;
	snprintf(tries, sizeof tries, "%" PRIu64, item->tries);
	argv[argc++] = BYTES("cc:reason");
	argv[argc++] = bytes_of(item->problem.text);
	argv[argc++] = BYTES("cc:id");
	argv[argc++] = item->id;
	argv[argc++] = BYTES("cc:tries");
	argv[argc++] = bytes_of(tries);
	struct redis_command command = {
	    .argv = argv, .argc = argc, .fn = on_answer, .ctx = answers};
	answers->command = "XADD";
	answers->key = bytes_of(stream->dead);
	return redis_submit(stream->redis, &command, err);
}

static bool is_dead(const struct stream *stream, const struct event_item *item)
{
	return item->bad ||
	       (err_is_set(&item->problem) && item->tries >= stream->options->max_tries);
}

/* First what is set aside, and heard of; then the acknowledgements. */
int stream_done(struct event_feed *feed, struct event_batch *batch, struct err *err)
{
	struct stream *stream = (struct stream *)feed;
	const struct event_feed_options *options = stream->options;
	struct answers answers = {.redis = stream->redis};
	struct bytes *argv = mem_zalloc(batch->count + 3, sizeof *argv);
	struct redis_grace before = redis_set_grace(stream->redis, REDIS_GRACE);
	uint64_t aside = 0;
	size_t argc = 3;
	int status = 0;

	argv[0] = BYTES("XACK");
	argv[1] = options->key;
	argv[2] = bytes_of(options->group);
	for (size_t i = 0; i < batch->count && status == 0; i++) {
		const struct event_item *item = &batch->items[i];

		if (is_dead(stream, item)) {
			status = set_aside(stream, item, &answers, err);
			aside++;
		} else if (err_is_set(&item->problem)) {
			continue; /* its turn comes again */
		}
		argv[argc++] = item->id;
	}
	if (status == 0 && aside)
		status = redis_drain(stream->redis, 0, err);
	if (status == 0 && argc > 3 && !err_is_set(&answers.err)) {
		struct redis_command command = {.argv = argv,
						.argc = argc,
						.flags = REDIS_IDEMPOTENT,
						.fn = on_answer,
						.ctx = &answers};

		answers.command = "XACK";
		answers.key = options->key;
		status = redis_submit(stream->redis, &command, err);
		if (status == 0)
			status = redis_drain(stream->redis, 0, err);
	}
	if (status == 0 && err_is_set(&answers.err)) {
		*err = answers.err;
		status = -1;
	}
	if (status == 0)
		feed->set_aside += aside;
	redis_set_grace(stream->redis, before);
	free(argv);
	return status;
}
