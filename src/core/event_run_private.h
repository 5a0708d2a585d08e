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
	struct buf sidecar, scratch;
	struct event_list patterns;
	struct event_list warms;
	struct mem_arena *arena; /* of the plans under way */
	struct err stop;         /* what every further write would meet */
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
/* The sidecar's name of key, valid until the next. */
struct bytes event_sidecar(struct event_runner *runner, struct bytes key);
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
/* The same as EVENT_SCRIPT_REPLACE, by a transaction that watches the key. ttl as there. */
int event_watch_replace(struct event_runner *runner, struct event_step *step,
			struct bytes before, struct bytes after, struct bytes ttl,
			int64_t *ret_replaced, struct err *err);
/* One scan for every pattern put off. */
int event_patterns_run(struct event_runner *runner, struct err *err);
/* Fetches every key put off, each once. */
int event_warms_run(struct event_runner *runner, struct err *err);

#endif
