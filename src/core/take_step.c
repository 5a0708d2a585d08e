#include "core/take_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/sidecar.h"
#include "wire/target.h"

#include <stdlib.h>

/* The steps that every attempt is made of. */

int take_send(struct take *take, const struct bytes *argv, size_t argc, size_t expect,
	      redis_reply_fn *fn, void *ctx)
{
	struct redis_command command = {.argv = argv,
					.argc = argc,
					.expect = expect,
					.flags = REDIS_BOUND,
					.fn = fn,
					.ctx = ctx};

	return redis_submit(take->job->redis, &command, &take->err);
}

enum take_end take_settle(struct take *take)
{
	if (redis_drain(take->job->redis, 0, &take->err) != 0 || err_is_set(&take->err))
		return TAKE_STOP;
	if (take->lost)
		return TAKE_AGAIN;
	return err_is_set(&take->refusal) ? TAKE_REFUSED : TAKE_DONE;
}

void take_refuse(struct take *take, const struct reply *reply, const char *command,
		 struct bytes key)
{
	/* an answer that is none of the command's: from here on nothing is to be believed */
	bool is_odd = reply_error_kind(reply) == REPLY_ERR_NONE;
	struct err *to = is_odd || reply_stops_writing(reply) ? &take->err : &take->refusal;

	take->denied = take->denied || reply_error_kind(reply) == REPLY_ERR_NOPERM;
	if (take_is_passing(take, reply))
		take_lose(take, reply, command, key);
	else if (!err_is_set(to))
		redis_fail(take->job->redis, reply, command, key, to);
	if (reply_error_kind(reply) == REPLY_ERR_OOM && !take->told_full) {
		take->told_full = true;
		err_set(to, to->kind,
			"%s; so full it begins no transaction: --no-backup drops without one",
			to->text);
	}
}

bool take_is_passing(const struct take *take, const struct reply *reply)
{
	enum reply_error kind = reply_error_kind(reply);

	return kind == REPLY_ERR_LOST || kind == REPLY_ERR_BUSY || kind == REPLY_ERR_LOADING ||
	       (kind == REPLY_ERR_READONLY && redis_target(take->job->redis)->sentinel);
}

void take_lose(struct take *take, const struct reply *reply, const char *command,
	       struct bytes key)
{
	take->lost = true;
	if (!err_is_set(&take->broke))
		redis_fail(take->job->redis, reply, command, key, &take->broke);
}

bool take_is_interrupted(const struct take_job *job)
{
	return job->cancel && *job->cancel;
}

void take_tell_spent(const struct take_job *job, struct bytes key, struct err *ret_err)
{
	const char *why = take_is_interrupted(job)
			      ? "was not dropped: interrupted"
			      : "is written again and again: it was not dropped";

	err_set(ret_err, ERR_ITEM, "'%.*s' %s", BYTES_ARG(bytes_sub(key, 0, 100)), why);
}

void take_keep_problem(struct take_counts *counts, const struct err *err)
{
	if (counts->problem.len == 0)
		buf_add_str(&counts->problem, err->text);
}

int take_save(struct take *take, struct backup_record *record)
{
	if (!take->job->backup || err_is_set(&take->err))
		return 0;
	if (backup_add(take->job->backup, record, &take->err) != 0)
		return -1;
	if (!take->has_records)
		take->first_record = record->number;
	take->last_record = record->number;
	take->has_records = true;
	return 0;
}

int take_give_back(struct take *take)
{
	if (!take->has_records)
		return 0;
	take->has_records = false;
	return backup_void(take->job->backup, take->first_record, take->last_record,
			   &take->err);
}

static void on_watched(void *ctx, const struct reply *reply)
{
	if (reply->type != REPLY_STATUS)
		take_refuse(ctx, reply, "WATCH", ((struct take *)ctx)->subject);
}

int take_read_time(const struct reply *reply, int64_t *ret_ms)
{
	int64_t seconds = 0, micros = 0;

	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    num_parse_i64(reply->items[0]->text, 0, INT64_MAX / 1000 - 1, &seconds) != 0 ||
	    num_parse_i64(reply->items[1]->text, 0, 999999, &micros) != 0)
		return -1;
	*ret_ms = seconds * 1000 + micros / 1000;
	return 0;
}

static void on_time(void *ctx, const struct reply *reply)
{
	struct take *take = ctx;

	take->heard_ms = clock_mono_ms();
	if (take_read_time(reply, &take->now_ms) != 0)
		take_refuse(take, reply, "TIME", (struct bytes){NULL, 0});
}

/* After a break: a command that may be repeated waits for a server that is busy, or comes back.
 */
static int wait_for_server(struct take *take)
{
	const struct reply *reply = NULL;

	return redis_call_words(take->job->redis, REDIS_IDEMPOTENT, &reply, &take->err, "PING",
				NULL);
}

