#include "core/warm_private.h"

#include "base/clock.h"
#include "core/codec.h"
#include "core/namespace.h"
#include "core/store.h"

/* --- the end of an item: Redis' acknowledgement --- */

/* It is in Redis, and every set that lists such keys knows it. */
static void finish(struct warm_item *item)
{
	struct warm_report *report = item->warm->report;

	if (item->renewed) {
		report->renewed++;
	} else {
		report->stored++;
		report->bytes += item->value_len;
	}
	warm_item_finish(item);
}

static void list_next(struct warm_item *item);

static void on_listed(void *ctx, const struct reply *reply)
{
	struct warm_item *item = ctx;

	if (reply->type != REPLY_INTEGER) {
		warm_item_trouble(item, reply, "PEXPIRE");
	} else if (err_is_set(&item->listed.err)) {
		err_wrap(&item->listed.err, "stored, but not listed in %s", item->list->name);
		warm_item_fail(item, WARM_CAUSE_REDIS, &item->listed.err);
	} else {
		list_next(item);
	}
}

/* The key is there: now the sets that list it, one after the other. */
static void list_next(struct warm_item *item)
{
	const struct warm_job *job = item->warm->job;
	struct err err = {0};

	item->list = listed_next(job->set, job->ns, item->list);
	if (!item->list) {
		finish(item);
	} else if (listed_add(job->redis, job->set, job->ns, item->list, buf_bytes(&item->key),
			      &item->listed, on_listed, item, &err) != 0) {
		warm_item_unsent(item->warm, &err);
		warm_item_fail(item, WARM_CAUSE_REDIS, &err);
	}
}

static void acknowledged(struct warm_item *item, bool renewed)
{
	item->renewed = renewed;
	item->list = NULL;
	list_next(item);
}

static void on_stored(void *ctx, const struct reply *reply)
{
	struct warm_item *item = ctx;

	if (reply->type != REPLY_STATUS)
		warm_item_trouble(item, reply, "SET");
	else
		acknowledged(item, false);
}

static void on_outcome(void *ctx, const struct reply *reply)
{
	struct warm_item *item = ctx;
	enum guard_outcome outcome;
	struct err err = {0};

	if (guard_read_outcome(item->warm->job->guard, buf_bytes(&item->key), reply, &outcome,
			       &err) != 0) {
		warm_item_trouble(item, reply, "EVALSHA");
		return;
	}
	switch (outcome) {
	case GUARD_OVERTAKEN:
		warm_item_skip(item, WARM_SKIP_OVERTAKEN);
		return;
	case GUARD_STORED:
	case GUARD_RENEWED:
		acknowledged(item, outcome == GUARD_RENEWED);
		return;
	case GUARD_CHANGED: /* the cached value is not what the ETag stood for: ask for the
			       whole */
		item->state.etag = item->state.last_modified = (struct bytes){NULL, 0};
		warm_answer_fetch(item);
		return;
	}
}

/* --- the source's answer --- */

static int64_t life_of(struct warm_item *item, const struct source_answer *answer)
{
	const struct warm_job *job = item->warm->job;
	struct bytes values[TEMPLATE_VARS_MAX];

	if (job->ttl_ms)
		return job->ttl_ms;
	if (item->lesson.past.history.len)
		return item->lesson.ttl_ms;
	template_match(job->ns->key, buf_bytes(&item->key), values);
	return store_ttl_ms(job->ns, values, answer->max_age_s, clock_wall_ms());
}

static void store(struct warm_item *item, const struct source_answer *answer,
		  struct bytes bytes, int64_t ttl_ms)
{
	struct warm *warm = item->warm;
	const struct warm_job *job = warm->job;
	struct guard_value value = {.key = buf_bytes(&item->key),
				    .value = bytes,
				    .ttl_ms = ttl_ms,
				    .past = item->lesson.past,
				    .etag = answer->etag,
				    .last_modified = answer->last_modified,
				    .keep_same =
					job->policy != WARM_ALWAYS && item->state.ttl_ms != -2};
	struct err err = {0};

	item->value_len = value.value.len;
	int status = job->guard
			 ? guard_store(job->guard, &value, item->token, on_outcome, item, &err)
			 : store_submit(job->redis, value.key, value.value, ttl_ms, on_stored,
					item, &err);
	if (status != 0)
		warm_item_unsent(warm, &err);
}

