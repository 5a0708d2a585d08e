#include "core/event_run_private.h"

#include "base/clock.h"
#include "core/guard.h"
#include "core/namespace.h"
#include "core/sidecar.h"
#include "core/store.h"

#include <stdarg.h>
#include <stdlib.h>

/* How often a run begins anew because the server forgot the scripts. */
#define RELOADS_MAX 5

const char *const event_outcome_names[EVENT_OUTCOMES] = {
    "pending", "skipped",   "removed", "expiring", "patched", "stored",  "added",
    "counted", "published", "warmed",  "absent",   "same",    "foreign", "failed",
};

struct event_runner *event_runner_new(const struct event_runner_options *options)
{
	struct event_runner *runner = mem_zalloc(1, sizeof *runner);

	runner->options = *options;
	runner->redis = options->redis;
	return runner;
}

void event_runner_free(struct event_runner *runner)
{
	if (!runner)
		return;
	guard_free(runner->guard);
	buf_release(&runner->sidecar);
	buf_release(&runner->once);
	buf_release(&runner->scratch);
	buf_release(&runner->editing.plain);
	buf_release(&runner->editing.edited);
	buf_release(&runner->editing.packed);
	free(runner->patterns.items);
	free(runner->warms.items);
	free(runner->publishes.items);
	free(runner);
}

struct bytes event_sidecar(struct event_runner *runner, struct bytes key)
{
	buf_clear(&runner->sidecar);
	sidecar_name(&runner->sidecar, key);
	return buf_bytes(&runner->sidecar);
}

struct bytes event_once_name(struct event_runner *runner, struct bytes key)
{
	buf_clear(&runner->once);
	sidecar_once_name(&runner->once, key);
	return buf_bytes(&runner->once);
}

int event_must_watch(struct event_runner *runner, bool *ret_must, struct err *err)
{
	*ret_must = true;
	if (runner->options.backup)
		return 0;
	if (event_script_load(runner, err) != 0)
		return -1;
	*ret_must = err_is_set(&runner->forbidden);
	return 0;
}

void event_step_problem(struct event_step *step, const char *format, ...)
{
	struct buf text = {0};
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	step->problem = mem_arena_bytes(step->runner->arena, buf_bytes(&text)).ptr;
	step->outcome = EVENT_FAILED;
	buf_release(&text);
}

void event_step_fail(struct event_step *step, const struct reply *reply, const char *command)
{
	struct event_runner *runner = step->runner;
	enum reply_error kind = reply_error_kind(reply);
	struct err err = {0};

	if (kind == REPLY_ERR_LOST)
		return;
	if (kind == REPLY_ERR_NOSCRIPT) {
		runner->stale = true;
		return;
	}
	redis_fail(runner->redis, reply, command, step->key, &err);
	if ((reply_stops_writing(reply) && kind != REPLY_ERR_NOPERM) || reply_puts_off(reply)) {
		if (!err_is_set(&runner->stop))
			runner->stop = err;
		return;
	}
	event_step_problem(step, "%s", err.text);
}

int64_t event_step_ttl(const struct event_step *step)
{
	return store_ttl_ms(step->ns, step->values, -1, clock_wall_ms());
}

/* --- answers --- */

static void settle(struct event_step *step, enum event_outcome outcome)
{
	step->outcome = outcome;
	step->keys =
	    outcome != EVENT_ABSENT && outcome != EVENT_SAME && outcome != EVENT_FOREIGN;
}

static void on_removed(void *ctx, const struct reply *reply)
{
	struct event_step *step = ctx;

	if (reply->type == REPLY_INTEGER) {
		step->keys += (uint64_t)reply->integer;
		step->outcome = step->keys ? EVENT_REMOVED : EVENT_ABSENT;
	} else {
		event_step_fail(step, reply, "UNLINK");
	}
}

static void on_expired(void *ctx, const struct reply *reply)
{
	static const enum event_outcome outcomes[] = {EVENT_ABSENT, EVENT_EXPIRING,
						      EVENT_FOREIGN, EVENT_SAME};

	if (reply->type == REPLY_INTEGER && reply->integer >= 0 && reply->integer < 4)
		settle(ctx, outcomes[reply->integer]);
	else
		event_step_fail(ctx, reply, "EVALSHA");
}

