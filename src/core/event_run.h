#ifndef CORE_EVENT_RUN_H
#define CORE_EVENT_RUN_H

#include "core/event.h"

struct backup;
struct err;
struct fetcher;
struct nsset;
struct redis;
struct tally;

/*
 * Carries out the steps of plans: pipelined, in their order for each key, so
 * that a later event's word on a key is the last. Patterns of many events
 * become one scan, keys to warm are fetched once, both at the end of a run.
 */
struct event_runner;

struct event_runner_options {
	struct redis *redis; /* borrowed */
	const struct nsset *namespaces;
	/* A fetcher for the first key that is to be warmed; NULL with err. Borrowed. */
	struct fetcher *(*fetcher)(void *ctx, struct err *err);
	void *ctx;
	/* What is changed is saved here first; NULL: nothing is. Borrowed. A full one ends a
	 * run with ERR_OUTPUT or ERR_REFUSED. */
	struct backup *backup;
	struct bytes deaf; /* the channel that is followed: nothing is published to it */
	const volatile int
	    *cancel; /* non-zero: no more fetches; what writes is carried through */
};

struct event_runner *event_runner_new(const struct event_runner_options *options);
void event_runner_free(struct event_runner *runner);
/*
 * Every step that is pending, of count plans. 0: each has an outcome. -1
 * (ERR_REDIS, ERR_INTERRUPTED): the server was lost or takes no writes now;
 * steps without an answer are pending still and a second run goes on with
 * them. Repeating one changes nothing, except a count without `once`, an
 * expiry that begins anew, and a message that is said twice.
 */
int event_run(struct event_runner *runner, struct event_plan *const *plans, size_t count,
	      struct err *err);
/* For the steps of a plan that have one key: is it there? -1: ERR_REDIS, lost or refused. */
int event_look(struct redis *redis, const struct event_plan *plan, struct err *err);
/* Adds what became of the plan's steps to the counters; tally may be NULL. */
void event_tally(struct tally *tally, const struct event_plan *plan);

#endif
