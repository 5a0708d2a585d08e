#ifndef CORE_EVENT_CHANGE_H
#define CORE_EVENT_CHANGE_H

#include "core/event_run_private.h"
#include "core/take_private.h"

/*
 * One step's change by a transaction: WATCH, look, save what is there (when
 * there is a backup), MULTI … EXEC. It is how a step is done when it must be
 * possible to take it back, and where scripts are forbidden.
 */
struct event_change {
	struct event_runner *runner;
	struct event_step *step;
	struct take_job job;
	struct take take;
	/* what is there */
	int64_t was_ms;     /* its expiry: Unix time, BACKUP_FOREVER, TAKE_ABSENT */
	struct err foreign; /* set: there is a value, but no string */
	bool in_the_way;    /* and it has to go first */
	struct buf before;
	bool is_member;
	struct bytes *fields; /* of the counted; ptr NULL: not there */
	struct mem_arena arena;
	bool counted;
	/* what is to be */
	struct bytes after; /* a string; a view */
	int64_t expires_ms; /* Unix time; 0: as it is, BACKUP_FOREVER: none */
	enum event_outcome outcome;
	bool quiet; /* only the sidecar goes */
};

/* The kinds of change. Each returns as take_settle does; -1: take.err. */
struct event_change_kind {
	int (*ask)(struct event_change *change);
	/* Sets change->outcome, and saves; true when something is to be changed. */
	bool (*decide)(struct event_change *change);
	int (*queue)(struct take *take, void *ctx);
};

/* For the kinds: sends a command about the step's key. */
int event_change_ask(struct event_change *change, const char *command, redis_reply_fn *fn);
int event_change_send(struct event_change *change, const struct bytes *argv, size_t argc,
		      redis_reply_fn *fn);
/* The key's expiry before, as records keep it. */
int64_t event_change_expiry(const struct event_change *change);
/* Queues PEXPIREAT for change->expires_ms, unless it stays as it is. */
int event_change_queue_expiry(struct event_change *change);
/* Keeps that the change sets another expiry. */
void event_change_save_expiry(struct event_change *change);

extern const struct event_change_kind event_change_count;
extern const struct event_change_kind event_change_member;

#endif