static void on_stored(void *ctx, const struct reply *reply)
{
	if (reply->type == REPLY_STATUS || reply->type == REPLY_INTEGER)
		settle(ctx, EVENT_STORED);
	else
		event_step_fail(ctx, reply, "SET");
}

static void on_added(void *ctx, const struct reply *reply)
{
	if (reply->type == REPLY_INTEGER)
		settle(ctx, reply->integer ? EVENT_ADDED : EVENT_SAME);
	else
		event_step_fail(ctx, reply, "SADD");
}

static void on_member_removed(void *ctx, const struct reply *reply)
{
	if (reply->type == REPLY_INTEGER)
		settle(ctx, reply->integer ? EVENT_REMOVED : EVENT_ABSENT);
	else
		event_step_fail(ctx, reply, "SREM");
}

static void on_counted(void *ctx, const struct reply *reply)
{
	if (reply->type == REPLY_INTEGER)
		settle(ctx, reply->integer ? EVENT_COUNTED : EVENT_SAME);
	else
		event_step_fail(ctx, reply, "EVALSHA");
}

static void on_published(void *ctx, const struct reply *reply)
{
	struct event_step *step = ctx;

	if (reply->type != REPLY_INTEGER) {
		event_step_fail(step, reply, "PUBLISH");
		return;
	}
	step->outcome = EVENT_PUBLISHED;
	step->keys = (uint64_t)reply->integer;
}

/* --- steps --- */

static int submit(struct event_runner *runner, struct event_step *step,
		  const struct bytes *argv, size_t argc, unsigned flags, redis_reply_fn *fn,
		  struct err *err)
{
	struct redis_command command = {
	    .argv = argv, .argc = argc, .flags = flags, .fn = fn, .ctx = step};

	return redis_submit(runner->redis, &command, err);
}

/* The sidecar goes first: from then on no fetch that began earlier can store its value. */
static int drop_sidecar(struct event_runner *runner, struct event_step *step, struct err *err)
{
	const struct bytes argv[] = {BYTES("UNLINK"), event_sidecar(runner, step->key)};

	return submit(runner, step, argv, 2, REDIS_IDEMPOTENT, NULL, err);
}

static int run_invalidate(struct event_runner *runner, struct event_step *step, struct err *err)
{
	const struct bytes argv[] = {BYTES("UNLINK"), step->key};

	if (runner->options.backup) {
		if (event_take(runner, step, &step->key, 1, err) != 0)
			return -1;
		if (step->outcome == EVENT_PENDING)
			step->outcome = step->keys ? EVENT_REMOVED : EVENT_ABSENT;
		return 0;
	}
	if (drop_sidecar(runner, step, err) != 0)
		return -1;
	return submit(runner, step, argv, 2, REDIS_IDEMPOTENT, on_removed, err);
}

static int run_expire(struct event_runner *runner, struct event_step *step, struct err *err)
{
	char room[24];
	const struct bytes keys[] = {step->key, event_sidecar(runner, step->key)};
	const struct bytes args[] = {event_decimal(room, (int64_t)step->rule->in_ms),
				     step->expect};

	return event_script_submit(runner, EVENT_SCRIPT_EXPIRE, step, keys, 2, args, 2,
				   on_expired, err);
}

static int run_store(struct event_runner *runner, struct event_step *step, struct err *err)
{
	int64_t ttl = event_step_ttl(step);
	struct bytes value = codec_encode(&step->ns->compress, step->text, &runner->scratch);
	char room[24];

	if (ttl < 0) { /* the day that it belongs to is over */
		step->outcome = EVENT_SAME;
		return 0;
	}
	const struct bytes keys[] = {step->key, event_sidecar(runner, step->key)};
	const struct bytes args[] = {value, event_decimal(room, ttl)};
	if (step->rule->ttl == EVENT_TTL_KEEP)
		return event_script_submit(runner, EVENT_SCRIPT_SET_KEEP, step, keys, 2, args,
					   2, on_stored, err);
	const struct bytes argv[] = {BYTES("SET"), step->key, value, BYTES("PX"), args[1]};
	if (drop_sidecar(runner, step, err) != 0)
		return -1;
	return submit(runner, step, argv, ttl ? 5 : 3, REDIS_IDEMPOTENT, on_stored, err);
}

