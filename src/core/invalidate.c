#include "core/invalidate.h"

#include "base/err.h"
#include "core/inspect.h"
#include "core/namespace.h"
#include "core/scan.h"
#include "core/sidecar.h"
#include "wire/redis.h"

#define PROGRESS_EVERY 1024

static int refuse(const struct invalidate_target *target, struct err *err)
{
	return err_set(err, ERR_REFUSED,
		       "more than %llu keys would be dropped; narrow it, or raise the limit "
		       "with --max-keys N",
		       (unsigned long long)target->max_keys);
}

/* --- plan --- */

struct planning {
	const struct invalidate_target *target;
	struct invalidate_plan *plan;
	bool over;
};

static void plan_key(struct invalidate_plan *plan, const struct scan_key *key)
{
	plan->keys++;
	if (key->bytes >= 0)
		plan->bytes += (uint64_t)key->bytes;
	if (key->ttl_ms == SCAN_TTL_NONE)
		plan->without_ttl++;
	else if (key->ttl_ms > plan->longest_ttl_ms)
		plan->longest_ttl_ms = key->ttl_ms;
	if (plan->sample_count < INVALIDATE_SAMPLES)
		buf_add(&plan->samples[plan->sample_count++], key->key);
}

static bool on_planned(void *ctx, const struct scan_key *key)
{
	struct planning *planning = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	if (!inspect_filter_accepts(planning->target->filter, key->key, &ns, values))
		return true;
	plan_key(planning->plan, key);
	planning->over = planning->plan->keys > planning->target->max_keys;
	return !planning->over;
}

static int plan_filter(struct redis *redis, const struct invalidate_target *target,
		       struct invalidate_plan *plan, struct err *err)
{
	struct planning planning = {.target = target, .plan = plan};
	struct scan_result result = {0};
	struct scan_options options = {.match = buf_bytes(&target->filter->glob),
				       .probes = SCAN_TTL | SCAN_BYTES,
				       .fn = on_planned,
				       .ctx = &planning};
	int status = scan_run(redis, &options, &result, err);

	plan->bytes_known = !(result.denied & SCAN_BYTES);
	return status == 0 && planning.over ? refuse(target, err) : status;
}

struct look {
	struct redis *redis;
	struct scan_key key;
	struct err err;
	bool denied;
};

static void on_ttl(void *ctx, const struct reply *reply)
{
	struct look *look = ctx;

	if (reply->type == REPLY_INTEGER)
		look->key.ttl_ms = reply->integer;
	else
		redis_fail(look->redis, reply, "PTTL", look->key.key, &look->err);
}

static void on_bytes(void *ctx, const struct reply *reply)
{
	struct look *look = ctx;

	look->key.bytes = reply->type == REPLY_INTEGER ? reply->integer : -1;
	look->denied = reply->type == REPLY_ERROR;
}

/* Named keys are few: one round trip each keeps this simple and the plan exact. */
static int look_at(struct redis *redis, struct look *look, struct err *err)
{
	const struct bytes ttl[] = {BYTES("PTTL"), look->key.key};
	const struct bytes bytes[] = {BYTES("MEMORY"), BYTES("USAGE"), look->key.key};
	struct redis_command commands[] = {
	    {.argv = ttl, .argc = 2, .flags = REDIS_IDEMPOTENT, .fn = on_ttl, .ctx = look},
	    {.argv = bytes, .argc = 3, .flags = REDIS_IDEMPOTENT, .fn = on_bytes, .ctx = look},
	};

	for (size_t i = 0; i < 2; i++)
		if (redis_submit(redis, &commands[i], err) != 0)
			return -1;
	if (redis_drain(redis, 0, err) != 0)
		return -1;
	if (!err_is_set(&look->err))
		return 0;
	*err = look->err;
	return -1;
}

static int plan_keys(struct redis *redis, const struct invalidate_target *target,
		     struct invalidate_plan *plan, struct err *err)
{
	plan->bytes_known = true;
	if (target->key_count > target->max_keys)
		return refuse(target, err);
	for (size_t i = 0; i < target->key_count; i++) {
		struct look look = {.redis = redis, .key = {.key = target->keys[i]}};

		if (look_at(redis, &look, err) != 0)
			return -1;
		plan->bytes_known = plan->bytes_known && !look.denied;
		if (look.key.ttl_ms == SCAN_TTL_GONE)
			plan->absent++;
		else
			plan_key(plan, &look.key);
	}
	return 0;
}

int invalidate_plan(struct redis *redis, const struct invalidate_target *target,
		    struct invalidate_plan *ret_plan, struct err *err)
{
	*ret_plan = (struct invalidate_plan){0};
	if (target->filter)
		return plan_filter(redis, target, ret_plan, err);
	return plan_keys(redis, target, ret_plan, err);
}

void invalidate_plan_release(struct invalidate_plan *plan)
{
	for (size_t i = 0; i < plan->sample_count; i++)
		buf_release(&plan->samples[i]);
	plan->sample_count = 0;
}

/* --- run --- */

struct run {
	struct redis *redis;
	const struct invalidate_target *target;
	struct invalidate_report *report;
	invalidate_progress_fn *progress;
	void *ctx;
	const volatile int *cancel;
	struct buf sidecar; /* the name of the current key's */
	bool over;
	struct err err;
};

