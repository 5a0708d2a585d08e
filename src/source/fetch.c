#include "source/fetch.h"

#include "base/clock.h"
#include "base/err.h"
#include "source/backoff.h"
#include "source/http.h"
#include "source/local.h"
#include "source/origin.h"
#include "source/slice.h"
#include "source/verdict.h"

#define KEEP_MEMORY ((size_t)64 * 1024)

static void ask(struct fetch *fetch, const struct source_request *request)
{
	fetch->request = request;
	fetch->tries = 0;
	fetch->sleep_ms = 0;
	fetch->redirects = 0;
	buf_clear(&fetch->url);
}

void fetch_init(struct fetch *fetch, const struct source_request *steps, size_t count,
		source_answer_fn *fn, void *ctx)
{
	*fetch = (struct fetch){
	    .steps = steps,
	    .count = count,
	    .fn = fn,
	    .ctx = ctx,
	    .max_age_s = -1,
	    .url = fetch->url,
	    .array = fetch->array,
	    .kept = fetch->kept,
	};
	ask(fetch, &steps[0]);
}

void fetch_release(struct fetch *fetch)
{
	buf_release(&fetch->url);
	buf_release(&fetch->array);
	buf_release(&fetch->kept);
}

void fetch_trim(struct fetch *fetch)
{
	if (fetch->array.size > KEEP_MEMORY)
		buf_release(&fetch->array);
	if (fetch->kept.size > KEEP_MEMORY)
		buf_release(&fetch->kept);
}

int fetch_begin(struct fetch *fetch, const struct origin *origin, struct err *err)
{
	if (fetch->url.len == 0 &&
	    origin_url(origin, fetch->request->path, &fetch->url, err) < 0)
		return -1;
	if (fetch->redirects == 0)
		fetch->tries++;
	fetch->attempts++;
	return 0;
}

static bool is_keep_only(const struct fetch *fetch)
{
	return fetch->request != &fetch->steps[fetch->step];
}

bool fetch_wants_json(const struct fetch *fetch)
{
	const struct source_request *request = fetch->request;

	return request->json || request->select.len || request->keep_only ||
	       is_keep_only(fetch);
}

void fetch_condition(const struct fetch *fetch, struct bytes *ret_etag,
		     struct bytes *ret_last_modified)
{
	const struct source_request *request = fetch->request;
	bool whole = fetch->count == 1 && !request->keep_only && !is_keep_only(fetch);

	*ret_etag = whole ? request->etag : (struct bytes){0};
	*ret_last_modified = whole ? request->last_modified : (struct bytes){0};
}

static struct source_answer answer_of(const struct fetch *fetch, enum source_status status)
{
	return (struct source_answer){
	    .status = status,
	    .http_status = fetch->http_status,
	    .max_age_s = fetch->max_age_s,
	    .attempts = fetch->attempts,
	    .body_bytes = fetch->body_bytes,
	    .step = fetch->step < fetch->count ? fetch->step : fetch->count - 1,
	};
}

void fetch_fail(const struct fetch *fetch, enum source_cause cause, const struct err *err,
		struct source_answer *ret_answer)
{
	*ret_answer = answer_of(fetch, SOURCE_FAILED);
	ret_answer->cause = cause;
	ret_answer->error = err;
}

/* What was asked, for a message. */
static void describe(const struct fetch *fetch, struct buf *shown)
{
	const struct source_request *request = fetch->request;

	switch (request->source->kind) {
	case SOURCE_HTTP:
		buf_add_str(shown, "GET ");
		origin_describe(fetch->url.len ? buf_str(&fetch->url) : request->path, shown);
		break;
	case SOURCE_FILE:
		buf_add_str(shown, request->source->root);
		buf_add_str(shown, request->path);
		break;
	case SOURCE_COMMAND:
		buf_add_str(shown, request->source->argv[0]);
		break;
	}
}

void fetch_name_error(const struct fetch *fetch, struct err *err)
{
	const char *name = fetch->request->source->name;
	struct buf shown = {0};

	describe(fetch, &shown);
	if (fetch->tries > 1)
		err_wrap(err, "%s: %s (%u tries)", name, buf_str(&shown), fetch->tries);
	else
		err_wrap(err, "%s: %s", name, buf_str(&shown));
	buf_release(&shown);
}

