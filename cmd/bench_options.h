#ifndef CMD_BENCH_OPTIONS_H
#define CMD_BENCH_OPTIONS_H

#include "core/bench.h"
#include "core/bench_assert.h"
#include "core/bench_keys.h"
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
	const char *command;
	const char *prepare;
	const char *ids;
	bool read_live;
	uint64_t sample;
	bool sample_ttl;
	bool verify;
	struct opt_list assertions;
	const char *hdr;
	uint64_t rounds;
	const char *baseline;
	bool source;
	uint64_t stampede;
	uint64_t latency_ms;
	int preset; /* of bench_preset.h; -1: none */
	const char *job;
	const char *save_job;
	double max_regress;
	bool yes;
	bool dry_run;
};
extern const struct opt_row bench_rows[];
/* Gives what is not set its default. */
void bench_options_settle(struct bench_options *options);

/* A job made of the options and words, with the keys and sizes that Redis or files tell; what
 * it points to is owned here. */
struct bench_plan {
	struct bench_job job;
	struct bench_names names[BENCH_FAMILIES_MAX];
	struct bench_sample samples[BENCH_FAMILIES_MAX];
	struct bench_words {
		struct opt_word *words;
		struct bytes *argv;
	} command, prepare;
	struct bench_assert *assertions;
	size_t assertion_count;
};
int bench_plan_make(struct app *app, const struct bench_options *options,
		    const struct opt_words *words, struct bench_plan *ret_plan,
		    struct err *err);
void bench_plan_release(struct bench_plan *plan);

#endif