/* Answers come in the order of the keys; of a scanned one its pattern is known. */
static struct bytes failed_key(const struct run *run)
{
	const struct invalidate_report *report = run->report;

	return run->target->filter
		   ? buf_bytes(&run->target->filter->glob)
		   : run->target->keys[report->removed + report->gone + report->failed];
}

/* Keeps the first failure; one that every further key would meet ends the run. */
static void fail(struct run *run, const struct reply *reply)
{
	struct err err = {0};

	redis_fail(run->redis, reply, "UNLINK", failed_key(run), &err);
	run->report->failed++;
	if (reply_stops_writing(reply)) {
		if (!err_is_set(&run->err))
			run->err = err;
	} else if (run->report->problem.len == 0) {
		buf_add_str(&run->report->problem, err.text);
	}
}

static void on_unlinked(void *ctx, const struct reply *reply)
{
	struct run *run = ctx;
	struct invalidate_report *report = run->report;

	if (reply->type != REPLY_INTEGER)
		fail(run, reply);
	else if (reply->integer > 0)
		report->removed++;
	else
		report->gone++;
	uint64_t done = report->removed + report->gone + report->failed;
	if (run->progress && done % PROGRESS_EVERY == 0)
		run->progress(run->ctx, done, report->failed);
}

static void on_fenced(void *ctx, const struct reply *reply)
{
	struct run *run = ctx;

	if (reply->type != REPLY_INTEGER)
		run->report->unfenced++;
}

/* The sidecar goes first: from then on no fetch that began earlier can store its value. */
static int unlink_sidecar(struct run *run, struct bytes key, struct err *err)
{
	buf_clear(&run->sidecar);
	sidecar_name(&run->sidecar, key);
	const struct bytes argv[] = {BYTES("UNLINK"), buf_bytes(&run->sidecar)};
	struct redis_command command = {.argv = argv, .argc = 2, .fn = on_fenced, .ctx = run};

	return redis_submit(run->redis, &command, err);
}

static int unlink_key(struct run *run, struct bytes key, struct err *err)
{
	const struct bytes argv[] = {BYTES("UNLINK"), key};
	struct redis_command command = {.argv = argv, .argc = 2, .fn = on_unlinked, .ctx = run};

	if (unlink_sidecar(run, key, err) != 0)
		return -1;
	run->report->requested++;
	return redis_submit(run->redis, &command, err);
}

static bool interrupted(const struct run *run)
{
	return run->cancel && *run->cancel;
}

static int check_interrupted(const struct run *run, struct err *err)
{
	return interrupted(run)
		   ? err_set(err, ERR_INTERRUPTED, "interrupted: not every key had its turn")
		   : 0;
}

static bool on_found(void *ctx, const struct scan_key *key)
{
	struct run *run = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	if (!inspect_filter_accepts(run->target->filter, key->key, &ns, values))
		return true;
	run->over = run->report->requested >= run->target->max_keys;
	return !run->over && !interrupted(run) && !err_is_set(&run->err) &&
	       unlink_key(run, key->key, &run->err) == 0;
}

static int run_filter(struct run *run, struct err *err)
{
	struct scan_result result = {0};
	struct scan_options options = {
	    .match = buf_bytes(&run->target->filter->glob), .fn = on_found, .ctx = run};
	int status = scan_run(run->redis, &options, &result, err);
	if (status == 0 && err_is_set(&run->err)) {
		*err = run->err;
		status = -1;
	}
	if (status == 0 && run->over)
		status = refuse(run->target, err);
	if (status == 0 && !result.complete)
		status = check_interrupted(run, err);
	run->report->complete = status == 0 && result.complete;
	return status;
}

static int run_keys(struct run *run, struct err *err)
{
	size_t i = 0;

	for (; i < run->target->key_count && !interrupted(run) && !err_is_set(&run->err); i++)
		if (unlink_key(run, run->target->keys[i], err) != 0)
			return -1;
	if (redis_drain(run->redis, 0, err) != 0)
		return -1;
	if (err_is_set(&run->err)) {
		*err = run->err;
		return -1;
	}
	run->report->complete = i == run->target->key_count;
	return run->report->complete ? 0 : check_interrupted(run, err);
}

int invalidate_run(struct redis *redis, const struct invalidate_target *target,
		   const volatile int *cancel, invalidate_progress_fn *progress, void *ctx,
		   struct invalidate_report *ret_report, struct err *err)
{
	struct run run = {.redis = redis,
			  .target = target,
			  .report = ret_report,
			  .progress = progress,
			  .ctx = ctx,
			  .cancel = cancel};

	*ret_report = (struct invalidate_report){0};
	/* what was sent must be answered before the report: the session itself does not stop */
	const volatile int *before = redis_set_cancel(redis, NULL);
	int status = target->filter ? run_filter(&run, err) : run_keys(&run, err);
	redis_set_cancel(redis, before);
	buf_release(&run.sidecar);
	return status;
}

void invalidate_report_release(struct invalidate_report *report)
{
	buf_release(&report->problem);
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
