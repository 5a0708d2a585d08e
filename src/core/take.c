#include "core/take_private.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* Expected bytes of DUMP under way at once: the server makes them all in one turn. */
#define DUMP_WINDOW ((size_t)128 * 1024)

/* A connection that breaks so often over the same keys will not carry them. */
#define BREAKS_MAX 3

enum state { OPEN, GONE, KEPT, LARGE };

struct entry {
	struct bytes key;
	enum state state;
	bool asked;         /* its change was sent, and the answer never came */
	int64_t expires_ms; /* or BACKUP_FOREVER, TAKE_ABSENT */
	int64_t bytes;      /* -1: not known */
};

struct batch {
	struct take take;
	struct entry *entries;
	size_t count;
	size_t at;          /* answers so far, in the order of the questions */
	struct bytes *open; /* the keys that are changed at once */
	size_t open_count;
	struct bytes *fenced; /* those whose sidecar goes: of an absent key too, for a fetch of
				 it may be under way */
	size_t fenced_count;
};

static void on_ttl(void *ctx, const struct reply *reply)
{
	struct batch *batch = ctx;
	struct entry *entry = &batch->entries[batch->at++ % batch->count];

	entry->expires_ms = take_expiry(&batch->take, reply, entry->key);
}

static void on_bytes(void *ctx, const struct reply *reply)
{
	struct batch *batch = ctx;
	struct entry *entry = &batch->entries[batch->at++ % batch->count];
	enum reply_error kind = reply_error_kind(reply);

	entry->bytes = reply->type == REPLY_INTEGER ? reply->integer : -1;
	if (take_is_passing(&batch->take, reply))
		take_lose(&batch->take, reply, "MEMORY USAGE", entry->key);
	else if (kind == REPLY_ERR_NOPERM || kind == REPLY_ERR_UNKNOWN_COMMAND)
		batch->take.counts->sizes_denied = true;
}

static enum take_end look(struct batch *batch)
{
	const struct take_job *job = batch->take.job;
	bool sizes = job->backup && !job->soft;

	batch->at = 0;
	if (take_begin(&batch->take, batch->open, batch->count) != 0)
		return TAKE_STOP;
	for (size_t i = 0; i < batch->count; i++) {
		batch->entries[i].bytes = 0;
		if (take_ask_expiry(&batch->take, batch->entries[i].key, on_ttl, batch) != 0)
			return TAKE_STOP;
	}
	for (size_t i = 0; sizes && i < batch->count; i++) {
		const struct bytes argv[] = {BYTES("MEMORY"), BYTES("USAGE"),
					     batch->entries[i].key};

		if (take_send(&batch->take, argv, 3, 0, on_bytes, batch) != 0)
			return TAKE_STOP;
	}
	return take_settle(&batch->take);
}

static enum state state_of(const struct take *take, const struct entry *entry)
{
	if (entry->expires_ms == TAKE_ABSENT)
		return GONE;
	if (take->job->soft)
		return entry->expires_ms >= 0 && entry->expires_ms <= take->ends_ms ? KEPT
										    : OPEN;
	return entry->bytes > TAKE_LARGE ? LARGE : OPEN;
}

static void sort_out(struct batch *batch)
{
	struct take *take = &batch->take;

	/* what followed the time may have been long in coming */
	take->ends_ms = take->now_ms + (int64_t)(clock_mono_ms() - take->heard_ms) +
			(int64_t)take->job->soft_ms;
	batch->open_count = batch->fenced_count = 0;
	for (size_t i = 0; i < batch->count; i++) {
		struct entry *entry = &batch->entries[i];

		entry->state = state_of(take, entry);
		if (entry->state == OPEN)
			batch->open[batch->open_count++] = entry->key;
		if (entry->state != LARGE) /* those have a transaction of their own */
			batch->fenced[batch->fenced_count++] = entry->key;
	}
}

static void next_open(struct batch *batch)
{
	while (batch->at < batch->count && batch->entries[batch->at].state != OPEN)
		batch->at++;
}

static void on_dump(void *ctx, const struct reply *reply)
{
	struct batch *batch = ctx;

	next_open(batch);
	const struct entry *entry = &batch->entries[batch->at++];
	struct backup_record record = {.kind = BACKUP_DUMP,
				       .key = entry->key,
				       .expires_ms = entry->expires_ms,
				       .items = &reply->text,
				       .item_count = 1};

	if (reply->type == REPLY_STRING)
		take_save(&batch->take, &record);
	else if (reply->type == REPLY_NIL)
		batch->take.lost = true; /* it expired just now: look again */
	else
		take_refuse(&batch->take, reply, "DUMP", entry->key);
}

static enum take_end save_values(struct batch *batch)
{
	size_t under_way = 0;

