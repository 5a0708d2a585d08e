#include "core/guard_private.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/sha1.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 20 /* of one write whose keys keep changing */
#define COMMAND_WORDS 5

struct guard_op {
	struct guard *guard;
	struct redis *redis; /* of the server that holds the key; NULL: none does */
	struct guard_op *next;
	enum guard_script what;
	struct buf key, side, value, note;
	char token[GUARD_TOKEN_LEN + 3]; /* as the sidecar holds it: "f:…" */
	int64_t ttl_ms;
	int64_t slack_ms;
	bool keep_same;
	redis_reply_fn *fn;
	void *ctx;

	unsigned tries;
	unsigned waiting; /* replies to come */
	bool submitting;
	bool held; /* the sidecar still holds our token */
	bool same; /* the key still holds the value that is meant */
	bool lost;
	struct buf error; /* the first error reply */
	void (*then)(struct guard_op *op);
	int64_t outcome; /* when the transaction is carried out */
	bool changed;    /* it was not: a key was written meanwhile */
};

static void start_next(struct guard *guard);

static void op_free(struct guard_op *op)
{
	buf_release(&op->key);
	buf_release(&op->side);
	buf_release(&op->value);
	buf_release(&op->note);
	buf_release(&op->error);
	free(op);
}

static void finish(struct guard_op *op, const struct reply *reply)
{
	struct guard *guard = op->guard;

	guard->first = op->next;
	if (!guard->first)
		guard->last = NULL;
	guard->busy = false;
	if (op->fn)
		op->fn(op->ctx, reply);
	op_free(op);
	start_next(guard);
}

static void finish_with(struct guard_op *op, int64_t outcome)
{
	struct reply reply = {.type = REPLY_INTEGER, .integer = outcome};

	finish(op, &reply);
}

static bool finish_failed(struct guard_op *op)
{
	struct reply reply = {.type = op->lost ? REPLY_LOST : REPLY_ERROR,
			      .text = buf_bytes(&op->error)};

	if (!op->lost && op->error.len == 0)
		return false;
	finish(op, &reply);
	return true;
}

/* --- a round of commands: `then` runs when every one of them is answered --- */

static void heard(struct guard_op *op, const struct reply *reply)
{
	bool lost = reply->type == REPLY_LOST;

	if ((lost || reply->type == REPLY_ERROR) && !op->lost && op->error.len == 0) {
		op->lost = lost;
		buf_add(&op->error, reply->text);
	}
	if (--op->waiting == 0 && !op->submitting)
		op->then(op);
}

static void on_done(void *ctx, const struct reply *reply)
{
	heard(ctx, reply);
}

static void round_begin(struct guard_op *op, unsigned commands,
			void (*then)(struct guard_op *op))
{
	op->waiting = commands;
	op->then = then;
	op->submitting = true;
}

static void round_end(struct guard_op *op)
{
	op->submitting = false;
	if (op->waiting == 0)
		op->then(op);
}

static void send(struct guard_op *op, const struct bytes *argv, size_t argc, redis_reply_fn *fn)
{
	struct redis_command command = {
	    .argv = argv, .argc = argc, .flags = REDIS_BOUND, .fn = fn, .ctx = op};
	unsigned before = op->waiting;
	struct err err = {0};

	if ((op->redis && redis_submit(op->redis, &command, &err) == 0) ||
	    op->waiting != before)
		return;
	/* not taken: the session is being given up */
	struct reply reply = {.type = REPLY_LOST, .text = bytes_of(err.text)};
	heard(op, &reply);
}

static void send_word(struct guard_op *op, const char *word, redis_reply_fn *fn)
{
	const struct bytes argv[] = {bytes_of(word)};

	send(op, argv, 1, fn);
}

/* --- the transaction --- */

static void look(struct guard_op *op);

static void conclude(struct guard_op *op)
{
	if (finish_failed(op))
		return;
	if (!op->changed)
		finish_with(op, op->outcome);
	else
		look(op); /* what stands there now decides */
}

static void on_exec(void *ctx, const struct reply *reply)
{
	struct guard_op *op = ctx;
	const struct reply *told = reply;

	op->changed = reply->type == REPLY_NIL;
	if (reply->type == REPLY_ARRAY)
		for (size_t i = 0; i < reply->count; i++)
			if (reply->items[i]->type == REPLY_ERROR)
				told = reply->items[i];
	heard(op, told);
}

/* SET name text, for ttl_ms (0: for ever). */
static void send_set(struct guard_op *op, const struct buf *name, struct bytes text,
		     int64_t ttl_ms)
{
	char ttl[24];
	int len = snprintf(ttl, sizeof ttl, "%" PRId64, ttl_ms);
	const struct bytes argv[COMMAND_WORDS] = {
	    BYTES("SET"), buf_bytes(name), text, BYTES("PX"), {ttl, (size_t)len}};

	send(op, argv, ttl_ms ? 5 : 3, on_done);
}

static void send_renew(struct guard_op *op)
{
	char ttl[24];
	int len = snprintf(ttl, sizeof ttl, "%" PRId64, op->ttl_ms);
	const struct bytes argv[] = {op->ttl_ms ? BYTES("PEXPIRE") : BYTES("PERSIST"),
				     buf_bytes(&op->key),
				     {ttl, (size_t)len}};

	send(op, argv, op->ttl_ms ? 3 : 2, on_done);
}

/* What the sidecar holds afterwards. */
static void send_note(struct guard_op *op)
{
	const struct bytes del[] = {BYTES("DEL"), buf_bytes(&op->side)};

	if (op->what == GUARD_END && op->ttl_ms)
		send_set(op, &op->side, buf_bytes(&op->note), op->ttl_ms);
	else if (op->what != GUARD_END && op->note.len)
		send_set(op, &op->side, buf_bytes(&op->note),
			 op->ttl_ms ? op->ttl_ms + op->slack_ms : 0);
	else
		send(op, del, 2, on_done);
}

