#ifndef CMD_BENCH_MEASURE_H
#define CMD_BENCH_MEASURE_H

#include "command.h"

struct app;
struct bench_options;
struct bench_plan;

/* Runs the plan's rounds, prints what they gave, and judges it. */
enum exit_code bench_measure(struct app *app, const struct bench_options *options,
			     const struct bench_plan *plan);

#endif
