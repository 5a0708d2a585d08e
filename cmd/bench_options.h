#ifndef CMD_BENCH_OPTIONS_H
#define CMD_BENCH_OPTIONS_H

#include "core/bench.h"
#include "opt/opt.h"

struct app;
struct err;

struct bench_options {
	bool max;
	uint64_t clients;
	uint64_t pipeline;
	uint64_t threads;
	uint64_t rate;
	uint64_t ramp_to;
	bool poisson;
	uint64_t duration_ms;
	uint64_t requests;
	uint64_t warm_up_ms;
	const char *mix;
	double miss;
	uint64_t keys;
	const char *size;
	uint64_t ttl_ms;
	int pick; /* enum bench_ids */
	const char *exponent;
	uint64_t seed;
	bool yes;
	bool dry_run;
};
extern const struct opt_row bench_rows[];

/* A job made of the options and words; what it points to is owned here. */
struct bench_plan {
	struct bench_job job;
};
int bench_plan_make(struct app *app, const struct bench_options *options,
		    const struct opt_words *words, struct bench_plan *ret_plan,
		    struct err *err);
void bench_plan_release(struct bench_plan *plan);

#endif
