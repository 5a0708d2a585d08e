#include "core/take_piece.h"

#include "core/sidecar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DUMP_LEAST 64
#define DUMP_UNKNOWN 4096 /* this user may not ask how large a value is */
/*
 * Over a long link such small ones count for less: a server reads 32 KiB at once, and so many
 * commands make no more of them than the window.
 */
#define DUMP_SMALL 512
#define DUMP_SMALL_SHARE 8

/* key, sidecar; expiry, its DUMP's digest ('': it is not asked for), when it is to end ('':
 * now) → 0 gone, 1 done, 2 it is not what it was */
static const char script[] =
    "local k,e=KEYS[1],redis.call('PEXPIRETIME',KEYS[1]) "
    "if e==-2 then redis.call('UNLINK',KEYS[2]) return 0 end "
    "if e~=tonumber(ARGV[1]) then return 2 end "
    "if ARGV[2]~='' and redis.sha1hex(redis.call('DUMP',k))~=ARGV[2] then return 2 end "
    "redis.call('UNLINK',KEYS[2]) "
    "if ARGV[3]=='' then return redis.call('UNLINK',k) end "
    "return redis.call('PEXPIREAT',k,ARGV[3])";

enum answer { GONE, DONE, CHANGED };

static void push(struct queue *queue, struct piece *piece)
{
	piece->next = NULL;
	if (!queue->first)
		queue->last = &queue->first;
	*queue->last = piece;
	queue->last = &piece->next;
}

struct piece *take_piece_pop(struct queue *queue)
{
	struct piece *piece = queue->first;

	if (piece)
		queue->first = piece->next;
	return piece;
}

struct bytes take_piece_key(const struct piece *piece)
{
	return buf_bytes(&piece->key);
}

static struct redis *session_of(const struct take_flow *flow)
{
	return flow->take.job->redis;
}

/* The next step of as many as there are is queued without waiting: `room` bounds them. */
static int send(struct piece *piece, const struct bytes *argv, size_t argc, size_t expect,
		unsigned flags, redis_reply_fn *fn)
{
	const struct redis_command command = {.argv = argv,
					      .argc = argc,
					      .expect = expect,
					      .flags = flags | REDIS_NO_WAIT,
					      .fn = fn,
					      .ctx = piece};

	piece->under_way++;
	return redis_submit(session_of(piece->flow), &command, &piece->flow->take.err);
}

/* It is counted, or has its turn at the end. */
void take_piece_leave(struct piece *piece, enum stage stage)
{
	piece->stage = stage;
	piece->flow->open--;
}

/* The server refused this key, or all: what stops the run is told by its end. */
static void fail(struct piece *piece, const struct reply *reply, const char *command)
{
	struct take *take = &piece->flow->take;

	take->refusal = (struct err){0};
	take_refuse(take, reply, command, take_piece_key(piece));
	take_keep_problem(take->counts,
			  err_is_set(&take->refusal) ? &take->refusal : &take->broke);
	take->counts->failed++;
	take_piece_leave(piece, ENDED);
}

/* What was saved of the key stands for a change that did not come. */
static void give_back(struct piece *piece)
{
	struct take *take = &piece->flow->take;

	if (piece->record)
		backup_void(take->job->backup, piece->record, piece->record, &take->err);
	piece->record = 0;
}

static void try_again(struct piece *piece)
{
	push(&piece->flow->again, piece);
}

/* --- look --- */

static bool pages_large(const struct take_job *job)
{
	return job->backup && !job->soft;
}

static void on_expiry(void *ctx, const struct reply *reply)
{
	struct piece *piece = ctx;

	piece->under_way--;
	if (reply->type != REPLY_INTEGER || reply->integer < TAKE_ABSENT) {
		fail(piece, reply, "PEXPIRETIME");
		return;
	}
	piece->expires_ms = reply->integer;
	if (!pages_large(piece->flow->take.job))
		push(&piece->flow->looked, piece);
}

