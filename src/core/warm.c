#include "core/warm_private.h"

#include "base/clock.h"
#include "base/num.h"
#include "core/lease.h"
#include "core/namespace.h"
#include "core/room.h"
#include "core/selection.h"

#include <inttypes.h>
#include <poll.h>

#define SOURCE_HISTOGRAM_BITS 7
#define TURN_MS 100

const char *const warm_policy_names[] = {"changed", "always", "missing", "expiring", NULL};
const char *const warm_skip_names[] = {"fresh", "no_store", "overtaken", "dry_run"};

static const char *const end_names[] = {NULL,     "interrupted", "deadline",
					"lease",  "source",      "evictions",
					"memory", "redis",       "input"};
static const char *const own_cause_names[] = {"ids", "rows", "redis"};

const char *warm_cause_name(unsigned cause)
{
	return cause < WARM_CAUSE_VARS ? source_cause_names[cause]
				       : own_cause_names[cause - WARM_CAUSE_VARS];
}

const char *warm_end_name(enum warm_end end)
{
	return end_names[end];
}

void warm_stop(struct warm *warm, enum warm_end end, const struct err *why)
{
	if (err_is_set(&warm->stop))
		return;
	warm->stop = *why;
	warm->report->end = why->kind == ERR_INTERRUPTED ? WARM_END_INTERRUPTED : end;
}

/* --- the run --- */

struct run {
	struct warm warm;
	bool waiting; /* the selection waits for a page */
	bool done;    /* the selection ended */
	struct room room;
};

/* A window whose items were all answered, and which are again all at Redis, is too small. */
static void widen(struct warm *warm)
{
	if (warm->window == WARM_WINDOW_MOST || warm->under_way < warm->window ||
	    warm->begun < 2 * warm->window || fetcher_outstanding(warm->job->fetcher) > 0)
		return;
	warm->window =
	    warm->window * 4 < WARM_WINDOW_MOST ? warm->window * 4 : WARM_WINDOW_MOST;
	warm->begun = 0;
}

/* Begins items while there is room. */
static void fill(struct run *run)
{
	struct warm *warm = &run->warm;
	struct var vars[TEMPLATE_VARS_MAX];
	size_t count = 0;

	if (err_is_set(&warm->stop))
		return; /* a page that is waited for must still be heard */
	run->waiting = false;
	widen(warm);
	while (!run->done && !run->waiting && warm->under_way < warm->window &&
	       !err_is_set(&warm->stop)) {
		struct err err = {0};

		switch (selection_next(warm->job->selection, vars, &count, &err)) {
		case SELECTION_ITEM:
			warm->begun++;
			warm_item_begin(warm, vars, count);
			break;
		case SELECTION_WAIT:
			run->waiting = true;
			break;
		case SELECTION_BAD:
			warm_item_bad(warm, &err);
			break;
		case SELECTION_END:
			run->done = true;
			break;
		case SELECTION_FAILED:
			run->done = true;
			warm_stop(warm, WARM_END_INPUT, &err);
			break;
		}
	}
}

/* One turn of both ends: source and Redis share one wait. */
static int turn(struct run *run, struct err *err)
{
	const struct warm_job *job = run->warm.job;
	struct redis_wait wait = {.fd = -1, .timeout_ms = -1};
	bool ready = false;
	int timeout_ms = warm_item_wait(&run->warm, clock_mono_ms());

	if (redis_outstanding(job->redis) > 0)
		redis_wait(job->redis, &wait);
	else if (run->waiting)
		wait = (struct redis_wait){
		    .fd = selection_fd(job->selection), .events = POLLIN, .timeout_ms = -1};
	if (timeout_ms < 0 || timeout_ms > TURN_MS)
		timeout_ms = TURN_MS;
	if (wait.timeout_ms >= 0 && wait.timeout_ms < timeout_ms)
		timeout_ms = wait.timeout_ms;
	if (fetcher_turn(job->fetcher, timeout_ms, wait.fd, wait.events, &ready, err) != 0)
		return -1;
	return redis_outstanding(job->redis) > 0 ? redis_turn(job->redis, err) : 0;
}

