#ifndef CORE_BENCH_SOURCE_H
#define CORE_BENCH_SOURCE_H

#include "base/err.h"
#include "core/bench.h"

struct fetcher;
struct nsset;
struct redis;
struct selection;

/* What the cache saves against its source: one reader, one id after the other. Times in ns. */
struct bench_saving {
	uint64_t ids;
	uint64_t failed; /* the source did not answer */
	uint64_t absent; /* it has nothing there */
	uint64_t bytes;
	struct histogram source; /* the fetch alone: every read, without a cache */
	struct histogram miss;   /* GET, fetch, SET */
	struct histogram hit;    /* GET */
	struct err first_failure;
};

/*
 * Reads up to limit ids of the selection through the cache twice: a miss, then
 * `hits` hits. Keys are the run's own. 0; -1 with ERR_REDIS, ERR_SOURCE (every id
 * failed), ERR_INTERRUPTED or what the selection fails with. Release in either case.
 */
struct bench_source_plan {
	const struct nsset *set;
	const struct ns *ns;
	struct redis *redis;
	struct fetcher *fetcher;
	struct selection *selection;
	const struct bench_job *job; /* its run, and the first family's TTL */
	uint64_t limit;
	unsigned hits;
};
int bench_source_run(const struct bench_source_plan *plan, struct bench_names *ret_keys,
		     struct bench_saving *ret_saving, struct err *err);
void bench_saving_release(struct bench_saving *saving);

#endif
