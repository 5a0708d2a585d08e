#include "core/bench.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/bench_verify.h"
#include "core/bench_worker.h"
#include "wire/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An answer may be larger than any value that we wrote: --command reads what it likes. */
#define REPLY_MAX ((size_t)512 * 1024 * 1024)
#define START_NS UINT64_C(2000000)

struct run {
	struct bench_shared shared;
	struct bench_worker *workers;
	size_t count;
	const struct bench_follower *follower;
	uint64_t cpu_us;
};

static uint64_t process_cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int open_workers(struct run *run, const struct target *target, struct err *err)
{
	const struct bench_job *job = run->shared.job;
	size_t first = 0;

	for (unsigned i = 0; i < job->threads; i++) {
		struct bench_worker *worker = &run->workers[i];
		struct swarm_plan plan = {
		    .clients = job->clients / job->threads + (i < job->clients % job->threads),
		    .depth = job->depth,
		    .reply_max = REPLY_MAX,
		    .cluster = job->cluster,
		    .driver = &worker->driver,
		};

		bench_worker_init(worker, &run->shared, i, first);
		first += plan.clients;
		run->count++;
		if (swarm_open(target, &plan, run->shared.cancel, &worker->swarm, err) != 0)
			return -1;
	}
	return 0;
}

static void set_times(struct bench_shared *shared)
{
	const struct bench_job *job = shared->job;

	/* A schedule begins when every thread is there; a closed loop as soon as each is. */
	shared->begin_ns = clock_mono_ns() + (job->rate > 0 ? START_NS : 0);
	shared->measure_ns = shared->begin_ns + job->warm_up_ms * 1000000;
	shared->end_ns =
	    job->duration_ms ? shared->measure_ns + job->duration_ms * 1000000 : UINT64_MAX;
}

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL);
}

/* Moves the seconds that every thread has told of to the result. */
static void take_seconds(struct run *run, struct bench_result *result, bool all)
{
	struct bench_shared *shared = &run->shared;

	pthread_mutex_lock(&shared->lock);
	while (result->second_count < shared->second_count) {
		struct bench_open_second *open = &shared->seconds[result->second_count];

		if (open->told < shared->job->threads && !all)
			break;
		struct bench_second figures = open->figures;
		if (open->times.counts && open->times.total > 0) {
			figures.p50_ns = histogram_quantile(&open->times, 0.5);
			figures.p99_ns = histogram_quantile(&open->times, 0.99);
			figures.max_ns = open->times.max;
		}
		histogram_release(&open->times);
		result->seconds = mem_resize(result->seconds, result->second_count + 1,
					     sizeof *result->seconds);
		result->seconds[result->second_count++] = figures;
		pthread_mutex_unlock(&shared->lock);
		run->follower->second(run->follower->ctx, result->second_count - 1, &figures);
		pthread_mutex_lock(&shared->lock);
	}
	pthread_mutex_unlock(&shared->lock);
}

static size_t running(struct run *run)
{
	pthread_mutex_lock(&run->shared.lock);
	size_t count = run->shared.running;
	pthread_mutex_unlock(&run->shared.lock);
	return count;
}

static void watch(struct run *run, struct bench_result *result)
{
	bool measuring = false;

	while (running(run) > 0) {
		if (!measuring && clock_mono_ns() >= run->shared.measure_ns) {
			measuring = true;
			run->follower->begin(run->follower->ctx);
			run->cpu_us = process_cpu_us();
		}
		take_seconds(run, result, false);
		pause_ms(measuring ? 20 : 1);
	}
	if (!measuring)
		run->cpu_us = process_cpu_us();
	result->client_cpu_us = process_cpu_us() - run->cpu_us;
	take_seconds(run, result, true);
}

static void merge_histogram(struct histogram *all, const struct histogram *part)
{
	if (!part->counts)
		return;
	if (!all->counts)
		histogram_init(all, part->bits);
	histogram_merge(all, part);
}

