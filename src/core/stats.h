#ifndef CORE_STATS_H
#define CORE_STATS_H

#include "base/buf.h"
#include "core/inspect.h"
#include "core/server.h"
#include "core/tally.h"
#include "core/traffic.h"

struct err;
struct nsset;
struct redis;
struct target;

#define STATS_SLOW 3

/* What this user may not run, and so is missing. */
enum stats_denied {
	STATS_NO_INFO = 1,
	STATS_NO_SLOWLOG = 2,
	STATS_NO_MEMORY = 4,
	STATS_NO_COUNTERS = 8,
	STATS_NO_MONITOR = 16,
	STATS_NO_SCAN = 32,
};

struct stats_slow {
	int64_t at_s;
	int64_t duration_us;
	struct buf command; /* its first words, as the server shortened them */
};

/* Figures of one moment, each of known origin. */
struct stats {
	const struct nsset *set;
	uint64_t at_ms; /* wall clock */
	unsigned denied;
	/* what the server says of all clients; our own lookups of this run are taken off */
	struct server_info info;
	uint64_t own_lookups; /* so many were */
	struct stats_slow slow[STATS_SLOW];
	size_t slow_count;
	/* own counters: nsset_count + 1 */
	struct tally_figures *own;
	/* a walk */
	bool scanned;
	struct inspect_overview overview;
	/* observed traffic; NULL: not asked for */
	struct traffic *traffic;
	int64_t traffic_hits; /* of the whole server meanwhile, ours taken off; -1: unknown */
	int64_t traffic_misses;
};

struct stats_want {
	bool scan;
	const struct traffic_options *sample; /* or NULL */
	const volatile int *cancel;
	inspect_progress_fn *progress;
	void *ctx;
};

/*
 * Looks at the server. What this user may not ask is missing and named in
 * denied. -1 when the connection failed; what was gathered so far is there.
 * Release in either case.
 */
int stats_gather(const struct nsset *set, struct redis *redis, const struct stats_want *want,
		 struct stats *ret_stats, struct err *err);
/* Empty figures: nothing is known. */
void stats_init(struct stats *stats, const struct nsset *set);
void stats_release(struct stats *stats);

#endif
