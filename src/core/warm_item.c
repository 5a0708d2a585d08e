#include "core/warm_private.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "core/selection.h"
#include "core/store.h"
#include "wire/target.h"

#include <stdlib.h>

#define TRIES_MAX 5      /* of one item, when Redis loses or cannot take it for the moment */
#define TRY_AFTER_MS 200 /* doubled each time */

void warm_item_finish(struct warm_item *item)
{
	struct warm *warm = item->warm;
	const struct warm_report *report = warm->report;

	item->next = warm->free;
	warm->free = item;
	warm->under_way--;
	if (warm->job->progress)
		warm->job->progress(warm->job->ctx,
				    report->stored + report->renewed + report->skipped +
					report->absent + report->failed,
				    report->failed);
}

void warm_item_tell(const struct warm *warm, struct bytes key, const struct err *err)
{
	if (warm->job->problem)
		warm->job->problem(warm->job->ctx, key, err);
}

void warm_item_fail(struct warm_item *item, unsigned cause, const struct err *err)
{
	struct warm *warm = item->warm;

	warm->report->failed++;
	warm->report->causes[cause]++;
	if (cause != SOURCE_CAUSE_BREAKER) /* one line says it for all of them */
		warm_item_tell(warm, buf_bytes(&item->key), err);
	if (warm->job->failed)
		warm->job->failed(warm->job->ctx, buf_bytes(&item->vars));
	warm_item_finish(item);
}

void warm_item_skip(struct warm_item *item, enum warm_skip why)
{
	item->warm->report->skipped++;
	item->warm->report->skips[why]++;
	warm_item_finish(item);
}

void warm_item_unannounce(struct warm_item *item, bool absent)
{
	const struct warm_job *job = item->warm->job;
	struct bytes key = buf_bytes(&item->key);

	/* nothing hangs on it: a token that stays goes with its time */
	if (!job->guard || !item->state.begun)
		return;
	if (absent)
		guard_end(job->guard, key, job->ns->negative_ms, item->token, NULL, NULL, NULL);
	else
		guard_give_up(job->guard, key, &item->state, volatility_memory_ms(job->ns),
			      item->token, NULL, NULL, NULL);
}

/* --- Redis says no --- */

enum trouble {
	TROUBLE_ITEM,  /* this key alone */
	TROUBLE_AGAIN, /* for the moment: the item may be tried again */
	TROUBLE_WAIT,  /* the same; and when that has lasted too long, every item meets it */
	TROUBLE_STOP,  /* every further write would meet the same */
};

static enum trouble judge(const struct reply *reply)
{
	if (reply_stops_writing(reply))
		return TROUBLE_STOP;
	switch (reply_error_kind(reply)) {
	case REPLY_ERR_LOST:
		return reply->integer ? TROUBLE_ITEM : TROUBLE_AGAIN;
	case REPLY_ERR_NOSCRIPT:
	case REPLY_ERR_TRYAGAIN:
		return TROUBLE_AGAIN;
	case REPLY_ERR_BUSY:
	case REPLY_ERR_LOADING:
	case REPLY_ERR_CLUSTERDOWN:
	case REPLY_ERR_MASTERDOWN:
		return TROUBLE_WAIT;
	default:
		return TROUBLE_ITEM;
	}
}

/* Once, and then not too often nor for longer than any answer is waited for; says when. */
static bool may_try(struct warm_item *item)
{
	uint64_t patience_ms = redis_target(item->warm->job->redis)->timeout_ms;
	uint64_t now_ms = clock_mono_ms();
	bool first = item->trouble_ms == 0;

	if (first)
		item->trouble_ms = now_ms;
	item->again_ms = now_ms + ((uint64_t)TRY_AFTER_MS << item->tries);
	return item->tries < TRIES_MAX &&
	       (first || patience_ms == 0 || item->again_ms - item->trouble_ms <= patience_ms);
}

void warm_item_trouble(struct warm_item *item, const struct reply *reply, const char *command)
{
	struct warm *warm = item->warm;
	enum trouble what = judge(reply);
	struct err err = {0};

	redis_fail(warm->job->redis, reply, command, buf_bytes(&item->key), &err);
	warm->reload = warm->reload || reply_error_kind(reply) == REPLY_ERR_NOSCRIPT;
	if (what == TROUBLE_STOP)
		warm_stop(warm, WARM_END_REDIS, &err);
	if (what != TROUBLE_ITEM && !err_is_set(&warm->stop) && may_try(item)) {
		item->next = warm->again;
		warm->again = item;
		return;
	}
	if (what == TROUBLE_WAIT)
		warm_stop(warm, WARM_END_REDIS, &err);
	warm_item_fail(item, WARM_CAUSE_REDIS, &err);
}

/* A command that could not even be queued: the session is gone for good. */
void warm_item_unsent(struct warm *warm, const struct err *err)
{
	warm_stop(warm, WARM_END_REDIS, err);
}

/* --- the beginning --- */

/* A broken list or the deadline let what is begun come to its end; the other stops do not. */
static bool gives_up(const struct warm *warm)
{
	return warm->stop.kind == ERR_REDIS || warm->stop.kind == ERR_REFUSED ||
	       warm->stop.kind == ERR_LOCKED || warm->stop.kind == ERR_INTERRUPTED;
}

static void on_begun(void *ctx, const struct reply *reply)
{
	struct warm_item *item = ctx;
	struct err err = {0};

	if (guard_read_state(item->warm->job->guard, buf_bytes(&item->key), reply, &item->state,
			     &err) != 0) {
		warm_item_trouble(item, reply, "SET");
	} else if (gives_up(item->warm)) {
		warm_item_fail(item, SOURCE_CAUSE_CANCELLED, &item->warm->stop);
	} else if (item->state.absent && !item->state.begun) {
		item->warm->report->absent++;
		item->warm->report->noted_absent++;
		warm_item_finish(item);
	} else if (!item->state.begun) {
		warm_item_skip(item, WARM_SKIP_FRESH);
	} else {
		warm_answer_fetch(item);
	}
}

