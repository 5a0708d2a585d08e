#ifndef CMD_BENCH_CACHED_H
#define CMD_BENCH_CACHED_H

#include "command.h"

struct app;
struct bench_options;
struct bench_plan;

/* --source: what a hit saves. plan's family takes over the keys that were written. */
enum exit_code bench_saving(struct app *app, const struct bench_options *options,
			    struct bench_plan *plan);
/* --stampede: what each guard is worth. */
enum exit_code bench_stampede(struct app *app, const struct bench_options *options,
			      const struct bench_plan *plan);

#endif
