#ifndef CORE_EVENT_FEED_H
#define CORE_EVENT_FEED_H

#include "base/err.h"
#include "core/event.h"
#include "wire/reply.h"

struct target;

/* One event as it came. */
struct event_item {
	struct event event;
	struct bytes id;            /* of a stream's entry */
	uint64_t line;              /* of standard input, from 1 */
	uint64_t tries;             /* how often it was delivered; 0: unknown */
	uint64_t said_ms;           /* when it was put into the stream, 0: unknown */
	const struct reply *fields; /* of a stream's entry */
	struct err problem;         /* why it cannot be used, or what failed */
	bool bad;                   /* it cannot be used: trying again is of no use */
	struct event_plan plan;
};

/* Events that wait, at most `max` at once. */
struct event_batch {
	struct event_item *items;
	size_t count;
	size_t max;
	struct mem_arena arena; /* of what the items point to, plans included */
};

/* A place where events come from. */
struct event_feed {
	/*
	 * Fills the batch, waiting at most wait_ms for the first event. 0 (count may be
	 * 0); 1: there will be none any more; -1 with err, ERR_REDIS: try again later.
	 */
	int (*next)(struct event_feed *feed, struct event_batch *batch, int wait_ms,
		    struct err *err);
	/* Every item had its turn: acknowledges, sets aside. May be called again after -1. */
	int (*done)(struct event_feed *feed, struct event_batch *batch, struct err *err);
	/* How many events wait to be read, -1: unknown. */
	int64_t (*waiting)(struct event_feed *feed);
	/* clean: every batch was done. */
	void (*free)(struct event_feed *feed, bool clean);
	uint64_t set_aside;
	bool refused; /* the server said no: trying again is of no use */
};

/* The longest event that is taken. */
#define EVENT_DATA_MAX ((size_t)64 << 20)

struct event_feed_options {
	struct bytes name_at; /* pointer of the event's name in its JSON */
	const struct target *target;
	const volatile int *cancel;
	/* of a stream */
	struct bytes key;
	const char *group;
	const char *consumer; /* NULL: one of this run's own */
	const char *dead;     /* stream that takes what cannot be handled; NULL: KEY:dead */
	uint64_t claim_ms;    /* entries that another left alone so long are taken over */
	uint64_t max_tries;
	/* of a channel */
	struct bytes channel;
};

/* Lines of a descriptor. */
struct event_feed *event_feed_lines(int fd, const struct event_feed_options *options);
/* A consumer group of a Redis stream; made when it is not there, from the stream's begin. */
struct event_feed *event_feed_stream(const struct event_feed_options *options);
/* A pub/sub channel. What is said while the connection is down is never heard. */
struct event_feed *event_feed_channel(const struct event_feed_options *options);

/* The name of an item's event; ERR_USAGE makes the item bad. */
void event_item_name(struct event_item *item, struct bytes name_at, struct mem_arena *arena);

#endif
