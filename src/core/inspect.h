#ifndef CORE_INSPECT_H
#define CORE_INSPECT_H

#include "core/inspect_filter.h"
#include "core/inspect_group.h"
#include "core/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct nsset;
struct redis;
struct shapes;

struct inspect_overview {
	struct inspect_group *groups; /* one per namespace in order, then the unclassified */
	size_t count;
	struct shapes *shapes; /* of the unclassified keys */
	struct scan_result scan;
	bool types_sampled; /* not every key was asked for its type */
	/* of a sample; sampled 0: every key was walked */
	uint64_t sampled;    /* keys drawn, of every kind */
	uint64_t total;      /* of so many */
	double lots_squared; /* the sum of the squares of the lots' keys (core/estimate.h) */
};

/* Called now and then with the keys seen so far; may be NULL. */
typedef void inspect_progress_fn(void *ctx, uint64_t keys);

/* Which keys, and how. All zero: every key. */
struct inspect_options {
	const struct inspect_filter *filter; /* only its keys, each with its type */
	bool lenient;                        /* as in scan_options */
	inspect_progress_fn *progress;
	void *ctx;
};

/*
 * Walks the whole keyspace and folds every key into its namespace. On failure
 * *ret_overview still holds what was seen; release it in either case. In a
 * keyspace of more than 100,000 keys the type is asked of the first 256 keys of
 * a namespace and of each 16th later: estimate_count makes the whole's of it.
 */
int inspect_overview(struct redis *redis, const struct nsset *set,
		     inspect_progress_fn *progress, void *ctx,
		     struct inspect_overview *ret_overview, struct err *err);
int inspect_overview_of(struct redis *redis, const struct nsset *set,
			const struct inspect_options *options,
			struct inspect_overview *ret_overview, struct err *err);
/*
 * The same from a fair sample of about so many keys (core/sample.h): the
 * figures are those of the sample, estimate_count_of and _sum_of make the
 * whole's of them. Where a sample is no saving every key is walked (sampled
 * is 0 then).
 */
int inspect_sample(struct redis *redis, const struct nsset *set, uint64_t keys, uint64_t seed,
		   struct inspect_overview *ret_overview, struct err *err);
void inspect_overview_release(struct inspect_overview *overview);
/* All groups in one. Release it. */
void inspect_overview_sum(const struct inspect_overview *overview,
			  struct inspect_group *ret_sum);

#endif
