#include "core/take_flow.h"

#include "base/mem.h"
#include "base/sha1.h"
#include "core/scan.h"
#include "core/take_piece.h"

#include <stdlib.h>

/*
 * In a cluster WATCH and EXEC are one slot's, and keys seldom share one; over a
 * long link each transaction waits for what the one before looked at. So here
 * each key goes by a script of its own, that compares what is there with what
 * was saved, at all primaries at once. Keys go through three round trips (what is there; its
 * DUMP; the script), and do not wait for each other: while some are dropped, others are saved.
 */

/* Keys that are asked for before the session has a turn: what a server reads at once. */
#define TURN_EVERY 256
/* Bytes of keys' names under way: each of a key's commands has its name once more. */
#define NAMES_MAX ((size_t)2 * 1024 * 1024)
/* A longer name's room is not kept for the next key. */
#define NAME_KEPT 1024
/* Expected bytes of DUMP under way at each primary: it makes them all in one turn. */
#define DUMP_WINDOW ((size_t)128 * 1024)

static struct redis *session_of(const struct take_flow *flow)
{
	return flow->take.job->redis;
}

static void on_loaded(void *ctx, const struct reply *reply)
{
	struct take_flow *flow = ctx;
	enum reply_error kind = reply_error_kind(reply);

	flow->forbidden =
	    flow->forbidden || kind == REPLY_ERR_NOPERM || kind == REPLY_ERR_UNKNOWN_COMMAND;
}

static int load(struct take_flow *flow)
{
	const struct bytes argv[] = {BYTES("SCRIPT"), BYTES("LOAD"), take_piece_script()};
	const struct redis_command command = {.argv = argv,
					      .argc = 3,
					      .flags = REDIS_IDEMPOTENT | REDIS_NO_WAIT,
					      .fn = on_loaded,
					      .ctx = flow};

	flow->unloaded = false;
	return redis_submit(session_of(flow), &command, &flow->take.err);
}

static int ask_clocks(struct take_flow *flow)
{
	struct err *err = &flow->take.err;

	if (!flow->take.job->soft)
		return 0;
	/* another may take the place of one that is lost */
	if (flow->clocks.lacking && redis_recover(session_of(flow), err) != 0)
		return -1;
	return take_clocks_ask(&flow->clocks, session_of(flow), err);
}

/* Those that are to be looked at anew. */
static int repeat(struct take_flow *flow)
{
	struct queue again = flow->again;
	struct piece *piece;
	int status = 0;

	flow->again.first = NULL;
	if (again.first && flow->clocks.lacking)
		status = ask_clocks(flow);
	if (status == 0 && flow->unloaded)
		status = load(flow);
	while ((piece = take_piece_pop(&again))) {
		if (flow->forbidden)
			take_piece_leave(piece, ALONE);
		else if (++piece->tries == TAKE_TRIES || take_is_interrupted(flow->take.job))
			take_piece_spend(piece);
		else if (status == 0)
			status = take_piece_look(piece);
	}
	return status;
}

/* Whatever waits for nothing any more takes its next step. */
static int advance(struct take_flow *flow)
{
	struct take *take = &flow->take;
	struct piece *piece;
	int status = repeat(flow);

	while (status == 0 && (piece = take_piece_pop(&flow->looked))) {
		if (flow->forbidden)
			take_piece_leave(piece, ALONE);
		else
			status = take_piece_sort_out(piece);
	}
	if (err_is_set(&take->err)) /* of those that are saved some have no record */
		return -1;
	if (status == 0 && flow->saved.first && take->job->backup)
		status = backup_flush(take->job->backup, &take->err);
	while (status == 0 && (piece = take_piece_pop(&flow->saved)))
		status = take_piece_change(piece);
	return err_is_set(&take->err) ? -1 : status;
}

static struct piece *piece_at(const struct take_flow *flow, uint64_t number)
{
	return &flow->pieces[number % flow->room];
}

static void retire(struct take_flow *flow)
{
	while (flow->head < flow->tail) {
		struct piece *piece = piece_at(flow, flow->head);

		if (piece->stage != ENDED || piece->under_way > 0)
			return;
		flow->names -= piece->key.len;
		if (piece->key.size > NAME_KEPT)
			buf_release(&piece->key);
		flow->head++;
	}
}

/* Waits until something moved; over a long link the walk moves meanwhile. */
static int step(struct take_flow *flow)
{
	struct redis *redis = session_of(flow);
	struct err *err = &flow->take.err;

	return flow->walk ? scan_step_beside(flow->walk, redis, err) : redis_step(redis, err);
}

/* --- the end --- */

static void give_up(struct take_flow *flow)
{
	for (uint64_t i = flow->head; i < flow->tail; i++) {
		struct piece *piece = piece_at(flow, i);

		if (piece->stage != ENDED && piece->stage != FENCED)
			take_piece_spend(piece);
	}
	flow->head = flow->tail;
	flow->names = 0;
	flow->open = 0;
	flow->looked.first = flow->saved.first = flow->again.first = NULL;
}

static int take_so_far(struct take_flow *flow, const struct take_job *job,
		       const struct bytes *keys, size_t *count)
{
	size_t given = *count;

	*count = 0;
	return given == 0
		   ? 0
		   : take_transactions(job, keys, given, flow->take.counts, &flow->take.err);
}

