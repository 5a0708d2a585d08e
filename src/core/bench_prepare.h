#ifndef CORE_BENCH_PREPARE_H
#define CORE_BENCH_PREPARE_H

#include "core/bench.h"

struct redis;

/* Of the keys written; may be NULL. */
typedef void bench_progress_fn(void *ctx, uint64_t done, uint64_t total);

/*
 * What a run leaves in Redis when it is killed: its keys, which all have a TTL, and
 * its entry in the hash cc:bench:runs. A run whose key cc:bench:alive:RUN is
 * gone, or whose process is (on this host), is a killed one.
 */
#define BENCH_RUNS_KEY "cc:bench:runs"

/* Gives the job a fresh name. */
void bench_name_run(struct bench_job *job);
/* Removes the keys of killed runs. */
int bench_sweep(struct redis *redis, uint64_t *ret_runs, uint64_t *ret_keys, struct err *err);
/* Removes every key of one run, by its name. */
int bench_sweep_run(struct redis *redis, const char *run, struct err *err);
/* True when the job writes: then it must be entered before, and cleaned behind. */
bool bench_writes(const struct bench_job *job);
/* Enters the run; bench_beat keeps it alive for another minute. */
int bench_enter(struct redis *redis, const struct bench_job *job, struct err *err);
void bench_beat(struct redis *redis, const struct bench_job *job);
/*
 * Writes every key that the load reads. ERR_REFUSED when the server's maxmemory leaves
 * no room for them; ERR_REDIS at the first refusal.
 */
int bench_fill(struct redis *redis, const struct bench_job *job, bench_progress_fn *fn,
	       void *ctx, struct err *err);
/* Removes the run's keys and its entry. */
int bench_clean(struct redis *redis, const struct bench_job *job, uint64_t *ret_removed,
		struct err *err);
/* Asks the server which keys the job's commands touch: ERR_REFUSED unless all are {key}. */
int bench_check_commands(struct redis *redis, const struct bench_job *job, struct err *err);

#endif