static void merge_row(struct bench_row *all, const struct bench_row *part)
{
	all->count += part->count;
	all->hits += part->hits;
	all->misses += part->misses;
	all->errors += part->errors;
	all->foreign += part->foreign;
	all->torn += part->torn;
	all->stale += part->stale;
	all->value_bytes += part->value_bytes;
	merge_histogram(&all->service, &part->service);
	merge_histogram(&all->response, &part->response);
}

static void merge_errors(struct bench_result *result, const struct bench_error *errors,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < result->error_count &&
		       strcmp(result->errors[at].code, errors[i].code) != 0)
			at++;
		if (at == BENCH_ERRORS_MAX)
			at--;
		if (at == result->error_count)
			result->errors[result->error_count++] = errors[i];
		else
			result->errors[at].count += errors[i].count;
	}
}

static struct bench_node *node_named(struct bench_result *result, const char *name)
{
	for (size_t i = 0; i < result->node_count; i++)
		if (strcmp(result->nodes[i].name, name) == 0)
			return &result->nodes[i];
	result->nodes =
	    mem_resize(result->nodes, result->node_count + 1, sizeof *result->nodes);
	struct bench_node *node = &result->nodes[result->node_count++];
	*node = (struct bench_node){.cpu_us = -1};
	snprintf(node->name, sizeof node->name, "%s", name);
	return node;
}

static void merge_node(struct bench_result *result, const struct bench_node *part)
{
	struct bench_node *all = node_named(result, part->name);

	all->count += part->count;
	all->errors += part->errors;
	all->moved += part->moved;
	all->asked += part->asked;
	all->tried_again += part->tried_again;
	merge_histogram(&all->times, &part->times);
	if (part->cpu_us >= 0)
		all->cpu_us = (all->cpu_us < 0 ? 0 : all->cpu_us) + part->cpu_us;
}

/* A worker knows its nodes by number, the swarm by address. */
static void merge_nodes(struct bench_result *result, const struct bench_worker *worker)
{
	for (size_t i = 0; i < swarm_servers(worker->swarm); i++) {
		struct swarm_server server = swarm_server(worker->swarm, i);
		struct bench_node node = {.cpu_us = -1};

		if (i < worker->node_count)
			node = worker->nodes[i];
		snprintf(node.name, sizeof node.name, "%s:%u", server.host, server.port);
		node.moved = server.moved;
		node.asked = server.asked;
		node.tried_again = server.tried_again;
		merge_node(result, &node);
	}
}

static int merge(struct run *run, struct bench_result *result, struct err *err)
{
	const struct bench_shared *shared = &run->shared;
	uint64_t last_ns = shared->measure_ns;
	uint64_t answered = 0;
	int status = 0;

	for (size_t i = 0; i < run->count; i++) {
		const struct bench_worker *worker = &run->workers[i];

		for (size_t f = 0; f < shared->job->family_count; f++)
			for (size_t k = 0; k < BENCH_KINDS; k++) {
				merge_row(&result->rows[f][k], &worker->rows[f][k]);
				answered +=
				    worker->rows[f][k].count + worker->rows[f][k].errors;
			}
		merge_errors(result, worker->errors, worker->error_count);
		merge_histogram(&result->lag, &worker->lag);
		if (shared->job->cluster)
			merge_nodes(result, worker);
		result->scheduled += worker->scheduled;
		if (worker->last_ns > last_ns)
			last_ns = worker->last_ns;
		if (worker->status != 0 && status == 0) {
			status = -1;
			*err = worker->err;
		}
	}
	/* An open loop lasts as long as its schedule, also when the last answer came before. */
	if (shared->job->rate > 0 && status == 0 && shared->end_ns != UINT64_MAX &&
	    last_ns < shared->end_ns)
		last_ns = shared->end_ns;
	result->elapsed_ns = last_ns - shared->measure_ns;
	result->unsent = result->scheduled > answered ? result->scheduled - answered : 0;
	if (shared->job->rate > 0 && shared->job->duration_ms) {
		double planned_ns = (double)shared->job->duration_ms * 1e6;
		double lasted_ns = (double)result->elapsed_ns; /* less, when it was cut short */

		result->offered =
		    (double)result->scheduled * 1e9 /
		    (lasted_ns > 0 && lasted_ns < planned_ns ? lasted_ns : planned_ns);
	} else if (shared->job->rate > 0) {
		result->offered = shared->job->rate;
	}
	result->partial = status != 0;
	return status;
}