static void on_ttl(void *ctx, const struct reply *reply)
{
	struct warm_item *item = ctx;
	const struct warm_job *job = item->warm->job;
	int64_t enough = job->policy == WARM_MISSING ? 0 : job->expiring_ms;

	if (reply->type != REPLY_INTEGER)
		warm_item_trouble(item, reply, "PTTL");
	else if (reply->integer == -1 || reply->integer > enough)
		warm_item_skip(item, WARM_SKIP_FRESH);
	else
		warm_answer_fetch(item);
}

/* Without a guard (no sidecars wanted or allowed) the policies that need the TTL ask for it
 * alone. */
static int look(struct warm_item *item, struct err *err)
{
	const struct warm_job *job = item->warm->job;
	const struct bytes argv[] = {BYTES("PTTL"), buf_bytes(&item->key)};
	struct redis_command command = {.argv = argv,
					.argc = 2,
					.flags = REDIS_IDEMPOTENT | REDIS_ALONE,
					.fn = on_ttl,
					.ctx = item};

	if (job->policy != WARM_MISSING && job->policy != WARM_EXPIRING) {
		warm_answer_fetch(item);
		return 0;
	}
	return redis_submit(job->redis, &command, err);
}

static void start(struct warm_item *item)
{
	struct warm *warm = item->warm;
	const struct warm_job *job = warm->job;
	static const int64_t any = -1;
	struct guard_intent intent = {
	    .token = item->token,
	    .hold_ms = warm->hold_ms,
	    .enough_ms = job->policy == WARM_MISSING    ? 0
			 : job->policy == WARM_EXPIRING ? job->expiring_ms
							: any,
	    .heed_absent = job->ns->negative_ms && job->policy != WARM_ALWAYS};
	struct err err = {0};

	item->tries++;
	guard_make_token(item->token);
	int status = job->guard ? guard_begin(job->guard, buf_bytes(&item->key), &intent,
					      &item->state, on_begun, item, &err)
				: look(item, &err);
	if (status != 0)
		warm_item_unsent(warm, &err);
}

static struct warm_item *take(struct warm *warm)
{
	struct warm_item *item = warm->free;

	if (item) {
		warm->free = item->next;
	} else {
		item = mem_zalloc(1, sizeof *item);
		item->warm = warm;
		warm->items[warm->item_count++] = item;
	}
	buf_clear(&item->key);
	buf_clear(&item->vars);
	item->tries = 0;
	item->trouble_ms = 0;
	item->state.begun = false;
	item->state.ttl_ms = -2;
	item->state.etag = item->state.last_modified = (struct bytes){NULL, 0};
	warm->under_way++;
	return item;
}

/* The vars as a line that --ids reads. */
static void write_vars(struct buf *buf, const struct var *vars, size_t count)
{
	buf_add_char(buf, '{');
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_add_char(buf, ',');
		json_quote(buf, vars[i].name);
		buf_add_char(buf, ':');
		json_quote(buf, vars[i].value);
	}
	buf_add_char(buf, '}');
}

void warm_item_begin(struct warm *warm, const struct var *vars, size_t count)
{
	const struct warm_job *job = warm->job;
	struct warm_item *item = take(warm);
	struct err err = {0};

	warm->report->requested++;
	if (job->failed)
		write_vars(&item->vars, vars, count);
	if (ns_expand(job->set, job->ns, vars, count, &item->key, &err) != 0 ||
	    request_prepare(&item->request, job->ns, vars, count, &err) != 0) {
		selection_locate(job->selection, &err);
		warm_item_fail(item, WARM_CAUSE_VARS, &err);
	} else if (job->dry_run) {
		warm_item_skip(item, WARM_SKIP_DRY_RUN);
	} else {
		start(item);
	}
}

void warm_item_bad(struct warm *warm, const struct err *err)
{
	warm->report->requested++;
	warm->report->failed++;
	warm->report->causes[WARM_CAUSE_VARS]++;
	warm_item_tell(warm, (struct bytes){NULL, 0}, err);
}

void warm_item_retry(struct warm *warm, uint64_t now_ms)
{
	struct warm_item **at = &warm->again;

	while (*at) {
		struct warm_item *item = *at;

		if (item->again_ms > now_ms) {
			at = &item->next;
			continue;
		}
		*at = item->next;
		start(item);
	}
}

int warm_item_wait(const struct warm *warm, uint64_t now_ms)
{
	int wait = -1;

	for (const struct warm_item *item = warm->again; item; item = item->next) {
		int left = item->again_ms > now_ms ? (int)(item->again_ms - now_ms) : 0;

		if (wait < 0 || left < wait)
			wait = left;
	}
	return wait;
}

void warm_item_abandon(struct warm *warm)
{
	struct err err = {0};

	err_set(&err, ERR_REDIS,
		"not known to be stored: Redis did not say so before the run ended");
	while (warm->again) {
		struct warm_item *item = warm->again;

		warm->again = item->next;
		warm_item_fail(item, WARM_CAUSE_REDIS, &err);
	}
}

void warm_item_release(struct warm *warm)
{
	buf_release(&warm->packed);
	for (size_t i = 0; i < warm->item_count; i++) {
		buf_release(&warm->items[i]->key);
		buf_release(&warm->items[i]->vars);
		request_release(&warm->items[i]->request);
		guard_state_release(&warm->items[i]->state);
		volatility_release(&warm->items[i]->lesson);
		free(warm->items[i]);
	}
}