	batch->at = 0;
	for (size_t i = 0; i < batch->count; i++) {
		const struct entry *entry = &batch->entries[i];
		const struct bytes argv[] = {BYTES("DUMP"), entry->key};
		size_t bytes = entry->bytes > 0 ? (size_t)entry->bytes : 64;

		if (entry->state != OPEN)
			continue;
		if (under_way + bytes > DUMP_WINDOW) {
			if (redis_drain(batch->take.job->redis, 0, &batch->take.err) != 0)
				return TAKE_STOP;
			under_way = 0;
		}
		under_way += bytes;
		if (take_send(&batch->take, argv, 2, bytes, on_dump, batch) != 0)
			return TAKE_STOP;
	}
	return take_settle(&batch->take);
}

static enum take_end save_lives(struct batch *batch)
{
	struct take *take = &batch->take;

	for (size_t i = 0; i < batch->count; i++) {
		const struct entry *entry = &batch->entries[i];
		struct backup_record record = {.kind = BACKUP_TTL,
					       .key = entry->key,
					       .expires_ms = entry->expires_ms,
					       .set_ms = take->ends_ms};

		if (entry->state == OPEN && take_save(take, &record) != 0)
			return TAKE_STOP;
	}
	return TAKE_DONE;
}

static int queue_shorten(struct take *take, const struct batch *batch)
{
	char at[24];
	struct bytes argv[] = {BYTES("PEXPIREAT"), {NULL, 0}, {at, 0}};

	argv[2].len = (size_t)snprintf(at, sizeof at, "%lld", (long long)take->ends_ms);
	for (size_t i = 0; i < batch->open_count; i++) {
		argv[1] = batch->open[i];
		if (take_send(take, argv, 3, 0, take_on_queued, take) != 0)
			return -1;
	}
	return 0;
}

static int queue_change(struct take *take, void *ctx)
{
	struct batch *batch = ctx;

	if (take_sidecars(take, batch->fenced, batch->fenced_count) != 0)
		return -1;
	if (take->job->soft)
		return queue_shorten(take, batch);
	if (batch->open_count == 0)
		return 0;
	struct bytes *argv = mem_zalloc(batch->open_count + 1, sizeof *argv);
	argv[0] = BYTES("UNLINK");
	for (size_t i = 0; i < batch->open_count; i++)
		argv[i + 1] = batch->open[i];
	int status = take_send(take, argv, batch->open_count + 1, 0, take_on_queued, take);
	free(argv);
	return status;
}

/* The answers to queue_change's commands: the sidecars' first, then of each shortened key, or
 * of all removed ones. */
static void on_changed(void *ctx, const struct reply *reply)
{
	struct batch *batch = ctx;
	struct take *take = &batch->take;
	struct take_counts *counts = take->counts;
	bool soft = take->job->soft;
	size_t answers = soft ? batch->open_count : batch->open_count > 0;
	uint64_t done = 0, most = soft ? 1 : batch->open_count;

	bool is_whole = reply->count == answers + 1;

	if (!is_whole)
		take_refuse(take, reply, "EXEC", take->subject);
	for (size_t i = 0; is_whole && i < reply->count; i++) {
		const struct reply *answer = reply->items[i];

		if (answer->type != REPLY_INTEGER || answer->integer < 0 ||
		    (i > 0 && (uint64_t)answer->integer > most))
			take_refuse(take, answer, soft && i ? "PEXPIREAT" : "UNLINK",
				    take->subject);
		else if (i > 0)
			done += (uint64_t)answer->integer;
	}
	*(soft ? &counts->shortened : &counts->removed) += done;
	if (err_is_set(&take->err) || err_is_set(&take->refusal))
		counts->failed += batch->open_count - done;
	else
		counts->gone += batch->open_count - done;
}

static enum take_end unwatch(struct take *take)
{
	const struct bytes argv[] = {BYTES("UNWATCH")};

	if (take_send(take, argv, 1, 0, NULL, NULL) != 0)
		return TAKE_STOP;
	return take_settle(take);
}

/* Counts what needs no change, and the open ones as the commit said. */
static void tally(struct batch *batch)
{
	struct take_counts *counts = batch->take.counts;

	for (size_t i = 0; i < batch->count; i++) {
		counts->gone += batch->entries[i].state == GONE;
		counts->kept += batch->entries[i].state == KEPT;
		counts->unsure += batch->entries[i].asked && (batch->entries[i].state == GONE ||
							      batch->entries[i].state == KEPT);
	}
}

static void keep_asked(struct batch *batch)
{
	for (size_t i = 0; batch->take.exec_lost && i < batch->count; i++)
		batch->entries[i].asked =
		    batch->entries[i].asked || batch->entries[i].state == OPEN;
}

static enum take_end attempt(struct batch *batch)
{
	struct take *take = &batch->take;

	for (size_t i = 0; i < batch->count; i++)
		batch->open[i] = batch->entries[i].key;
	enum take_end end = look(batch);
	if (end != TAKE_DONE)
		return end;
	sort_out(batch);
	if (batch->fenced_count == 0)
		return unwatch(take);
	if (take->job->backup && batch->open_count)
		end = take->job->soft ? save_lives(batch) : save_values(batch);
	return end == TAKE_DONE ? take_commit(take, queue_change, on_changed, batch) : end;
}

/* What could not be done counts as failed; keeps why. */
static int fail_rest(struct take *take, size_t count)
{
	take->counts->failed += count;
	if (err_is_set(&take->refusal)) /* what stops the run is told by its end */
		take_keep_problem(take->counts, &take->refusal);
	return 0;
}

