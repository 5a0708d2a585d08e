#ifndef CORE_BENCH_STAMPEDE_H
#define CORE_BENCH_STAMPEDE_H

#include "core/bench.h"

struct redis;

/* What readers do about keys that many of them find expired at once. */
enum bench_guard {
	BENCH_UNGUARDED, /* everybody who misses asks the source */
	BENCH_LOCK,      /* one asks (SET NX), the others wait and look again */
	BENCH_JITTER,    /* lives differ by up to a fifth, so keys expire one by one */
	BENCH_EARLY, /* refresh at random before the expiry (XFetch: Vattani et al., VLDB 2015)
		      */
	BENCH_GUARDS,
};
extern const char *const bench_guard_names[];

struct bench_stampede_plan {
	const char *run;
	size_t clients;
	size_t keys;
	uint64_t latency_ms; /* of the simulated source */
	uint64_t ttl_ms;
	uint64_t duration_ms; /* of each way */
	size_t value_size;
	uint64_t seed;
};

struct bench_stampede {
	uint64_t reads;
	uint64_t misses;
	uint64_t source_calls;
	size_t at_once;         /* source calls at the worst moment */
	size_t at_once_per_key; /* likewise, for one key */
	struct histogram times; /* of reads, in ns, the source included */
};

/* Readers who poll the keys of a run, on one connection; several expiries long. */
int bench_stampede_run(struct redis *redis, const struct bench_stampede_plan *plan,
		       enum bench_guard guard, const volatile int *cancel,
		       struct bench_stampede *ret_stampede, struct err *err);

#endif
