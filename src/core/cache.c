#include "core/cache.h"

#include "base/clock.h"
#include "core/codec.h"
#include "core/guard.h"
#include "core/listed.h"
#include "core/namespace.h"
#include "core/request.h"
#include "core/store.h"
#include "core/volatility.h"
#include "source/source.h"
#include "wire/redis.h"

struct lookup {
	struct cache_answer *answer;
	struct redis *redis;
	bool found;
	struct err err;
};

static void on_value(void *ctx, const struct reply *reply)
{
	struct lookup *lookup = ctx;

	if (reply->type == REPLY_STRING) {
		buf_add(&lookup->answer->value, reply->text);
		lookup->found = true;
	} else if (reply->type != REPLY_NIL) {
		redis_fail(lookup->redis, reply, "GET", buf_bytes(&lookup->answer->key),
			   &lookup->err);
	}
}

static void on_ttl(void *ctx, const struct reply *reply)
{
	struct lookup *lookup = ctx;

	if (reply->type == REPLY_INTEGER)
		lookup->answer->ttl_ms = reply->integer;
}

/* What the namespace stores packed comes back as the source gave it. */
static int expand_value(const struct ns *ns, struct cache_answer *answer, struct err *err)
{
	struct bytes stored = buf_bytes(&answer->value);
	struct buf plain = {0};

	if (!codec_is_packed(&ns->compress, stored))
		return 0;
	if (codec_expand(codec_detect(stored), stored, CODEC_LIMIT, &plain, err) != 0) {
		buf_release(&plain);
		return err_wrap(err, "GET '%s'", buf_str(&answer->key));
	}
	buf_release(&answer->value);
	answer->value = plain;
	return 0;
}

/* 0 with lookup->found told; -1 when Redis failed, or what it holds cannot be read. */
static int look_up(const struct cache_query *query, struct lookup *lookup, struct err *err)
{
	struct bytes key = buf_bytes(&lookup->answer->key);
	const struct bytes get[] = {BYTES("GET"), key};
	const struct bytes ttl[] = {BYTES("PTTL"), key};
	struct redis_command value = {
	    .argv = get, .argc = 2, .flags = REDIS_IDEMPOTENT, .fn = on_value, .ctx = lookup};
	struct redis_command life = {
	    .argv = ttl, .argc = 2, .flags = REDIS_IDEMPOTENT, .fn = on_ttl, .ctx = lookup};
	uint64_t start = clock_mono_us();

	lookup->redis = query->redis;
	int status = redis_submit(query->redis, &value, err);
	if (status == 0)
		status = redis_submit(query->redis, &life, err);
	if (status == 0)
		status = redis_drain(query->redis, 0, err);
	lookup->answer->redis_us = clock_mono_us() - start;
	if (status == 0 && err_is_set(&lookup->err)) {
		*err = lookup->err;
		status = -1;
	}
	return status == 0 && lookup->found ? expand_value(query->ns, lookup->answer, err)
					    : status;
}

/* --- fencing: what is stored must not undo an invalidation that came in between --- */

struct fence {
	struct cache_answer *answer;
	struct guard *guard; /* NULL: this user may use neither scripts nor transactions;
			      * values are stored plainly */
	char token[GUARD_TOKEN_LEN + 1];
	struct guard_state state;
	struct volatility_lesson lesson;
	enum guard_outcome outcome;
	int status; /* of the last reply */
};

static void on_begun(void *ctx, const struct reply *reply)
{
	struct fence *fence = ctx;

	fence->status = guard_read_state(fence->guard, buf_bytes(&fence->answer->key), reply,
					 &fence->state, &fence->answer->redis_error);
}

/* Announces the fetch. A failure is told in the answer; the value is then not stored. */
static void begin(const struct cache_query *query, struct fence *fence)
{
	struct cache_answer *answer = fence->answer;
	struct guard_intent intent = {
	    .token = fence->token, .hold_ms = request_hold_ms(query->ns), .enough_ms = -1};
	bool denied = false;

	fence->status = guard_new(query->redis, &fence->guard, &denied, &answer->redis_error);
	if (denied) { /* go on as applications do: without a fence */
		answer->redis_error = (struct err){0};
		fence->status = 0;
	}
	if (!fence->guard)
		return;
	guard_make_token(fence->token);
	fence->status = guard_begin(fence->guard, buf_bytes(&answer->key), &intent,
				    &fence->state, on_begun, fence, &answer->redis_error);
	if (fence->status == 0 && redis_drain(query->redis, 0, &answer->redis_error) != 0)
		fence->status = -1;
}

