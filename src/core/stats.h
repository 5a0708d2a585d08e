#ifndef CORE_STATS_H
#define CORE_STATS_H

#include "base/buf.h"
#include "base/err.h"
#include "core/inspect.h"
#include "core/server.h"
#include "core/tally.h"
#include "core/traffic.h"

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
	STATS_NO_CONFIG = 32,
	STATS_NO_EVENTS = 64,
	STATS_DENIED_END = 128,
};

struct stats_slow {
	int64_t at_s;
	int64_t duration_us;
	struct buf command; /* its first words, as the server shortened them */
	size_t node;
};

/* A server that was asked: the session's own, or a primary of its cluster. */
struct stats_node {
	struct redis *session; /* borrowed */
	struct buf name;       /* "127.0.0.1:7000" */
	struct err err;        /* set: it failed, and what is unknown below stays so */
	struct server_info info;
	bool is_replica;         /* read in place of its primary */
	struct traffic *traffic; /* its sample, or NULL */
};

/* Figures of one moment, each of known origin. */
struct stats {
	const struct nsset *set;
	uint64_t at_ms; /* wall clock */
	unsigned denied;
	/* Every node answered, and what was asked for was not broken off. */
	bool complete;
	bool cluster;
	bool replicas; /* they are asked, where there are any */
	struct stats_node *nodes;
	size_t node_count;
	/* what the servers say of all clients, summed up; our own lookups of this run are
	 * taken off */
	struct server_info info;
	uint64_t own_lookups; /* so many were */
	struct stats_slow slow[STATS_SLOW];
	size_t slow_count;
	/* own counters: nsset_count + 1 */
	struct tally_figures *own;
	struct err own_err; /* why some are not known */
	/* a walk; what it saw, where scan.complete is false */
	bool scanned;
	struct inspect_overview overview;
	struct err scan_err;
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
 * Looks at every server at once. What this user may not ask is missing and
 * named in denied, what failed in the err of its node, own_err or scan_err. -1
 * when no server could be reached. An interrupted sample or walk leaves what is
 * known. Release in either case.
 */
int stats_gather(const struct nsset *set, struct redis *redis, const struct stats_want *want,
		 struct stats *ret_stats, struct err *err);
/* Empty figures: nothing is known. */
void stats_init(struct stats *stats, const struct nsset *set);
void stats_release(struct stats *stats);

#endif
