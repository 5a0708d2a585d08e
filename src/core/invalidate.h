#ifndef CORE_INVALIDATE_H
#define CORE_INVALIDATE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "core/keylist.h"
#include "core/referrer.h"
#include "core/take.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backup;
struct err;
struct inspect_filter;
struct nsset;
struct redis;
struct resume;
struct throttle;

#define INVALIDATE_ANY UINT64_MAX /* number of keys */

/* What a key must be besides; 0 or empty: it need not. */
struct invalidate_condition {
	uint64_t ttl_below_ms; /* lives for less */
	uint64_t ttl_above_ms; /* lives for more, or for ever */
	uint64_t older_ms;     /* was stored longer ago, by its namespace's fixed TTL */
	struct bytes tag;      /* its hash tag */
};

/* What to drop: keys by name, or every key that a filter accepts. */
struct invalidate_target {
	const struct nsset *set;
	const struct keylist *named; /* in any number, in this order; or NULL: */
	const struct inspect_filter *filter;
	struct invalidate_condition only;
	uint64_t max_keys; /* more than that is refused; INVALIDATE_ANY: any number */
	bool referrers;    /* what refers to a key goes with it */
	bool graced;       /* only keys whose namespace has a grace: ERR_USAGE at another */
	const struct resume *resume; /* where to begin, and what cursors are good for; NULL:
				      * at the beginning, none are kept */
};

#define INVALIDATE_SAMPLES 5
#define INVALIDATE_LIST_MAX ((size_t)5 * 1024 * 1024) /* memory for the names of found keys */

/* What would be dropped. */
struct invalidate_plan {
	uint64_t keys;        /* that exist now, the related ones too */
	uint64_t related;     /* index keys among them: they lead to one of the others */
	uint64_t members;     /* of sets, taken out because their key goes */
	uint64_t absent;      /* named, but not there */
	uint64_t unknown_age; /* left out: how old they are cannot be told */
	uint64_t bytes;
	bool bytes_known; /* MEMORY USAGE is allowed */
	uint64_t without_ttl;
	int64_t longest_ttl_ms; /* 0: none has a TTL */
	struct buf samples[INVALIDATE_SAMPLES];
	size_t sample_count;
	/* The names of what was found; listed: all of them (they need not be looked for again)
	 */
	struct keylist list;
	bool listed;
	struct referrers referrers;
};

/*
 * Looks without touching. ERR_REFUSED once more than max_keys are found (the
 * plan then holds what was counted). Release in either case.
 */
int invalidate_plan(struct redis *redis, const struct invalidate_target *target,
		    struct invalidate_plan *ret_plan, struct err *err);
void invalidate_plan_release(struct invalidate_plan *plan);

typedef void invalidate_progress_fn(void *ctx, uint64_t done, uint64_t failed);

struct invalidate_job {
	struct redis *redis;
	const struct invalidate_target *target;
	const struct invalidate_plan *plan;
	struct redis *second;  /* of the same server, for what is saved and for `soft` */
	struct backup *backup; /* NULL: nothing is saved */
	bool soft;
	uint64_t soft_ms;          /* 0: the grace of the key's namespace */
	struct throttle *throttle; /* may be NULL */
	/* Non-zero ends it after the answers to what was sent: ERR_INTERRUPTED. May be NULL. */
	const volatile int *cancel;
	invalidate_progress_fn *progress; /* may be NULL */
	void *ctx;
};

struct invalidate_report {
	struct take_counts counts;
	uint64_t unfenced; /* their sidecar could not be dropped: a fetch under way may bring
			      them back */
	bool looked;       /* for keys that nobody answered for */
	uint64_t there;    /* then: how many of the plan's keys */
	bool complete;     /* every key of the target had its turn */
};

/*
 * Drops what was planned: from the plan's list, or when that could not hold
 * it, whatever a second walk finds, and never more than max_keys: ERR_REFUSED
 * when there were more (keys that came since the plan). The report is true on
 * failure too; release it.
 */
int invalidate_run(const struct invalidate_job *job, struct invalidate_report *ret_report,
		   struct err *err);
void invalidate_report_release(struct invalidate_report *report);

/* True for a glob that matches (nearly) every key: it has no literal byte. */
bool invalidate_is_catch_all(struct bytes glob);

#endif
