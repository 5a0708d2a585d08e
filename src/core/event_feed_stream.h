#ifndef CORE_EVENT_FEED_STREAM_H
#define CORE_EVENT_FEED_STREAM_H

#include "core/event_feed.h"
#include "wire/redis.h"

/* The inside of event_feed_stream, for its files. */

struct stream {
	struct event_feed feed;
	const struct event_feed_options *options;
	struct redis *redis;
	struct redis *asker; /* for questions while the other one waits for entries */
	char *consumer;
	char *dead;
	bool own_name;    /* nobody will come back under this consumer's name */
	bool ready;       /* the group is there */
	bool history;     /* entries of an earlier life of this consumer come first */
	char last[64];    /* the last of them */
	uint64_t look_ms; /* when entries of others are looked at next */
	size_t page;      /* entries asked for at once */
};

/* The value of a field (of a reply of names and values by turns), no bytes when there is none.
 */
struct bytes stream_field(const struct reply *fields, const char *name);
/* Adds [id, [field, value, …]] to the batch. tries 0: unknown. */
void stream_add_entry(struct stream *stream, struct event_batch *batch,
		      const struct reply *entry, uint64_t tries);
/* event_feed.done */
int stream_done(struct event_feed *feed, struct event_batch *batch, struct err *err);

#endif
