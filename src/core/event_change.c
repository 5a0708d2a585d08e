#include "core/event_change.h"

#include "core/namespace.h"

int event_change_send(struct event_change *change, const struct bytes *argv, size_t argc,
		      redis_reply_fn *fn)
{
	return take_send(&change->take, argv, argc, 0, fn, change);
}

int event_change_ask(struct event_change *change, const char *command, redis_reply_fn *fn)
{
	const struct bytes argv[] = {bytes_of(command), change->step->key};

	return event_change_send(change, argv, 2, fn);
}

int64_t event_change_expiry(const struct event_change *change)
{
	return change->was_ms < 0 ? BACKUP_FOREVER : change->was_ms;
}

/* --- looking --- */

static void on_ttl(void *ctx, const struct reply *reply)
{
	struct event_change *change = ctx;

	change->was_ms = take_expiry(&change->take, reply, change->step->key);
}

static void on_value(void *ctx, const struct reply *reply)
{
	struct event_change *change = ctx;

	buf_clear(&change->before);
	change->foreign = (struct err){0};
	if (reply->type == REPLY_STRING)
		buf_add(&change->before, reply->text);
	else if (reply_error_kind(reply) == REPLY_ERR_WRONGTYPE)
		redis_fail(change->job.redis, reply, "GET", change->step->key,
			   &change->foreign);
	else if (reply->type != REPLY_NIL)
		take_refuse(&change->take, reply, "GET", change->step->key);
}

static int ask_value(struct event_change *change)
{
	return event_change_ask(change, "GET", on_value);
}

/* --- the expiry --- */

int event_change_queue_expiry(struct event_change *change)
{
	char at[24];
	const struct bytes argv[] = {BYTES("PEXPIREAT"), change->step->key,
				     event_decimal(at, change->expires_ms)};

	if (change->expires_ms <= 0)
		return 0;
	return take_send(&change->take, argv, 3, 0, take_on_queued, &change->take);
}

void event_change_save_expiry(struct event_change *change)
{
	struct backup_record record = {.kind = BACKUP_TTL,
				       .key = change->step->key,
				       .expires_ms = event_change_expiry(change),
				       .set_ms = change->expires_ms};

	if (change->was_ms != TAKE_ABSENT && change->expires_ms > 0)
		take_save(&change->take, &record);
}

static bool decide_expire(struct event_change *change)
{
	struct event_step *step = change->step;
	int64_t in_ms = (int64_t)step->rule->in_ms;

	change->outcome = EVENT_ABSENT;
	if (change->was_ms == TAKE_ABSENT)
		return false;
	change->outcome = EVENT_FOREIGN;
	if (step->expect.len && (err_is_set(&change->foreign) ||
				 !bytes_equal(buf_bytes(&change->before), step->expect)))
		return false;
	change->quiet = change->was_ms >= 0 && change->was_ms <= change->take.now_ms + in_ms;
	change->outcome = change->quiet ? EVENT_SAME : EVENT_EXPIRING;
	change->expires_ms = change->quiet ? 0 : change->take.now_ms + in_ms;
	if (!change->quiet)
		event_change_save_expiry(change);
	return true;
}

static int ask_expire(struct event_change *change)
{
	return change->step->expect.len ? ask_value(change) : 0;
}

static int queue_expire(struct take *take, void *ctx)
{
	struct event_change *change = ctx;

	return take_sidecars(take, &change->step->key, 1) == 0
		   ? event_change_queue_expiry(change)
		   : -1;
}

static const struct event_change_kind change_expire = {ask_expire, decide_expire, queue_expire};

/* --- strings --- */

static void save_value(struct event_change *change)
{
	const struct bytes items[] = {buf_bytes(&change->before), change->after};
	bool absent = change->was_ms == TAKE_ABSENT;
	struct backup_record record = {.kind = absent ? BACKUP_CREATED : BACKUP_VALUE,
				       .key = change->step->key,
				       .expires_ms = event_change_expiry(change),
				       .items = absent ? items + 1 : items,
				       .item_count = absent ? 1 : 2};

	take_save(&change->take, &record);
}