static void on_bytes(void *ctx, const struct reply *reply)
{
	struct piece *piece = ctx;

	piece->under_way--;
	piece->bytes = reply->type == REPLY_INTEGER ? reply->integer : -1;
	if (reply->type == REPLY_ERROR)
		piece->flow->take.counts->sizes_denied = true;
	if (piece->stage == LOOKING)
		push(&piece->flow->looked, piece);
}

int take_piece_look(struct piece *piece)
{
	const struct bytes expiry[] = {BYTES("PEXPIRETIME"), take_piece_key(piece)};
	const struct bytes usage[] = {BYTES("MEMORY"), BYTES("USAGE"), take_piece_key(piece)};

	piece->stage = LOOKING;
	piece->bytes = 0;
	int status = send(piece, expiry, 2, 0, REDIS_IDEMPOTENT, on_expiry);
	if (status == 0 && pages_large(piece->flow->take.job))
		status = send(piece, usage, 3, 0, REDIS_IDEMPOTENT, on_bytes);
	return status;
}

/* --- save --- */

static void save(struct piece *piece, struct backup_record *record)
{
	struct take *take = &piece->flow->take;

	record->key = take_piece_key(piece);
	record->expires_ms = piece->expires_ms;
	if (take_save(take, record) != 0 || err_is_set(&take->err))
		return; /* nothing is dropped any more */
	piece->record = record->number;
	push(&piece->flow->saved, piece);
}

static void on_dump(void *ctx, const struct reply *reply)
{
	struct piece *piece = ctx;
	struct backup_record record = {
	    .kind = BACKUP_DUMP, .items = &reply->text, .item_count = 1};

	piece->under_way--;
	if (reply->type == REPLY_STRING) {
		sha1_hex(reply->text, piece->digest);
		save(piece, &record);
	} else if (reply->type == REPLY_NIL) { /* it expired just now: look again */
		try_again(piece);
	} else {
		fail(piece, reply, "DUMP");
	}
}

static int save_value(struct piece *piece)
{
	const struct bytes argv[] = {BYTES("DUMP"), take_piece_key(piece)};
	const struct take_job *job = piece->flow->take.job;
	size_t expect = piece->bytes > 0   ? (size_t)piece->bytes
			: piece->bytes < 0 ? DUMP_UNKNOWN
					   : DUMP_LEAST;

	if (expect <= DUMP_SMALL && (job->is_far || redis_is_far(job->redis)))
		expect /= DUMP_SMALL_SHARE;
	return send(piece, argv, 2, expect, REDIS_IDEMPOTENT, on_dump);
}

static void save_life(struct piece *piece)
{
	struct backup_record record = {.kind = BACKUP_TTL, .set_ms = piece->ends_ms};

	save(piece, &record);
}

/* --- change --- */

static void on_changed(void *ctx, const struct reply *reply)
{
	struct piece *piece = ctx;
	struct take_counts *counts = piece->flow->take.counts;
	enum reply_error kind = reply_error_kind(reply);

	piece->under_way--;
	if (kind == REPLY_ERR_LOST) { /* perhaps it ran: what was saved may be needed */
		piece->asked = true;
		piece->record = 0;
		counts->again++;
		try_again(piece);
		return;
	}
	if (reply->type == REPLY_INTEGER && reply->integer == DONE) {
		(*(piece->flow->take.job->soft ? &counts->shortened : &counts->removed))++;
		take_piece_leave(piece, ENDED);
		return;
	}
	if (kind == REPLY_ERR_NONE && (reply->type != REPLY_INTEGER || reply->integer < GONE ||
				       reply->integer > CHANGED)) {
		fail(piece, reply, "EVALSHA"); /* who knows what was done: the record stays */
		return;
	}
	give_back(piece);
	if (reply->type == REPLY_INTEGER && reply->integer == GONE) {
		counts->gone++;
		counts->unsure += piece->asked;
		take_piece_leave(piece, ENDED);
	} else if (reply->type == REPLY_INTEGER || kind == REPLY_ERR_NOSCRIPT) {
		piece->flow->unloaded = piece->flow->unloaded || kind == REPLY_ERR_NOSCRIPT;
		counts->again++;
		try_again(piece);
	} else if (kind == REPLY_ERR_BUSY || kind == REPLY_ERR_LOADING) { /* it did not run */
		counts->again++;
		try_again(piece);
	} else if (kind == REPLY_ERR_NOPERM) {
		piece->flow->forbidden = true;
		try_again(piece);
	} else {
		fail(piece, reply, "EVALSHA");
	}
}

