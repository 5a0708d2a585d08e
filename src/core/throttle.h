#ifndef CORE_THROTTLE_H
#define CORE_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * How fast to write: so many keys a second, or as fast as the server answers
 * no slower than it did at its best. Zero-initialise.
 */
struct throttle {
	uint64_t per_second; /* 0: by the server's latency */
	uint64_t due_us;     /* when the next batch may go; clock_mono_us */
	uint64_t asked_us;
	uint64_t keys;  /* of the batch under way */
	double best_us; /* a key's share of the answer, at its best */
	uint64_t pause_us;
};

/* "auto", "200/s" or "200". -1: neither. */
int throttle_parse(const char *text, struct throttle *ret_throttle);
/* Waits until `keys` more may go, or *cancel (may be NULL) turns non-zero. */
void throttle_wait(struct throttle *throttle, size_t keys, const volatile int *cancel);
/* Their answers came. */
void throttle_answered(struct throttle *throttle);

#endif
