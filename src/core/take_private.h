#ifndef CORE_TAKE_PRIVATE_H
#define CORE_TAKE_PRIVATE_H

#include "base/err.h"
#include "core/backup.h"
#include "core/take.h"
#include "wire/redis.h"

#define TAKE_TRIES 32             /* of one key that others keep writing */
#define TAKE_HAS_EXPIRETIME 70000 /* the version that came with PEXPIRETIME */

/* How an attempt ended. */
enum take_end {
	TAKE_DONE,
	TAKE_AGAIN,   /* somebody wrote meanwhile, or the connection broke before the change */
	TAKE_REFUSED, /* the server refused this key: take->refusal says why */
	TAKE_STOP,    /* take->err says why */
};

/* One attempt over some keys. */
struct take {
	const struct take_job *job;
	struct take_counts *counts;
	bool lost;      /* an answer did not come: the connection is another one now */
	int64_t now_ms; /* the server's clock, when our own was heard_ms */
	uint64_t heard_ms;
	int64_t ends_ms;  /* soft: when this attempt's keys are to end */
	bool exact;       /* it knows PEXPIRETIME */
	bool has_records; /* first_record…last_record are of this attempt */
	uint64_t first_record, last_record;
	bool queue_failed;    /* a command within MULTI was refused */
	bool told_full;       /* the refusal names the way out */
	bool executed;        /* EXEC did it */
	bool exec_lost;       /* EXEC was sent, and whether it did it is not known */
	bool denied;          /* what stops it is that this user may not (NOPERM) */
	struct bytes subject; /* the key, or the first of them, for messages */
	struct err broke;     /* this attempt's connection did */
	struct err refusal;
	struct err err;
};

/* Sends a command over the connection that WATCH was sent on. */
int take_send(struct take *take, const struct bytes *argv, size_t argc, size_t expect,
	      redis_reply_fn *fn, void *ctx);
/* Waits for every answer; TAKE_DONE when all came. */
enum take_end take_settle(struct take *take);
/*
 * Keeps a server's refusal: of everything (take->err), or of this key (take->refusal). An
 * answer that is no error, but not the command's, is the end of everything.
 */
void take_refuse(struct take *take, const struct reply *reply, const char *command,
		 struct bytes key);
/* The answer did not come: the attempt is to be made again. */
/* No word on the key: the connection broke, the server was busy just now, or sentinels know
 * another primary by now. */
bool take_is_passing(const struct take *take, const struct reply *reply);
void take_lose(struct take *take, const struct reply *reply, const char *command,
	       struct bytes key);
/* Why a key's tries ended without its change: it is never still, or the run was interrupted. */
void take_tell_spent(const struct take_job *job, struct bytes key, struct err *ret_err);
bool take_is_interrupted(const struct take_job *job);
/* Keeps the first failure of a key alone. */
void take_keep_problem(struct take_counts *counts, const struct err *err);
/* TIME's answer as Unix time; -1: it is none. */
int take_read_time(const struct reply *reply, int64_t *ret_ms);
/* Writes a record of this attempt, if there is a backup. */
int take_save(struct take *take, struct backup_record *record);
int take_begin(struct take *take, const struct bytes *keys, size_t count);
/*
 * MULTI, the commands that `queue` sends, EXEC. When EXEC's answer was lost it
 * may have run: TAKE_AGAIN, and the records stay.
 */
enum take_end take_commit(struct take *take, int (*queue)(struct take *take, void *ctx),
			  redis_reply_fn *fn, void *ctx);
/* For a command within MULTI: its answer is QUEUED, or a refusal. */
void take_on_queued(void *ctx, const struct reply *reply);
/*
 * Asks when a key expires; take_expiry makes of the answer Unix time, BACKUP_FOREVER
 * or TAKE_ABSENT. TIME and PTTL together (before Redis 7.0) are off by what passes
 * between the two.
 */
#define TAKE_ABSENT (-2)
int take_ask_expiry(struct take *take, struct bytes key, redis_reply_fn *fn, void *ctx);
int64_t take_expiry(struct take *take, const struct reply *reply, struct bytes key);
/* Ends an attempt that changed nothing: its records are voided. */
int take_give_back(struct take *take);
/* Sends UNLINK of the keys' sidecars. */
int take_sidecars(struct take *take, const struct bytes *keys, size_t count);

/* Keys of one server, in a transaction; in a cluster one key. As take_keys. */
int take_together(const struct take_job *job, const struct bytes *keys, size_t count,
		  struct take_counts *counts, struct err *err);

/* One large key of about so many bytes, page by page. Its TTL and type are asked anew. */
enum take_end take_large(struct take *take, struct bytes key, uint64_t bytes);

/* Keys in transactions, as many as there are; in a cluster each in its own. As take_keys. */
int take_transactions(const struct take_job *job, const struct bytes *keys, size_t count,
		      struct take_counts *counts, struct err *err);

#endif
