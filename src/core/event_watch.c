#include "core/event_run_private.h"

/*
 * Where scripts are forbidden: WATCH, look again, MULTI … EXEC. All of it
 * belongs to one connection; when that breaks in between, nothing was written.
 */
struct transaction {
	struct redis *redis;
	struct event_step *step;
	const struct reply *reply;
};

static int ask(struct transaction *transaction, const struct bytes *argv, size_t argc,
	       struct err *err)
{
	return redis_call(transaction->redis, argv, argc, REDIS_BOUND, &transaction->reply,
			  err);
}

/* What the answer is when the server refuses: the step fails, the connection is clean again. */
static int refuse(struct transaction *transaction, const struct reply *reply,
		  const char *command, struct err *err)
{
	const struct bytes discard[] = {BYTES("UNWATCH")};

	event_step_fail(transaction->step, reply, command);
	return ask(transaction, discard, 1, err);
}

static int write_and_exec(struct transaction *transaction, struct event_runner *runner,
			  struct bytes after, struct bytes ttl, struct err *err)
{
	const struct event_step *step = transaction->step;
	bool keep = bytes_equal_str(ttl, "k");
	bool ever = bytes_equal_str(ttl, "0");
	const struct bytes multi[] = {BYTES("MULTI")};
	const struct bytes set[] = {BYTES("SET"), step->key, after,
				    keep ? BYTES("KEEPTTL") : BYTES("PX"), ttl};
	const struct bytes drop[] = {BYTES("UNLINK"), event_sidecar(runner, step->key)};
	const struct bytes exec[] = {BYTES("EXEC")};

	return ask(transaction, multi, 1, err) || ask(transaction, drop, 2, err) ||
		       ask(transaction, set,
			   keep   ? 4
			   : ever ? 3
				  : 5,
			   err) ||
		       ask(transaction, exec, 1, err)
		   ? -1
		   : 0;
}

int event_watch_replace(struct event_runner *runner, struct event_step *step,
			struct bytes before, struct bytes after, struct bytes ttl,
			int64_t *ret_replaced, struct err *err)
{
	struct transaction transaction = {redis_holder(runner->redis, step->key, err), step,
					  NULL};
	const struct bytes watch[] = {BYTES("WATCH"), step->key};
	const struct bytes get[] = {BYTES("GET"), step->key};
	const struct bytes unwatch[] = {BYTES("UNWATCH")};

	*ret_replaced = 0;
	if (!transaction.redis || ask(&transaction, watch, 2, err) != 0)
		return -1;
	if (transaction.reply->type == REPLY_ERROR)
		return refuse(&transaction, transaction.reply, "WATCH", err);
	if (ask(&transaction, get, 2, err) != 0)
		return -1;
	if (transaction.reply->type != REPLY_STRING ||
	    !bytes_equal(transaction.reply->text, before)) {
		*ret_replaced = transaction.reply->type == REPLY_NIL ? 2 : 0;
		return ask(&transaction, unwatch, 1, err);
	}
	if (write_and_exec(&transaction, runner, after, ttl, err) != 0)
		return -1;
	if (transaction.reply->type == REPLY_ERROR)
		return refuse(&transaction, transaction.reply, "EXEC", err);
	*ret_replaced = transaction.reply->type == REPLY_ARRAY;
	return 0;
}
