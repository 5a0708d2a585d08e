#include "core/discover_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "core/scan.h"
#include "core/zone.h"
#include "wire/redis.h"

#include <stdlib.h>
#include <string.h>

#define PROGRESS_EVERY 4096
#define SAMPLE_KEY_MAX 1024
#define DAY_MS INT64_C(86400000)
#define IDLE_SLACK_S 2

struct walk {
	const struct discover_options *options;
	struct discover *discover;
	struct shapes *shapes;
	uint64_t seen;
	const long *family_of; /* of each shape, in the second walk */
	int64_t now_ms;
};

/* --- the first walk: shapes --- */

/* False once as many keys were seen as are wanted. */
static bool go_on(struct walk *walk)
{
	walk->seen++;
	if (walk->options->progress && walk->seen % PROGRESS_EVERY == 0)
		walk->options->progress(walk->options->ctx, walk->seen);
	return !walk->options->max_keys || walk->seen < walk->options->max_keys;
}

static bool on_key(void *ctx, const struct scan_key *key)
{
	struct walk *walk = ctx;

	shapes_add(walk->shapes,
		   &(struct shape_key){
		       .key = key->key, .ttl_ms = key->ttl_ms, .bytes = -1, .type = key->type});
	return go_on(walk);
}

/* --- the second: what needs the families --- */

static void note_day(struct walk *walk, struct discover_family *family,
		     const struct scan_key *key)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	int var = template_var_index(family->key, BYTES("date"));
	int64_t day = 0;

	if (var < 0 || key->ttl_ms < 0 || !template_match(family->key, key->key, values) ||
	    zone_parse_day(values[var], &day) != 0)
		return;
	int64_t plus = walk->now_ms + key->ttl_ms - (day + 1) * DAY_MS;
	if (family->dated++ == 0) {
		family->day = day;
		family->plus_min_ms = family->plus_max_ms = plus;
	}
	family->days_differ = family->days_differ || day != family->day;
	if (plus < family->plus_min_ms)
		family->plus_min_ms = plus;
	if (plus > family->plus_max_ms)
		family->plus_max_ms = plus;
}

/*
 * A key that nobody used since it was written is as old as it was idle: what it has
 * left and that are its whole TTL. Of one that was used it is less. The server's
 * clock of that has seconds, and lags by up to another one.
 */
static void note_life(struct discover_family *family, const struct scan_key *key)
{
	int64_t idle_ms = key->idle_s > IDLE_SLACK_S ? (key->idle_s - IDLE_SLACK_S) * 1000 : 0;

	if (key->ttl_ms < 0)
		return;
	if (family->expiring++ == 0 || key->ttl_ms < family->ttl_min_ms)
		family->ttl_min_ms = key->ttl_ms;
	if (key->ttl_ms + idle_ms > family->life_ms)
		family->life_ms = key->ttl_ms + idle_ms;
}

static bool on_key_again(void *ctx, const struct scan_key *key)
{
	struct walk *walk = ctx;
	long shape = shapes_find(walk->shapes, key->key);
	long index = shape < 0 ? -1 : walk->family_of[shape];

	if (index >= 0) {
		struct discover_family *family = &walk->discover->families[index];

		if (family->key)
			note_day(walk, family, key);
		note_life(family, key);
		if (family->sample_count < DISCOVER_SAMPLES && key->key.len <= SAMPLE_KEY_MAX)
			buf_add(&family->samples[family->sample_count++], key->key);
	}
	return go_on(walk);
}

/* --- both --- */

static int walk_keys(struct redis *redis, struct walk *walk, unsigned probes, scan_key_fn *fn,
		     bool *ret_complete, struct err *err)
{
	struct scan_options scan = {.probes = probes, .gentle = true, .fn = fn, .ctx = walk};
	struct scan_result result = {0};

	walk->seen = 0;
	walk->now_ms = (int64_t)clock_wall_ms();
	if (scan_run(redis, &scan, &result, err) != 0)
		return -1;
	*ret_complete = result.complete;
	return 0;
}

static int run(struct redis *redis, struct walk *walk, struct err *err)
{
	struct discover *discover = walk->discover;
	const struct reply *reply = NULL;
	long *family_of = NULL;
	bool complete = false;
	int status =
	    walk_keys(redis, walk, SCAN_TTL | SCAN_TYPE, on_key, &discover->complete, err);

	if (status != 0)
		return -1;
	discover->keys = walk->seen;
	shapes_finish(walk->shapes);
	discover->rest = shapes_rest(walk->shapes);
	discover_join(walk->shapes, discover, &family_of);
	discover_name(discover);
	walk->family_of = family_of;
	status = walk_keys(redis, walk, SCAN_IDLE | SCAN_TTL, on_key_again, &complete, err);
	if (status == 0)
		status = redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "DBSIZE", NULL);
	if (status == 0 && reply->type == REPLY_INTEGER)
		discover->total = (uint64_t)reply->integer;
	if (status == 0)
		status = discover_sample(redis, discover, err);
	if (status == 0)
		status = discover_relate(redis, discover, err);
	free(family_of);
	return status;
}

int discover_run(struct redis *redis, const struct discover_options *options,
		 struct discover *ret_discover, struct err *err)
{
	struct walk walk = {.options = options, .discover = ret_discover};

	*ret_discover = (struct discover){.target = mem_strdup(options->target)};
	walk.shapes = shapes_new();
	int status = run(redis, &walk, err);
	shapes_free(walk.shapes);
	return status;
}

void discover_release(struct discover *discover)
{
	for (size_t i = 0; i < discover->count; i++) {
		struct discover_family *family = &discover->families[i];

		for (size_t j = 0; j < DISCOVER_SAMPLES; j++)
			buf_release(&family->samples[j]);
		buf_release(&family->pattern);
		buf_release(&family->example);
		template_free(family->key);
		free(family->name);
	}
	free(discover->families);
	free(discover->target);
	*discover = (struct discover){0};
}
