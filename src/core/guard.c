#include "core/guard.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/sidecar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum script { BEGIN, STORE, RENEW, ABSENT, SCRIPTS };

#define SHA_LEN 40
#define ARGS_MAX 8

/* A sidecar outlives its value a little: a fetch that began late must still find its token. */
#define SLACK_MS "60000"
#define STANDS "if redis.call('GET',KEYS[2])~='f:'..ARGV[1] then return 0 end "

static const char *const texts[SCRIPTS] = {
    /* token, hold, enough, heed a note of absence → pttl, announced, the note before */
    [BEGIN] = "local p,e=redis.call('PTTL',KEYS[1]),tonumber(ARGV[3]) "
	      "if e>=0 and (p==-1 or p>e) then return {p,0,false} end "
	      "if p==-2 and ARGV[4]=='1' and redis.call('GET',KEYS[2])=='n:' then return "
	      "{p,0,'n:'} end "
	      "return {p,1,redis.call('SET',KEYS[2],'f:'..ARGV[1],'PX',ARGV[2],'GET')}",
    /* token, value, ttl, same, note */
    [STORE] =
	STANDS "local k,t,r=KEYS[1],ARGV[3],1 "
	       "if ARGV[4]=='1' and redis.pcall('GET',k)==ARGV[2] then r=2 "
	       "if t=='0' then redis.call('PERSIST',k) else redis.call('PEXPIRE',k,t) end "
	       "elseif t=='0' then redis.call('SET',k,ARGV[2]) else "
	       "redis.call('SET',k,ARGV[2],'PX',t) end "
	       "if ARGV[5]=='' then redis.call('DEL',KEYS[2]) return r end "
	       "local n='v:'..redis.sha1hex(ARGV[2])..ARGV[5] "
	       "if t=='0' then redis.call('SET',KEYS[2],n) else "
	       "redis.call('SET',KEYS[2],n,'PX',t+" SLACK_MS ") end "
	       "return r",
    /* token, ttl, note */
    [RENEW] = STANDS
    "local v,t=redis.pcall('GET',KEYS[1]),ARGV[2] "
    "if type(v)~='string' or redis.sha1hex(v)~=string.sub(ARGV[3],3,42) then return 3 end "
    "if t=='0' then redis.call('PERSIST',KEYS[1]) redis.call('SET',KEYS[2],ARGV[3]) "
    "else redis.call('PEXPIRE',KEYS[1],t) redis.call('SET',KEYS[2],ARGV[3],'PX',t+" SLACK_MS
    ") end "
    "return 2",
    /* token, ttl (0: nothing is noted) */
    [ABSENT] = STANDS "if ARGV[2]=='0' then redis.call('DEL',KEYS[2]) "
		      "else redis.call('SET',KEYS[2],'n:','PX',ARGV[2]) end return 1",
};

struct guard {
	struct redis *redis;
	char sha[SCRIPTS][SHA_LEN + 1];
	struct buf sidecar; /* reused for each command */
};

static int load(struct guard *guard, bool *ret_denied, struct err *err)
{
	for (size_t i = 0; i < SCRIPTS; i++) {
		const struct bytes argv[] = {BYTES("SCRIPT"), BYTES("LOAD"),
					     bytes_of(texts[i])};
		const struct reply *reply = NULL;

		if (redis_call(guard->redis, argv, 3, REDIS_IDEMPOTENT, &reply, err) != 0)
			return -1;
		*ret_denied = reply_error_kind(reply) == REPLY_ERR_NOPERM;
		if (reply->type != REPLY_STRING || reply->text.len != SHA_LEN)
			return redis_fail(guard->redis, reply, "SCRIPT LOAD",
					  (struct bytes){NULL, 0}, err);
		memcpy(guard->sha[i], reply->text.ptr, SHA_LEN);
	}
	return 0;
}

int guard_new(struct redis *redis, struct guard **ret_guard, bool *ret_denied, struct err *err)
{
	struct guard *guard = mem_zalloc(1, sizeof *guard);

	guard->redis = redis;
	if (load(guard, ret_denied, err) != 0) {
		guard_free(guard);
		return -1;
	}
	*ret_guard = guard;
	return 0;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	buf_release(&guard->sidecar);
	free(guard);
}

int guard_reload(struct guard *guard, struct err *err)
{
	bool denied = false;

	return load(guard, &denied, err);
}

static int run(struct guard *guard, enum script script, struct bytes key,
	       const struct bytes *args, size_t count, redis_reply_fn *fn, void *ctx,
	       struct err *err)
{
	struct bytes argv[5 + ARGS_MAX] = {BYTES("EVALSHA"), bytes_of(guard->sha[script]),
					   BYTES("2"), key};
	struct redis_command command = {.argv = argv, .argc = 5 + count, .fn = fn, .ctx = ctx};

