#ifndef CORE_WARM_H
#define CORE_WARM_H

#include "base/bytes.h"
#include "core/histogram.h"
#include "source/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fetcher;
struct ns;
struct nsset;
struct redis;
struct selection;

/* When a key that is there is fetched again. */
enum warm_policy {
	WARM_CHANGED,  /* always, but conditionally: unchanged bytes only get their TTL renewed
			*/
	WARM_ALWAYS,   /* always, in full, and written anew */
	WARM_MISSING,  /* never */
	WARM_EXPIRING, /* when it lives for no more than expiring_ms */
};
extern const char *const warm_policy_names[]; /* in that order, NULL-terminated */

struct guard;
struct lease;

/* After a signal so long for Redis' answers to what was sent; what is not acknowledged then is
 * not stored. */
#define WARM_GRACE ((struct redis_grace){.silent_ms = 500, .whole_ms = 3000})

/* One namespace's warming. */
struct warm_job {
	const struct nsset *set;
	const struct ns *ns;
	struct selection *selection; /* borrowed */
	struct redis *redis;
	struct fetcher *fetcher;
	struct guard *guard; /* NULL: plain writes, without fencing and conditional requests */
	struct lease *lease; /* kept alive; losing it ends the run. May be NULL */
	enum warm_policy policy;
	int64_t expiring_ms;
	bool prune;           /* drop a cached value whose source has nothing there any more */
	uint64_t deadline_ms; /* clock_mono_ms when no more is begun; 0: none */
	bool evict;           /* go on even when the server is, or will be, full */
	bool dry_run;         /* expand and count, fetch and store nothing */
	const volatile int
	    *cancel;    /* non-zero: begin no more, hear the answers, report (may be NULL) */
	int64_t ttl_ms; /* in place of the namespace's TTL; 0: the namespace's */
	/* Called for each item that failed or was absent: key may be empty when it could not be
	 * made. May be NULL. */
	void (*problem)(void *ctx, struct bytes key, const struct err *err);
	/* The vars of each item that failed, as a JSON object: a line that --ids reads. May be
	 * NULL. */
	void (*failed)(void *ctx, struct bytes vars);
	void (*progress)(void *ctx, uint64_t done, uint64_t failed);
	void *ctx;
};

/* Causes of failures that are not the source's. */
enum warm_cause {
	WARM_CAUSE_VARS = SOURCE_CAUSE_CANCELLED + 1, /* an id that makes no key */
	WARM_CAUSE_ROW,                               /* no row of the file's format */
	WARM_CAUSE_REDIS,                             /* not acknowledged */
	WARM_CAUSE_COUNT,
};
const char *warm_cause_name(unsigned cause);

enum warm_skip {
	WARM_SKIP_FRESH,     /* the policy: it lives long enough */
	WARM_SKIP_NO_STORE,  /* the answer must not be kept */
	WARM_SKIP_OVERTAKEN, /* invalidated, or fetched by somebody else, meanwhile */
	WARM_SKIP_DRY_RUN,
	WARM_SKIP_COUNT,
};
extern const char *const warm_skip_names[];

/* How a run came to its end. */
enum warm_end {
	WARM_END_COMPLETE, /* the selection was read to its end */
	WARM_END_INTERRUPTED,
	WARM_END_DEADLINE,
	WARM_END_LEASE,     /* held by, or lost to, another run */
	WARM_END_SOURCE,    /* it is down: its breaker opened */
	WARM_END_EVICTIONS, /* the server evicts because of this run */
	WARM_END_MEMORY,    /* the rest does not fit into its maxmemory */
	WARM_END_REDIS,     /* lost, or refusing every write */
	WARM_END_INPUT,     /* the list, the file */
};
/* "interrupted", …; NULL for a complete one. */
const char *warm_end_name(enum warm_end end);

/*
 * requested = stored + renewed + skipped + absent + failed, always; nothing
 * counts as stored that Redis did not acknowledge.
 */
struct warm_report {
	const struct ns *ns;
	uint64_t requested;
	uint64_t stored;
	uint64_t renewed; /* the same bytes were there: their TTL was renewed */
	uint64_t skipped;
	uint64_t skips[WARM_SKIP_COUNT];
	uint64_t absent; /* the source has nothing there */
	uint64_t failed;
	uint64_t causes[WARM_CAUSE_COUNT]; /* of the failed */
	uint64_t bytes;                    /* stored */
	uint64_t fetched;                  /* answers with a value, 304 included */
	uint64_t not_modified;             /* 304 */
	uint64_t noted_absent;      /* of the absent: known from a moment ago, not asked */
	uint64_t pruned;            /* of the absent: a cached value was dropped */
	uint64_t attempts;          /* requests to the source */
	uint64_t retries;           /* of the attempts */
	struct histogram source_us; /* per answered item */
	uint64_t estimated; /* of a dry run: bytes that the items would take; 0: unknown */
	enum warm_end end;
};

/*
 * Fetches and stores every item of the selection. 0 when the selection was
 * read to its end (items may have failed: the report counts them); -1 when it
 * was cut short: ERR_REDIS (Redis lost or refusing every write), ERR_SOURCE
 * (the list), ERR_INTERRUPTED. The report is true in either case; release it.
 */
int warm_run(const struct warm_job *job, struct warm_report *ret_report, struct err *err);
void warm_report_release(struct warm_report *report);

#endif