static void on_pruned(void *ctx, const struct reply *reply)
{
	struct warm_item *item = ctx;

	if (reply->type != REPLY_INTEGER) {
		warm_item_trouble(item, reply, "UNLINK");
		return;
	}
	item->warm->report->absent++;
	item->warm->report->pruned += reply->integer > 0;
	warm_item_finish(item);
}

/* Its member of a set goes first. */
static int prune(struct warm_item *item, struct err *err)
{
	const struct warm_job *job = item->warm->job;
	const struct ns *list = NULL;
	const struct bytes argv[] = {BYTES("UNLINK"), buf_bytes(&item->key)};
	struct redis_command command = {.argv = argv, .argc = 2, .fn = on_pruned, .ctx = item};

	while ((list = listed_next(job->set, job->ns, list)))
		if (listed_remove(job->redis, job->set, job->ns, list, buf_bytes(&item->key),
				  NULL, NULL, err) != 0)
			return -1;
	return redis_submit(job->redis, &command, err);
}

/* Nothing there: noted where the namespace says so, reported when a value is still cached. */
static void absent(struct warm_item *item, const struct source_answer *answer)
{
	struct warm *warm = item->warm;
	const struct warm_job *job = warm->job;
	bool cached = item->state.begun && item->state.ttl_ms != -2;
	struct err err = {0};

	if (cached && job->prune) {
		if (prune(item, &err) != 0)
			warm_item_unsent(warm, &err);
		return;
	}
	const char *advice = cached ? ", but a value is cached: --prune drops it" : "";
	if (answer->http_status)
		err_set(&err, ERR_ITEM, "the source has nothing there (%u)%s",
			answer->http_status, advice);
	else
		err_set(&err, ERR_ITEM, "the source has nothing there%s", advice);
	warm_item_tell(warm, buf_bytes(&item->key), &err);
	warm_item_unannounce(item, true);
	warm->report->absent++;
	warm_item_finish(item);
}

/* There is a value: new, or the one that is cached. */
static void keep(struct warm_item *item, const struct source_answer *answer)
{
	struct warm *warm = item->warm;
	const struct warm_job *job = warm->job;
	bool same = answer->status == SOURCE_NOT_MODIFIED;
	struct bytes bytes = {NULL, 0};
	struct err err = {0};

	if (!same)
		bytes = codec_encode(&job->ns->compress, answer->value, &warm->packed);
	item->lesson.past = (struct guard_past){0};
	if (job->guard)
		volatility_learn(job->ns, &item->state, same ? NULL : &bytes, &item->lesson);
	int64_t ttl_ms = life_of(item, answer);
	if (ttl_ms == STORE_TTL_DO_NOT) {
		warm_item_skip(item, WARM_SKIP_NO_STORE);
		return;
	}
	warm->report->not_modified += same;
	if (!same)
		store(item, answer, bytes, ttl_ms);
	else if (guard_renew(job->guard, buf_bytes(&item->key), &item->state, ttl_ms,
			     &item->lesson.past, item->token, on_outcome, item, &err) != 0)
		warm_item_unsent(warm, &err);
}

static void on_answer(void *ctx, const struct source_answer *answer)
{
	struct warm_item *item = ctx;
	struct warm *warm = item->warm;

	warm->report->attempts += answer->attempts;
	warm->report->retries += answer->attempts > 1 ? answer->attempts - 1 : 0;
	if (answer->status == SOURCE_FAILED) {
		if (answer->cause == SOURCE_CAUSE_BREAKER)
			warm_stop(warm, WARM_END_SOURCE, answer->error);
		warm_item_unannounce(item, false);
		warm_item_fail(item, answer->cause, answer->error);
		return;
	}
	histogram_add(&warm->report->source_us, answer->duration_us);
	if (answer->status == SOURCE_EMPTY) {
		absent(item, answer);
		return;
	}
	warm->report->fetched++;
	keep(item, answer);
}

void warm_answer_fetch(struct warm_item *item)
{
	struct source_request *first = item->request.steps;

	/* of a chain nobody can say which step the ETag belongs to */
	bool conditional = item->request.count == 1 && item->warm->job->policy != WARM_ALWAYS;
	first->etag = conditional ? item->state.etag : (struct bytes){NULL, 0};
	first->last_modified =
	    conditional ? item->state.last_modified : (struct bytes){NULL, 0};
	fetcher_submit(item->warm->job->fetcher, item->request.steps, item->request.count,
		       on_answer, item);
}
