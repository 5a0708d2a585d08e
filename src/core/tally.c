#include "core/tally.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/namespace.h"
#include "wire/redis.h"

#include <stdlib.h>
#include <string.h>

#define BEAT_MS 1000

const char *const tally_operations[TALLY_WHATS] = {
    [TALLY_GET_HIT] = "get",
    [TALLY_GET_MISS] = "get",
    [TALLY_GET_ERROR] = "get",
    [TALLY_SET] = "set",
    [TALLY_SET_ERROR] = "set",
    [TALLY_INVALIDATED] = "invalidate",
    [TALLY_INVALIDATE_ERROR] = "invalidate",
    [TALLY_FETCHED] = "fetch",
    [TALLY_FETCH_ABSENT] = "fetch",
    [TALLY_FETCH_ERROR] = "fetch",
};
const char *const tally_results[TALLY_WHATS] = {
    [TALLY_GET_HIT] = "hit",
    [TALLY_GET_MISS] = "miss",
    [TALLY_GET_ERROR] = "error",
    [TALLY_SET] = "ok",
    [TALLY_SET_ERROR] = "error",
    [TALLY_INVALIDATED] = "ok",
    [TALLY_INVALIDATE_ERROR] = "error",
    [TALLY_FETCHED] = "ok",
    [TALLY_FETCH_ABSENT] = "absent",
    [TALLY_FETCH_ERROR] = "error",
};

struct tally {
	const struct nsset *set;
	uint64_t (*counts)[TALLY_WHATS]; /* nsset_count + 1 */
	bool pending;                    /* some are not 0 */
	uint64_t flushed_ms;
};

static void hash_name(struct buf *buf, const struct nsset *set, size_t index)
{
	buf_clear(buf);
	buf_add_str(buf, "cc:c:");
	if (index < nsset_count(set))
		buf_add_str(buf, nsset_at(set, index)->name);
}

static void field_name(struct buf *buf, size_t what)
{
	buf_clear(buf);
	buf_printf(buf, "%s.%s", tally_operations[what], tally_results[what]);
}

struct tally *tally_new(const struct nsset *set)
{
	struct tally *tally = mem_zalloc(1, sizeof *tally);

	tally->set = set;
	tally->counts = mem_zalloc(nsset_count(set) + 1, sizeof *tally->counts);
	tally->flushed_ms = clock_mono_ms();
	return tally;
}

void tally_free(struct tally *tally)
{
	if (!tally)
		return;
	free(tally->counts);
	free(tally);
}

void tally_add(struct tally *tally, const struct ns *ns, enum tally_what what, uint64_t count)
{
	if (!tally || count == 0)
		return;
	tally->counts[ns ? ns->index : nsset_count(tally->set)][what] += count;
	tally->pending = true;
}

/* --- writing --- */

static int submit(struct redis *redis, const struct bytes *argv, size_t argc, struct err *err)
{
	struct redis_command command = {.argv = argv, .argc = argc};

	return redis_submit(redis, &command, err);
}

static int flush_one(struct tally *tally, struct redis *redis, size_t index, struct err *err)
{
	struct buf key = {0}, field = {0}, number = {0};
	bool any = false;
	int status = 0;

	hash_name(&key, tally->set, index);
	for (size_t what = 0; what < TALLY_WHATS && status == 0; what++) {
		uint64_t *count = &tally->counts[index][what];

		if (*count == 0)
			continue;
		field_name(&field, what);
		buf_clear(&number);
		buf_printf(&number, "%llu", (unsigned long long)*count);
		const struct bytes argv[] = {BYTES("HINCRBY"), buf_bytes(&key),
					     buf_bytes(&field), buf_bytes(&number)};
		*count = 0;
		any = true;
		status = submit(redis, argv, 4, err);
	}
	if (any && status == 0) {
		buf_clear(&number);
		buf_printf(&number, "%llu", (unsigned long long)clock_wall_ms());
		const struct bytes argv[] = {BYTES("HSETNX"), buf_bytes(&key),
					     BYTES("since_ms"), buf_bytes(&number)};
		status = submit(redis, argv, 4, err);
	}
	buf_release(&key);
	buf_release(&field);
	buf_release(&number);
	return status;
}

int tally_flush(struct tally *tally, struct redis *redis, struct err *err)
{
	int status = 0;

	if (!tally || !tally->pending)
		return 0;
	tally->pending = false;
	tally->flushed_ms = clock_mono_ms();
	for (size_t i = 0; i <= nsset_count(tally->set) && status == 0; i++)
		status = flush_one(tally, redis, i, err);
	return status;
}