static int run_add(struct event_runner *runner, struct event_step *step, struct err *err)
{
	char room[24];
	int64_t ttl = event_step_ttl(step);
	const struct bytes args[] = {step->text, event_decimal(room, ttl < 0 ? 1 : ttl),
				     step->rule->ttl == EVENT_TTL_KEEP ? BYTES("1")
								       : BYTES("0")};

	return event_script_submit(runner, EVENT_SCRIPT_ADD, step, &step->key, 1, args, 3,
				   on_added, err);
}

static int run_drop_member(struct event_runner *runner, struct event_step *step,
			   struct err *err)
{
	const struct bytes argv[] = {BYTES("SREM"), step->key, step->text};

	if (runner->options.backup)
		return event_take_member(runner, step, err);
	return submit(runner, step, argv, 3, REDIS_IDEMPOTENT, on_member_removed, err);
}

static int run_count(struct event_runner *runner, struct event_step *step, struct err *err)
{
	size_t count = 2 + 2 * step->amount_count;
	struct bytes *args = mem_zalloc(count, sizeof *args);
	int64_t ttl = event_step_ttl(step);
	char room[24];
	int status = 0;

	const struct bytes keys[] = {step->key, event_once_name(runner, step->key)};
	args[0] = step->once;
	args[1] = event_decimal(room, ttl);
	for (size_t i = 0; i < step->amount_count; i++) {
		args[2 + 2 * i] = step->amounts[i].field;
		args[3 + 2 * i] = step->amounts[i].by;
	}
	if (ttl < 0)
		step->outcome = EVENT_SAME;
	else
		status = event_script_submit(runner, EVENT_SCRIPT_COUNT, step, keys, 2, args,
					     count, on_counted, err);
	free(args);
	return status;
}

static int run_publish(struct event_runner *runner, struct event_step *step, struct err *err)
{
	const struct bytes argv[] = {BYTES("PUBLISH"), step->key, step->text};

	if (runner->options.deaf.len && bytes_equal(step->key, runner->options.deaf)) {
		event_step_problem(step,
				   "not published: this channel is the one that is followed");
		return 0;
	}
	return submit(runner, step, argv, 3, 0, on_published, err);
}

static void put_off(struct event_list *list, struct event_step *step)
{
	if (list->count == list->size) {
		list->size = list->size ? list->size * 2 : 16;
		list->items = mem_resize(list->items, list->size, sizeof(struct event_step *));
	}
	list->items[list->count++] = step;
}

/* Patterns that were put off must not take what a later event writes. */
static bool must_scan_first(const struct event_runner *runner, const struct event_step *step)
{
	if (step->action == EVENT_INVALIDATE || step->action == EVENT_EXPIRE)
		return false;
	for (size_t i = 0; i < runner->patterns.count; i++)
		if (runner->patterns.items[i]->ns == step->ns)
			return true;
	return false;
}

/* What a script does, where that may not be a transaction. */
static bool may_watch(const struct event_step *step)
{
	bool member = step->ns && step->ns->members_of;

	switch (step->action) {
	case EVENT_INVALIDATE:
	case EVENT_WARM:
	case EVENT_PUBLISH:
		return false;
	case EVENT_REMOVE:
		return !member;
	default:
		return true;
	}
}

static int run_step(struct event_runner *runner, struct event_step *step, struct err *err)
{
	bool member = step->ns && step->ns->members_of;
	bool watch = false;

	step->runner = runner;
	if (must_scan_first(runner, step) && event_patterns_run(runner, err) != 0)
		return -1;
	if (step->pattern) {
		put_off(&runner->patterns, step);
		return 0;
	}
	if (may_watch(step) && event_must_watch(runner, &watch, err) != 0)
		return -1;
	if (watch)
		return event_change(runner, step, err);
	switch (step->action) {
	case EVENT_INVALIDATE:
		return run_invalidate(runner, step, err);
	case EVENT_EXPIRE:
		return run_expire(runner, step, err);
	case EVENT_COUNT:
		return run_count(runner, step, err);
	case EVENT_WARM:
		put_off(&runner->warms, step);
		return 0;
	case EVENT_PUBLISH:
		put_off(&runner->publishes, step);
		return 0;
	case EVENT_SET:
	case EVENT_INDEX:
		return run_store(runner, step, err);
	case EVENT_UPSERT:
		return member ? run_add(runner, step, err) : event_patch(runner, step, err);
	case EVENT_REMOVE:
		return member ? run_drop_member(runner, step, err)
			      : event_patch(runner, step, err);
	case EVENT_PATCH:
		return event_patch(runner, step, err);
	case EVENT_ACTIONS:
		break;
	}
	return 0;
}

