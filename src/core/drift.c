#include "core/drift.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/codec.h"
#include "core/inspect_filter.h"
#include "core/namespace.h"
#include "core/request.h"
#include "wire/redis.h"

#include <stdlib.h>

#define VALUE_MAX (INT64_C(16) << 20)
/* Values held in memory; the fetcher decides how many are asked for. */
#define AT_ONCE 16
#define AT_ONCE_FAR 512               /* over a long link, where they cost some round trips */
#define BYTES_AT_ONCE (VALUE_MAX / 4) /* of them, or one */

const char *const drift_outcome_names[DRIFT_OUTCOMES] = {"same", "differs", "absent", "moved",
							 "failed"};

/* One sample from the reading of its cached value to its outcome. */
struct sample {
	struct drift *drift;
	const struct ns *ns;
	struct bytes key;
	struct request request;
	struct buf stored; /* the cached bytes */
	struct buf source;
	int64_t length;
	bool too_long;
	bool there;
	bool still_there;
	int64_t ttl_ms;
	enum drift_outcome outcome;
	struct err err;
};

struct drift {
	const struct drift_options *options;
	struct drift_report *report;
	struct redis *redis;
	struct buf *keys; /* the reservoir */
	size_t key_count;
	struct buf plain; /* of the value at hand */
	struct err err;   /* of Redis */
};

/* --- the samples --- */

static bool is_eligible(const struct drift *drift, struct bytes key)
{
	const struct drift_options *options = drift->options;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	if (!options->filter)
		ns = nsset_classify(options->set, key, values);
	else if (!inspect_filter_accepts(options->filter, key, &ns, values))
		return false;
	return ns && ns->step_count > 0 && (ns->type == NS_STRING || ns->type == NS_ANY);
}

/* Vitter's algorithm R: of n keys seen each is among the samples with the same chance. */
static bool on_key(void *ctx, const struct scan_key *key)
{
	struct drift *drift = ctx;
	uint64_t wanted = drift->options->sample;
	uint64_t place = drift->report->eligible;

	if (!is_eligible(drift, key->key))
		return true;
	drift->report->eligible++;
	if (place >= wanted) {
		uint64_t random;

		arc4random_buf(&random, sizeof random);
		place = random % drift->report->eligible;
	}
	if (place >= wanted)
		return true;
	if (place == drift->key_count)
		drift->key_count++;
	buf_clear(&drift->keys[place]);
	buf_add(&drift->keys[place], key->key);
	return true;
}

static int pick(struct drift *drift, struct err *err)
{
	const struct drift_options *options = drift->options;
	struct scan_options scan = {.gentle = true, .fn = on_key, .ctx = drift};
	struct scan_result result = {0};

	for (size_t i = 0; i < options->key_count; i++)
		on_key(drift, &(struct scan_key){.key = options->keys[i]});
	if (options->keys)
		return 0;
	if (options->filter)
		scan.match = buf_bytes(&options->filter->glob);
	return scan_run(drift->redis, &scan, &result, err);
}

/* --- one window of them --- */

static void note(struct drift *drift, const struct reply *reply, const char *command,
		 struct bytes key)
{
	if (!err_is_set(&drift->err))
		redis_fail(drift->redis, reply, command, key, &drift->err);
}

static void on_stored(void *ctx, const struct reply *reply)
{
	struct sample *sample = ctx;

	if (reply->type == REPLY_STRING) {
		buf_add(&sample->stored, reply->text);
		sample->there = true;
	} else if (reply->type != REPLY_NIL && reply_error_kind(reply) != REPLY_ERR_WRONGTYPE) {
		note(sample->drift, reply, "GET", sample->key);
	}
}

static void on_length(void *ctx, const struct reply *reply)
{
	struct sample *sample = ctx;

	if (reply->type == REPLY_LOST)
		note(sample->drift, reply, "STRLEN", sample->key);
	sample->length = reply->type == REPLY_INTEGER ? reply->integer : 0;
	sample->too_long = sample->length > VALUE_MAX;
}

static void on_ttl(void *ctx, const struct reply *reply)
{
	struct sample *sample = ctx;

	sample->ttl_ms = reply->type == REPLY_INTEGER ? reply->integer : -2;
}

static void on_again(void *ctx, const struct reply *reply)
{
	struct sample *sample = ctx;

	if (reply->type == REPLY_LOST)
		note(sample->drift, reply, "GET", sample->key);
	sample->still_there =
	    reply->type == REPLY_STRING && bytes_equal(reply->text, buf_bytes(&sample->stored));
}

static int ask(struct sample *sample, const char *command, size_t expect, redis_reply_fn *fn,
	       struct err *err)
{
	const struct bytes argv[] = {bytes_of(command), sample->key};

	return redis_ask(sample->drift->redis, argv, 2, expect, fn, sample, err);
}

static int settle_redis(struct drift *drift, struct err *err)
{
	return redis_settle(drift->redis, &drift->err, err);
}

static void on_answer(void *ctx, const struct source_answer *answer)
{
	struct sample *sample = ctx;

	if (answer->status == SOURCE_OK) {
		buf_add(&sample->source, answer->value);
		sample->outcome = DRIFT_DIFFERS; /* until it is compared */
	} else if (answer->status == SOURCE_EMPTY) {
		sample->outcome = DRIFT_ABSENT;
	} else {
		sample->outcome = DRIFT_FAILED;
		if (answer->error)
			sample->err = *answer->error;
	}
}

