#ifndef CORE_INVALIDATE_H
#define CORE_INVALIDATE_H

#include "base/buf.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct inspect_filter;
struct redis;

/* What to drop: keys by name, or every key that a filter accepts. */
struct invalidate_target {
	const struct bytes *keys;
	size_t key_count;
	const struct inspect_filter *filter; /* when there are no keys */
	uint64_t max_keys;                   /* more than that is refused */
};

#define INVALIDATE_SAMPLES 5

/* What would be dropped. */
struct invalidate_plan {
	uint64_t keys;   /* that exist now */
	uint64_t absent; /* named, but not there */
	uint64_t bytes;
	bool bytes_known; /* MEMORY USAGE is allowed */
	uint64_t without_ttl;
	int64_t longest_ttl_ms; /* 0: none has a TTL */
	struct buf samples[INVALIDATE_SAMPLES];
	size_t sample_count;
};

/*
 * Looks without touching. ERR_REFUSED once more than max_keys are found (the
 * plan then holds what was counted). Release in either case.
 */
int invalidate_plan(struct redis *redis, const struct invalidate_target *target,
		    struct invalidate_plan *ret_plan, struct err *err);
void invalidate_plan_release(struct invalidate_plan *plan);

/* What the server acknowledged: requested = removed + gone + failed. */
struct invalidate_report {
	uint64_t requested;
	uint64_t removed;
	uint64_t gone;     /* not there any more when its turn came */
	uint64_t failed;   /* an error, or no answer: the first one is in `problem` */
	uint64_t unfenced; /* their sidecar could not be dropped: a fetch under way may bring
			      them back */
	struct buf problem;
	bool complete; /* every key of the target had its turn */
};

typedef void invalidate_progress_fn(void *ctx, uint64_t done, uint64_t failed);

/*
 * UNLINKs, pipelined with the next SCAN page, counting answers. Never asks
 * for more than max_keys: ERR_REFUSED when there were more (keys that came
 * since the plan). *cancel (may be NULL) turning non-zero ends it after the
 * answers to what was sent: ERR_INTERRUPTED. The report is true on failure
 * too; release it.
 */
int invalidate_run(struct redis *redis, const struct invalidate_target *target,
		   const volatile int *cancel, invalidate_progress_fn *progress, void *ctx,
		   struct invalidate_report *ret_report, struct err *err);
void invalidate_report_release(struct invalidate_report *report);

/* True for a glob that matches (nearly) every key: it has no literal byte. */
bool invalidate_is_catch_all(struct bytes glob);

#endif
