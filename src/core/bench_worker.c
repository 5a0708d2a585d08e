#include "core/bench_worker.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/bench_verify.h"
#include "wire/reply.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 3 significant digits; the seconds' own figures are for a look. */
#define DIGITS_3 10
#define DIGITS_2 6
#define SECOND_NS UINT64_C(1000000000)
/* How long after its time an open loop waits for what is late. */
#define LATE_NS SECOND_NS

/* --- seconds --- */

/* Adds this thread's part of the second that it has done, under the lock. */
static void tell_second(struct bench_worker *worker)
{
	struct bench_shared *shared = worker->shared;
	struct bench_second *mine = &worker->figures;

	while (shared->second_count <= worker->second) {
		shared->seconds = mem_resize(shared->seconds, shared->second_count + 1,
					     sizeof *shared->seconds);
		shared->seconds[shared->second_count++] = (struct bench_open_second){0};
	}
	struct bench_open_second *all = &shared->seconds[worker->second];
	if (!all->times.counts)
		histogram_init(&all->times, DIGITS_2);
	histogram_merge(&all->times, &worker->times);
	all->figures.count += mine->count;
	all->figures.errors += mine->errors;
	all->told++;
}

static void add_time(struct histogram *histogram, uint64_t ns, uint64_t times)
{
	if (!histogram->counts)
		histogram_init(histogram, DIGITS_3);
	histogram_add_many(histogram, ns, times);
}

static void count_times(struct bench_worker *worker)
{
	const struct swarm_op *op = &worker->same_op;
	uint64_t count = worker->same_count;
	uint64_t now_ns = worker->same_ns;

	if (count == 0)
		return;
	worker->same_count = 0;
	add_time(&worker->same_row->service, now_ns - op->sent_ns, count);
	if (worker->shared->job->cluster)
		add_time(&worker->nodes[op->node].times, now_ns - op->sent_ns, count);
	histogram_add_many(&worker->times, now_ns - op->due_ns, count);
	if (worker->driver.due) {
		add_time(&worker->same_row->response, now_ns - op->due_ns, count);
		add_time(&worker->lag, op->sent_ns - op->due_ns, count);
	}
}

static void end_second(struct bench_worker *worker)
{
	count_times(worker);
	pthread_mutex_lock(&worker->shared->lock);
	tell_second(worker);
	pthread_mutex_unlock(&worker->shared->lock);
	worker->figures = (struct bench_second){0};
	histogram_release(&worker->times);
	histogram_init(&worker->times, DIGITS_2);
	worker->second++;
	worker->second_end_ns += SECOND_NS;
}

/* --- answers --- */

static void count_error(struct bench_worker *worker, const struct reply *reply)
{
	struct bytes text = bytes_sub(reply->text, 0, sizeof worker->errors[0].text - 1);
	struct bytes code = reply->type == REPLY_LOST
				? BYTES("lost")
				: bytes_sub(text, 0, bytes_index(text, ' '));
	size_t i = 0;

	code = bytes_sub(code, 0, sizeof worker->errors[0].code - 1);
	while (i < worker->error_count && !bytes_equal_str(code, worker->errors[i].code))
		i++;
	if (i == BENCH_ERRORS_MAX)
		i--;
	struct bench_error *error = &worker->errors[i];
	if (i == worker->error_count) {
		worker->error_count++;
		memcpy(error->code, code.ptr, code.len);
		memcpy(error->text, text.ptr, text.len);
	}
	error->count++;
}

static void verify_value(const struct bench_worker *worker, struct bench_row *row,
			 struct bench_op op, const struct reply *reply)
{
	if (!worker->shared->verify || op.kind != BENCH_GET || reply->type != REPLY_STRING)
		return;
	switch (bench_verify_check(reply->text, op.family, op.index, op.number)) {
	case BENCH_RIGHT:
		break;
	case BENCH_FOREIGN:
		row->foreign++;
		break;
	case BENCH_TORN:
		row->torn++;
		break;
	case BENCH_STALE:
		row->stale++;
		break;
	}
}