static void fetch(struct sample *sample)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	struct var vars[TEMPLATE_VARS_MAX];
	size_t count = template_var_count(sample->ns->key);

	template_match(sample->ns->key, sample->key, values);
	for (size_t i = 0; i < count; i++)
		vars[i] =
		    (struct var){bytes_of(template_var_name(sample->ns->key, i)), values[i]};
	sample->outcome = DRIFT_FAILED;
	if (request_prepare(&sample->request, sample->ns, vars, count, &sample->err) == 0)
		fetcher_submit(sample->drift->options->fetcher, sample->request.steps,
			       sample->request.count, on_answer, sample);
}

static bool is_json(struct bytes value)
{
	struct json_error problem;

	return json_check(value, JSON_STRICT, JSON_DEPTH_DATA, &problem) == 0;
}

/* The outcome, with everything heard. */
static void conclude(struct sample *sample)
{
	struct drift_item item = {.ns = sample->ns,
				  .key = sample->key,
				  .ttl_ms = sample->ttl_ms,
				  .cached = buf_bytes(&sample->stored),
				  .source = buf_bytes(&sample->source),
				  .error = &sample->err};
	struct drift *drift = sample->drift;

	buf_clear(&drift->plain);
	if (codec_is_packed(&sample->ns->compress, item.cached) &&
	    codec_expand(codec_detect(item.cached), item.cached, CODEC_LIMIT, &drift->plain,
			 &(struct err){0}) == 0)
		item.cached = buf_bytes(&drift->plain);
	item.json = is_json(item.cached) && is_json(item.source);
	if (sample->outcome == DRIFT_DIFFERS &&
	    (item.json ? json_same(item.cached, item.source)
		       : bytes_equal(item.cached, item.source)))
		sample->outcome = DRIFT_SAME;
	if (sample->too_long) {
		sample->outcome = DRIFT_FAILED;
		err_set(&sample->err, ERR_ITEM, "the cached value is longer than 16 MiB");
	} else if (!sample->there ||
		   (sample->outcome != DRIFT_SAME && sample->outcome != DRIFT_FAILED &&
		    !sample->still_there)) {
		sample->outcome = DRIFT_MOVED;
	}
	item.outcome = sample->outcome;
	drift->report->sampled++;
	drift->report->outcomes[item.outcome]++;
	drift->report->source_failed +=
	    item.outcome == DRIFT_FAILED && sample->err.kind == ERR_SOURCE;
	drift->options->item(drift->options->ctx, &item);
}

static size_t value_length(const struct sample *sample)
{
	return sample->too_long ? 0 : (size_t)sample->length;
}

static void release_sample(struct sample *sample)
{
	request_release(&sample->request);
	buf_release(&sample->stored);
	buf_release(&sample->source);
}

/* Of values that fit into memory together. */
static int compare_values(struct drift *drift, struct sample *samples, size_t count,
			  struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if ((!samples[i].too_long &&
		     ask(&samples[i], "GET", value_length(&samples[i]), on_stored, err) != 0) ||
		    ask(&samples[i], "PTTL", 0, on_ttl, err) != 0)
			return -1;
	if (settle_redis(drift, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (samples[i].there)
			fetch(&samples[i]);
	if (fetcher_drain(drift->options->fetcher, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (samples[i].there &&
		    ask(&samples[i], "GET", samples[i].stored.len, on_again, err) != 0)
			return -1;
	if (settle_redis(drift, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		conclude(&samples[i]);
		release_sample(&samples[i]);
	}
	return 0;
}

/* The lengths first: answers that are too large are never asked for. */
static int run_window(struct drift *drift, struct sample *samples, size_t count,
		      struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (ask(&samples[i], "STRLEN", 0, on_length, err) != 0)
			return -1;
	if (settle_redis(drift, err) != 0)
		return -1;
	for (size_t done = 0, some; done < count; done += some) {
		size_t bytes = value_length(&samples[done]);

		for (some = 1; done + some < count; some++) {
			bytes += value_length(&samples[done + some]);
			if (bytes > BYTES_AT_ONCE)
				break;
		}
		if (compare_values(drift, samples + done, some, err) != 0)
			return -1;
	}
	return 0;
}

static int compare(struct drift *drift, struct err *err)
{
	int status = 0;

	for (size_t done = 0, count; done < drift->key_count && status == 0; done += count) {
		size_t most = redis_is_far(drift->redis) ? AT_ONCE_FAR : AT_ONCE;

		count = drift->key_count - done < most ? drift->key_count - done : most;
		struct sample *samples = mem_zalloc(count, sizeof *samples);
		for (size_t i = 0; i < count; i++) {
			struct bytes key = buf_bytes(&drift->keys[done + i]);

			samples[i].drift = drift;
			samples[i].key = key;
			samples[i].ns = nsset_classify(drift->options->set, key, NULL);
		}
		status = run_window(drift, samples, count, err);
		for (size_t i = 0; i < count; i++)
			release_sample(&samples[i]);
		free(samples);
	}
	return status;
}

int drift_run(struct redis *redis, const struct drift_options *options,
	      struct drift_report *ret_report, struct err *err)
{
	struct drift drift = {.options = options, .report = ret_report, .redis = redis};

	*ret_report = (struct drift_report){0};
	drift.keys = mem_zalloc((size_t)options->sample, sizeof *drift.keys);
	int status = pick(&drift, err);
	if (status == 0)
		status = compare(&drift, err);
	ret_report->complete = status == 0;
	for (size_t i = 0; i < (size_t)options->sample; i++)
		buf_release(&drift.keys[i]);
	buf_release(&drift.plain);
	free(drift.keys);
	return status;
}