static enum fetch_next give_up(const struct fetch *fetch, enum source_cause cause,
			       const struct err *err, struct source_answer *ret_answer)
{
	fetch_fail(fetch, cause, err, ret_answer);
	return FETCH_ANSWER;
}

static enum fetch_next next_step(struct fetch *fetch, struct source_answer *ret_answer)
{
	fetch->max_age_s = -1;
	if (fetch->step + 1 < fetch->count) {
		ask(fetch, &fetch->steps[++fetch->step]);
		return FETCH_SEND;
	}
	*ret_answer = answer_of(fetch, SOURCE_EMPTY);
	return FETCH_ANSWER;
}

static void tell_validators(const struct http *http, struct source_answer *answer)
{
	answer->etag = bytes_of(http_header(http, "ETag"));
	answer->last_modified = bytes_of(http_header(http, "Last-Modified"));
}

/* The step's value is there; a rule may still say that it means nothing. */
static enum fetch_next answer_value(struct fetch *fetch, struct bytes value,
				    struct source_answer *ret_answer)
{
	if (verdict_is_empty_text(&fetch->steps[fetch->step], value))
		return next_step(fetch, ret_answer);
	*ret_answer = answer_of(fetch, SOURCE_OK);
	ret_answer->value = value;
	return FETCH_ANSWER;
}

/* An answer made of two lives as long as the shorter one. http: NULL when local. */
static void fold_max_age(struct fetch *fetch, const struct http *http)
{
	int64_t age = http ? http_max_age_s(http) : -1;

	if (fetch->max_age_s < 0 || (age >= 0 && age < fetch->max_age_s))
		fetch->max_age_s = age;
}

static enum fetch_next take_body(struct fetch *fetch, const struct http *http,
				 struct bytes body, struct source_answer *ret_answer,
				 struct err *err)
{
	const struct source_request *request = fetch->request;
	struct bytes slice = body;

	fold_max_age(fetch, http);
	if ((request->select.len || request->keep_only) &&
	    slice_select(body, request->select, &slice, err) < 0)
		return give_up(fetch, SOURCE_CAUSE_BODY, err, ret_answer);
	if (!request->keep_only) {
		enum fetch_next next = answer_value(fetch, slice, ret_answer);

		if (http && next == FETCH_ANSWER && ret_answer->status == SOURCE_OK)
			tell_validators(http, ret_answer);
		return next;
	}
	buf_clear(&fetch->array);
	buf_add(&fetch->array, slice);
	ask(fetch, request->keep_only);
	return FETCH_SEND;
}

static enum fetch_next answer_same(struct fetch *fetch, const struct http *http,
				   struct source_answer *ret_answer)
{
	fold_max_age(fetch, http);
	*ret_answer = answer_of(fetch, SOURCE_NOT_MODIFIED);
	tell_validators(http, ret_answer);
	return FETCH_ANSWER;
}

/* The ids are there (none: body has no bytes). The ETag of the array says nothing about them.
 */
static enum fetch_next take_ids(struct fetch *fetch, const struct http *http, struct bytes body,
				struct source_answer *ret_answer, struct err *err)
{
	const struct source_request *step = &fetch->steps[fetch->step];
	struct bytes ids = {0};

	fold_max_age(fetch, http);
	buf_clear(&fetch->kept);
	if ((body.len && slice_select(body, fetch->request->select, &ids, err) < 0) ||
	    slice_keep(buf_bytes(&fetch->array), step->keep_item, ids, &fetch->kept, err) < 0)
		return give_up(fetch, SOURCE_CAUSE_BODY, err, ret_answer);
	return answer_value(fetch, buf_bytes(&fetch->kept), ret_answer);
}

static enum fetch_next redirect(struct fetch *fetch, const struct http *http,
				const struct origin *origin, struct source_answer *ret_answer,
				struct err *err)
{
	const char *location = http_header(http, "Location");
	unsigned limit = fetch->request->source->max_redirects;