static void on_fenced(void *ctx, const struct reply *reply)
{
	struct fence *fence = ctx;

	fence->status = guard_read_outcome(fence->guard, buf_bytes(&fence->answer->key), reply,
					   &fence->outcome, &fence->answer->redis_error);
}

/* The fetch brought nothing: because there is nothing, or it failed. */
static void end(const struct cache_query *query, struct fence *fence, bool absent)
{
	struct bytes key = buf_bytes(&fence->answer->key);

	if (!fence->guard || !fence->state.begun)
		return;
	if (absent)
		guard_end(fence->guard, key, query->ns->negative_ms, fence->token, NULL, NULL,
			  NULL);
	else
		guard_give_up(fence->guard, key, &fence->state, volatility_memory_ms(query->ns),
			      fence->token, NULL, NULL, NULL);
	redis_drain(query->redis, 0, NULL);
}

static void fence_release(struct fence *fence)
{
	guard_state_release(&fence->state);
	volatility_release(&fence->lesson);
	guard_free(fence->guard);
}

struct arrival {
	struct cache_answer *answer;
	enum source_status status;
	int64_t max_age_s;
	struct buf etag, last_modified; /* kept for the next warm to ask with */
	struct err err;
};

static void arrival_release(struct arrival *arrival)
{
	buf_release(&arrival->etag);
	buf_release(&arrival->last_modified);
}

static void on_answer(void *ctx, const struct source_answer *got)
{
	struct arrival *arrival = ctx;

	arrival->status = got->status;
	arrival->max_age_s = got->max_age_s;
	arrival->answer->attempts = got->attempts;
	arrival->answer->source_us = got->duration_us;
	buf_add(&arrival->etag, got->etag);
	buf_add(&arrival->last_modified, got->last_modified);
	if (got->status == SOURCE_OK)
		buf_add(&arrival->answer->value, got->value);
	else if (got->status == SOURCE_FAILED)
		arrival->err = *got->error;
}

static void on_stored(void *ctx, const struct reply *reply)
{
	struct lookup *lookup = ctx;

	lookup->found = reply->type == REPLY_STATUS;
	if (!lookup->found)
		redis_fail(lookup->redis, reply, "SET", buf_bytes(&lookup->answer->key),
			   &lookup->answer->redis_error);
}

/* Writes the value and hears the answer: 0 when it is in. */
static int write_value(const struct cache_query *query, struct fence *fence,
		       const struct arrival *arrival, struct bytes value, int64_t ttl_ms)
{
	struct cache_answer *answer = fence->answer;
	struct guard_value guarded = {.key = buf_bytes(&answer->key),
				      .value = value,
				      .ttl_ms = ttl_ms,
				      .etag = buf_bytes(&arrival->etag),
				      .last_modified = buf_bytes(&arrival->last_modified),
				      .past = fence->lesson.past};
	struct lookup lookup = {.answer = answer, .redis = query->redis};
	int status = fence->guard ? guard_store(fence->guard, &guarded, fence->token, on_fenced,
						fence, &answer->redis_error)
				  : store_submit(query->redis, guarded.key, value, ttl_ms,
						 on_stored, &lookup, &answer->redis_error);

	if (status != 0 || redis_drain(query->redis, 0, &answer->redis_error) != 0)
		return -1;
	if (!fence->guard)
		return lookup.found ? 0 : -1;
	answer->overtaken = fence->status == 0 && fence->outcome == GUARD_OVERTAKEN;
	return fence->status == 0 && !answer->overtaken ? 0 : -1;
}

static void on_listed(void *ctx, const struct reply *reply)
{
	struct listed *listed = ctx;

	if (reply->type != REPLY_INTEGER)
		redis_fail(listed->redis, reply, "PEXPIRE", (struct bytes){NULL, 0},
			   &listed->err);
}

/* The sets that list such keys are told. A failure is told in the answer. */
static void list_key(const struct cache_query *query, struct cache_answer *answer)
{
	struct err *err = &answer->redis_error;
	const struct ns *list = NULL;
	struct listed listed;

	while ((list = listed_next(query->set, query->ns, list)) && !err_is_set(err)) {
		if (listed_add(query->redis, query->set, query->ns, list,
			       buf_bytes(&answer->key), &listed, on_listed, &listed,
			       err) == 0 &&
		    redis_drain(query->redis, 0, err) == 0)
			*err = listed.err;
		if (err_is_set(err))
			err_wrap(err, "'%s' is not listed in %s", buf_str(&answer->key),
				 list->name);
	}
}

