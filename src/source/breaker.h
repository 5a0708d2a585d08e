#ifndef SOURCE_BREAKER_H
#define SOURCE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct err;

#define BREAKER_LIMIT 20 /* fetches in a row that failed for good */

/*
 * Stops asking a source that is down (Nygard, "Release It!"): closed while
 * things work; open after BREAKER_LIMIT failures in a row, everything is
 * refused; after a rest one request may try, and its end closes or reopens.
 */
struct breaker {
	unsigned failures; /* in a row */
	uint64_t rest_ns;  /* before the next try */
	uint64_t open_ns;  /* open until then at least; 0: closed */
	bool trying;       /* the one request is under way */
	uint64_t opened;   /* times, ever */
	uint64_t refused;  /* fetches, ever */
	char last[200];    /* what failed last */
};

void breaker_init(struct breaker *breaker, uint64_t rest_ms);
/* True when nothing may be asked now. */
bool breaker_refuses(const struct breaker *breaker, uint64_t now_ns);
/* A request starts. */
void breaker_start(struct breaker *breaker);
/* A request ended: the source answered something sensible, or it did not. */
void breaker_end(struct breaker *breaker, bool served, uint64_t now_ns);
/* The try was given up unfinished. */
void breaker_abandon(struct breaker *breaker);
/* A fetch failed for good because the source is down. True when that opened the breaker. */
bool breaker_fail(struct breaker *breaker, const struct err *err, uint64_t now_ns);
/* The error of a refused fetch of the source of that name at that place; counts it. */
void breaker_explain(struct breaker *breaker, const char *name, const char *place,
		     struct err *err);

#endif