static void run_release(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		bench_worker_release(&run->workers[i]);
	for (size_t i = 0; i < run->shared.second_count; i++)
		histogram_release(&run->shared.seconds[i].times);
	free(run->shared.seconds);
	bench_verify_free(run->shared.verify);
	free(run->workers);
	pthread_mutex_destroy(&run->shared.lock);
}

int bench_run(const struct target *target, const struct bench_job *job,
	      const volatile int *cancel, const struct bench_follower *follower,
	      struct bench_result *ret_result, struct err *err)
{
	struct run run = {.shared = {.job = job, .cancel = cancel}, .follower = follower};
	int status = 0;

	*ret_result = (struct bench_result){.server_cpu_us = -1, .evicted = -1};
	pthread_mutex_init(&run.shared.lock, NULL);
	run.workers = mem_zalloc(job->threads, sizeof *run.workers);
	if (job->verify)
		run.shared.verify = bench_verify_new(job);
	status = open_workers(&run, target, err);
	if (status == 0) {
		set_times(&run.shared);
		run.shared.running = run.count;
		for (size_t i = 0; i < run.count; i++)
			bench_worker_start(&run.workers[i]);
		watch(&run, ret_result);
		for (size_t i = 0; i < run.count; i++)
			bench_worker_join(&run.workers[i]);
		status = merge(&run, ret_result, err);
	} else {
		ret_result->partial = true;
	}
	run_release(&run);
	return status;
}

void bench_row_release(struct bench_row *row)
{
	histogram_release(&row->service);
	histogram_release(&row->response);
}

void bench_row_sum(const struct bench_result *result, int kind, struct bench_row *ret_row)
{
	*ret_row = (struct bench_row){0};
	for (size_t f = 0; f < BENCH_FAMILIES_MAX; f++)
		for (int k = 0; k < BENCH_KINDS; k++)
			if (kind < 0 || k == kind)
				merge_row(ret_row, &result->rows[f][k]);
}

void bench_result_release(struct bench_result *result)
{
	for (size_t f = 0; f < BENCH_FAMILIES_MAX; f++)
		for (size_t k = 0; k < BENCH_KINDS; k++)
			bench_row_release(&result->rows[f][k]);
	histogram_release(&result->lag);
	for (size_t i = 0; i < result->node_count; i++)
		histogram_release(&result->nodes[i].times);
	free(result->nodes);
	free(result->seconds);
	*result = (struct bench_result){0};
}

static int64_t add_known(int64_t a, int64_t b)
{
	return a < 0 || b < 0 ? -1 : a + b;
}

void bench_result_add(struct bench_result *all, const struct bench_result *round)
{
	for (size_t f = 0; f < BENCH_FAMILIES_MAX; f++)
		for (size_t k = 0; k < BENCH_KINDS; k++)
			merge_row(&all->rows[f][k], &round->rows[f][k]);
	merge_errors(all, round->errors, round->error_count);
	merge_histogram(&all->lag, &round->lag);
	for (size_t i = 0; i < round->node_count; i++)
		merge_node(all, &round->nodes[i]);
	all->elapsed_ns += round->elapsed_ns;
	all->scheduled += round->scheduled;
	all->unsent += round->unsent;
	all->offered = round->offered;
	all->client_cpu_us += round->client_cpu_us;
	all->server_cpu_us = add_known(all->server_cpu_us, round->server_cpu_us);
	all->evicted = add_known(all->evicted, round->evicted);
	all->partial = all->partial || round->partial;
}
