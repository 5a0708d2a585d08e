#include "core/invalidate_private.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/backup.h"
#include "core/inspect_filter.h"
#include "core/look_again.h"
#include "core/resume.h"
#include "core/scan.h"
#include "core/sidecar.h"
#include "core/take_flow.h"
#include "core/throttle.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define RESTARTS 3 /* of a walk that the connection broke under */
#define PROGRESS_EVERY 1024
#define BATCH 64       /* keys of one UNLINK; in a cluster 1: they share no slot */
#define UNDER_WAY 8192 /* batches sent and not answered, at most: over the session's window */
#define IN_FLIGHT 128  /* commands of a list */
#define IN_FLIGHT_FAR 4096 /* over a long link, where what it refuses it refuses late */
#define PAGES_PER_CURSOR 8 /* a batch is cut short for a cursor only now and then */

struct run {
	const struct invalidate_job *job;
	struct invalidate_report *report;
	struct take_job take;
	bool direct;            /* nothing is saved: UNLINK without a look */
	struct take_flow *flow; /* else, and where batches would wait for each other; or NULL */
	struct cursor {         /* is written when the keys before it are done */
		bool waits;
		uint64_t keys;
		char text[24];
		char id[RESUME_ID_SIZE];
	} cursor;
	/* keys that wait for their batch to fill up */
	struct mem_arena arena;
	struct bytes keys[TAKE_BATCH_CLUSTER];
	size_t count;
	size_t full; /* as many as a batch has */
	/* sizes of the batches under way, a ring */
	unsigned char sent[UNDER_WAY];
	size_t head, tail;
	struct buf sidecars;
	uint64_t told; /* progress */
	unsigned pages;
	bool over;
	bool again; /* the walk was broken off: it begins anew */
	struct err err;
};

static bool interrupted(const struct run *run)
{
	return run->job->cancel && *run->job->cancel;
}

static void tell(struct run *run)
{
	const struct take_counts *counts = &run->report->counts;
	uint64_t done =
	    counts->removed + counts->shortened + counts->kept + counts->gone + counts->failed;

	if (!run->job->progress || done - run->told < PROGRESS_EVERY)
		return;
	run->told = done;
	run->job->progress(run->job->ctx, done, counts->failed);
}

/* --- without saving --- */

/* The first key of the batch that is answered; of one that a walk found its pattern is known.
 */
static struct bytes failed_key(const struct run *run)
{
	const struct take_counts *counts = &run->report->counts;
	uint64_t left = counts->removed + counts->gone + counts->failed + 1;
	struct keylist_walk walk = {0};
	struct bytes key = {NULL, 0};

	if (run->job->target->filter)
		return buf_bytes(&run->job->target->filter->glob);
	while (left-- > 0 && keylist_next(&run->job->plan->list, &walk, &key))
		;
	return key;
}

/* Keeps the first failure; one that every further key would meet ends the run. */
static void fail(struct run *run, const struct reply *reply, size_t keys)
{
	struct err err = {0};

	bool stops = reply_stops_writing(reply);

	if (!err_is_set(&run->err) && (stops || run->report->counts.problem.len == 0))
		redis_fail(run->job->redis, reply, "UNLINK", failed_key(run), &err);
	run->report->counts.failed += keys;
	run->report->counts.unsure += reply->type == REPLY_LOST ? keys : 0;
	if (stops) {
		if (!err_is_set(&run->err))
			run->err = err;
	} else if (run->report->counts.problem.len == 0) {
		buf_add_str(&run->report->counts.problem, err.text);
	}
}

static void on_unlinked(void *ctx, const struct reply *reply)
{
	struct run *run = ctx;
	size_t keys = run->sent[run->head++ % UNDER_WAY];

	if (reply->type == REPLY_INTEGER && reply->integer >= 0 &&
	    (uint64_t)reply->integer <= keys) {
		run->report->counts.removed += (uint64_t)reply->integer;
		run->report->counts.gone += keys - (uint64_t)reply->integer;
	} else {
		fail(run, reply, keys);
	}
	tell(run);
}

