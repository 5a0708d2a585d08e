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
	size_t expect;    /* bytes of its answer; 0: it is not read */
};

static void note_error(struct sample *sample, const struct reply *reply)
{
	if (reply->type == REPLY_LOST && !err_is_set(sample->err))
		redis_fail(sample->redis, reply, "GET", buf_bytes(sample->slot), sample->err);
}

static bool is_set(const struct discover_family *family)
{
	return family->types == 1u << NS_SET;
}

static void on_length(void *ctx, const struct reply *reply)
{
	struct sample *sample = ctx;

	note_error(sample, reply);
	if (reply->type != REPLY_INTEGER || reply->integer <= 0)
		return;
	if (is_set(sample->family)) /* of any number of members one is read */
		sample->expect = VALUE_MAX;
	else if ((uint64_t)reply->integer <= VALUE_MAX)
		sample->expect = (size_t)reply->integer;
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

static int ask_length(struct sample *sample, struct err *err)
{
	const struct bytes argv[] = {is_set(sample->family) ? BYTES("SCARD") : BYTES("STRLEN"),
				     buf_bytes(sample->slot)};

	return redis_ask(sample->redis, argv, 2, sample->expect, on_length, sample, err);
}

static int ask_value(struct sample *sample, struct err *err)
{
	bool set = is_set(sample->family);
	const struct bytes argv[] = {set ? BYTES("SRANDMEMBER") : BYTES("GET"),
				     buf_bytes(sample->slot), BYTES("1")};

	if (sample->expect)
		return redis_ask(sample->redis, argv, set ? 3 : 2, sample->expect, on_value,
				 sample, err);
	buf_clear(sample->slot);
	return 0;
}

/* Of the families whose values may tell something. */
static size_t list_samples(struct redis *redis, struct discover *discover, struct err *problem,
			   struct sample *ret_samples)
{
	size_t count = 0;

	for (size_t i = 0; i < discover->count; i++) {
		struct discover_family *family = &discover->families[i];
		bool is_read = family->types == 1u << NS_STRING || is_set(family);

		for (size_t j = 0; j < family->sample_count; j++)
			if (is_read)
				ret_samples[count++] =
				    (struct sample){.family = family,
						    .redis = redis,
						    .err = problem,
						    .slot = &family->samples[j]};
			else
				buf_clear(&family->samples[j]);
	}
	return count;
}

/* The lengths first, then the values that are no longer than is read: of all families at once.
 */
int discover_sample(struct redis *redis, struct discover *discover, struct err *err)
{
	struct sample *samples =
	    mem_zalloc(discover->count * DISCOVER_SAMPLES + 1, sizeof *samples);
	struct err problem = {0};
	size_t count = list_samples(redis, discover, &problem, samples);
	int status = 0;

	for (size_t i = 0; i < count && status == 0; i++)
		status = ask_length(&samples[i], err);
	if (status == 0)
		status = redis_settle(redis, &problem, err);
	for (size_t i = 0; i < count && status == 0; i++)
		status = ask_value(&samples[i], err);
	if (status == 0)
		status = redis_settle(redis, &problem, err);
	free(samples);
	return status;
}

/* --- relations --- */

/* How many of a family's samples are ids of keys of another that are there. */
struct relation {
	const struct discover_family *to;
	size_t asked;
	size_t hits; /* of these */
};

static void on_exists(void *ctx, const struct reply *reply)
{
	struct relation *relation = ctx;

	relation->hits += reply->type == REPLY_INTEGER && reply->integer == 1;
}

static int ask_hits(struct redis *redis, const struct discover_family *from,
		    struct relation *relation, struct err *err)
{
	const struct template *key_of = relation->to->key;
	struct buf key = {0};
	int status = 0;

	for (size_t i = 0; i < from->sample_count && status == 0; i++) {
		struct var var = {bytes_of(template_var_name(key_of, 0)),
				  buf_bytes(&from->samples[i])};
		struct bytes argv[] = {BYTES("EXISTS"), {NULL, 0}};
		struct redis_command command = {.argv = argv,
						.argc = 2,
						.flags = REDIS_IDEMPOTENT,
						.fn = on_exists,
						.ctx = relation};

		buf_clear(&key);
		if (var.value.len == 0)
			continue;
		relation->asked++;
		if (template_expand(key_of, &var, 1, &key, &(struct err){0}) != 0)
			continue;
		argv[1] = buf_bytes(&key);
		status = redis_submit(redis, &command, err);
	}
	buf_release(&key);
	return status;
}

static bool may_relate(const struct discover_family *from, const struct discover_family *to)
{
	return from->key && !from->problem && to != from && to->key && !to->problem &&
	       template_var_count(to->key) == 1;
}

static void choose(struct discover_family *from, const struct relation *relations, size_t count)
{
	size_t best = 0;

	for (size_t i = 0; i < count; i++) {
		const struct relation *relation = &relations[i];

		/* most must lead there: some of what they led to has expired */
		if (relation->hits * 2 <= relation->asked || relation->hits <= best)
			continue;
		best = relation->hits;
		from->leads_to = relation->to;
	}
}

/* Every family with every other, and one wait for all. */
int discover_relate(struct redis *redis, struct discover *discover, struct err *err)
{
	size_t count = discover->count;
	struct relation *relations = mem_zalloc(count * count + 1, sizeof *relations);
	int status = 0;

	for (size_t i = 0; i < count * count && status == 0; i++) {
		const struct discover_family *from = &discover->families[i / count];

		relations[i].to = &discover->families[i % count];
		if (may_relate(from, relations[i].to))
			status = ask_hits(redis, from, &relations[i], err);
	}
	if (status == 0)
		status = redis_drain(redis, 0, err);
	for (size_t i = 0; i < count && status == 0; i++)
		choose(&discover->families[i], &relations[i * count], count);
	free(relations);
	return status;
}
