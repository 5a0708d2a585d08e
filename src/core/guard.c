#include "core/guard_private.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/sidecar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_MAX 8

#define STANDS "if redis.call('GET',KEYS[2])~='f:'..ARGV[1] then return 0 end "

static const char *const texts[GUARD_SCRIPTS] = {
    /* token, value, ttl, same, note or "\nETAG\nLAST-MODIFIED", how long it outlives the
     * value; redis.sha1hex is faster than ours */
    [GUARD_STORE] =
	STANDS "local k,t,r=KEYS[1],ARGV[3],1 "
	       "if ARGV[4]=='1' and redis.pcall('GET',k)==ARGV[2] then r=2 "
	       "if t=='0' then redis.call('PERSIST',k) else redis.call('PEXPIRE',k,t) end "
	       "elseif t=='0' then redis.call('SET',k,ARGV[2]) else "
	       "redis.call('SET',k,ARGV[2],'PX',t) end "
	       "if ARGV[5]=='' then redis.call('DEL',KEYS[2]) return r end "
	       "local n=ARGV[5] "
	       "if string.byte(n)==10 then n='v:'..redis.sha1hex(ARGV[2])..n end "
	       "if t=='0' then redis.call('SET',KEYS[2],n) else "
	       "redis.call('SET',KEYS[2],n,'PX',t+ARGV[6]) end "
	       "return r",
    /* token, ttl, note, how long it outlives the value */
    [GUARD_RENEW] = STANDS
    "local v,t=redis.pcall('GET',KEYS[1]),ARGV[2] "
    "if type(v)~='string' or redis.sha1hex(v)~=string.sub(ARGV[3],3,42) then return 3 end "
    "if t=='0' then redis.call('PERSIST',KEYS[1]) redis.call('SET',KEYS[2],ARGV[3]) "
    "else redis.call('PEXPIRE',KEYS[1],t) redis.call('SET',KEYS[2],ARGV[3],'PX',t+ARGV[4]) end "
    "return 2",
    /* token, ttl (0: nothing is noted), note */
    [GUARD_END] = STANDS "if ARGV[2]=='0' then redis.call('DEL',KEYS[2]) "
			 "else redis.call('SET',KEYS[2],ARGV[3],'PX',ARGV[2]) end return 1",
};

static bool is_denied(const struct reply *reply)
{
	enum reply_error kind = reply_error_kind(reply);

	return kind == REPLY_ERR_NOPERM || kind == REPLY_ERR_UNKNOWN_COMMAND;
}

static int load(struct guard *guard, bool *ret_denied, struct err *err)
{
	for (size_t i = 0; i < GUARD_SCRIPTS; i++) {
		const struct bytes argv[] = {BYTES("SCRIPT"), BYTES("LOAD"),
					     bytes_of(texts[i])};
		const struct reply *reply = NULL;

		if (redis_call(guard->redis, argv, 3, REDIS_IDEMPOTENT, &reply, err) != 0)
			return -1;
		*ret_denied = is_denied(reply);
		if (reply->type != REPLY_STRING || reply->text.len != GUARD_SHA_LEN)
			return redis_fail(guard->redis, reply, "SCRIPT LOAD",
					  (struct bytes){NULL, 0}, err);
		memcpy(guard->sha[i], reply->text.ptr, GUARD_SHA_LEN);
	}
	return 0;
}

int guard_new(struct redis *redis, struct guard **ret_guard, bool *ret_denied, struct err *err)
{
	struct guard *guard = mem_zalloc(1, sizeof *guard);

	guard->redis = redis;
	if (load(guard, ret_denied, err) != 0) {
		if (!*ret_denied || guard_watch_probe(guard) != 0) {
			guard_free(guard);
			return -1;
		}
		*ret_denied = false;
		*err = (struct err){0};
		guard->watches = true;
	}
	*ret_guard = guard;
	return 0;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	guard_watch_release(guard);
	buf_release(&guard->sidecar);
	free(guard);
}

int guard_reload(struct guard *guard, struct err *err)
{
	bool denied = false;

	return guard->watches ? 0 : load(guard, &denied, err);
}

struct bytes guard_sidecar(struct guard *guard, struct bytes key)
{
	buf_clear(&guard->sidecar);
	sidecar_name(&guard->sidecar, key);
	return buf_bytes(&guard->sidecar);
}

static int run(struct guard *guard, enum guard_script script, struct bytes key,
	       const struct bytes *args, size_t count, redis_reply_fn *fn, void *ctx,
	       struct err *err)
{
	struct bytes argv[5 + ARGS_MAX] = {BYTES("EVALSHA"), bytes_of(guard->sha[script]),
					   BYTES("2"), key, guard_sidecar(guard, key)};
	struct redis_command command = {
	    .argv = argv, .argc = 5 + count, .flags = REDIS_ALONE, .fn = fn, .ctx = ctx};

	memcpy(argv + 5, args, count * sizeof *args);
	return redis_submit(guard->redis, &command, err);
}

static struct bytes decimal(char text[24], int64_t value)
{
	return (struct bytes){text, (size_t)snprintf(text, 24, "%" PRId64, value)};
}