/* change->expires_ms from a TTL; keep: only of a key that is not there yet. */
static void set_life(struct event_change *change, int64_t ttl_ms, bool keep)
{
	if (keep && change->was_ms != TAKE_ABSENT)
		change->expires_ms = 0;
	else
		change->expires_ms = ttl_ms ? change->take.now_ms + ttl_ms : BACKUP_FOREVER;
}

static bool decide_store(struct event_change *change)
{
	struct event_step *step = change->step;
	int64_t ttl = event_step_ttl(step);

	change->outcome = ttl < 0 ? EVENT_SAME : EVENT_STORED;
	change->in_the_way = ttl >= 0 && err_is_set(&change->foreign);
	if (ttl < 0 || change->in_the_way) /* the day that it belongs to is over */
		return false;
	change->after = codec_encode(&step->ns->compress, step->text, &change->runner->scratch);
	set_life(change, ttl, step->rule->ttl == EVENT_TTL_KEEP);
	save_value(change);
	return true;
}

static int queue_string(struct take *take, void *ctx)
{
	struct event_change *change = ctx;
	char at[24];
	const struct bytes argv[] = {BYTES("SET"), change->step->key, change->after,
				     change->expires_ms ? BYTES("PXAT") : BYTES("KEEPTTL"),
				     event_decimal(at, change->expires_ms)};
	size_t argc = change->expires_ms == 0 ? 4 : change->expires_ms < 0 ? 3 : 5;

	return take_sidecars(take, &change->step->key, 1) == 0
		   ? take_send(take, argv, argc, 0, take_on_queued, take)
		   : -1;
}

static bool decide_edit(struct event_change *change)
{
	struct event_step *step = change->step;
	bool keep = event_edit_keeps_life(step);
	int64_t ttl = keep ? 0 : event_step_ttl(step);

	change->take.refusal = change->foreign;
	if (err_is_set(&change->foreign))
		return false;
	change->outcome = EVENT_ABSENT;
	if (change->was_ms == TAKE_ABSENT || ttl < 0)
		return false;
	switch (event_edit_step(change->runner, step, buf_bytes(&change->before),
				&change->after, &change->take.refusal)) {
	case EVENT_PENDING:
		break;
	case EVENT_FAILED:
		return false;
	default:
		change->outcome = step->action == EVENT_REMOVE ? EVENT_ABSENT : EVENT_SAME;
		return false;
	}
	change->outcome = step->action == EVENT_REMOVE ? EVENT_REMOVED : EVENT_PATCHED;
	set_life(change, ttl, keep);
	save_value(change);
	return true;
}

static const struct event_change_kind change_store = {ask_value, decide_store, queue_string};
static const struct event_change_kind change_edit = {ask_value, decide_edit, queue_string};

/* --- transactions --- */

static const struct event_change_kind *kind_of(const struct event_step *step)
{
	switch (step->action) {
	case EVENT_EXPIRE:
		return &change_expire;
	case EVENT_SET:
	case EVENT_INDEX:
		return &change_store;
	case EVENT_COUNT:
		return &event_change_count;
	default:
		return step->ns->members_of ? &event_change_member : &change_edit;
	}
}

static void on_changed(void *ctx, const struct reply *reply)
{
	struct event_change *change = ctx;

	for (size_t i = 0; i < reply->count; i++)
		if (reply->items[i]->type == REPLY_ERROR)
			take_refuse(&change->take, reply->items[i], "EXEC", change->step->key);
}

static enum take_end attempt(struct event_change *change, const struct event_change_kind *kind)
{
	struct take *take = &change->take;
	struct event_runner *runner = change->runner;
	const struct bytes unwatch[] = {BYTES("UNWATCH")};
	const struct bytes keys[] = {change->step->key,
				     event_once_name(runner, change->step->key)};

	if (take_begin(take, keys, kind == &event_change_count ? 2 : 1) != 0 ||
	    take_ask_expiry(take, change->step->key, on_ttl, change) != 0 ||
	    kind->ask(change) != 0)
		return TAKE_STOP;
	enum take_end end = take_settle(take);
	if (end != TAKE_DONE)
		return end;
	change->quiet = false;
	bool changes = kind->decide(change);
	if (err_is_set(&take->err))
		return TAKE_STOP;
	if (err_is_set(&take->refusal))
		return TAKE_REFUSED;
	if (changes)
		return take_commit(take, kind->queue, on_changed, change);
	if (take_send(take, unwatch, 1, 0, NULL, NULL) != 0)
		return TAKE_STOP;
	return take_settle(take);
}