static void on_fenced(void *ctx, const struct reply *reply)
{
	struct run *run = ctx;

	if (reply->type != REPLY_INTEGER)
		run->report->unfenced += run->sent[run->head % UNDER_WAY];
}

static int send(struct run *run, const struct bytes *argv, redis_reply_fn *fn)
{
	struct redis_command command = {
	    .argv = argv, .argc = run->count + 1, .fn = fn, .ctx = run};

	return redis_submit(run->job->redis, &command, &run->err);
}

/* The sidecars go first: from then on no fetch that began earlier can store its value. */
static int unlink_batch(struct run *run)
{
	struct bytes argv[BATCH + 1] = {BYTES("UNLINK")};
	size_t ends[BATCH];

	buf_clear(&run->sidecars);
	for (size_t i = 0; i < run->count; i++) {
		sidecar_name(&run->sidecars, run->keys[i]);
		ends[i] = run->sidecars.len;
	}
	for (size_t i = 0, at = 0; i < run->count; at = ends[i++])
		argv[i + 1] = bytes_sub(buf_bytes(&run->sidecars), at, ends[i] - at);
	run->sent[run->tail++ % UNDER_WAY] = (unsigned char)run->count;
	run->report->counts.asked += run->count;
	if (send(run, argv, on_fenced) != 0) {
		run->tail--; /* nothing hears of this batch */
		run->report->counts.failed += run->count;
		return -1;
	}
	for (size_t i = 0; i < run->count; i++)
		argv[i + 1] = run->keys[i];
	return send(run, argv, on_unlinked);
}

/* Keys that were sent and not answered for have failed; a look tells how many are there. */
static void look_for_unsure(struct run *run)
{
	struct invalidate_report *report = run->report;
	struct look_again look = {0};
	struct err ignored = {0};

	if (!run->direct || report->counts.unsure == 0 || !run->job->plan->listed)
		return;
	report->looked =
	    look_again(run->job->redis, &run->job->plan->list, &look, &ignored) == 0;
	report->there = look.back;
	keylist_release(&look.sample);
}

/* --- batches --- */

static int write_cursor(struct run *run, const char *cursor, const char *id)
{
	const struct bytes items[] = {bytes_of(cursor), bytes_of(id)};
	struct backup_record record = {.kind = BACKUP_CURSOR, .items = items, .item_count = 2};

	run->cursor.waits = false;
	return backup_add(run->job->backup, &record, &run->err) == 0
		   ? backup_flush(run->job->backup, &run->err)
		   : -1;
}

/* What moved in the flow meanwhile. */
static int follow(struct run *run, int status)
{
	struct cursor *cursor = &run->cursor;

	tell(run);
	if (status == 0 && !interrupted(run) && cursor->waits &&
	    take_flow_done(run->flow) >= cursor->keys)
		status = write_cursor(run, cursor->text, cursor->id);
	return status;
}

static int dispatch(struct run *run)
{
	int status = 0;

	if (run->count == 0)
		return 0;
	if (run->job->throttle)
		throttle_wait(run->job->throttle, run->count, run->job->cancel);
	if (run->direct) {
		status = unlink_batch(run);
		if (status == 0 && run->job->throttle) /* what it measures is an answer */
			status = redis_drain(run->job->redis, 0, &run->err);
	} else {
		status = take_keys(&run->take, run->keys, run->count, &run->report->counts,
				   &run->err);
		tell(run);
	}
	if (run->job->throttle)
		throttle_answered(run->job->throttle);
	run->count = 0;
	mem_arena_clear(&run->arena);
	return status;
}

