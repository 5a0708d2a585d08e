#ifndef SOURCE_BACKOFF_H
#define SOURCE_BACKOFF_H

#include <stdint.h>

/*
 * Decorrelated jitter (AWS Architecture Blog, "Exponential Backoff And
 * Jitter"): sleep = min(cap, random between base and previous × 3).
 */
struct backoff {
	uint64_t seed;
};

void backoff_init(struct backoff *backoff);
/* The next wait in ms; previous_ms is 0 at first. */
uint64_t backoff_next_ms(struct backoff *backoff, uint64_t base_ms, uint64_t cap_ms,
			 uint64_t previous_ms);

#endif
