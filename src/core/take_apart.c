#include "core/take_private.h"

#include "base/mem.h"
#include "base/sha1.h"
#include "core/sidecar.h"
#include "core/take_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * In a cluster WATCH and EXEC are one slot's, and keys seldom share one; over a
 * long link each transaction waits for what the one before looked at. So here
 * each key goes by a script of its own, that compares what is there with what
 * was saved: of many keys at once, at all primaries at once.
 */

/* Expected bytes of DUMP under way at each primary: it makes them all in one turn. */
#define DUMP_WINDOW ((size_t)128 * 1024)
#define DUMP_LEAST 64
/*
 * Over a long link such small ones count for less: a server reads 32 KiB at once, and so many
 * commands make no more of them than the window.
 */
#define DUMP_SMALL 512
#define DUMP_SMALL_SHARE 4

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

enum stage {
	PENDING,
	OPEN,   /* looked at: to be saved and changed */
	FENCED, /* nothing to change: its sidecar goes, in case a fetch is under way */
	ALONE,  /* saved in pages */
	ENDED,  /* counted */
};

struct piece {
	struct apart *apart;
	struct bytes key;
	enum stage stage;
	bool asked;         /* its change was sent, and the answer never came */
	int64_t expires_ms; /* or BACKUP_FOREVER, TAKE_ABSENT */
	int64_t bytes;
	int64_t now_ms; /* its server's clock */
	char digest[SHA1_HEX_LEN + 1];
	uint64_t record; /* 0: none */
};

struct apart {
	struct take take;
	struct piece *pieces;
	size_t count;
	struct take_clocks clocks;
	char sha[SHA1_HEX_LEN + 1];
	bool forbidden; /* this user may use no scripts */
};

static int submit(struct apart *apart, const struct redis_command *command)
{
	return redis_submit(apart->take.job->redis, command, &apart->take.err);
}

/* For what may be sent twice. */
static int send(struct piece *piece, const struct bytes *argv, size_t argc, size_t expect,
		redis_reply_fn *fn)
{
	const struct redis_command command = {.argv = argv,
					      .argc = argc,
					      .expect = expect,
					      .flags = REDIS_IDEMPOTENT,
					      .fn = fn,
					      .ctx = piece};

	return submit(piece->apart, &command);
}

static int settle(struct apart *apart)
{
	struct err *err = &apart->take.err;

	return redis_drain(apart->take.job->redis, 0, err) != 0 || err_is_set(err) ? -1 : 0;
}

/* The server refused this key, or all: what stops the run is told by its end. */
static void fail(struct piece *piece, const struct reply *reply, const char *command)
{
	struct apart *apart = piece->apart;

	apart->take.refusal = (struct err){0};
	take_refuse(&apart->take, reply, command, piece->key);
	take_keep_problem(apart->take.counts, &apart->take.refusal);
	apart->take.counts->failed++;
	piece->stage = ENDED;
}

/* What was saved of the key stands for a change that did not come. */
static void give_back(struct piece *piece)
{
	struct take *take = &piece->apart->take;

	if (piece->record)
		backup_void(take->job->backup, piece->record, piece->record, &take->err);
	piece->record = 0;
}

/* --- look --- */

static bool pages_large(const struct take_job *job)
{
	return job->backup && !job->soft;
}

static void on_loaded(void *ctx, const struct reply *reply)
{
	struct apart *apart = ctx;
	enum reply_error kind = reply_error_kind(reply);

	apart->forbidden =
	    apart->forbidden || kind == REPLY_ERR_NOPERM || kind == REPLY_ERR_UNKNOWN_COMMAND;
}

static void on_expiry(void *ctx, const struct reply *reply)
{
	struct piece *piece = ctx;

	if (piece->stage != PENDING)
		return;
	if (reply->type == REPLY_INTEGER && reply->integer >= TAKE_ABSENT)
		piece->expires_ms = reply->integer;
	else
		fail(piece, reply, "PEXPIRETIME");
}

static void on_bytes(void *ctx, const struct reply *reply)
{
	struct piece *piece = ctx;

	piece->bytes = reply->type == REPLY_INTEGER ? reply->integer : -1;
	if (reply->type == REPLY_ERROR)
		piece->apart->take.counts->sizes_denied = true;
}

/* A server that was restarted has forgotten the script: each round brings it. */
static int load(struct apart *apart)
{
	const struct bytes argv[] = {BYTES("SCRIPT"), BYTES("LOAD"), bytes_of(script)};
	const struct redis_command command = {
	    .argv = argv, .argc = 3, .flags = REDIS_IDEMPOTENT, .fn = on_loaded, .ctx = apart};

	return submit(apart, &command);
}

