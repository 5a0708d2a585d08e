#ifndef CORE_BENCH_WATCH_H
#define CORE_BENCH_WATCH_H

#include "core/bench.h"

struct redis;

/*
 * What is looked at beside the load, over a connection of its own: the server's CPU
 * time and evictions, and that the run is known to be alive.
 */
struct bench_watch {
	struct redis *redis;
	const struct bench_job *job;
	uint64_t beat_ms;
	struct bench_watched {
		int64_t cpu_us; /* -1: not told */
		int64_t evicted;
	} * before;   /* of each server, when measuring began */
	size_t count; /* 0: not asked */
};

/* When measuring begins. */
void bench_watch_begin(struct bench_watch *watch);
/* About once a second. */
void bench_watch_beat(struct bench_watch *watch);
/* Behind the run: fills server_cpu_us and evicted, and a cluster's nodes'. */
void bench_watch_end(struct bench_watch *watch, struct bench_result *result);
void bench_watch_release(struct bench_watch *watch);

#endif
