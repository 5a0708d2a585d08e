#include "core/discover_private.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/codec.h"
#include "core/namespace.h"
#include "wire/redis.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MAX ((size_t)64 * 1024) /* longer ones are not read */
#define ID_MAX 256                    /* nor is an id longer */
#define NUMBER_LEAST 6                /* digits of a number that may be one */

/* --- values --- */

struct sample {
	struct discover_family *family;
	struct redis *redis;
	struct err *err;
	struct buf *slot; /* its key; then what its value is an id of, or nothing */
	bool wanted;
};

static void note_error(struct sample *sample, const struct reply *reply)
{
	if (reply->type == REPLY_LOST && !err_is_set(sample->err))
		redis_fail(sample->redis, reply, "GET", buf_bytes(sample->slot), sample->err);
}

static void on_length(void *ctx, const struct reply *reply)
{
	struct sample *sample = ctx;

	note_error(sample, reply);
	sample->wanted = reply->type == REPLY_INTEGER && reply->integer > 0 &&
			 (uint64_t)reply->integer <= VALUE_MAX;
}

static void on_value(void *ctx, const struct reply *reply)
{
	struct sample *sample = ctx;
	struct discover_family *family = sample->family;
	struct json_error problem;
	struct buf plain = {0};

	note_error(sample, reply);
	buf_clear(sample->slot);
	if (reply->type == REPLY_ARRAY && reply->count == 1)
		reply = reply->items[0]; /* a member */
	if (reply->type != REPLY_STRING)
		return;
	struct bytes value = reply->text;
	enum codec_kind codec = codec_detect(value);
	if (codec != CODEC_NONE &&
	    codec_expand(codec, value, VALUE_MAX * 64, &plain, &(struct err){0}) == 0)
		value = buf_bytes(&plain);
	bool json = json_check(value, JSON_STRICT, JSON_DEPTH_DATA, &problem) == 0;
	/* a bare number is JSON, and may be an id unless it is a count */
	bool bare = json && json_type_of(value) == JSON_NUMBER && value.len >= NUMBER_LEAST;
	family->values++;
	family->json += json;
	if ((!json || bare) && codec == CODEC_NONE && value.len <= ID_MAX)
		buf_add(sample->slot, value);
	buf_release(&plain);
}

static int ask(struct sample *sample, const struct bytes *argv, size_t argc, redis_reply_fn *fn,
	       struct err *err)
{
	struct redis_command command = {.argv = argv,
					.argc = argc,
					.expect = VALUE_MAX,
					.flags = REDIS_IDEMPOTENT,
					.fn = fn,
					.ctx = sample};

	return redis_submit(sample->redis, &command, err);
}

/* The lengths first, then the values that are no longer than is read. */
static int read_family(struct redis *redis, struct discover_family *family, struct err *err)
{
	struct sample samples[DISCOVER_SAMPLES];
	bool set = family->types == 1u << NS_SET;
	struct err problem = {0};

	for (size_t i = 0; i < family->sample_count; i++) {
		const struct bytes length[] = {set ? BYTES("SCARD") : BYTES("STRLEN"),
					       buf_bytes(&family->samples[i])};

		samples[i] = (struct sample){.family = family,
					     .redis = redis,
					     .err = &problem,
					     .slot = &family->samples[i]};
		if (ask(&samples[i], length, 2, on_length, err) != 0)
			return -1;
	}
	if (redis_drain(redis, 0, err) != 0)
		return -1;
	for (size_t i = 0; i < family->sample_count; i++) {
		const struct bytes argv[] = {set ? BYTES("SRANDMEMBER") : BYTES("GET"),
					     buf_bytes(&family->samples[i]), BYTES("1")};

		if (!samples[i].wanted)
			buf_clear(&family->samples[i]);
		else if (ask(&samples[i], argv, set ? 3 : 2, on_value, err) != 0)
			return -1;
	}
	return redis_settle(redis, &problem, err);
}

int discover_sample(struct redis *redis, struct discover *discover, struct err *err)
{
	for (size_t i = 0; i < discover->count; i++) {
		struct discover_family *family = &discover->families[i];

		if (family->types == 1u << NS_STRING || family->types == 1u << NS_SET) {
			if (read_family(redis, family, err) != 0)
				return -1;
			continue;
		}
		for (size_t j = 0; j < family->sample_count; j++)
			buf_clear(&family->samples[j]);
	}
	return 0;
}

/* --- relations --- */

static void on_exists(void *ctx, const struct reply *reply)
{
	size_t *hits = ctx;

	*hits += reply->type == REPLY_INTEGER && reply->integer == 1;
}

/* How many of from's samples are ids of keys of to that are there; *ret_asked: of how many. */
static int count_hits(struct redis *redis, const struct discover_family *from,
		      const struct discover_family *to, size_t *ret_asked, size_t *ret_hits,
		      struct err *err)
{
	struct buf key = {0};
	int status = 0;

	*ret_asked = *ret_hits = 0;
	for (size_t i = 0; i < from->sample_count && status == 0; i++) {
		struct var var = {bytes_of(template_var_name(to->key, 0)),
				  buf_bytes(&from->samples[i])};
		struct bytes argv[] = {BYTES("EXISTS"), {NULL, 0}};
		struct redis_command command = {.argv = argv,
						.argc = 2,
						.flags = REDIS_IDEMPOTENT,
						.fn = on_exists,
						.ctx = ret_hits};

		buf_clear(&key);
		if (var.value.len == 0)
			continue;
		++*ret_asked;
		if (template_expand(to->key, &var, 1, &key, &(struct err){0}) != 0)
			continue;
		argv[1] = buf_bytes(&key);
		status = redis_submit(redis, &command, err);
	}
	if (status == 0)
		status = redis_drain(redis, 0, err);
	buf_release(&key);
	return status;
}

static int relate(struct redis *redis, struct discover *discover, struct discover_family *from,
		  struct err *err)
{
	size_t best = 0;

	for (size_t i = 0; i < discover->count; i++) {
		const struct discover_family *to = &discover->families[i];
		size_t asked = 0;
		size_t hits = 0;

		if (to == from || !to->key || to->problem || template_var_count(to->key) != 1)
			continue;
		if (count_hits(redis, from, to, &asked, &hits, err) != 0)
			return -1;
		/* most must lead there: some of what they led to has expired */
		if (hits * 2 <= asked || hits <= best)
			continue;
		best = hits;
		from->leads_to = to;
	}
	return 0;
}

int discover_relate(struct redis *redis, struct discover *discover, struct err *err)
{
	for (size_t i = 0; i < discover->count; i++) {
		struct discover_family *from = &discover->families[i];

		if (from->key && !from->problem && relate(redis, discover, from, err) != 0)
			return -1;
	}
	return 0;
}
