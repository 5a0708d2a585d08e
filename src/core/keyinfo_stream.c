/* A value that is too long for one piece. */
#include "core/keyinfo.h"

#include "base/err.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <stdio.h>

/* One part from offset `at` on. */
static int read_part(struct redis *redis, struct bytes key, uint64_t at, uint64_t end,
		     struct bytes *ret_part, struct err *err)
{
	char first[24], last[24];
	uint64_t to = end - at > KEYINFO_PART ? at + KEYINFO_PART : end;
	const struct bytes argv[] = {
	    BYTES("GETRANGE"),
	    key,
	    {first, (size_t)snprintf(first, sizeof first, "%" PRIu64, at)},
	    {last, (size_t)snprintf(last, sizeof last, "%" PRIu64, to - 1)}};
	const struct reply *reply = NULL;

	if (redis_call(redis, argv, 4, REDIS_BOUND, &reply, err) != 0)
		return -1;
	if (reply->type != REPLY_STRING)
		return redis_fail(redis, reply, "GETRANGE", key, err);
	*ret_part = reply->text;
	return 0;
}

static int read_parts(struct redis *redis, struct bytes key, uint64_t max_bytes,
		      keyinfo_part_fn *fn, void *ctx, struct err *err)
{
	struct bytes part = {NULL, 0};

	for (uint64_t at = 0; at < max_bytes; at += part.len) {
		if (read_part(redis, key, at, max_bytes, &part, err) != 0)
			return -1;
		if (part.len == 0 || !fn(ctx, part))
			break;
	}
	return 0;
}

/* An empty transaction fails when what is watched was written. */
static int check_unwritten(struct redis *redis, struct bytes key, struct err *err)
{
	const struct bytes multi[] = {BYTES("MULTI")}, exec[] = {BYTES("EXEC")};
	const struct reply *reply = NULL;

	if (redis_call(redis, multi, 1, REDIS_BOUND, &reply, err) != 0)
		return -1;
	if (reply->type != REPLY_STATUS) /* this user may not: nothing is known */
		return 0;
	if (redis_call(redis, exec, 1, REDIS_BOUND, &reply, err) != 0)
		return -1;
	if (reply->type != REPLY_NIL)
		return 0;
	return err_set(
	    err, ERR_ITEM,
	    "'%.*s' was written while it was read: what was printed is of both values",
	    BYTES_ARG(bytes_sub(key, 0, 100)));
}

int keyinfo_stream(struct redis *redis, struct bytes key, uint64_t max_bytes,
		   keyinfo_part_fn *fn, void *ctx, struct err *err)
{
	const struct bytes watch[] = {BYTES("WATCH"), key};
	const struct reply *reply = NULL;
	bool watched = false;

	redis = redis_holder(redis, key, err);
	if (!redis)
		return -1;
	if (!redis_is_reader(redis)) {
		if (redis_call(redis, watch, 2, REDIS_BOUND, &reply, err) != 0)
			return -1;
		watched = reply->type == REPLY_STATUS;
	}
	int status = read_parts(redis, key, max_bytes, fn, ctx, err);
	return status == 0 && watched ? check_unwritten(redis, key, err) : status;
}
