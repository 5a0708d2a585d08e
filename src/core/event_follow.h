#ifndef CORE_EVENT_FOLLOW_H
#define CORE_EVENT_FOLLOW_H

#include "core/event_feed.h"

struct event_runner;
struct redis;
struct tally;

/* events = applied + bad + failed + unfinished, always. */
struct event_follow_report {
	uint64_t events;
	uint64_t applied;    /* every step has an outcome that is no failure */
	uint64_t bad;        /* no JSON, unknown, without a field, another namespace's key */
	uint64_t failed;     /* some step failed */
	uint64_t unfinished; /* Redis did not answer for a step until it was to end */
	uint64_t unfinished_line; /* of standard input: the first of them; 0: not from there */
	uint64_t set_aside;
	uint64_t keys;                     /* touched */
	uint64_t outcomes[EVENT_OUTCOMES]; /* steps */
	uint64_t outages;                  /* times that Redis was gone */
	uint64_t busy_us;                  /* time spent with events */
	uint64_t elapsed_us;
	int64_t lag_ms;  /* between the last event's saying and its end here; -1: unknown */
	int64_t waiting; /* events not read yet, -1: unknown */
	bool complete;   /* the events came to their end */
};

struct event_follow {
	const struct event_set *set;
	struct event_runner *runner;
	struct event_feed *feed;
	uint64_t max_keys;
	struct redis *redis; /* where the counters go */
	struct tally *tally; /* may be NULL */
	bool stop_on_bad;    /* the first event that cannot be used ends it */
	uint64_t every_ms;   /* how often `tick` hears of it; 0: never */
	const volatile int *cancel;
	/* An event that cannot be used or failed, problem set. */
	void (*problem)(void *ctx, const struct event_item *item);
	/* Redis is gone (err), or back (NULL). */
	void (*outage)(void *ctx, const struct err *err);
	void (*tick)(void *ctx, const struct event_follow_report *report);
	void (*progress)(void *ctx, uint64_t events, uint64_t failed);
	void *ctx;
};

/*
 * Applies events until their end, or until *cancel: what was read is carried
 * through first. Outlives Redis: what it cannot apply now it tries again, for
 * as long as it takes. 0; -1: ERR_ITEM (stop_on_bad), ERR_REDIS (refused, not
 * only gone), ERR_OUTPUT (standard input). The report is true in either case.
 */
int event_follow(const struct event_follow *follow, struct event_follow_report *ret_report,
		 struct err *err);

#endif