static int look(struct apart *apart)
{
	bool soft = apart->take.job->soft, sizes = pages_large(apart->take.job);

	if (load(apart) != 0 || (soft && take_clocks_ask(&apart->clocks, apart->take.job->redis,
							 &apart->take.err) != 0))
		return -1;
	for (size_t i = 0; i < apart->count; i++) {
		struct piece *piece = &apart->pieces[i];
		const struct bytes expiry[] = {BYTES("PEXPIRETIME"), piece->key};
		const struct bytes usage[] = {BYTES("MEMORY"), BYTES("USAGE"), piece->key};

		if (piece->stage == PENDING &&
		    (send(piece, expiry, 2, 0, on_expiry) != 0 ||
		     (sizes && send(piece, usage, 3, 0, on_bytes) != 0)))
			return -1;
	}
	return settle(apart);
}

static void sort_out(struct apart *apart)
{
	const struct take_job *job = apart->take.job;
	struct take_counts *counts = apart->take.counts;

	for (size_t i = 0; i < apart->count; i++) {
		struct piece *piece = &apart->pieces[i];

		if (piece->stage != PENDING)
			continue;
		if (job->soft)
			piece->now_ms = take_clocks_now(&apart->clocks, job->redis, piece->key);
		if (job->soft && piece->now_ms == 0)
			continue; /* it would end in 1970 */
		piece->stage = OPEN;
		if (piece->expires_ms == TAKE_ABSENT) {
			counts->gone++;
			counts->unsure += piece->asked;
			piece->stage = FENCED;
		} else if (job->soft && piece->expires_ms >= 0 &&
			   piece->expires_ms <= piece->now_ms + (int64_t)job->soft_ms) {
			counts->kept++;
			counts->unsure += piece->asked;
			piece->stage = FENCED;
		} else if (pages_large(job) && piece->bytes > TAKE_LARGE) {
			piece->stage = ALONE;
		}
	}
}

/* --- save --- */

static void save(struct piece *piece, struct backup_record *record)
{
	record->key = piece->key;
	record->expires_ms = piece->expires_ms;
	if (take_save(&piece->apart->take, record) == 0)
		piece->record = record->number;
}

static void on_dump(void *ctx, const struct reply *reply)
{
	struct piece *piece = ctx;
	struct backup_record record = {
	    .kind = BACKUP_DUMP, .items = &reply->text, .item_count = 1};

	if (reply->type == REPLY_STRING) {
		sha1_hex(reply->text, piece->digest);
		save(piece, &record);
	} else if (reply->type == REPLY_NIL) { /* it expired just now: look again */
		piece->stage = PENDING;
	} else {
		fail(piece, reply, "DUMP");
	}
}

static int save_values(struct apart *apart)
{
	struct redis *redis = apart->take.job->redis;
	struct redis_limits before = redis_limits(redis), limits = before;
	bool far = redis_is_far(redis);
	int status = 0;

	limits.reply_bytes = DUMP_WINDOW;
	redis_set_limits(redis, &limits);
	for (size_t i = 0; i < apart->count && status == 0; i++) {
		struct piece *piece = &apart->pieces[i];
		const struct bytes argv[] = {BYTES("DUMP"), piece->key};
		size_t expect = piece->bytes > 0 ? (size_t)piece->bytes : DUMP_LEAST;

		if (far && expect <= DUMP_SMALL)
			expect /= DUMP_SMALL_SHARE;
		if (piece->stage == OPEN)
			status = send(piece, argv, 2, expect, on_dump);
	}
	if (status == 0)
		status = settle(apart);
	redis_set_limits(redis, &before);
	return status;
}

static void save_lives(struct apart *apart)
{
	for (size_t i = 0; i < apart->count; i++) {
		struct piece *piece = &apart->pieces[i];
		struct backup_record record = {.kind = BACKUP_TTL,
					       .set_ms = piece->now_ms +
							 (int64_t)apart->take.job->soft_ms};

		if (piece->stage == OPEN)
			save(piece, &record);
	}
}

/* --- change --- */

static void on_changed(void *ctx, const struct reply *reply)
{
	struct piece *piece = ctx;
	struct take_counts *counts = piece->apart->take.counts;
	enum reply_error kind = reply_error_kind(reply);

	if (kind == REPLY_ERR_LOST) { /* perhaps it ran: what was saved may be needed */
		piece->stage = PENDING;
		piece->asked = true;
		piece->record = 0;
		counts->again++;
		return;
	}
	if (reply->type == REPLY_INTEGER && reply->integer == DONE) {
		(*(piece->apart->take.job->soft ? &counts->shortened : &counts->removed))++;
		piece->stage = ENDED;
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
		piece->stage = ENDED;
	} else if (reply->type == REPLY_INTEGER || kind == REPLY_ERR_NOSCRIPT) {
		counts->again++;
		piece->stage = PENDING;
	} else if (kind == REPLY_ERR_NOPERM) {
		piece->apart->forbidden = true;
		piece->stage = PENDING;
	} else {
		fail(piece, reply, "EVALSHA");
	}
}