static void carry_out(struct guard_op *op)
{
	bool renews =
	    op->what == GUARD_RENEW || (op->what == GUARD_STORE && op->keep_same && op->same);

	op->outcome = renews ? GUARD_RENEWED : GUARD_STORED;
	round_begin(op, op->what == GUARD_END ? 3 : 4, conclude);
	send_word(op, "MULTI", on_done);
	if (renews)
		send_renew(op);
	else if (op->what == GUARD_STORE)
		send_set(op, &op->key, buf_bytes(&op->value), op->ttl_ms);
	send_note(op);
	send_word(op, "EXEC", on_exec);
	round_end(op);
}

/* --- what stands there, watched --- */

static void unwatched(struct guard_op *op)
{
	if (!finish_failed(op))
		finish_with(op, op->outcome);
}

static void leave(struct guard_op *op, enum guard_outcome outcome)
{
	op->outcome = outcome;
	round_begin(op, 1, unwatched);
	send_word(op, "UNWATCH", on_done);
	round_end(op);
}

static void decide(struct guard_op *op)
{
	if (finish_failed(op))
		return;
	if (!op->held || op->tries > TRIES_MAX)
		leave(op, GUARD_OVERTAKEN);
	else if (op->what == GUARD_RENEW && !op->same)
		leave(op, GUARD_CHANGED);
	else
		carry_out(op);
}

static void on_token(void *ctx, const struct reply *reply)
{
	struct guard_op *op = ctx;

	op->held = reply->type == REPLY_STRING && bytes_equal_str(reply->text, op->token);
	heard(op, reply);
}

static void on_value(void *ctx, const struct reply *reply)
{
	static const struct reply other = {.type = REPLY_NIL};
	struct guard_op *op = ctx;
	bool is_text = reply->type == REPLY_STRING;
	char digest[SHA1_HEX_LEN + 1];

	if (is_text && op->what == GUARD_STORE) {
		op->same = bytes_equal(reply->text, buf_bytes(&op->value));
	} else if (is_text) {
		sha1_hex(reply->text, digest);
		op->same =
		    bytes_equal_str(bytes_sub(buf_bytes(&op->note), 2, SHA1_HEX_LEN), digest);
	}
	/* a value of another type is written over */
	heard(op, reply_error_kind(reply) == REPLY_ERR_WRONGTYPE ? &other : reply);
}

static void look(struct guard_op *op)
{
	const struct bytes watch[] = {BYTES("WATCH"), buf_bytes(&op->key),
				      buf_bytes(&op->side)};
	const struct bytes token[] = {BYTES("GET"), buf_bytes(&op->side)};
	const struct bytes value[] = {BYTES("GET"), buf_bytes(&op->key)};
	bool compares = op->what == GUARD_RENEW || (op->what == GUARD_STORE && op->keep_same);

	op->tries++;
	op->redis = redis_holder(op->guard->redis, buf_bytes(&op->key), NULL);
	op->held = op->same = op->changed = false;
	round_begin(op, compares ? 3 : 2, decide);
	send(op, watch, 3, on_done);
	send(op, token, 2, on_token);
	if (compares)
		send(op, value, 2, on_value);
	round_end(op);
}

static void start_next(struct guard *guard)
{
	if (guard->busy || !guard->first)
		return;
	guard->busy = true;
	look(guard->first);
}

/* As the script does: the digest where the note begins with a line end. */
static void make_note(struct guard_op *op, const struct guard_write *write)
{
	char digest[SHA1_HEX_LEN + 1];

	if (op->what == GUARD_STORE && bytes_starts_with(write->note, BYTES("\n"))) {
		sha1_hex(write->value, digest);
		buf_printf(&op->note, "v:%s", digest);
	}
	buf_add(&op->note, write->note);
}

int guard_watch(struct guard *guard, enum guard_script what, const struct guard_write *write,
		redis_reply_fn *fn, void *ctx, struct err *err)
{
	struct guard_op *op = mem_zalloc(1, sizeof *op);

	(void)err; /* what goes wrong, fn hears */
	op->guard = guard;
	op->what = what;
	op->ttl_ms = write->ttl_ms;
	op->slack_ms = write->slack_ms;
	op->keep_same = write->keep_same;
	op->fn = fn;
	op->ctx = ctx;
	snprintf(op->token, sizeof op->token, "f:%s", write->token);
	buf_add(&op->key, write->key);
	buf_add(&op->side, guard_sidecar(guard, write->key));
	buf_add(&op->value, write->value);
	make_note(op, write);
	if (guard->last)
		guard->last->next = op;
	else
		guard->first = op;
	guard->last = op;
	start_next(guard);
	return 0;
}

int guard_watch_probe(struct guard *guard)
{
	static const char *const commands[] = {"MULTI", "DISCARD", "UNWATCH"};
	const struct reply *reply = NULL;
	struct redis *redis = redis_holder(guard->redis, BYTES(""), NULL);

	for (size_t i = 0; redis && i < sizeof commands / sizeof commands[0]; i++)
		if (redis_call_words(redis, 0, &reply, NULL, commands[i], NULL) != 0 ||
		    reply->type != REPLY_STATUS)
			return -1;
	return redis ? 0 : -1;
}

void guard_watch_release(struct guard *guard)
{
	while (guard->first) {
		struct guard_op *op = guard->first;

		guard->first = op->next;
		op_free(op);
	}
}