	buf_clear(&guard->sidecar);
	sidecar_name(&guard->sidecar, key);
	argv[4] = buf_bytes(&guard->sidecar);
	memcpy(argv + 5, args, count * sizeof *args);
	return redis_submit(guard->redis, &command, err);
}

static struct bytes decimal(char text[24], int64_t value)
{
	return (struct bytes){text, (size_t)snprintf(text, 24, "%" PRId64, value)};
}

void guard_make_token(char token[GUARD_TOKEN_LEN + 1])
{
	snprintf(token, GUARD_TOKEN_LEN + 1, "%08x%08x", arc4random(), arc4random());
}

void guard_state_release(struct guard_state *state)
{
	buf_release(&state->note);
}

int guard_begin(struct guard *guard, struct bytes key, const struct guard_intent *intent,
		redis_reply_fn *fn, void *ctx, struct err *err)
{
	char hold[24], enough[24];
	/* Lua counts in doubles: 2^53 ms is for ever */
	int64_t bounded =
	    intent->enough_ms > INT64_C(1) << 53 ? INT64_C(1) << 53 : intent->enough_ms;
	const struct bytes args[] = {
	    bytes_of(intent->token), decimal(hold, (int64_t)intent->hold_ms),
	    decimal(enough, bounded), intent->heed_absent ? BYTES("1") : BYTES("0")};

	return run(guard, BEGIN, key, args, 4, fn, ctx, err);
}

/* "v:SHA1\nETAG\nLAST-MODIFIED" */
static void read_note(struct guard_state *state)
{
	struct bytes note = buf_bytes(&state->note);
	struct bytes rest = bytes_sub(note, 2 + SHA_LEN + 1, note.len);
	size_t end = bytes_index(rest, '\n');

	state->absent = bytes_equal_str(note, "n:") && state->ttl_ms == -2;
	if (state->ttl_ms == -2 || !bytes_starts_with(note, BYTES("v:")))
		return;
	state->etag = bytes_sub(rest, 0, end);
	state->last_modified = bytes_sub(rest, end + 1, rest.len);
}

int guard_read_state(struct guard *guard, struct bytes key, const struct reply *reply,
		     struct guard_state *state, struct err *err)
{
	if (reply->type != REPLY_ARRAY || reply->count != 3)
		return redis_fail(guard->redis, reply, "EVALSHA", key, err);
	state->ttl_ms = reply->items[0]->integer;
	state->begun = reply->items[1]->integer == 1;
	state->etag = state->last_modified = (struct bytes){NULL, 0};
	buf_clear(&state->note);
	buf_add(&state->note, reply->items[2]->text);
	read_note(state);
	return 0;
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

/* A header's value cannot hold a line end; one that does is not kept. */
static void make_note(struct buf *note, const struct guard_value *value)
{
	if (value->value.len > GUARD_VALUE_MAX ||
	    (value->etag.len == 0 && value->last_modified.len == 0) ||
	    bytes_index(value->etag, '\n') < value->etag.len)
		return;
	buf_add_char(note, '\n');
	buf_add(note, value->etag);
	buf_add_char(note, '\n');
	buf_add(note, value->last_modified);
}

int guard_store(struct guard *guard, const struct guard_value *value, const char *token,
		redis_reply_fn *fn, void *ctx, struct err *err)
{
	char ttl[24];
	struct buf note = {0};

	make_note(&note, value);
	const struct bytes args[] = {bytes_of(token), value->value, decimal(ttl, value->ttl_ms),
				     value->keep_same ? BYTES("1") : BYTES("0"),
				     buf_bytes(&note)};
	int status = run(guard, STORE, value->key, args, 5, fn, ctx, err);
	buf_release(&note);
	return status;
}

int guard_renew(struct guard *guard, struct bytes key, const struct guard_state *state,
		int64_t ttl_ms, const char *token, redis_reply_fn *fn, void *ctx,
		struct err *err)
{
	char ttl[24];
	const struct bytes args[] = {bytes_of(token), decimal(ttl, ttl_ms),
				     buf_bytes(&state->note)};

	return run(guard, RENEW, key, args, 3, fn, ctx, err);
}

int guard_end(struct guard *guard, struct bytes key, uint64_t ttl_ms, const char *token,
	      redis_reply_fn *fn, void *ctx, struct err *err)
{
	char ttl[24];
	const struct bytes args[] = {bytes_of(token), decimal(ttl, (int64_t)ttl_ms)};

	return run(guard, ABSENT, key, args, 2, fn, ctx, err);
}
