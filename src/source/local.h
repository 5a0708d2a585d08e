#ifndef SOURCE_LOCAL_H
#define SOURCE_LOCAL_H

#include "base/bytes.h"
#include "source/breaker.h"
#include "source/source.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fetch;

#define LOCAL_NEVER UINT64_MAX

/* How a request to a local source ended. The body is valid within the callback. */
struct local_result {
	enum source_cause cause; /* NONE, or why it failed; then err says more */
	bool found;              /* false: nothing is there */
	struct bytes body;
};

/* May push again, but not turn, uproot or free. */
typedef void local_done_fn(void *ctx, struct fetch *fetch, const struct local_result *result,
			   struct err *err);

/* Where descriptors to wait for are gathered. */
struct local_waits {
	struct curl_waitfd *list;
	size_t count;
	size_t size;
};
void local_wait(struct local_waits *waits, int fd, short events); /* CURL_WAIT_* */

/*
 * A source on this machine, files or a command: whose fetches wait and, in
 * what the kind puts behind it, what is under way.
 */
struct local {
	const struct local_kind *kind;
	const struct source_def *def;
	struct fetch *first; /* waiting, linked through fetch->next */
	struct fetch *last;
	size_t waiting;
	struct breaker breaker; /* of a command: a process that fails counts once */
	local_done_fn *done;
	void *ctx;
};

struct local_kind {
	/* Never blocks. Returns in how many ns to come again even if nothing is ready. */
	uint64_t (*turn)(struct local *local, uint64_t now_ns);
	void (*waits)(const struct local *local, struct local_waits *waits);
	/* Puts what is under way, to be stopped now, in front of list. */
	struct fetch *(*uproot)(struct local *local, struct fetch *list);
	/* Nothing is under way. */
	void (*free)(struct local *local);
};

/* NULL when nobody waits. */
struct fetch *local_pop(struct local *local);

/* The local sources of a fetcher. */
struct locals {
	local_done_fn *done;
	void *ctx;
	struct local **list;
	size_t count;
	struct local_waits waits;
};

/* Queues the fetch at the source of its request. */
void locals_push(struct locals *locals, struct fetch *fetch);
/* Moves everything; as local_kind's turn. */
uint64_t locals_turn(struct locals *locals);
/* *ret_count descriptors to wait for, and room for one more behind them. */
struct curl_waitfd *locals_waits(struct locals *locals, size_t *ret_count);
/* Every fetch, linked, taken out of where it waits or runs. */
struct fetch *locals_uproot(struct locals *locals);
void locals_release(struct locals *locals);

#endif