int tally_beat(struct tally *tally, struct redis *redis, struct err *err)
{
	if (!tally || !tally->pending || clock_mono_ms() - tally->flushed_ms < BEAT_MS)
		return 0;
	return tally_flush(tally, redis, err);
}

/* --- reading --- */

struct row {
	struct redis *redis; /* that answers */
	struct tally_figures *figures;
	bool *denied;
	struct err *err;
};

static void read_field(struct tally_figures *figures, struct bytes name, struct bytes value)
{
	struct buf field = {0};
	uint64_t number = 0;

	if (num_parse_u64(value, 0, UINT64_MAX, &number) != 0)
		return;
	if (bytes_equal_str(name, "since_ms") && number <= INT64_MAX)
		figures->since_ms = (int64_t)number;
	for (size_t what = 0; what < TALLY_WHATS; what++) {
		field_name(&field, what);
		if (bytes_equal(name, buf_bytes(&field)))
			figures->counts[what] = number;
	}
	buf_release(&field);
}

static void on_hash(void *ctx, const struct reply *reply)
{
	struct row *row = ctx;

	row->figures->known = reply->type == REPLY_ARRAY;
	if (reply_error_kind(reply) == REPLY_ERR_NOPERM)
		*row->denied = true;
	else if (reply->type != REPLY_ARRAY && !err_is_set(row->err))
		redis_fail(row->redis, reply, "HGETALL", (struct bytes){NULL, 0}, row->err);
	for (size_t i = 0; row->figures->known && i + 1 < reply->count; i += 2)
		read_field(row->figures, reply->items[i]->text, reply->items[i + 1]->text);
}

/* The session to ask, NULL: the one that holds the key is out of reach. */
static struct redis *whom_to_ask(struct redis *redis, struct redis *const *lost,
				 size_t lost_count, struct bytes key, struct err *err)
{
	struct redis *holder = lost_count ? redis_holder(redis, key, err) : redis;

	for (size_t i = 0; i < lost_count; i++)
		if (holder == lost[i])
			return NULL;
	return holder;
}

int tally_read(const struct nsset *set, struct redis *redis, struct redis *const *lost,
	       size_t lost_count, struct tally_figures *figures, bool *ret_denied,
	       struct err *err)
{
	size_t count = nsset_count(set) + 1;
	bool denied = false;
	struct row *rows = mem_zalloc(count, sizeof *rows);
	struct err why = {0};
	struct buf key = {0};

	memset(figures, 0, count * sizeof *figures);
	for (size_t i = 0; i < count && !err_is_set(&why); i++) {
		hash_name(&key, set, i);
		const struct bytes argv[] = {BYTES("HGETALL"), buf_bytes(&key)};
		struct redis_command command = {.argv = argv,
						.argc = 2,
						.flags = REDIS_IDEMPOTENT,
						.fn = on_hash,
						.ctx = &rows[i]};
		struct redis *holder =
		    whom_to_ask(redis, lost, lost_count, buf_bytes(&key), &why);

		rows[i] = (struct row){
		    .redis = holder, .figures = &figures[i], .denied = &denied, .err = &why};
		if (holder)
			redis_submit(holder, &command, &why);
	}
	for (size_t i = 0; i < count;
	     i++) /* each of the sessions, or again and again the one */
		if (rows[i].redis)
			redis_drain(rows[i].redis, 0, &why);
	buf_release(&key);
	free(rows);
	*ret_denied = denied;
	return err_is_set(&why) ? err_set(err, why.kind, "%s", why.text) : 0;
}

int tally_reset(const struct nsset *set, struct redis *redis, uint64_t *ret_dropped,
		struct err *err)
{
	const struct reply *reply = NULL;
	uint64_t dropped = 0;
	struct buf key = {0};
	int status = 0;

	for (size_t i = 0; i <= nsset_count(set) && status == 0; i++) {
		hash_name(&key, set, i);
		const struct bytes argv[] = {BYTES("UNLINK"), buf_bytes(&key)};

		status = redis_call(redis, argv, 2, REDIS_IDEMPOTENT, &reply, err);
		if (status == 0 && reply->type != REPLY_INTEGER)
			status = redis_fail(redis, reply, "UNLINK", buf_bytes(&key), err);
		else if (status == 0)
			dropped += (uint64_t)reply->integer;
	}
	buf_release(&key);
	if (status == 0)
		*ret_dropped = dropped;
	return status;
}