static void count_value(const struct bench_worker *worker, struct bench_row *row,
			struct bench_op op, const struct reply *reply)
{
	if (op.kind == BENCH_SET || op.kind == BENCH_DEL)
		return;
	verify_value(worker, row, op, reply);
	/* Of a hash, a set or a list that is not there the answer is empty. */
	if (reply->type == REPLY_NIL ||
	    (op.kind == BENCH_GET && reply->type == REPLY_ARRAY && reply->count == 0)) {
		row->misses++;
		return;
	}
	row->hits++;
	if (reply->type == REPLY_STRING)
		row->value_bytes += reply->text.len;
	for (size_t i = 0; reply->type == REPLY_ARRAY && i < reply->count; i++)
		row->value_bytes += reply->items[i]->text.len;
}

static struct bench_node *node_of(struct bench_worker *worker, size_t index)
{
	while (worker->node_count <= index) {
		worker->nodes =
		    mem_resize(worker->nodes, worker->node_count + 1, sizeof *worker->nodes);
		worker->nodes[worker->node_count++] = (struct bench_node){.cpu_us = -1};
	}
	return &worker->nodes[index];
}

/* False when it failed. */
static bool count_answer(struct bench_worker *worker, struct bench_row *row, size_t node,
			 const struct reply *reply)
{
	bool failed = reply->type == REPLY_ERROR || reply->type == REPLY_LOST;

	if (worker->shared->job->cluster) {
		struct bench_node *of = node_of(worker, node);

		of->count += !failed;
		of->errors += failed;
	}
	if (failed) {
		row->errors++;
		worker->figures.errors++;
		count_error(worker, reply);
		return false;
	}
	row->count++;
	worker->figures.count++;
	return true;
}

static void on_done(void *ctx, const struct swarm_op *sent, const struct reply *reply,
		    uint64_t now_ns)
{
	struct bench_worker *worker = ctx;
	struct bench_op op = bench_op_unpack(sent->cookie);
	struct bench_row *row = &worker->rows[op.family][op.kind];
	bool failed = reply->type == REPLY_ERROR || reply->type == REPLY_LOST;

	if (worker->shared->verify && op.kind == BENCH_SET)
		bench_verify_settle(worker->shared->verify, op.family, op.index, !failed);
	if (sent->due_ns < worker->shared->measure_ns)
		return;
	while (now_ns >= worker->second_end_ns)
		end_second(worker);
	worker->last_ns = now_ns;
	if (!count_answer(worker, row, sent->node, reply))
		return;
	if (row != worker->same_row || now_ns != worker->same_ns ||
	    sent->node != worker->same_op.node || sent->sent_ns != worker->same_op.sent_ns ||
	    sent->due_ns != worker->same_op.due_ns) {
		count_times(worker);
		worker->same_row = row;
		worker->same_op = *sent;
		worker->same_ns = now_ns;
	}
	worker->same_count++;
	count_value(worker, row, op, reply);
}

/* --- commands --- */

/* Whether an operation of that time may still be made; those of the warm-up are not counted. */
static bool take_one(struct bench_worker *worker, uint64_t at_ns)
{
	if (at_ns < worker->shared->measure_ns)
		return true;
	if (at_ns >= worker->shared->end_ns || worker->left == 0)
		return false;
	worker->left--;
	return true;
}

/* The operation as the swarm keeps it; what it writes is counted. */
static void note_op(struct bench_worker *worker, struct bench_op op, uint64_t now_ns,
		    struct swarm_op *ret_op)
{
	if ((op.kind == BENCH_SET || op.kind == BENCH_COMMAND) &&
	    now_ns >= worker->shared->measure_ns)
		worker->rows[op.family][op.kind].value_bytes +=
		    bench_load_value_size(worker->load);
	ret_op->cookie = bench_op_pack(op);
	ret_op->tails = (uint8_t)bench_load_tails(worker->load, op);
}

static bool on_next(void *ctx, size_t client, uint64_t now_ns, struct buf *out,
		    struct swarm_op *next)
{
	struct bench_worker *worker = ctx;

	if (!worker->driver.due && !take_one(worker, now_ns))
		return false;
	struct bench_op op = bench_load_pick(worker->load, worker->first_client + client);
	bench_load_write(worker->load, op, out);
	note_op(worker, op, now_ns, next);
	if (worker->shared->job->cluster)
		next->slot = (uint16_t)bench_load_slot(worker->load, out);
	return true;
}

static size_t on_batch(void *ctx, size_t client, uint64_t now_ns, size_t count,
		       struct swarm_op *ops, struct buf **ret_bytes)
{
	struct bench_worker *worker = ctx;
	size_t made = 0;

