#include "core/event_follow.h"

#include "base/clock.h"
#include "core/event_run.h"
#include "core/tally.h"

#include <poll.h>
#include <stdlib.h>

#define BATCH_MAX 1024
#define WAIT_MS 500
/* The systems' own schedule of reconnecting. */
#define RETRY_STEP_MS 50
#define RETRY_MAX_MS 1000

struct following {
	const struct event_follow *follow;
	struct event_follow_report *report;
	struct event_batch batch;
	struct event_plan **plans;
	uint64_t began_us;
	uint64_t tick_ms;
	bool out; /* Redis is gone */
	unsigned retries;
};

static bool cancelled(const struct following *following)
{
	return following->follow->cancel && *following->follow->cancel;
}

/* --- outages --- */

/* Says so once, and waits a little longer each time. */
static void sit_out(struct following *following, const struct err *err)
{
	int wait = (int)following->retries++ * RETRY_STEP_MS;

	if (!following->out) {
		following->out = true;
		following->report->outages++;
		following->follow->outage(following->follow->ctx, err);
	}
	if (!cancelled(following)) /* a signal ends the wait */
		poll(NULL, 0, wait > RETRY_MAX_MS ? RETRY_MAX_MS : wait);
}

static void is_back(struct following *following)
{
	if (following->out)
		following->follow->outage(following->follow->ctx, NULL);
	following->out = false;
	following->retries = 0;
}

/* --- one batch --- */

static void plan_item(struct following *following, struct event_item *item)
{
	item->plan = (struct event_plan){.arena = &following->batch.arena,
					 .max_keys = following->follow->max_keys};
	if (item->bad || (!item->event.data.ptr && !item->event.name.ptr))
		return;
	item->bad =
	    event_plan(following->follow->set, &item->event, &item->plan, &item->problem) != 0;
}

static int run_batch(struct following *following, struct err *err)
{
	for (;;) {
		struct err why = {0};

		if (event_run(following->follow->runner, following->plans,
			      following->batch.count, &why) == 0)
			return 0;
		if (why.kind != ERR_REDIS || cancelled(following)) {
			*err = why;
			return -1;
		}
		sit_out(following, &why);
	}
}

static bool is_pending(const struct event_item *item)
{
	const struct event_step *step = item->plan.first;

	while (step && step->outcome != EVENT_PENDING)
		step = step->next;
	return step != NULL;
}

static void judge(struct following *following, struct event_item *item)
{
	struct event_follow_report *report = following->report;
	bool pending = is_pending(item);

	report->events++;
	event_tally(following->follow->tally, &item->plan);
	for (const struct event_step *step = item->plan.first; step; step = step->next) {
		report->outcomes[step->outcome]++;
		report->keys += step->keys;
		if (step->outcome == EVENT_FAILED && !err_is_set(&item->problem))
			err_set(&item->problem, ERR_ITEM, "event '%s', rule %zu (%s): %s",
				item->plan.name, step->number, event_action_names[step->action],
				step->problem);
	}
	if (pending && report->unfinished++ == 0)
		report->unfinished_line = item->line;
	report->bad += item->bad;
	report->failed += !item->bad && !pending && err_is_set(&item->problem);
	report->applied += !pending && !err_is_set(&item->problem);
	if (err_is_set(&item->problem))
		following->follow->problem(following->follow->ctx, item);
}

static int finish_batch(struct following *following, struct err *err)
{
	struct event_feed *feed = following->follow->feed;

	for (;;) {
		struct err why = {0};

		if (feed->done(feed, &following->batch, &why) == 0)
			break;
		if (why.kind != ERR_REDIS || cancelled(following)) {
			*err = why;
			return -1;
		}
		sit_out(following, &why);
	}
	following->report->set_aside = feed->set_aside;
	is_back(following);
	return 0;
}

/* Up to the first one that cannot be used, when that is to be the end. */
static bool plan_batch(struct following *following)
{
	struct event_batch *batch = &following->batch;

	for (size_t i = 0; i < batch->count; i++) {
		following->plans[i] = &batch->items[i].plan;
		plan_item(following, &batch->items[i]);
		if (!batch->items[i].bad || !following->follow->stop_on_bad)
			continue;
		batch->count = i + 1;
		return false;
	}
	return true;
}

static int apply_batch(struct following *following, struct err *err)
{
	struct event_batch *batch = &following->batch;
	uint64_t began_us = clock_mono_us();
	bool whole = plan_batch(following);
	int status = run_batch(following, err);

	for (size_t i = 0; i < batch->count; i++)
		judge(following, &batch->items[i]);
	if (status == 0)
		status = finish_batch(following, err);
	following->report->busy_us += clock_mono_us() - began_us;
	if (batch->count && batch->items[batch->count - 1].said_ms)
		following->report->lag_ms =
		    (int64_t)(clock_wall_ms() - batch->items[batch->count - 1].said_ms);
	if (status == 0 && !whole)
		status = err_set(err, ERR_ITEM, "stopped at an event that cannot be used");
	return status;
}

/* --- the loop --- */

static void tick(struct following *following)
{
	const struct event_follow *follow = following->follow;
	struct event_follow_report *report = following->report;
	uint64_t now = clock_mono_ms();

	report->elapsed_us = clock_mono_us() - following->began_us;
	if (!following->out)
		tally_beat(follow->tally, follow->redis, NULL);
	if (follow->progress)
		follow->progress(follow->ctx, report->events, report->bad + report->failed);
	if (!follow->every_ms || now < following->tick_ms)
		return;
	following->tick_ms = now + follow->every_ms;
	report->waiting = follow->feed->waiting(follow->feed);
	follow->tick(follow->ctx, report);
}

/* 1: the end. 0: go on. -1: err. */
static int turn(struct following *following, struct err *err)
{
	struct event_feed *feed = following->follow->feed;
	struct event_batch *batch = &following->batch;
	struct err why = {0};

	batch->count = 0;
	mem_arena_clear(&batch->arena);
	int status = feed->next(feed, batch, WAIT_MS, &why);
	if (status < 0 && (why.kind == ERR_INTERRUPTED || cancelled(following)))
		return 1;
	if (status < 0 && why.kind == ERR_REDIS && !feed->refused) {
		sit_out(following, &why);
		return 0;
	}
	if (status != 0) {
		*err = why;
		return status;
	}
	if (batch->count > 0)
		return apply_batch(following, err);
	is_back(following);
	return 0;
}

int event_follow(const struct event_follow *follow, struct event_follow_report *ret_report,
		 struct err *err)
{
	struct following following = {.follow = follow, .report = ret_report};
	int status = 0;

	*ret_report = (struct event_follow_report){.lag_ms = -1, .waiting = -1};
	following.began_us = clock_mono_us();
	following.tick_ms = clock_mono_ms() + follow->every_ms;
	following.batch.max = BATCH_MAX;
	following.batch.items = mem_zalloc(BATCH_MAX, sizeof *following.batch.items);
	following.plans = mem_zalloc(BATCH_MAX, sizeof(struct event_plan *));
	while (status == 0 && !cancelled(&following)) {
		status = turn(&following, err);
		tick(&following);
	}
	ret_report->complete = status == 1 && !cancelled(&following);
	ret_report->waiting = follow->feed->waiting(follow->feed);
	ret_report->elapsed_us = clock_mono_us() - following.began_us;
	mem_arena_release(&following.batch.arena);
	free(following.batch.items);
	free(following.plans);
	return status < 0 ? -1 : 0;
}
