#include "core/event_feed.h"

#include "base/mem.h"
#include "wire/listen.h"

#include <stdlib.h>

/* Messages that came while a batch was full wait here. */
struct waiting {
	struct waiting *next;
	size_t len;
	char text[];
};

struct channel {
	struct event_feed feed;
	struct bytes name_at;
	struct listener *listener;
	struct waiting *first, **last;
	int64_t count;
	struct err broke; /* the connection, behind the messages that came last */
};

static void on_message(void *ctx, struct bytes message)
{
	struct channel *channel = ctx;
	struct waiting *waiting = mem_alloc(sizeof *waiting + message.len);

	*waiting = (struct waiting){.len = message.len};
	for (size_t i = 0; i < message.len; i++)
		waiting->text[i] = message.ptr[i];
	*channel->last = waiting;
	channel->last = &waiting->next;
	channel->count++;
}

static void take(struct channel *channel, struct event_batch *batch)
{
	while (channel->first && batch->count < batch->max) {
		struct waiting *waiting = channel->first;
		struct event_item *item = &batch->items[batch->count++];

		*item = (struct event_item){
		    .event.data = mem_arena_bytes(&batch->arena,
						  (struct bytes){waiting->text, waiting->len})};
		event_item_name(item, channel->name_at, &batch->arena);
		channel->first = waiting->next;
		if (!channel->first)
			channel->last = &channel->first;
		channel->count--;
		free(waiting);
	}
}

static int channel_next(struct event_feed *feed, struct event_batch *batch, int wait_ms,
			struct err *err)
{
	struct channel *channel = (struct channel *)feed;
	struct err *broke = &channel->broke;

	if (!channel->first && !err_is_set(broke))
		listen_wait(channel->listener, wait_ms, broke);
	feed->refused = listen_refused(channel->listener);
	take(channel, batch);
	if (batch->count || !err_is_set(broke))
		return 0;
	*err = *broke;
	*broke = (struct err){0};
	return -1;
}

static int channel_done(struct event_feed *feed, struct event_batch *batch, struct err *err)
{
	(void)feed;
	(void)batch;
	(void)err;
	return 0;
}

static int64_t channel_waiting(struct event_feed *feed)
{
	return ((struct channel *)feed)->count;
}

static void channel_free(struct event_feed *feed, bool clean)
{
	struct channel *channel = (struct channel *)feed;

	(void)clean;
	while (channel->first) {
		struct waiting *waiting = channel->first;

		channel->first = waiting->next;
		free(waiting);
	}
	listen_free(channel->listener);
	free(channel);
}

struct event_feed *event_feed_channel(const struct event_feed_options *options)
{
	struct channel *channel = mem_zalloc(1, sizeof *channel);

	channel->feed = (struct event_feed){.next = channel_next,
					    .done = channel_done,
					    .waiting = channel_waiting,
					    .free = channel_free};
	channel->name_at = options->name_at;
	channel->last = &channel->first;
	channel->listener =
	    listen_new(options->target, options->channel, options->cancel, on_message, channel);
	return &channel->feed;
}
