#include "core/event_change.h"

#include "base/num.h"

/* Counting into a hash, and adding to a set. As event_script.c's scripts do it. */

static void on_fields(void *ctx, const struct reply *reply)
{
	struct event_change *change = ctx;

	if (reply->type != REPLY_ARRAY || reply->count != change->step->amount_count) {
		take_refuse(&change->take, reply, "HMGET", change->step->key);
		return;
	}
	for (size_t i = 0; i < reply->count; i++)
		change->fields[i] = reply->items[i]->type == REPLY_STRING
					? mem_arena_bytes(&change->arena, reply->items[i]->text)
					: (struct bytes){NULL, 0};
}

static void on_mark(void *ctx, const struct reply *reply)
{
	struct event_change *change = ctx;

	if (reply->type == REPLY_INTEGER)
		change->counted = reply->integer == 1;
	else
		take_refuse(&change->take, reply, "SISMEMBER", change->step->key);
}

static int ask_count(struct event_change *change)
{
	const struct event_step *step = change->step;
	const struct bytes mark[] = {BYTES("SISMEMBER"),
				     event_once_name(change->runner, step->key), step->once};
	struct bytes *argv = NULL;

	mem_arena_clear(&change->arena);
	change->counted = false;
	change->fields =
	    mem_arena_alloc(&change->arena, step->amount_count * sizeof *change->fields);
	if (step->once.len && event_change_send(change, mark, 3, on_mark) != 0)
		return -1;
	argv = mem_arena_alloc(&change->arena, (step->amount_count + 2) * sizeof *argv);
	argv[0] = BYTES("HMGET");
	argv[1] = step->key;
	for (size_t i = 0; i < step->amount_count; i++)
		argv[2 + i] = step->amounts[i].field;
	return event_change_send(change, argv, 2 + step->amount_count, on_fields);
}

static bool is_whole(struct bytes number)
{
	size_t at = number.len && number.ptr[0] == '-';

	for (size_t i = at; i < number.len; i++)
		if (number.ptr[i] < '0' || number.ptr[i] > '9')
			return false;
	return number.len > at;
}

/* By fractions: what stands there, or what is added, is no whole number. */
static bool is_real(const struct event_change *change, size_t i)
{
	struct bytes there = change->fields[i];

	return (there.ptr && !is_whole(there)) || !is_whole(change->step->amounts[i].by);
}

static bool holds_number(const struct event_change *change, size_t i)
{
	struct bytes there = change->fields[i];
	double ignored;

	return !there.ptr || (num_parse_real(there, -1e308, 1e308, &ignored) == 0 &&
			      (is_real(change, i) || there.len <= 17));
}

/* The mark ("" for none), then field, by, what stood there ("" for nothing) … */
static void save_count(struct event_change *change)
{
	const struct event_step *step = change->step;
	size_t count = 1 + 3 * step->amount_count;
	struct bytes *items = mem_arena_alloc(&change->arena, count * sizeof *items);
	struct backup_record record = {.kind = BACKUP_COUNTED,
				       .key = step->key,
				       .expires_ms = change->expires_ms > 0
							 ? change->expires_ms
							 : event_change_expiry(change),
				       .items = items,
				       .item_count = count};

	items[0] = step->once;
	for (size_t i = 0; i < step->amount_count; i++) {
		items[1 + 3 * i] = step->amounts[i].field;
		items[2 + 3 * i] = step->amounts[i].by;
		items[3 + 3 * i] = change->fields[i];
	}
	take_save(&change->take, &record);
}

static bool decide_count(struct event_change *change)
{
	struct event_step *step = change->step;
	int64_t ttl = event_step_ttl(step);

	change->outcome = EVENT_SAME;
	if (ttl < 0 || change->counted)
		return false;
	for (size_t i = 0; i < step->amount_count; i++)
		if (!holds_number(change, i)) {
			err_set(&change->take.refusal, ERR_ITEM,
				"the field %.*s holds no number to count up",
				BYTES_ARG(step->amounts[i].field));
			return false;
		}
	change->outcome = EVENT_COUNTED;
	change->expires_ms = ttl && change->was_ms < 0 ? change->take.now_ms + ttl : 0;
	event_change_save_expiry(change);
	save_count(change);
	return true;
}

static int queue_mark(struct event_change *change)
{
	const struct event_step *step = change->step;
	struct bytes marks = event_once_name(change->runner, step->key);
	int64_t until =
	    change->expires_ms > 0 ? change->expires_ms : event_change_expiry(change);
	char at[24];
	const struct bytes add[] = {BYTES("SADD"), marks, step->once};
	const struct bytes expire[] = {BYTES("PEXPIREAT"), marks, event_decimal(at, until)};
	struct take *take = &change->take;

	if (step->once.len == 0)
		return 0;
	if (take_send(take, add, 3, 0, take_on_queued, take) != 0)
		return -1;
	return until > 0 ? take_send(take, expire, 3, 0, take_on_queued, take) : 0;
}

static int queue_count(struct take *take, void *ctx)
{
	struct event_change *change = ctx;
	const struct event_step *step = change->step;

	for (size_t i = 0; i < step->amount_count; i++) {
		const struct bytes argv[] = {
		    is_real(change, i) ? BYTES("HINCRBYFLOAT") : BYTES("HINCRBY"), step->key,
		    step->amounts[i].field, step->amounts[i].by};

		if (take_send(take, argv, 4, 0, take_on_queued, take) != 0)
			return -1;
	}
	return event_change_queue_expiry(change) == 0 ? queue_mark(change) : -1;
}

const struct event_change_kind event_change_count = {ask_count, decide_count, queue_count};

/* --- members --- */

static void on_member(void *ctx, const struct reply *reply)
{
	struct event_change *change = ctx;

	if (reply->type == REPLY_INTEGER)
		change->is_member = reply->integer == 1;
	else
		take_refuse(&change->take, reply, "SISMEMBER", change->step->key);
}

static int ask_member(struct event_change *change)
{
	const struct bytes argv[] = {BYTES("SISMEMBER"), change->step->key, change->step->text};

	return event_change_send(change, argv, 3, on_member);
}

static bool decide_member(struct event_change *change)
{
	struct event_step *step = change->step;
	int64_t ttl = event_step_ttl(step);
	bool keep = step->rule->ttl == EVENT_TTL_KEEP && change->was_ms != TAKE_ABSENT;
	struct backup_record record = {.kind = BACKUP_ADDED,
				       .key = step->key,
				       .expires_ms = event_change_expiry(change),
				       .items = &step->text,
				       .item_count = 1};

	change->outcome = change->is_member ? EVENT_SAME : EVENT_ADDED;
	change->expires_ms = keep || ttl == 0 ? 0 : change->take.now_ms + (ttl < 0 ? 1 : ttl);
	if (!change->is_member)
		take_save(&change->take, &record);
	event_change_save_expiry(change);
	return !change->is_member || change->expires_ms > 0;
}

static int queue_member(struct take *take, void *ctx)
{
	struct event_change *change = ctx;
	const struct bytes argv[] = {BYTES("SADD"), change->step->key, change->step->text};

	if (!change->is_member && take_send(take, argv, 3, 0, take_on_queued, take) != 0)
		return -1;
	return event_change_queue_expiry(change);
}

const struct event_change_kind event_change_member = {ask_member, decide_member, queue_member};