/* A cache that is full is not made better by filling it. */
static void watch_room(struct run *run, uint64_t now_ms)
{
	struct warm *warm = &run->warm;
	uint64_t total = selection_total(warm->job->selection);
	struct room_progress progress = {
	    .stored = warm->report->stored,
	    .share = total ? (double)warm->report->requested / (double)total
			   : selection_share(warm->job->selection)};
	struct err err = {0};

	if (room_check(&run->room, &progress, now_ms, &err) != 0)
		warm_stop(warm, err.kind == ERR_REFUSED ? WARM_END_MEMORY : WARM_END_EVICTIONS,
			  &err);
}

/* What may end the run from outside: a signal, the deadline, the lease, a full cache, forgotten
 * scripts. */
static void check(struct run *run)
{
	struct warm *warm = &run->warm;
	const struct warm_job *job = warm->job;
	uint64_t now_ms = clock_mono_ms();
	struct err err = {0};

	if (err_is_set(&warm->stop))
		return;
	if (job->cancel && *job->cancel) {
		err_set(&err, ERR_INTERRUPTED, "interrupted: not every item had its turn");
		warm_stop(warm, WARM_END_INTERRUPTED, &err);
	} else if (job->deadline_ms && now_ms >= job->deadline_ms && !run->done) {
		err_set(&err, ERR_ITEM, "the deadline came: not every item had its turn");
		warm_stop(warm, WARM_END_DEADLINE, &err);
	}
	if (job->lease && lease_beat(job->lease, &err) != 0)
		warm_stop(warm, err.kind == ERR_LOCKED ? WARM_END_LEASE : WARM_END_REDIS, &err);
	if (warm->reload) {
		warm->reload = false;
		if (guard_reload(job->guard, &err) != 0)
			warm_stop(warm, WARM_END_REDIS, &err);
	}
	watch_room(run, now_ms);
	warm_item_retry(warm, now_ms);
}

/* Ends what is under way: the fetches are answered (cancelled ones at once), the writes
 * acknowledged or lost. */
static void settle(struct run *run)
{
	const struct warm_job *job = run->warm.job;
	struct err ignored = {0};

	while (run->warm.under_way > 0 || run->waiting) {
		warm_item_abandon(&run->warm);
		fetcher_drain(job->fetcher, &ignored);
		redis_drain(job->redis, 0, &ignored);
		run->waiting = fetcher_outstanding(job->fetcher) > 0;
	}
}

int warm_run(const struct warm_job *job, struct warm_report *ret_report, struct err *err)
{
	struct run run = {.warm = {.job = job,
				   .report = ret_report,
				   .hold_ms = request_hold_ms(job->ns),
				   .window = WARM_WINDOW}};
	struct warm *warm = &run.warm;
	struct err lost = {0};
	int status = 0;

	*ret_report = (struct warm_report){.ns = job->ns};
	histogram_init(&ret_report->source_us, SOURCE_HISTOGRAM_BITS);
	if (!job->dry_run && !job->evict)
		room_init(&run.room, job->redis);
	/* what was sent should be answered before the report */
	struct redis_grace before = redis_set_grace(job->redis, WARM_GRACE);
	do {
		check(&run);
		fill(&run);
		if (warm->under_way > 0 || run.waiting)
			status = turn(&run, &lost);
		if (status != 0)
			warm_stop(warm, WARM_END_REDIS, &lost);
	} while (status == 0 && !err_is_set(&warm->stop) &&
		 (!run.done || warm->under_way > 0 || run.waiting));
	settle(&run);
	redis_set_grace(job->redis, before);
	if (err_is_set(&warm->stop)) {
		*err = warm->stop;
		status = -1;
	}
	warm_item_release(warm);
	return status;
}

void warm_report_release(struct warm_report *report)
{
	histogram_release(&report->source_us);
}
