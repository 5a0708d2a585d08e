#include "core/bench_keys.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/inspect.h"
#include "core/namespace.h"
#include "core/scan.h"
#include "core/selection.h"
#include "wire/redis.h"

#include <stdlib.h>

/* --- a file --- */

int bench_keys_from_file(const struct nsset *set, const struct ns *ns, const char *path,
			 struct bench_names *ret_names, struct err *err)
{
	struct selection *selection = NULL;
	struct bench_names names = {0};
	struct buf key = {0};
	struct var vars[TEMPLATE_VARS_MAX];
	size_t count = 0;
	enum selection_status next = SELECTION_ITEM;

	if (selection_from_file(ns, path, &selection, err) != 0)
		return -1;
	for (;;) {
		next = selection_next(selection, vars, &count, err);
		if (next == SELECTION_WAIT)
			continue;
		if (next != SELECTION_ITEM)
			break;
		buf_clear(&key);
		if (ns_expand(set, ns, vars, count, &key, err) != 0) {
			next = SELECTION_BAD;
			break;
		}
		bench_names_add(&names, buf_bytes(&key));
	}
	int status = next == SELECTION_END ? 0 : -1;
	if (status != 0)
		selection_locate(selection, err);
	else if (names.count == 0)
		status = err_set(err, ERR_USAGE, "--ids %s: there is no id in it", path);
	selection_free(selection);
	buf_release(&key);
	if (status == 0)
		*ret_names = names;
	else
		bench_names_release(&names);
	return status;
}

/* --- the live keyspace --- */

struct collecting {
	const struct inspect_filter *filter;
	struct bench_names names;
	size_t limit;
};

static bool on_key(void *ctx, const struct scan_key *key)
{
	struct collecting *collecting = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	if (inspect_filter_accepts(collecting->filter, key->key, &ns, values))
		bench_names_add(&collecting->names, key->key);
	return collecting->names.count < collecting->limit;
}

int bench_keys_from_live(struct redis *redis, const struct nsset *set, const struct ns *ns,
			 size_t limit, struct bench_names *ret_names, struct err *err)
{
	struct inspect_filter filter = {0};
	struct collecting collecting = {.filter = &filter, .limit = limit};
	struct scan_result result = {0};
	struct bytes match = bytes_of(ns ? "" : "*");
	int status = inspect_filter_init(&filter, set, ns, NULL, 0, match, err);

	if (status == 0) {
		const struct scan_options options = {
		    .match = buf_bytes(&filter.glob), .fn = on_key, .ctx = &collecting};

		status = scan_run(redis, &options, &result, err);
	}
	inspect_filter_release(&filter);
	if (status == 0 && collecting.names.count == 0)
		status = err_set(err, ERR_ITEM, "no key of %s is in Redis",
				 ns ? ns->name : "any kind");
	if (status == 0)
		*ret_names = collecting.names;
	else
		bench_names_release(&collecting.names);
	return status;
}

/* --- sizes and lives --- */

/* Keys that hold no string, or are gone, are left out. */
static void on_size(void *ctx, const struct reply *reply)
{
	struct bench_sample *sample = ctx;

	if (reply->type == REPLY_INTEGER && reply->integer > 0)
		sample->sizes[sample->size_count++] = (size_t)reply->integer;
}

static void on_ttl(void *ctx, const struct reply *reply)
{
	struct bench_sample *sample = ctx;

	if (reply->type == REPLY_INTEGER && reply->integer > 0)
		sample->ttls[sample->ttl_count++] = (uint64_t)reply->integer;
}

static int ask_key(struct redis *redis, struct bytes command, struct bytes key,
		   redis_reply_fn *fn, struct bench_sample *sample, struct err *err)
{
	const struct bytes argv[] = {command, key};

	return redis_submit(
	    redis,
	    &(struct redis_command){
		.argv = argv, .argc = 2, .flags = REDIS_IDEMPOTENT, .fn = fn, .ctx = sample},
	    err);
}

int bench_sample_live(struct redis *redis, const struct nsset *set, const struct ns *ns,
		      size_t limit, struct bench_sample *ret_sample, struct err *err)
{
	struct bench_names names = {0};
	struct bench_sample sample = {0};
	int status = bench_keys_from_live(redis, set, ns, limit, &names, err);

	if (status != 0)
		return -1;
	sample.sizes = mem_zalloc(names.count, sizeof *sample.sizes);
	sample.ttls = mem_zalloc(names.count, sizeof *sample.ttls);
	for (size_t i = 0; i < names.count && status == 0; i++) {
		struct bytes key = bench_names_at(&names, i);

		status = ask_key(redis, BYTES("STRLEN"), key, on_size, &sample, err);
		if (status == 0)
			status = ask_key(redis, BYTES("PTTL"), key, on_ttl, &sample, err);
	}
	if (redis_drain(redis, 0, status == 0 ? err : NULL) != 0)
		status = -1;
	if (status == 0 && sample.size_count == 0)
		status = err_set(err, ERR_ITEM, "no key of %s holds a string",
				 ns ? ns->name : "any kind");
	bench_names_release(&names);
	if (status != 0) {
		bench_sample_release(&sample);
		return -1;
	}
	*ret_sample = sample;
	return 0;
}

void bench_sample_release(struct bench_sample *sample)
{
	free(sample->sizes);
	free(sample->ttls);
	*sample = (struct bench_sample){0};
}
