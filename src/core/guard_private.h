#ifndef CORE_GUARD_PRIVATE_H
#define CORE_GUARD_PRIVATE_H

#include "core/guard.h"

#define GUARD_SHA_LEN 40

enum guard_script { GUARD_STORE, GUARD_RENEW, GUARD_END, GUARD_SCRIPTS };

struct guard_op;

struct guard {
	struct redis *redis;
	char sha[GUARD_SCRIPTS][GUARD_SHA_LEN + 1];
	struct buf sidecar; /* reused for each command */
	/* Where scripts are forbidden (guard_watch.c): one operation after the other. */
	bool watches;
	bool busy; /* with the first */
	struct guard_op *first;
	struct guard_op *last;
};

/* What one guarded write is to do, for script and transaction alike. */
struct guard_write {
	struct bytes key;
	const char *token;
	struct bytes value; /* STORE */
	int64_t ttl_ms;     /* 0: for ever; END: nothing is noted */
	int64_t slack_ms;   /* STORE, RENEW: how long the note outlives the value */
	bool keep_same;     /* STORE */
	struct bytes note;  /* STORE: whole, or "\nETAG\nLAST-MODIFIED", or empty: none; RENEW,
			     * END: whole */
};

/* The sidecar's name in guard->sidecar. */
struct bytes guard_sidecar(struct guard *guard, struct bytes key);

/* 0 when this user may use transactions. */
int guard_watch_probe(struct guard *guard);
/*
 * The same as the scripts, by WATCH, GET and MULTI: fn hears what the script
 * would have answered. Waits its turn: EXEC ends every WATCH of a session.
 */
int guard_watch(struct guard *guard, enum guard_script what, const struct guard_write *write,
		redis_reply_fn *fn, void *ctx, struct err *err);
void guard_watch_release(struct guard *guard);

#endif