static int add(struct run *run, struct bytes key, struct scan *walk)
{
	if (run->job->soft && run->job->soft_ms == 0) { /* a batch is of one grace */
		uint64_t grace_ms = invalidate_grace_ms(run->job->target->set, key);

		if (grace_ms == 0) /* the plan let none pass: it came since */
			return 0;
		if (grace_ms != run->take.soft_ms && dispatch(run) != 0)
			return -1;
		run->take.soft_ms = grace_ms;
	}
	if (run->flow)
		return follow(run, take_flow_add(run->flow, key, walk, &run->err));
	run->keys[run->count++] = mem_arena_bytes(&run->arena, key);
	return run->count == run->full ? dispatch(run) : 0;
}

static bool must_stop(const struct run *run)
{
	return interrupted(run) || err_is_set(&run->err);
}

/* Ends with the last batch and every answer; the error is the first that was met. */
static int settle(struct run *run, bool complete, struct err *err)
{
	struct err last = {0};

	if (!must_stop(run))
		dispatch(run);
	if (run->flow && take_flow_settle(run->flow, &last) != 0 && !err_is_set(&run->err))
		run->err = last;
	if (redis_drain(run->job->redis, 0, &last) != 0 && !err_is_set(&run->err))
		run->err = last;
	if (!err_is_set(&run->err) && run->over)
		invalidate_refuse(run->job->target, &run->err);
	if (!err_is_set(&run->err) && !complete && interrupted(run))
		err_set(&run->err, ERR_INTERRUPTED, "interrupted: not every key had its turn");
	run->report->complete = complete && !err_is_set(&run->err);
	if (!err_is_set(&run->err))
		return 0;
	*err = run->err;
	return -1;
}

static int run_list(struct run *run, struct err *err)
{
	struct keylist_walk walk = {0};
	size_t most = redis_is_far(run->job->redis) ? IN_FLIGHT_FAR : IN_FLIGHT;
	struct bytes key;
	bool more = true;

	while (!must_stop(run) && (more = keylist_next(&run->job->plan->list, &walk, &key))) {
		add(run, key, NULL);
		/* enough to keep the server busy; what it refuses, it refuses soon */
		if (redis_outstanding(run->job->redis) > most)
			redis_drain(run->job->redis, most / 2, &run->err);
	}
	return settle(run, !more, err);
}

static bool on_found(void *ctx, const struct scan_key *key)
{
	struct run *run = ctx;
	uint64_t unknown_age = 0;

	if (!invalidate_accepts(run->job->target, key, &unknown_age))
		return true;
	run->over = run->report->counts.asked + run->count >= run->job->target->max_keys;
	return !run->over && !must_stop(run) && add(run, key->key, key->scan) == 0;
}

/* Everything before the cursor is done: from here a killed run may go on. */
static void on_page(void *ctx, const struct redis *node, uint64_t cursor)
{
	struct run *run = ctx;
	const struct resume *resume = run->job->target->resume;
	const char *id = resume ? resume_id(resume, node) : "";
	struct cursor *next = &run->cursor;

	if (run->flow && !must_stop(run))
		follow(run, take_flow_turn(run->flow, &run->err));
	if (!run->job->backup || !id[0] || ++run->pages % PAGES_PER_CURSOR != 0 ||
	    must_stop(run) || next->waits)
		return;
	snprintf(next->text, sizeof next->text, "%" PRIu64, cursor);
	snprintf(next->id, sizeof next->id, "%s", id);
	if (run->flow) {
		next->keys = take_flow_added(run->flow);
		next->waits = true;
	} else if (dispatch(run) == 0) {
		write_cursor(run, next->text, next->id);
	}
}

static uint64_t on_start(void *ctx, const struct redis *node)
{
	const struct run *run = ctx;

	return run->again ? 0 : invalidate_start(run->job->target, node);
}

