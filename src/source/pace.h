#ifndef SOURCE_PACE_H
#define SOURCE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_SLOTS 10 /* of 100 ms: what counts as "the last second" */

/*
 * When the next request may start: a token bucket at the configured rate, and
 * a rate learned from a source that turns requests away. A window alone cannot
 * pace a fast source: one request under way at a time is still a thousand a
 * second. So a rejection lowers the rate to a little less than what the source
 * served during the last second; while requests wait for it, it then rises,
 * fast until it was found, then towards the rate that was
 * too high: fast while far below it, slowly past it.
 */
struct pace {
	double rate;      /* configured, per second; 0: none */
	double learned;   /* per second; 0: nothing learned */
	double ceiling;   /* the rate that was turned away last */
	bool searching;   /* the learned rate is far from the source's */
	uint64_t next_ns; /* earliest start */
	uint64_t last_ns; /* the last start */
	uint64_t cut_ns;  /* when learned was last lowered */
	uint64_t slot;    /* the current slot's number since the clock began */
	unsigned served[PACE_SLOTS];
};

void pace_init(struct pace *pace, double rate);
/* Requests per second now, the lower of both; 0: unlimited. */
double pace_rate(const struct pace *pace);
/* A request starts; next_ns moves on. */
void pace_spend(struct pace *pace, uint64_t now_ns);
/* The source served a request. */
void pace_served(struct pace *pace, uint64_t now_ns);
/*
 * The source turned away a request that started then. sure: the status says
 * "too many"; otherwise it counts only if others were served meanwhile.
 */
void pace_rejected(struct pace *pace, uint64_t started_ns, uint64_t now_ns, bool sure);

#endif
