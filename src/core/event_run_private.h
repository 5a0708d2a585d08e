#ifndef CORE_EVENT_RUN_PRIVATE_H
#define CORE_EVENT_RUN_PRIVATE_H

#include "core/event_private.h"
#include "core/event_run.h"

#include "base/buf.h"
#include "base/err.h"
#include "wire/redis.h"

enum event_script {
	EVENT_SCRIPT_EXPIRE,
	EVENT_SCRIPT_SET_KEEP,
	EVENT_SCRIPT_ADD,
	EVENT_SCRIPT_REPLACE,
	EVENT_SCRIPT_COUNT,
	EVENT_SCRIPTS,
};

struct event_list { /* of steps put off to the end of a run */
	struct event_step **items;
	size_t count;
	size_t size;
};

/* Cached JSON while it is changed. */
struct event_editing {
	struct buf plain; /* unpacked, when it is packed */
	struct buf edited;
	struct buf packed;
};

#define EVENT_SHA_LEN 40

struct event_runner {
	struct event_runner_options options;
	struct redis *redis;
	struct guard *guard;
	char sha[EVENT_SCRIPTS][EVENT_SHA_LEN + 1];
	bool loaded;
	bool stale;           /* a reply said that the server has not the scripts (any more) */
	bool denied;          /* guard scripts may not be run: warm without */
	struct err forbidden; /* why the server takes no scripts from us */
	struct buf sidecar, once, scratch;
	struct event_editing editing;
	struct event_list patterns;
	struct event_list warms;
	struct event_list publishes; /* said when all else is done */
	struct mem_arena *arena;     /* of the plans under way */
	struct err stop;             /* what every further write would meet */
};

/*
 * Loads the scripts unless they are. 0 with runner->forbidden set: this user may
 * not run any; -1 with err.
 */
int event_script_load(struct event_runner *runner, struct err *err);
/* Queues a script over keys; its reply goes to fn. Where scripts are forbidden the step fails.
 */
int event_script_submit(struct event_runner *runner, enum event_script script,
			struct event_step *step, const struct bytes *keys, size_t key_count,
			const struct bytes *args, size_t arg_count, redis_reply_fn *fn,
			struct err *err);
/* The same for one answer now; scripts must not be forbidden. */
int event_script_call(struct event_runner *runner, enum event_script script,
		      const struct bytes *keys, size_t key_count, const struct bytes *args,
		      size_t arg_count, const struct reply **ret_reply, struct err *err);
/* The sidecar's name of key, and that of the marks of what was counted; valid until the next.
 */
struct bytes event_sidecar(struct event_runner *runner, struct bytes key);
struct bytes event_once_name(struct event_runner *runner, struct bytes key);
/* A failed step: what the reply says, kept. Lost ones stay pending. */
void event_step_fail(struct event_step *step, const struct reply *reply, const char *command);
void event_step_problem(struct event_step *step, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* ttl as the scripts take it: decimal milliseconds, "0" for ever. Static room is the caller's.
 */
struct bytes event_decimal(char room[24], int64_t number);
/* The life of what the step stores: -1 when it must not be kept. */
int64_t event_step_ttl(const struct event_step *step);

/* Changes cached JSON in place: read, edit, put back if nobody wrote meanwhile. */
int event_patch(struct event_runner *runner, struct event_step *step, struct err *err);
/* patch, upsert, remove: the TTL stays as it is. */
bool event_edit_keeps_life(const struct event_step *step);
/*
 * stored → *ret_after, a view into the runner or into stored. EVENT_PENDING: it is to
 * be written; EVENT_SAME: nothing changes; EVENT_FAILED with err.
 */
enum event_outcome event_edit_step(struct event_runner *runner, const struct event_step *step,
				   struct bytes stored, struct bytes *ret_after,
				   struct err *err);

/* True when a step is to be a transaction: it is saved, or scripts are forbidden. -1: lost. */
int event_must_watch(struct event_runner *runner, bool *ret_must, struct err *err);
/* Does the step by a transaction; every action but invalidate, publish and warm. */
int event_change(struct event_runner *runner, struct event_step *step, struct err *err);
/* invalidate or expire: keys, at most TAKE_BATCH; adds to step->keys. */
int event_take(struct event_runner *runner, struct event_step *step, const struct bytes *keys,
	       size_t count, struct err *err);
/* remove of a set's member. */
int event_take_member(struct event_runner *runner, struct event_step *step, struct err *err);
/* One scan for every pattern put off. */
int event_patterns_run(struct event_runner *runner, struct err *err);
/* Fetches every key put off, each once. */
int event_warms_run(struct event_runner *runner, struct err *err);

#endif