	if (!location) {
		err_set(err, ERR_ITEM, "answered %u without a Location", fetch->http_status);
		return give_up(fetch, SOURCE_CAUSE_STATUS, err, ret_answer);
	}
	if (fetch->redirects >= limit) {
		err_set(err, ERR_ITEM, "more than %u redirects", limit);
		return give_up(fetch, SOURCE_CAUSE_REDIRECT, err, ret_answer);
	}
	if (origin_follow(origin, location, &fetch->url, err) < 0) {
		err_wrap(err, "redirect %u", fetch->http_status);
		return give_up(fetch, SOURCE_CAUSE_REDIRECT, err, ret_answer);
	}
	fetch->redirects++;
	return FETCH_SEND;
}

static enum fetch_next retry(struct fetch *fetch, const struct http *http,
			     struct backoff *backoff, uint64_t *ret_quiet_ms)
{
	const struct source_def *def = fetch->request->source;
	uint64_t asked_s = http_retry_after_s(http);

	if (asked_s) {
		uint64_t cap_ms = def->retry.cap_ms;

		fetch->sleep_ms = asked_s > cap_ms / 1000 ? cap_ms : asked_s * 1000;
		*ret_quiet_ms = fetch->sleep_ms;
	} else {
		fetch->sleep_ms = backoff_next_ms(backoff, def->retry.base_ms,
						  def->retry.cap_ms, fetch->sleep_ms);
	}
	fetch->redirects = 0;
	buf_clear(&fetch->url);
	return FETCH_SLEEP;
}

enum fetch_next fetch_advance(struct fetch *fetch, const struct http *http, CURLcode code,
			      const struct origin *origin, struct backoff *backoff,
			      struct source_answer *ret_answer, uint64_t *ret_quiet_ms,
			      struct err *err)
{
	const struct source_request *request = fetch->request;
	enum source_cause cause = SOURCE_CAUSE_NONE;
	struct http_result result;
	bool ids = is_keep_only(fetch);

	http_finish(http, code, &result);
	fetch->http_status = result.status;
	fetch->body_bytes += result.body.len;
	*ret_quiet_ms = 0;
	switch (verdict_of(&result, request, fetch_wants_json(fetch), &cause, err)) {
	case VERDICT_BODY:
		return ids ? take_ids(fetch, http, result.body, ret_answer, err)
			   : take_body(fetch, http, result.body, ret_answer, err);
	case VERDICT_EMPTY:
		return ids ? take_ids(fetch, http, (struct bytes){0}, ret_answer, err)
			   : next_step(fetch, ret_answer);
	case VERDICT_SAME:
		return answer_same(fetch, http, ret_answer);
	case VERDICT_REDIRECT:
		return redirect(fetch, http, origin, ret_answer, err);
	case VERDICT_RETRY:
		if (fetch->tries <= request->source->retry.max)
			return retry(fetch, http, backoff, ret_quiet_ms);
		break;
	case VERDICT_FAIL:
		break;
	}
	return give_up(fetch, cause, err, ret_answer);
}

void fetch_launch(struct fetch *fetch)
{
	fetch->queued_us += clock_mono_us() - fetch->enqueued_us;
	fetch->tries++;
	fetch->attempts++;
}

enum fetch_next fetch_settle(struct fetch *fetch, const struct local_result *result,
			     struct source_answer *ret_answer, struct err *err)
{
	enum source_cause cause = result->cause;
	bool ids = is_keep_only(fetch);
	enum verdict verdict = VERDICT_EMPTY;

	fetch->http_status = 0;
	fetch->body_bytes += result->body.len;
	if (cause != SOURCE_CAUSE_NONE)
		return give_up(fetch, cause, err, ret_answer);
	if (result->found)
		verdict = verdict_of_body(result->body, fetch->request, fetch_wants_json(fetch),
					  &cause, err);
	if (verdict == VERDICT_FAIL)
		return give_up(fetch, cause, err, ret_answer);
	if (ids)
		return take_ids(fetch, NULL,
				verdict == VERDICT_BODY ? result->body : (struct bytes){0},
				ret_answer, err);
	if (verdict == VERDICT_EMPTY)
		return next_step(fetch, ret_answer);
	return take_body(fetch, NULL, result->body, ret_answer, err);
}