/* Nothing else is under way: a transaction for those that need one. */
static int take_alone(struct take_flow *flow)
{
	struct bytes *keys = mem_zalloc(flow->room, sizeof *keys);
	struct take_job job = *flow->take.job;
	size_t count = 0;
	int status = 0;

	for (uint64_t i = flow->head; i < flow->tail && status == 0; i++) {
		struct piece *piece = piece_at(flow, i);

		if (piece->stage != ALONE)
			continue;
		if (piece->soft_ms != job.soft_ms)
			status = take_so_far(flow, &job, keys, &count);
		if (status != 0)
			break;
		job.soft_ms = piece->soft_ms;
		keys[count++] = take_piece_key(piece);
		piece->stage = ENDED;
	}
	if (status == 0)
		status = take_so_far(flow, &job, keys, &count);
	free(keys);
	return status;
}

static int settle(struct take_flow *flow)
{
	struct redis *redis = session_of(flow);
	struct err ignored = {0};
	int status = flow->failed ? -1 : advance(flow);

	while (status == 0 && flow->open > 0 &&
	       (redis_outstanding(redis) > 0 || flow->again.first)) {
		status = step(flow);
		if (status == 0)
			status = advance(flow);
	}
	redis_drain(redis, 0, &ignored); /* nothing may answer into what ends here */
	if (status == 0)
		status = take_alone(flow);
	flow->failed = flow->failed || status != 0;
	retire(flow);
	give_up(flow);
	return flow->failed ? -1 : 0;
}

/* --- from outside --- */

struct take_flow *take_flow_new(const struct take_job *job, size_t room,
				struct take_counts *counts)
{
	struct take_flow *flow = mem_zalloc(1, sizeof *flow);
	struct redis_limits limits = redis_limits(job->redis);

	flow->take = (struct take){.job = job, .counts = counts};
	flow->pieces = mem_zalloc(room, sizeof *flow->pieces);
	flow->room = room;
	flow->before = limits;
	limits.reply_bytes = DUMP_WINDOW;
	redis_set_limits(job->redis, &limits);
	sha1_hex(take_piece_script(), flow->sha);
	flow->failed = load(flow) != 0 || ask_clocks(flow) != 0;
	return flow;
}

static int tell(const struct take_flow *flow, struct err *err)
{
	*err = flow->take.err;
	flow->take.counts->denied = flow->take.counts->denied || flow->take.denied;
	return -1;
}

static bool is_full(const struct take_flow *flow, size_t more)
{
	size_t keys = flow->tail - flow->head;

	return keys == flow->room || (keys > 0 && flow->names + more > NAMES_MAX);
}

/* For a key of `more` bytes. */
static int make_room(struct take_flow *flow, size_t more)
{
	int status = 0;

	retire(flow);
	while (status == 0 && is_full(flow, more)) {
		if (piece_at(flow, flow->head)->stage == ALONE)
			return settle(flow);
		status = advance(flow);
		if (status == 0)
			status = step(flow);
		retire(flow);
	}
	return status;
}

int take_flow_add(struct take_flow *flow, struct bytes key, struct scan *walk, struct err *err)
{
	flow->walk = walk;
	if (!flow->failed)
		flow->failed = make_room(flow, key.len) != 0;
	if (flow->failed)
		return tell(flow, err);
	struct piece *piece = piece_at(flow, flow->tail++);
	struct buf kept = piece->key;
	*piece = (struct piece){.flow = flow,
				.key = kept,
				.stage = flow->forbidden ? ALONE : LOOKING,
				.soft_ms = flow->take.job->soft_ms};
	buf_clear(&piece->key);
	buf_add(&piece->key, key);
	flow->names += key.len;
	flow->take.counts->asked++;
	if (flow->forbidden)
		return 0;
	flow->open++;
	flow->failed = take_piece_look(piece) != 0;
	if (!flow->failed && flow->tail % TURN_EVERY == 0)
		return take_flow_turn(flow, err);
	return flow->failed ? tell(flow, err) : 0;
}

int take_flow_turn(struct take_flow *flow, struct err *err)
{
	if (!flow->failed)
		flow->failed =
		    redis_turn(session_of(flow), &flow->take.err) != 0 || advance(flow) != 0;
	retire(flow);
	return flow->failed ? tell(flow, err) : 0;
}

uint64_t take_flow_added(const struct take_flow *flow)
{
	return flow->tail;
}

uint64_t take_flow_done(const struct take_flow *flow)
{
	return flow->head;
}

int take_flow_settle(struct take_flow *flow, struct err *err)
{
	flow->walk = NULL;
	return settle(flow) == 0 ? 0 : tell(flow, err);
}

void take_flow_free(struct take_flow *flow)
{
	struct err ignored = {0};

	if (!flow)
		return;
	redis_drain(session_of(flow), 0, &ignored); /* as in settle */
	redis_set_limits(session_of(flow), &flow->before);
	take_clocks_release(&flow->clocks);
	for (size_t i = 0; i < flow->room && i < flow->tail; i++)
		buf_release(&flow->pieces[i].key);
	free(flow->pieces);
	free(flow);
}
