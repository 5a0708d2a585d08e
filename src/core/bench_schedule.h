#ifndef CORE_BENCH_SCHEDULE_H
#define CORE_BENCH_SCHEDULE_H

#include "core/bench_random.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * When the operations of an open loop are due: at even distances or as a
 * Poisson process, at a rate that may ramp linearly. Several threads share one
 * schedule: thread i of n takes every n-th operation from the i-th on.
 */
struct bench_schedule {
	uint64_t begin_ns;
	double rate; /* of all threads, per ns */
	double rate_to;
	double flat_ns; /* the rate stays as it is before it ramps */
	double ramp_ns;
	bool poisson;
	double position; /* operations that were due so far */
	double step;
	struct bench_random random;
};

struct bench_schedule_plan {
	double rate; /* per second */
	double rate_to;
	bool poisson;
	uint64_t flat_ns;
	uint64_t ramp_ns;
	uint64_t seed;
};
void bench_schedule_init(struct bench_schedule *schedule,
			 const struct bench_schedule_plan *plan, uint64_t begin_ns,
			 unsigned thread, unsigned threads);
uint64_t bench_schedule_next(struct bench_schedule *schedule);

#endif
