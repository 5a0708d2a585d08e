#ifndef CORE_BULK_H
#define CORE_BULK_H

#include "core/warm.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct ns;
struct nsset;
struct redis;
struct rowfile;

/* Values from a file of rows (bulk_row.h) into Redis: no source is asked. */
struct bulk_job {
	const struct nsset *set;
	const struct ns *only; /* all rows are of this namespace; NULL: rows say it */
	struct rowfile *file;  /* borrowed */
	struct redis *redis;
	int64_t
	    ttl_ms; /* in place of the namespaces' TTLs; 0: theirs. A row's own goes before. */
	struct lease *lease; /* kept alive; losing it ends the run. May be NULL */
	bool evict;          /* go on even when the server is, or will be, full */
	bool dry_run;        /* check and count, store nothing */
	const volatile int
	    *cancel; /* non-zero: begin no more, hear the answers, report (may be NULL) */
	/* Called for each row that failed: err names file, line and column. May be NULL. */
	void (*problem)(void *ctx, const struct err *err);
	/* The text of each row that failed, but for rows that are too long. May be NULL. */
	void (*failed)(void *ctx, struct bytes text);
	/* Now and then; share of the file, 0..1, 0: unknown. May be NULL. */
	void (*progress)(void *ctx, uint64_t done, uint64_t failed, double share);
	void *ctx;
};

/*
 * Stores every row. reports has nsset_count(set) + 1 entries, filled: one by
 * each namespace's index, the last (ns NULL) for rows of which it is not known.
 * In each of them requested = stored + skipped + failed, and nothing counts as
 * stored that Redis did not acknowledge. 0 when the file was read to its end
 * (rows may have failed); -1 when it was cut short: ERR_REDIS (lost, or
 * refusing every write), ERR_ITEM or ERR_USAGE (the file), ERR_INTERRUPTED.
 */
int bulk_run(const struct bulk_job *job, struct warm_report *reports, struct err *err);

#endif