int guard_read_outcome(struct guard *guard, struct bytes key, const struct reply *reply,
		       enum guard_outcome *ret_outcome, struct err *err)
{
	if (reply->type != REPLY_INTEGER || reply->integer < GUARD_OVERTAKEN ||
	    reply->integer > GUARD_CHANGED)
		return redis_fail(guard->redis, reply, "EVALSHA", key, err);
	*ret_outcome = (enum guard_outcome)reply->integer;
	return 0;
}

/* The usual slack: a fetch that began late must still find its token. */
#define SLACK_MS 60000

static int64_t slack_of(const struct guard_past *past)
{
	return past->memory_ms > SLACK_MS ? (int64_t)past->memory_ms : SLACK_MS;
}

/* "h:SHA1\nETAG\nLAST-MODIFIED\nHISTORY", or what the server puts "v:SHA1" before. */
static void write_note(struct buf *note, const struct guard_past *past, struct bytes etag,
		       struct bytes last_modified)
{
	if (past->history.len)
		buf_printf(note, "h:%s", past->digest);
	buf_add_char(note, '\n');
	buf_add(note, etag);
	buf_add_char(note, '\n');
	buf_add(note, last_modified);
	if (past->history.len)
		buf_add_char(note, '\n');
	buf_add(note, past->history);
}

static bool is_line(struct bytes text)
{
	return bytes_index(text, '\n') == text.len;
}

/* A header's value cannot hold a line end; one that does is not kept. */
static void make_note(struct buf *note, const struct guard_value *value)
{
	bool headers = value->value.len <= GUARD_VALUE_MAX &&
		       (value->etag.len || value->last_modified.len) && is_line(value->etag) &&
		       is_line(value->last_modified);
	const struct bytes none = {NULL, 0};

	if (headers || value->past.history.len)
		write_note(note, &value->past, headers ? value->etag : none,
			   headers ? value->last_modified : none);
}

int guard_store(struct guard *guard, const struct guard_value *value, const char *token,
		redis_reply_fn *fn, void *ctx, struct err *err)
{
	char ttl[24], slack[24];
	struct buf note = {0};
	struct guard_write write = {.key = value->key,
				    .token = token,
				    .value = value->value,
				    .ttl_ms = value->ttl_ms,
				    .slack_ms = slack_of(&value->past),
				    .keep_same = value->keep_same};
	int status;

	make_note(&note, value);
	write.note = buf_bytes(&note);
	if (guard->watches) {
		status = guard_watch(guard, GUARD_STORE, &write, fn, ctx, err);
	} else {
		const struct bytes args[] = {bytes_of(token),
					     value->value,
					     decimal(ttl, value->ttl_ms),
					     value->keep_same ? BYTES("1") : BYTES("0"),
					     write.note,
					     decimal(slack, write.slack_ms)};

		status = run(guard, GUARD_STORE, value->key, args, 6, fn, ctx, err);
	}
	buf_release(&note);
	return status;
}

int guard_renew(struct guard *guard, struct bytes key, const struct guard_state *state,
		int64_t ttl_ms, const struct guard_past *past, const char *token,
		redis_reply_fn *fn, void *ctx, struct err *err)
{
	char ttl[24], slack[24];
	struct buf note = {0};

	if (past->history.len)
		write_note(&note, past, state->etag, state->last_modified);
	const struct guard_write write = {.key = key,
					  .token = token,
					  .ttl_ms = ttl_ms,
					  .slack_ms = slack_of(past),
					  .note = buf_bytes(note.len ? &note : &state->note)};
	const struct bytes args[] = {bytes_of(token), decimal(ttl, ttl_ms), write.note,
				     decimal(slack, write.slack_ms)};
	int status = guard->watches ? guard_watch(guard, GUARD_RENEW, &write, fn, ctx, err)
				    : run(guard, GUARD_RENEW, key, args, 4, fn, ctx, err);

	buf_release(&note);
	return status;
}

static int end_with(struct guard *guard, const struct guard_write *write, redis_reply_fn *fn,
		    void *ctx, struct err *err)
{
	char ttl[24];
	const struct bytes args[] = {bytes_of(write->token), decimal(ttl, write->ttl_ms),
				     write->note};

	return guard->watches ? guard_watch(guard, GUARD_END, write, fn, ctx, err)
			      : run(guard, GUARD_END, write->key, args, 3, fn, ctx, err);
}

int guard_give_up(struct guard *guard, struct bytes key, const struct guard_state *state,
		  uint64_t memory_ms, const char *token, redis_reply_fn *fn, void *ctx,
		  struct err *err)
{
	const struct guard_past past = {.memory_ms = memory_ms};
	struct guard_write write = {.key = key, .token = token, .note = BYTES("")};

	if (state->digest.len &&
	    (state->history.len ||
	     state->ttl_ms != -2)) { /* of a value that lives for ever: as long as usual */
		write.note = buf_bytes(&state->note);
		write.ttl_ms = slack_of(&past) + (state->ttl_ms > 0 ? state->ttl_ms : 0);
	}
	return end_with(guard, &write, fn, ctx, err);
}

int guard_end(struct guard *guard, struct bytes key, uint64_t ttl_ms, const char *token,
	      redis_reply_fn *fn, void *ctx, struct err *err)
{
	const struct guard_write write = {
	    .key = key, .token = token, .ttl_ms = (int64_t)ttl_ms, .note = BYTES("n:")};

	return end_with(guard, &write, fn, ctx, err);
}
