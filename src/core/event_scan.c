#include "core/event_run_private.h"

#include "core/namespace.h"
#include "core/scan.h"
#include "core/take.h"

#include <inttypes.h>
#include <stdlib.h>

/* Keys found are kept until the scan ends: only then is known that no event takes too many. */
#define FOUND_MAX ((size_t)32 * 1024 * 1024)

struct found {
	struct found *next;
	struct bytes key;
};

/* One scan for the patterns of many events. */
struct sweep {
	struct event_runner *runner;
	struct event_step **steps;
	size_t count;
	struct found **found; /* per step */
	uint64_t *counts;
	struct mem_arena arena;
	size_t bytes;
	bool full;
};

static bool accepts(const struct event_step *step, const struct ns *ns,
		    const struct bytes *values)
{
	if (step->ns != ns)
		return false;
	for (size_t i = 0; i < template_var_count(ns->key); i++)
		if (step->values[i].len && !bytes_equal(step->values[i], values[i]))
			return false;
	return true;
}

static void keep(struct sweep *sweep, size_t index, struct bytes key)
{
	struct found *found = NULL;

	if (++sweep->counts[index] > sweep->steps[index]->limit)
		return;
	found = mem_arena_alloc(&sweep->arena, sizeof *found);
	*found = (struct found){sweep->found[index], mem_arena_bytes(&sweep->arena, key)};
	sweep->found[index] = found;
	sweep->bytes += key.len + sizeof *found;
}

static bool on_key(void *ctx, const struct scan_key *key)
{
	struct sweep *sweep = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns =
	    nsset_classify(sweep->runner->options.namespaces, key->key, values);

	for (size_t i = 0; ns && i < sweep->count; i++)
		if (accepts(sweep->steps[i], ns, values))
			keep(sweep, i, key->key);
	sweep->full = sweep->bytes > FOUND_MAX && sweep->count > 1;
	return !sweep->full;
}

/* Covers every step's keys. */
static void add_glob(const struct sweep *sweep, struct buf *glob)
{
	const struct ns *ns = sweep->steps[0]->ns;

	if (sweep->count == 1) {
		buf_add(glob, sweep->steps[0]->key);
		return;
	}
	for (size_t i = 1; i < sweep->count; i++)
		if (sweep->steps[i]->ns != ns)
			return;
	if (template_glob(ns->key, NULL, 0, glob, NULL) != 0)
		buf_clear(glob);
}

static void on_dropped(void *ctx, const struct reply *reply)
{
	struct event_step *step = ctx;

	if (reply->type == REPLY_INTEGER)
		step->keys += reply->integer == 1;
	else
		event_step_fail(step, reply,
				step->action == EVENT_EXPIRE ? "EVALSHA" : "UNLINK");
}

static int touch(struct event_runner *runner, struct event_step *step, struct bytes key,
		 struct err *err)
{
	char room[24];
	const struct bytes keys[] = {key, event_sidecar(runner, key)};
	const struct bytes args[] = {event_decimal(room, (int64_t)step->rule->in_ms),
				     (struct bytes){NULL, 0}};

	if (step->action == EVENT_EXPIRE)
		return event_script_submit(runner, EVENT_SCRIPT_EXPIRE, step, keys, 2, args, 2,
					   on_dropped, err);
	for (int i = 1; i >= 0; i--) { /* the sidecar first: it fences */
		const struct bytes argv[] = {BYTES("UNLINK"), keys[i]};
		struct redis_command command = {.argv = argv,
						.argc = 2,
						.flags = REDIS_IDEMPOTENT,
						.fn = i ? NULL : on_dropped,
						.ctx = step};

		if (redis_submit(runner->redis, &command, err) != 0)
			return -1;
	}
	return 0;
}

/* By transactions, each of a batch. */
static int take_found(struct event_runner *runner, struct event_step *step,
		      const struct found *found, struct err *err)
{
	struct bytes keys[TAKE_BATCH];
	size_t count = 0;

	for (; found; found = found->next) {
		keys[count++] = found->key;
		if (count < TAKE_BATCH && found->next)
			continue;
		if (event_take(runner, step, keys, count, err) != 0)
			return -1;
		count = 0;
	}
	return 0;
}

static int touch_found(struct event_runner *runner, struct event_step *step,
		       const struct found *found, struct err *err)
{
	bool watch = runner->options.backup != NULL;

	if (step->action == EVENT_EXPIRE && event_must_watch(runner, &watch, err) != 0)
		return -1;
	if (watch)
		return take_found(runner, step, found, err);
	for (; found; found = found->next)
		if (touch(runner, step, found->key, err) != 0)
			return -1;
	return 0;
}

static int carry_out(struct sweep *sweep, struct err *err)
{
	struct event_runner *runner = sweep->runner;

	for (size_t i = 0; i < sweep->count; i++) {
		struct event_step *step = sweep->steps[i];

		if (sweep->counts[i] > step->limit) {
			event_step_problem(step,
					   "more than %" PRIu64 " keys match '%.*s': none was "
					   "touched; raise --max-keys or the event's max_keys",
					   step->limit, BYTES_ARG(step->key));
			continue;
		}
		if (touch_found(runner, step, sweep->found[i], err) != 0)
			return -1;
	}
	if (redis_drain(runner->redis, 0, err) != 0)
		return -1;
	for (size_t i = 0; i < sweep->count; i++) {
		struct event_step *step = sweep->steps[i];

		if (step->outcome == EVENT_PENDING && !runner->stale)
			step->outcome = step->keys == 0                ? EVENT_ABSENT
					: step->action == EVENT_EXPIRE ? EVENT_EXPIRING
								       : EVENT_REMOVED;
	}
	return 0;
}

static int sweep_steps(struct event_runner *runner, struct event_step **steps, size_t count,
		       struct err *err)
{
	struct sweep sweep = {.runner = runner,
			      .steps = steps,
			      .count = count,
			      .found = mem_zalloc(count, sizeof *sweep.found),
			      .counts = mem_zalloc(count, sizeof *sweep.counts)};
	struct scan_result result = {0};
	struct buf glob = {0};
	int status = 0;

	add_glob(&sweep, &glob);
	struct scan_options options = {.match = buf_bytes(&glob), .fn = on_key, .ctx = &sweep};
	status = scan_run(runner->redis, &options, &result, err);
	if (status == 0 && !sweep.full)
		status = carry_out(&sweep, err);
	mem_arena_release(&sweep.arena);
	buf_release(&glob);
	free(sweep.found);
	free(sweep.counts);
	if (status != 0 || !sweep.full)
		return status;
	/* too much to hold at once: in two parts */
	if (sweep_steps(runner, steps, count / 2, err) != 0)
		return -1;
	return sweep_steps(runner, steps + count / 2, count - count / 2, err);
}

int event_patterns_run(struct event_runner *runner, struct err *err)
{
	size_t count = runner->patterns.count;

	if (count == 0)
		return 0;
	if (redis_drain(runner->redis, 0, err) != 0)
		return -1;
	runner->patterns.count = 0;
	return sweep_steps(runner, runner->patterns.items, count, err);
}
