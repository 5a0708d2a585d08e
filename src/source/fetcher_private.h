#ifndef SOURCE_FETCHER_PRIVATE_H
#define SOURCE_FETCHER_PRIVATE_H

#include "source/backoff.h"
#include "source/delay.h"
#include "source/local.h"
#include "source/source.h"

#include <curl/curl.h>

struct fetch;
struct lane;

struct fetcher {
	CURLM *multi;
	char *user_agent;
	const volatile int *cancel;
	struct lane **lanes;
	size_t lane_count;
	long connections; /* that the lanes may use together */
	struct locals locals;
	struct delay delay;
	struct backoff backoff;
	struct fetch *idle;
	size_t outstanding;
	size_t answered; /* ever */
};

struct lane *fetcher_lane(struct fetcher *fetcher, const struct source_def *def);
/* Queues what was begun before. */
void fetcher_resume(struct fetcher *fetcher, struct fetch *fetch);
/* The fetch ends here: its callback may submit again. */
void fetcher_answer(struct fetcher *fetcher, struct fetch *fetch, struct source_answer *reply);
/* The same with an error, which gets the request's name in front. */
void fetcher_fail(struct fetcher *fetcher, struct fetch *fetch, enum source_cause cause,
		  struct err *err);
void fetcher_cancel(struct fetcher *fetcher);

#endif
