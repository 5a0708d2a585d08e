#ifndef CORE_TAKE_CLOCK_H
#define CORE_TAKE_CLOCK_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct redis;

/* The time at each of a cluster's primaries. Zero-initialise, release. */
struct take_clocks {
	struct take_clock *items;
	size_t count;
	bool lacking; /* of one no time is known: it did not tell, or came since */
};

/* Asks all of them at once. -1: ERR_REDIS. */
int take_clocks_ask(struct take_clocks *clocks, struct redis *redis, struct err *err);
/* Unix time now where the key is; 0: it is not known. */
int64_t take_clocks_now(struct take_clocks *clocks, struct redis *redis, struct bytes key);
void take_clocks_release(struct take_clocks *clocks);

#endif
