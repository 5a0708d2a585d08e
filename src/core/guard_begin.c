#include "core/guard_private.h"

#include "base/err.h"
#include "base/num.h"
#include "base/sha1.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * The beginning of a fetch needs no script: SET … GET exchanges the token for
 * the note in one step, and what PTTL said before only decides whether the
 * source is asked at all. A script for the same costs the server four times as
 * much.
 */

void guard_make_token(char token[GUARD_TOKEN_LEN + 1])
{
	snprintf(token, GUARD_TOKEN_LEN + 1, "%08x%08x", arc4random(), arc4random());
}

void guard_state_release(struct guard_state *state)
{
	buf_release(&state->note);
}

static int announce(struct guard_state *state, struct err *err)
{
	const struct guard_look *look = &state->look;
	char room[GUARD_TOKEN_LEN + 3], hold[24];
	int len = snprintf(room, sizeof room, "f:%s", look->intent.token);
	int digits =
	    snprintf(hold, sizeof hold, "%llu", (unsigned long long)look->intent.hold_ms);
	const struct bytes argv[] = {
	    BYTES("SET"),           guard_sidecar(look->guard, look->key),
	    {room, (size_t)len},    BYTES("PX"),
	    {hold, (size_t)digits}, BYTES("GET")};
	struct redis_command command = {
	    .argv = argv, .argc = 6, .flags = REDIS_ALONE, .fn = look->fn, .ctx = look->ctx};

	return redis_submit(look->guard->redis, &command, err);
}

static void answer(const struct guard_state *state, const struct reply *reply)
{
	state->look.fn(state->look.ctx, reply);
}

/* What is there decides: called from the last look's callback. */
static void decide(struct guard_state *state)
{
	static const struct reply not_begun = {.type = REPLY_INTEGER};
	const struct guard_intent *intent = &state->look.intent;
	bool lives = intent->enough_ms >= 0 &&
		     (state->ttl_ms == -1 || state->ttl_ms > intent->enough_ms);
	struct err err = {0};

	if (lives || state->absent) {
		answer(state, &not_begun);
	} else if (announce(state, &err) != 0) { /* not taken: the session is being given up */
		struct reply lost = {.type = REPLY_LOST, .text = bytes_of(err.text)};

		answer(state, &lost);
	}
}

/* In front of the announcement: what it says matters only together with that. */
static void on_ttl(void *ctx, const struct reply *reply)
{
	struct guard_state *state = ctx;

	state->ttl_ms = reply->type == REPLY_INTEGER ? reply->integer : -2;
}

static void on_ttl_first(void *ctx, const struct reply *reply)
{
	struct guard_state *state = ctx;

	on_ttl(state, reply);
	if (reply->type != REPLY_INTEGER)
		answer(state, reply);
	else
		decide(state);
}

static void on_note(void *ctx, const struct reply *reply)
{
	struct guard_state *state = ctx;

	state->absent = state->ttl_ms == -2 && reply->type == REPLY_STRING &&
			bytes_equal_str(reply->text, "n:");
	if (reply->type == REPLY_STRING || reply->type == REPLY_NIL)
		decide(state);
	else
		answer(state, reply);
}

static int ask(struct guard_state *state, const char *name, struct bytes key,
	       redis_reply_fn *fn, struct err *err)
{
	const struct bytes argv[] = {bytes_of(name), key};
	struct redis_command command = {.argv = argv,
					.argc = 2,
					.flags = REDIS_IDEMPOTENT | REDIS_ALONE,
					.fn = fn,
					.ctx = state};

	return redis_submit(state->look.guard->redis, &command, err);
}

int guard_begin(struct guard *guard, struct bytes key, const struct guard_intent *intent,
		struct guard_state *state, redis_reply_fn *fn, void *ctx, struct err *err)
{
	state->look = (struct guard_look){
	    .guard = guard, .key = key, .intent = *intent, .fn = fn, .ctx = ctx};
	state->begun = state->absent = false;
	state->ttl_ms = -2;
	if (intent->enough_ms >= 0 && !intent->heed_absent)
		return ask(state, "PTTL", key, on_ttl_first, err);
	ask(state, "PTTL", key, on_ttl, err); /* the next one fails as this does */
	return intent->heed_absent ? ask(state, "GET", guard_sidecar(guard, key), on_note, err)
				   : announce(state, err);
}

/* "v:SHA1\nETAG\nLAST-MODIFIED", "h:…\nHISTORY": of a value that is gone the headers mean
 * nothing. */
static void read_note(struct guard_state *state)
{
	struct bytes note = buf_bytes(&state->note);
	bool history = bytes_starts_with(note, BYTES("h:"));
	struct bytes rest = bytes_sub(note, 2 + SHA1_HEX_LEN + 1, note.len);
	struct bytes etag = bytes_sub(rest, 0, bytes_index(rest, '\n'));

	if (!history && !bytes_starts_with(note, BYTES("v:")))
		return;
	rest = bytes_sub(rest, etag.len + 1, rest.len);
	struct bytes modified = bytes_sub(rest, 0, bytes_index(rest, '\n'));
	state->digest = bytes_sub(note, 2, SHA1_HEX_LEN);
	state->history = bytes_sub(rest, modified.len + 1, rest.len);
	if (state->ttl_ms == -2)
		return;
	state->etag = etag;
	state->last_modified = modified;
}

int guard_read_state(struct guard *guard, struct bytes key, const struct reply *reply,
		     struct guard_state *state, struct err *err)
{
	state->begun = reply->type == REPLY_STRING || reply->type == REPLY_NIL;
	if (!state->begun && reply->type != REPLY_INTEGER)
		return redis_fail(guard->redis, reply, "SET", key, err);
	state->etag = state->last_modified = state->digest = state->history =
	    (struct bytes){NULL, 0};
	buf_clear(&state->note);
	if (reply->type == REPLY_STRING)
		buf_add(&state->note, reply->text);
	read_note(state);
	return 0;
}