static void on_fenced(void *ctx, const struct reply *reply)
{
	struct piece *piece = ctx;
	struct take *take = &piece->apart->take;

	if (reply->type == REPLY_INTEGER || reply->type == REPLY_LOST)
		return;
	take_refuse(take, reply, "UNLINK", piece->key);
	take_keep_problem(take->counts, &take->refusal);
}

static int change(struct piece *piece, struct bytes sidecar)
{
	char expires[24], ends[24];
	const struct take_job *job = piece->apart->take.job;
	int64_t ends_ms = piece->now_ms + (int64_t)job->soft_ms;
	const struct bytes argv[] = {
	    BYTES("EVALSHA"),
	    bytes_of(piece->apart->sha),
	    BYTES("2"),
	    piece->key,
	    sidecar,
	    {expires, (size_t)snprintf(expires, sizeof expires, "%" PRId64, piece->expires_ms)},
	    {piece->digest, job->soft || !job->backup ? 0 : SHA1_HEX_LEN},
	    {ends, job->soft ? (size_t)snprintf(ends, sizeof ends, "%" PRId64, ends_ms) : 0}};
	const struct redis_command command = {
	    .argv = argv, .argc = 8, .fn = on_changed, .ctx = piece};

	return submit(piece->apart, &command);
}

static int change_all(struct apart *apart)
{
	struct buf sidecar = {0};
	int status = 0;

	for (size_t i = 0; i < apart->count && status == 0; i++) {
		struct piece *piece = &apart->pieces[i];

		if (piece->stage != OPEN && piece->stage != FENCED)
			continue;
		buf_clear(&sidecar);
		sidecar_name(&sidecar, piece->key);
		const struct bytes fence[] = {BYTES("UNLINK"), buf_bytes(&sidecar)};
		status = piece->stage == OPEN ? change(piece, buf_bytes(&sidecar))
					      : send(piece, fence, 2, 0, on_fenced);
		if (piece->stage == FENCED)
			piece->stage = ENDED;
	}
	buf_release(&sidecar);
	return status == 0 ? settle(apart) : -1;
}

static int attempt(struct apart *apart)
{
	const struct take_job *job = apart->take.job;

	if (look(apart) != 0)
		return -1;
	if (apart->forbidden)
		return 0;
	sort_out(apart);
	if (job->soft)
		save_lives(apart);
	else if (job->backup && save_values(apart) != 0)
		return -1;
	if (err_is_set(&apart->take.err) ||
	    (job->backup && backup_flush(job->backup, &apart->take.err) != 0))
		return -1;
	return change_all(apart);
}

static size_t count_stage(const struct apart *apart, enum stage stage)
{
	size_t count = 0;

	for (size_t i = 0; i < apart->count; i++)
		count += apart->pieces[i].stage == stage;
	return count;
}

static int run(struct apart *apart)
{
	const struct take_job *job = apart->take.job;
	int status = 0;

	for (unsigned try = 0; try < TAKE_TRIES && status == 0; try++) {
		status = attempt(apart);
		if (apart->forbidden || count_stage(apart, PENDING) == 0 ||
		    (job->cancel && *job->cancel))
			break;
		if (status == 0 && apart->clocks.node_lost) /* another may take its place */
			status = redis_recover(job->redis, &apart->take.err);
	}
	return status;
}

/* What did not come to its end: the caller's, when it goes alone; else it failed. */
static size_t finish(struct apart *apart, int status, struct bytes *ret_alone)
{
	struct err busy = {0};
	size_t alone = 0;

	for (size_t i = 0; i < apart->count; i++) {
		struct piece *piece = &apart->pieces[i];

		if (piece->stage == ENDED || piece->stage == FENCED)
			continue;
		if (piece->stage == OPEN)
			give_back(piece);
		if (status == 0 && (apart->forbidden || piece->stage == ALONE)) {
			ret_alone[alone++] = piece->key;
			continue;
		}
		apart->take.counts->failed++;
		apart->take.counts->unsure += piece->asked;
		err_set(&busy, ERR_ITEM,
			"'%.*s' is written again and again: it was not dropped",
			BYTES_ARG(bytes_sub(piece->key, 0, 100)));
		if (status == 0)
			take_keep_problem(apart->take.counts, &busy);
	}
	return alone;
}

int take_apart(const struct take_job *job, const struct bytes *keys, size_t count,
	       struct bytes *ret_alone, size_t *ret_count, struct take_counts *counts,
	       struct err *err)
{
	struct apart apart = {.take = {.job = job, .counts = counts},
			      .pieces = mem_zalloc(count, sizeof *apart.pieces),
			      .count = count};

	for (size_t i = 0; i < count; i++)
		apart.pieces[i] = (struct piece){.apart = &apart, .key = keys[i]};
	sha1_hex(bytes_of(script), apart.sha);
	int status = run(&apart);
	*ret_count = finish(&apart, status, ret_alone);
	if (status != 0) {
		*err = apart.take.err;
		counts->denied = apart.take.denied;
	}
	take_clocks_release(&apart.clocks);
	free(apart.pieces);
	return status;
}
