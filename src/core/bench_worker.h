#ifndef CORE_BENCH_WORKER_H
#define CORE_BENCH_WORKER_H

#include "base/err.h"
#include "core/bench.h"
#include "core/bench_load.h"
#include "core/bench_schedule.h"
#include "wire/swarm.h"

#include <pthread.h>

struct bench_verify;

/* One second of all threads, until each has told its part. */
struct bench_open_second {
	struct bench_second figures;
	struct histogram times;
	size_t told;
};

/* What the threads of a run share. */
struct bench_shared {
	const struct bench_job *job;
	const volatile int *cancel;
	struct bench_verify *verify; /* NULL: values are not checked */
	uint64_t begin_ns;
	uint64_t measure_ns; /* what is due from here on counts */
	uint64_t
	    end_ns; /* nothing is due from here on; UINT64_MAX: until the requests are made */
	int stop;   /* atomic: a thread failed */

	pthread_mutex_t lock; /* of what follows */
	struct bench_open_second *seconds;
	size_t second_count;
	size_t running;
};

/* One thread: its connections, its load, its figures. */
struct bench_worker {
	struct bench_shared *shared;
	unsigned index;
	size_t first_client; /* of all threads' clients */
	struct swarm_driver driver;
	struct swarm *swarm;
	struct bench_load *load;
	struct bench_schedule schedule;
	uint64_t left; /* operations still to be made */

	struct bench_row rows[BENCH_FAMILIES_MAX][BENCH_KINDS];
	struct bench_error errors[BENCH_ERRORS_MAX];
	size_t error_count;
	struct histogram lag;
	uint64_t scheduled;
	uint64_t last_ns;
	struct bench_node *nodes; /* of a cluster, in the swarm's order */
	size_t node_count;

	/* Answers of the same batch took equally long: they are counted together. */
	struct bench_row *same_row;
	struct swarm_op same_op;
	uint64_t same_ns; /* when they came */
	uint64_t same_count;

	size_t second; /* that is being counted */
	uint64_t second_end_ns;
	struct bench_second figures;
	struct histogram times;

	pthread_t thread;
	int status;
	struct err err;
};

void bench_worker_init(struct bench_worker *worker, struct bench_shared *shared, unsigned index,
		       size_t first_client);
void bench_worker_release(struct bench_worker *worker);
/* Once the shared times are set. */
void bench_worker_start(struct bench_worker *worker);
void bench_worker_join(struct bench_worker *worker);

#endif