int take_piece_change(struct piece *piece)
{
	char expires[24], ends[24];
	const struct take_job *job = piece->flow->take.job;
	struct buf sidecar = {0};

	sidecar_name(&sidecar, take_piece_key(piece));
	const struct bytes argv[] = {
	    BYTES("EVALSHA"),
	    bytes_of(piece->flow->sha),
	    BYTES("2"),
	    take_piece_key(piece),
	    buf_bytes(&sidecar),
	    {expires, (size_t)snprintf(expires, sizeof expires, "%" PRId64, piece->expires_ms)},
	    {piece->digest, job->soft || !job->backup ? 0 : SHA1_HEX_LEN},
	    {ends,
	     job->soft ? (size_t)snprintf(ends, sizeof ends, "%" PRId64, piece->ends_ms) : 0}};
	int status = send(piece, argv, 8, 0, 0, on_changed);
	buf_release(&sidecar);
	return status;
}

static void on_fenced(void *ctx, const struct reply *reply)
{
	struct piece *piece = ctx;
	struct take *take = &piece->flow->take;

	piece->under_way--;
	take_piece_leave(piece, ENDED);
	if (reply->type == REPLY_INTEGER || reply->type == REPLY_LOST)
		return;
	take->refusal = (struct err){0};
	take_refuse(take, reply, "UNLINK", take_piece_key(piece));
	take_keep_problem(take->counts, &take->refusal);
}

static int fence(struct piece *piece)
{
	struct buf sidecar = {0};

	sidecar_name(&sidecar, take_piece_key(piece));
	const struct bytes argv[] = {BYTES("UNLINK"), buf_bytes(&sidecar)};
	piece->flow->take.counts->unsure += piece->asked;
	piece->stage = FENCED;
	int status = send(piece, argv, 2, 0, REDIS_IDEMPOTENT, on_fenced);
	buf_release(&sidecar);
	return status;
}

/* --- a key's way --- */

/* When a soft change ends the key's life; 0: its server's time is not known. */
static int64_t end_of(const struct piece *piece)
{
	struct take_flow *flow = piece->flow;
	int64_t now_ms =
	    take_clocks_now(&flow->clocks, session_of(flow), take_piece_key(piece));

	if (now_ms == 0) /* it would end in 1970 */
		return 0;
	return now_ms + (int64_t)piece->soft_ms;
}

int take_piece_sort_out(struct piece *piece)
{
	const struct take_job *job = piece->flow->take.job;
	struct take_counts *counts = piece->flow->take.counts;

	if (job->soft && (piece->ends_ms = end_of(piece)) == 0) {
		try_again(piece);
		return 0;
	}
	piece->stage = OPEN;
	if (piece->expires_ms == TAKE_ABSENT) {
		counts->gone++;
		return fence(piece);
	}
	if (job->soft && piece->expires_ms >= 0 && piece->expires_ms <= piece->ends_ms) {
		counts->kept++;
		return fence(piece);
	}
	if (job->soft)
		save_life(piece);
	else if (!job->backup)
		push(&piece->flow->saved, piece);
	else if (piece->bytes > TAKE_LARGE)
		take_piece_leave(piece, ALONE);
	else
		return save_value(piece);
	return 0;
}

/* What did not come to its end has failed. */
void take_piece_spend(struct piece *piece)
{
	struct take_flow *flow = piece->flow;
	struct take_counts *counts = flow->take.counts;
	struct err busy = {0};

	give_back(piece);
	counts->failed++;
	counts->unsure += piece->asked;
	take_piece_leave(piece, ENDED);
	take_tell_spent(flow->take.job, take_piece_key(piece), &busy);
	if (!flow->failed)
		take_keep_problem(counts, &busy);
}

struct bytes take_piece_script(void)
{
	return bytes_of(script);
}