static size_t count_state(const struct batch *batch, enum state state)
{
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		count += batch->entries[i].state == state;
	return count;
}

static int take_larges(struct batch *batch);

/* Counts an attempt that came to its end, or what could not be done. */
static int finish(struct batch *batch, enum take_end end)
{
	struct take *take = &batch->take;

	if (take->executed || end == TAKE_DONE) {
		tally(batch);
		if (err_is_set(&take->refusal))
			take_keep_problem(take->counts, &take->refusal);
		if (end != TAKE_STOP)
			return take_larges(batch);
		take->counts->failed += count_state(batch, LARGE);
		return -1;
	}
	if (take_give_back(take) != 0)
		end = TAKE_STOP;
	fail_rest(take, batch->count);
	for (size_t i = 0; i < batch->count; i++)
		take->counts->unsure += batch->entries[i].asked;
	return end == TAKE_STOP ? -1 : 0;
}

static int run(struct batch *batch);

/* One key at a time: the one that others keep writing, or that is refused, must not hold up its
 * neighbours. */
static int split(struct batch *batch)
{
	int status = 0;

	for (size_t i = 0; i < batch->count && status == 0; i++) {
		struct entry entry = {.key = batch->entries[i].key,
				      .asked = batch->entries[i].asked};
		struct bytes open, fenced;
		struct batch one = {
		    .take = {.job = batch->take.job, .counts = batch->take.counts},
		    .entries = &entry,
		    .count = 1,
		    .open = &open,
		    .fenced = &fenced};

		status = run(&one);
		if (status != 0) {
			batch->take.err = one.take.err;
			batch->take.denied = one.take.denied;
			batch->take.counts->failed += batch->count - i - 1;
		}
	}
	return status;
}

static int run(struct batch *batch)
{
	struct take *take = &batch->take;
	unsigned tries = batch->count > 1 ? 3 : TAKE_TRIES;
	unsigned breaks = 0;

	for (unsigned try = 0; try < tries; try++) {
		enum take_end end = attempt(batch);

		keep_asked(batch);
		if (end == TAKE_REFUSED && !take->executed && batch->count > 1)
			break;
		if (end != TAKE_AGAIN)
			return finish(batch, end);
		take->counts->again++;
		if (take_give_back(take) != 0)
			return finish(batch, TAKE_STOP);
		if (err_is_set(&take->broke) && ++breaks == BREAKS_MAX) {
			take->err = take->broke;
			return finish(batch, TAKE_STOP);
		}
		if (take_is_interrupted(take->job))
			break;
	}
	if (batch->count > 1)
		return take_give_back(take) == 0 ? split(batch) : finish(batch, TAKE_STOP);
	take_tell_spent(take->job, batch->entries[0].key, &take->refusal);
	return fail_rest(take, 1);
}

static int take_larges(struct batch *batch)
{
	struct take *take = &batch->take;
	size_t left = count_state(batch, LARGE);

	for (size_t i = 0; i < batch->count; i++) {
		enum take_end end = TAKE_AGAIN;
		uint64_t removed = take->counts->removed;
		bool asked = batch->entries[i].asked;

		if (batch->entries[i].state != LARGE)
			continue;
		left--;
		for (unsigned try = 0; try < TAKE_TRIES && end == TAKE_AGAIN; try++) {
			end = take_large(take, batch->entries[i].key,
					 (uint64_t)batch->entries[i].bytes);
			take->counts->again += end == TAKE_AGAIN;
			asked = asked || take->exec_lost;
			if (end != TAKE_DONE && take_give_back(take) != 0)
				end = TAKE_STOP;
			if (take_is_interrupted(take->job))
				break;
		}
		take->counts->unsure += asked && take->counts->removed == removed;
		if (end == TAKE_AGAIN && err_is_set(&take->broke)) {
			take->err = take->broke;
			end = TAKE_STOP;
		}
		if (end == TAKE_AGAIN)
			err_set(&take->refusal, ERR_ITEM,
				"a large key is written again and again: it was not dropped");
		if (end != TAKE_DONE)
			fail_rest(take, 1);
		if (end == TAKE_STOP) {
			take->counts->failed += left;
			return -1;
		}
	}
	return 0;
}

int take_together(const struct take_job *job, const struct bytes *keys, size_t count,
		  struct take_counts *counts, struct err *err)
{
	struct entry *entries = mem_zalloc(count, sizeof *entries);
	struct batch batch = {.take = {.job = job, .counts = counts},
			      .entries = entries,
			      .count = count,
			      .open = mem_zalloc(count, sizeof *batch.open),
			      .fenced = mem_zalloc(count, sizeof *batch.fenced)};

	for (size_t i = 0; i < count; i++)
		entries[i].key = keys[i];
	int status = count ? run(&batch) : 0;
	if (status != 0) {
		*err = batch.take.err;
		counts->denied = batch.take.denied;
	}
	free(batch.open);
	free(batch.fenced);
	free(entries);
	return status;
}