static int run_filter(struct run *run, struct err *err)
{
	struct scan_result result = {.broken = true};
	struct scan_options options = {.match = buf_bytes(&run->job->target->filter->glob),
				       .start_fn = on_start,
				       .probes = invalidate_probes(run->job->target),
				       .fn = on_found,
				       .page_fn = on_page,
				       .ctx = run};
	struct err err_of_scan = {0};

	for (unsigned i = 0; i <= RESTARTS && scan_may_repeat(&result) && !must_stop(run);
	     i++) {
		if (result.lost && redis_recover(run->job->redis, &err_of_scan) != 0)
			break;
		err_of_scan = (struct err){0};
		scan_run(run->job->redis, &options, &result, &err_of_scan);
		run->again = true;
	}
	if (!err_is_set(&run->err))
		run->err = err_of_scan;
	return settle(run, result.complete, err);
}

/* Behind the keys, so that a crash in between leaves at worst a member without its key. */
static int run_members(struct run *run, struct err *err)
{
	const struct referrers *referrers = &run->job->plan->referrers;

	for (size_t i = 0; i < referrers->set_count; i++) {
		const struct referrer_set *set = &referrers->sets[i];
		struct keylist_walk walk = {0};
		struct bytes members[TAKE_BATCH];
		size_t count = 0;
		bool more = true;

		while (more) {
			more = keylist_next(&set->members, &walk, &members[count]);
			count += more;
			if (count == 0 || (more && count < TAKE_BATCH))
				continue;
			if (take_members(&run->take, buf_bytes(&set->key), members, count,
					 &run->report->counts, err) != 0)
				return -1;
			count = 0;
		}
	}
	return 0;
}

/* What a throttle measures is the answer to a batch. */
static void begin_flow(struct run *run)
{
	const struct keylist *list = &run->job->plan->list;
	size_t count = run->job->plan->listed ? list->count : run->job->plan->keys;

	if (run->direct || run->job->throttle || !take_flows(&run->take, count))
		return;
	run->flow =
	    take_flow_new(&run->take, run->take.is_far ? TAKE_FLOW_FAR : take_batch(&run->take),
			  &run->report->counts);
}

int invalidate_run(const struct invalidate_job *job, struct invalidate_report *ret_report,
		   struct err *err)
{
	*ret_report = (struct invalidate_report){0};
	if (redis_nodes(job->redis, err) == 0)
		return -1;
	struct run *run = mem_zalloc(1, sizeof *run);
	run->job = job;
	run->report = ret_report;
	run->direct = !job->backup && !job->soft;
	run->take = (struct take_job){.redis = job->second,
				      .is_cluster = redis_is_cluster(job->redis),
				      .is_far = redis_is_far(job->redis),
				      .backup = job->backup,
				      .soft = job->soft,
				      .soft_ms = job->soft_ms,
				      .cancel = job->cancel};
	if (run->direct)
		run->full = run->take.is_cluster ? 1 : BATCH;
	else
		run->full = take_batch(&run->take);
	begin_flow(run);
	/* what was sent must be answered before the report: the session itself does not stop */
	struct redis_grace before = redis_set_grace(job->redis, REDIS_GRACE);
	int status = job->plan->listed ? run_list(run, err) : run_filter(run, err);
	if (status == 0)
		look_for_unsure(run);
	if (status == 0 && job->target->resume &&
	    resume_check(job->target->resume, job->redis, err) != 0) {
		ret_report->complete = false;
		status = -1;
	}
	if (status == 0 && !job->soft)
		status = run_members(run, err);
	redis_set_grace(job->redis, before);
	take_flow_free(run->flow);
	mem_arena_release(&run->arena);
	buf_release(&run->sidecars);
	free(run);
	return status;
}

void invalidate_report_release(struct invalidate_report *report)
{
	buf_release(&report->counts.problem);
}

bool invalidate_is_catch_all(struct bytes glob)
{
	for (size_t i = 0; i < glob.len; i++) {
		if (glob.ptr[i] == '[') {
			while (i < glob.len && glob.ptr[i] != ']')
				i++;
		} else if (glob.ptr[i] != '*' && glob.ptr[i] != '?') {
			return false;
		}
	}
	return true;
}