/* --- runs --- */

static int check_stop(const struct event_runner *runner, struct err *err)
{
	if (!err_is_set(&runner->stop))
		return 0;
	*err = runner->stop;
	return -1;
}

static int pass(struct event_runner *runner, struct event_plan *const *plans, size_t count,
		struct err *err)
{
	for (size_t i = 0; i < count; i++)
		for (struct event_step *step = plans[i]->first; step; step = step->next) {
			if (step->outcome != EVENT_PENDING)
				continue;
			runner->arena = plans[i]->arena;
			if (run_step(runner, step, err) != 0 || check_stop(runner, err) != 0)
				return -1;
		}
	if (redis_drain(runner->redis, 0, err) != 0 || check_stop(runner, err) != 0)
		return -1;
	return event_patterns_run(runner, err);
}

/* Who hears of an update finds it made, its keys fetched again. */
static int publish_all(struct event_runner *runner, struct err *err)
{
	for (size_t i = 0; i < runner->publishes.count; i++)
		if (run_publish(runner, runner->publishes.items[i], err) != 0)
			return -1;
	runner->publishes.count = 0;
	return redis_drain(runner->redis, 0, err) != 0 ? -1 : check_stop(runner, err);
}

/* A step whose answer is missing is done again, and for the order's sake what follows it: all
 * but what would add up. */
static bool rewind_pending(struct event_plan *const *plans, size_t count)
{
	bool found = false;

	for (size_t i = 0; i < count; i++)
		for (struct event_step *step = plans[i]->first; step; step = step->next) {
			bool adds = step->action == EVENT_PUBLISH ||
				    step->action == EVENT_WARM ||
				    (step->action == EVENT_COUNT && !step->once.len);

			if (step->outcome == EVENT_PENDING && step->action != EVENT_WARM &&
			    step->action != EVENT_PUBLISH)
				found = true;
			if (found && !adds && step->outcome != EVENT_SKIPPED) {
				step->outcome = EVENT_PENDING;
				if (step->action != EVENT_INVALIDATE) /* what went is gone */
					step->keys = 0;
			}
		}
	return found;
}

/* What is not safe to be done again, and was sent over a connection that broke. */
static void fail_pending(struct event_plan *const *plans, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (struct event_step *step = plans[i]->first; step; step = step->next)
			if (step->outcome == EVENT_PENDING)
				event_step_problem(step,
						   "the connection broke before Redis "
						   "answered: unknown whether it was done");
}

int event_run(struct event_runner *runner, struct event_plan *const *plans, size_t count,
	      struct err *err)
{
	struct redis_grace before = redis_set_grace(runner->redis, REDIS_GRACE);
	int status = 0;

	runner->stop = (struct err){0};
	rewind_pending(plans, count);
	for (int reloads = 0; reloads < RELOADS_MAX; reloads++) {
		runner->patterns.count = runner->warms.count = runner->publishes.count = 0;
		status = pass(runner, plans, count, err);
		if (status != 0 || !runner->stale)
			break;
		runner->loaded = runner->stale = false;
		rewind_pending(plans, count);
		status =
		    err_set(err, ERR_REDIS, "the server forgets its scripts again and again");
	}
	if (status != 0) /* what is still under way is answered, or lost */
		redis_drain(runner->redis, 0, NULL);
	if (status == 0)
		status = event_warms_run(runner, err);
	if (status == 0)
		status = publish_all(runner, err);
	if (status == 0)
		fail_pending(plans, count);
	redis_set_grace(runner->redis, before);
	return status;
}