/* Stores what the source gave. A failure is told in the answer, it does not fail the read. */
static void store(const struct cache_query *query, struct fence *fence,
		  const struct arrival *arrival)
{
	struct cache_answer *answer = fence->answer;
	struct bytes values[TEMPLATE_VARS_MAX];
	struct buf packed = {0};

	template_match(query->ns->key, buf_bytes(&answer->key), values);
	int64_t ttl_ms = store_ttl_ms(query->ns, values, arrival->max_age_s, clock_wall_ms());
	if (ttl_ms == STORE_TTL_DO_NOT)
		return;
	struct bytes value =
	    codec_encode(&query->ns->compress, buf_bytes(&answer->value), &packed);
	volatility_learn(query->ns, &fence->state, &value, &fence->lesson);
	if (fence->guard && fence->lesson.past.history.len)
		ttl_ms = fence->lesson.ttl_ms;
	if (write_value(query, fence, arrival, value, ttl_ms) == 0) {
		answer->stored = true;
		answer->ttl_ms = ttl_ms == STORE_TTL_NONE ? -1 : ttl_ms;
		list_key(query, answer);
	}
	buf_release(&packed);
}

static int fetch_value(const struct cache_query *query, struct arrival *arrival,
		       struct err *err)
{
	struct request request = {0};
	int status = request_prepare(&request, query->ns, query->vars, query->var_count, err);

	if (status != 0)
		goto out;
	fetcher_submit(query->fetcher, request.steps, request.count, on_answer, arrival);
	status = fetcher_drain(query->fetcher, err);
	if (status == 0 && arrival->status == SOURCE_FAILED) {
		*err = arrival->err;
		status = -1;
	}
out:
	request_release(&request);
	return status;
}

/* Older than its TTL, but inside its grace. */
static bool is_stale(const struct ns *ns, int64_t ttl_ms)
{
	return ns->grace_ms && ns->step_count && ttl_ms >= 0 &&
	       (uint64_t)ttl_ms <= ns->grace_ms;
}

/* The stale value for the fresh one that the source failed to give: 0; -1: there is none. */
static int fall_back(struct cache_answer *answer, struct buf *stale, int64_t ttl_ms,
		     struct err *err)
{
	if (!answer->stale || err->kind == ERR_INTERRUPTED || err->kind == ERR_USAGE)
		return -1;
	buf_release(&answer->value);
	answer->value = *stale;
	*stale = (struct buf){0};
	answer->ttl_ms = ttl_ms;
	answer->source_error = *err;
	*err = (struct err){0};
	return 0;
}

static int fetch_and_store(const struct cache_query *query, struct cache_answer *answer,
			   struct err *err)
{
	struct arrival arrival = {.answer = answer, .max_age_s = -1};
	struct fence fence = {.answer = answer};
	struct buf stale = answer->value;
	int64_t ttl_ms = answer->ttl_ms;
	bool storing = query->redis && !query->no_store && !answer->degraded;

	answer->value = (struct buf){0};
	answer->ttl_ms = -2;
	if (storing)
		begin(query, &fence);
	int status = fetch_value(query, &arrival, err);
	if (status == 0 && arrival.status == SOURCE_OK) {
		answer->result = CACHE_FETCHED;
		answer->stale = false;
		if (storing && fence.status == 0)
			store(query, &fence, &arrival);
	} else {
		end(query, &fence, status == 0);
		if (status != 0)
			status = fall_back(answer, &stale, ttl_ms, err);
		else
			answer->result = CACHE_ABSENT;
	}
	answer->stale = answer->stale && answer->result == CACHE_HIT;
	buf_release(&stale);
	fence_release(&fence);
	arrival_release(&arrival);
	return status;
}

int cache_get(const struct cache_query *query, struct cache_answer *ret_answer, struct err *err)
{
	struct lookup lookup = {.answer = ret_answer};

	*ret_answer = (struct cache_answer){.ttl_ms = -2};
	if (ns_expand(query->set, query->ns, query->vars, query->var_count, &ret_answer->key,
		      err) != 0)
		return -1;
	if (query->redis && !query->refresh &&
	    look_up(query, &lookup, &ret_answer->redis_error) != 0) {
		if (query->no_fetch || query->ns->step_count == 0 ||
		    ret_answer->redis_error.kind == ERR_INTERRUPTED) {
			*err = ret_answer->redis_error;
			return -1;
		}
		ret_answer->degraded = true;
		lookup.found = false; /* what came could not be read to its end */
		buf_clear(&ret_answer->value);
	}
	ret_answer->result = lookup.found ? CACHE_HIT : CACHE_ABSENT;
	ret_answer->stale = lookup.found && is_stale(query->ns, ret_answer->ttl_ms);
	if (query->no_fetch || (lookup.found && !ret_answer->stale))
		return 0;
	return fetch_and_store(query, ret_answer, err);
}

void cache_answer_release(struct cache_answer *answer)
{
	buf_release(&answer->key);
	buf_release(&answer->value);
}