/* It may have been done, and done twice it would add up: without a mark nobody can tell. */
static bool adds_up_lost(const struct event_change *change)
{
	return change->take.exec_lost && change->step->action == EVENT_COUNT &&
	       change->step->once.len == 0;
}

static void settle(struct event_change *change, enum take_end end)
{
	struct event_step *step = change->step;

	if (end == TAKE_DONE) {
		step->outcome = change->outcome;
		step->keys = step->outcome != EVENT_ABSENT && step->outcome != EVENT_SAME &&
			     step->outcome != EVENT_FOREIGN;
	} else if (adds_up_lost(change)) {
		event_step_problem(
		    step,
		    "the connection broke before Redis answered: unknown whether "
		    "it was counted (%s)",
		    change->take.broke.text);
	} else if (end == TAKE_AGAIN) {
		event_step_problem(step, "other writers came in between %d times", TAKE_TRIES);
	} else {
		event_step_problem(step, "%s",
				   err_is_set(&change->take.refusal) ? change->take.refusal.text
								     : change->take.err.text);
	}
}

int event_change(struct event_runner *runner, struct event_step *step, struct err *err)
{
	const struct event_change_kind *kind = kind_of(step);
	struct take_counts ignored = {0};
	struct event_change change = {.runner = runner, .step = step};
	enum take_end end = TAKE_AGAIN;

	change.job = (struct take_job){.redis = redis_holder(runner->redis, step->key, err),
				       .backup = runner->options.backup};
	change.take = (struct take){.job = &change.job, .counts = &ignored};
	if (!change.job.redis)
		return -1;
	for (unsigned try = 0; try < TAKE_TRIES && end == TAKE_AGAIN && !adds_up_lost(&change);
	     try++) {
		end = attempt(&change, kind);
		if (end == TAKE_DONE && change.in_the_way) {
			change.in_the_way = false;
			end = TAKE_AGAIN;
			if (event_take(runner, step, &step->key, 1, &change.take.err) != 0)
				end = TAKE_STOP;
		}
		if (end != TAKE_DONE && !change.take.executed &&
		    take_give_back(&change.take) != 0)
			end = TAKE_STOP;
	}
	bool stop = end == TAKE_STOP && !change.take.denied && !adds_up_lost(&change);
	if (stop)
		*err = change.take.err;
	else
		settle(&change, end);
	buf_release(&change.before);
	mem_arena_release(&change.arena);
	return stop ? -1 : 0;
}

/* --- removals, which a transaction of the take kind makes --- */

static int took(struct event_step *step, const struct take_counts *counts, int status,
		bool denied, struct err *err)
{
	step->keys += counts->removed + counts->shortened + counts->unlinked;
	if (status != 0 && !denied)
		return -1;
	if (status != 0)
		event_step_problem(step, "%s", err->text);
	else if (counts->problem.len)
		event_step_problem(step, "%s", buf_str(&counts->problem));
	return 0;
}

int event_take(struct event_runner *runner, struct event_step *step, const struct bytes *keys,
	       size_t count, struct err *err)
{
	struct take_counts counts = {0};
	struct err why = {0};
	const struct take_job job = {.redis = runner->redis,
				     .is_cluster = redis_is_cluster(runner->redis),
				     .backup = runner->options.backup,
				     .soft = step->action == EVENT_EXPIRE,
				     .soft_ms = step->rule->in_ms};
	int status = take_keys(&job, keys, count, &counts, &why);

	status = took(step, &counts, status, counts.denied, &why);
	buf_release(&counts.problem);
	if (status != 0)
		*err = why;
	return status;
}

int event_take_member(struct event_runner *runner, struct event_step *step, struct err *err)
{
	struct take_counts counts = {0};
	struct err why = {0};
	const struct take_job job = {.redis = runner->redis, .backup = runner->options.backup};
	int status = take_members(&job, step->key, &step->text, 1, &counts, &why);

	status = took(step, &counts, status, counts.denied, &why);
	buf_release(&counts.problem);
	if (status != 0)
		*err = why;
	else if (step->outcome == EVENT_PENDING)
		step->outcome = step->keys ? EVENT_REMOVED : EVENT_ABSENT;
	return status;
}