int take_begin(struct take *take, const struct bytes *keys, size_t count)
{
	const struct bytes time[] = {BYTES("TIME")}, unwatch[] = {BYTES("UNWATCH")};

	if (err_is_set(&take->broke) && wait_for_server(take) != 0)
		return -1;
	struct bytes *argv = mem_zalloc(count + 1, sizeof *argv);
	take->lost = take->executed = take->exec_lost = take->queue_failed = false;
	take->refusal = take->broke = (struct err){0};
	take->subject = keys[0];
	argv[0] = BYTES("WATCH");
	for (size_t i = 0; i < count; i++)
		argv[i + 1] = keys[i];
	/* what an attempt before left watched would only make this one fail */
	int status = redis_connect(take->job->redis, &take->err);
	take->exact = status == 0 && redis_version(take->job->redis) >= TAKE_HAS_EXPIRETIME;
	if (status == 0)
		status = take_send(take, unwatch, 1, 0, NULL, NULL);
	if (status == 0)
		status = take_send(take, argv, count + 1, 0, on_watched, take);
	free(argv);
	return status == 0 ? take_send(take, time, 1, 0, on_time, take) : -1;
}

int take_sidecars(struct take *take, const struct bytes *keys, size_t count)
{
	struct buf names = {0};
	struct bytes *argv = mem_zalloc(count + 1, sizeof *argv);
	size_t *ends = mem_zalloc(count, sizeof *ends);

	argv[0] = BYTES("UNLINK");
	for (size_t i = 0; i < count; i++) {
		sidecar_name(&names, keys[i]);
		ends[i] = names.len;
	}
	for (size_t i = 0, at = 0; i < count; at = ends[i++])
		argv[i + 1] = bytes_sub(buf_bytes(&names), at, ends[i] - at);
	int status = take_send(take, argv, count + 1, 0, take_on_queued, take);
	free(ends);
	free(argv);
	buf_release(&names);
	return status;
}

void take_on_queued(void *ctx, const struct reply *reply)
{
	struct take *take = ctx;

	if (reply->type == REPLY_STATUS)
		return;
	take->queue_failed = true;
	if (reply->type !=
	    REPLY_ERROR) /* an answer, where only a place in line was asked for */
		take->exec_lost = true;
	take_refuse(take, reply, take->job->soft ? "PEXPIREAT" : "UNLINK", take->subject);
}

int take_ask_expiry(struct take *take, struct bytes key, redis_reply_fn *fn, void *ctx)
{
	const struct bytes argv[] = {take->exact ? BYTES("PEXPIRETIME") : BYTES("PTTL"), key};

	return take_send(take, argv, 2, 0, fn, ctx);
}

int64_t take_expiry(struct take *take, const struct reply *reply, struct bytes key)
{
	if (reply->type == REPLY_INTEGER && reply->integer >= TAKE_ABSENT)
		return take->exact || reply->integer < 0 ? reply->integer
							 : take->now_ms + reply->integer;
	take_refuse(take, reply, take->exact ? "PEXPIRETIME" : "PTTL", key);
	return TAKE_ABSENT;
}

struct commit {
	struct take *take;
	redis_reply_fn *on_exec;
	void *ctx;
};

static void on_exec(void *ctx, const struct reply *reply)
{
	struct commit *commit = ctx;
	struct take *take = commit->take;

	if (reply->type == REPLY_ARRAY) {
		take->executed = true;
		commit->on_exec(commit->ctx, reply);
	} else if (reply->type == REPLY_LOST) {
		take->exec_lost = true;
		take_lose(take, reply, "EXEC", take->subject);
	} else if (reply->type != REPLY_NIL && !take->queue_failed) {
		take->exec_lost = reply->type != REPLY_ERROR; /* who knows what was done */
		take_refuse(take, reply, "EXEC", take->subject);
	}
}

enum take_end take_commit(struct take *take, int (*queue)(struct take *take, void *ctx),
			  redis_reply_fn *fn, void *ctx)
{
	const struct bytes multi[] = {BYTES("MULTI")}, exec[] = {BYTES("EXEC")};
	struct commit commit = {take, fn, ctx};

	if (take->job->backup && backup_flush(take->job->backup, &take->err) != 0)
		return TAKE_STOP;
	if (take_send(take, multi, 1, 0, take_on_queued, take) != 0)
		return TAKE_STOP;
	if (!redis_is_connected(take->job->redis)) /* what watched is gone: nothing was sent */
		return TAKE_AGAIN;
	if (queue(take, ctx) != 0 || take_send(take, exec, 1, 0, on_exec, &commit) != 0)
		return TAKE_STOP;
	enum take_end end = take_settle(take);
	if (take->executed || take->exec_lost) /* done, or perhaps: the records may be needed */
		take->has_records = false;
	return end == TAKE_DONE && !take->executed ? TAKE_AGAIN : end;
}