	bench_load_begin(worker->load);
	for (; made < count && take_one(worker, now_ns); made++) {
		struct bench_op op =
		    bench_load_pick(worker->load, worker->first_client + client);

		bench_load_add(worker->load, op);
		note_op(worker, op, now_ns, &ops[made]);
	}
	*ret_bytes = bench_load_batch(worker->load);
	return made;
}

static void on_again(void *ctx, const struct swarm_op *op, struct buf *out)
{
	struct bench_worker *worker = ctx;

	bench_load_write(worker->load, bench_op_unpack(op->cookie), out);
}

static uint64_t on_due(void *ctx)
{
	struct bench_worker *worker = ctx;
	uint64_t due_ns = bench_schedule_next(&worker->schedule);

	if (!take_one(worker, due_ns))
		return SWARM_NEVER;
	if (due_ns >= worker->shared->measure_ns)
		worker->scheduled++;
	return due_ns;
}

static bool on_turn(void *ctx, uint64_t now_ns)
{
	struct bench_worker *worker = ctx;
	const struct bench_shared *shared = worker->shared;

	while (now_ns >= worker->second_end_ns && worker->second_end_ns <= shared->end_ns)
		end_second(worker);
	if (worker->driver.due && shared->end_ns != UINT64_MAX &&
	    now_ns >= shared->end_ns + LATE_NS)
		return false;
	return !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

/* --- the thread --- */

void bench_worker_init(struct bench_worker *worker, struct bench_shared *shared, unsigned index,
		       size_t first_client)
{
	const struct bench_job *job = shared->job;

	*worker = (struct bench_worker){
	    .shared = shared, .index = index, .first_client = first_client};
	worker->driver = (struct swarm_driver){
	    .ctx = worker,
	    .next = on_next,
	    .batch = on_batch,
	    .again = on_again,
	    .done = on_done,
	    .due = job->rate > 0 ? on_due : NULL,
	    .turn = on_turn,
	};
	worker->load = bench_load_new(job, job->seed + index, shared->verify);
	worker->left = UINT64_MAX;
	if (job->requests > 0)
		worker->left = job->requests / job->threads +
			       (index < job->requests % job->threads ? 1 : 0);
	histogram_init(&worker->times, DIGITS_2);
}

void bench_worker_release(struct bench_worker *worker)
{
	for (size_t i = 0; i < BENCH_FAMILIES_MAX; i++)
		for (size_t kind = 0; kind < BENCH_KINDS; kind++)
			bench_row_release(&worker->rows[i][kind]);
	histogram_release(&worker->lag);
	histogram_release(&worker->times);
	for (size_t i = 0; i < worker->node_count; i++)
		histogram_release(&worker->nodes[i].times);
	free(worker->nodes);
	swarm_free(worker->swarm);
	bench_load_free(worker->load);
}

static void *run(void *ctx)
{
	struct bench_worker *worker = ctx;
	struct bench_shared *shared = worker->shared;

	worker->status = swarm_run(worker->swarm, shared->cancel, &worker->err);
	if (worker->status != 0)
		__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	count_times(worker);
	pthread_mutex_lock(&shared->lock);
	if (worker->figures.count + worker->figures.errors > 0)
		tell_second(worker);
	shared->running--;
	pthread_mutex_unlock(&shared->lock);
	return NULL;
}

void bench_worker_start(struct bench_worker *worker)
{
	struct bench_shared *shared = worker->shared;
	const struct bench_job *job = shared->job;
	uint64_t flat_ns = shared->measure_ns - shared->begin_ns;
	const struct bench_schedule_plan plan = {
	    .rate = job->rate,
	    .rate_to = job->rate_to,
	    .poisson = job->poisson,
	    .flat_ns = flat_ns,
	    .ramp_ns = job->duration_ms * 1000000,
	    .seed = job->seed ^ UINT64_C(0x5ced),
	};

	worker->second_end_ns = shared->measure_ns + SECOND_NS;
	worker->last_ns = shared->measure_ns;
	if (job->rate > 0)
		bench_schedule_init(&worker->schedule, &plan, shared->begin_ns, worker->index,
				    (unsigned)job->threads);
	/* Signals are the main thread's. */
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/* Only a lack of memory or of threads makes this fail. */
	if (pthread_create(&worker->thread, NULL, run, worker) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void bench_worker_join(struct bench_worker *worker)
{
	pthread_join(worker->thread, NULL);
}
