#ifndef CORE_SCAN_PRIVATE_H
#define CORE_SCAN_PRIVATE_H

#include "base/err.h"
#include "base/mem.h"
#include "core/scan.h"
#include "core/scan_pace.h"
#include "core/scan_slots.h"
#include "core/scan_table.h"
#include "wire/redis.h"

/*
 * One whose keys are yielded, one whose probes are under way, one that SCAN fills; the others
 * fill up while the caller waits for something else (scan_drain_beside).
 */
#define SCAN_PAGES 8

struct scan_page {
	struct scan_walk *walk;
	struct mem_arena arena;
	struct scan_key *keys;
	size_t count;
	size_t at;     /* the key whose probe is answered next */
	unsigned left; /* its probes without answer */
	uint64_t next; /* the cursor behind it */
};

/* The walk over one node. */
struct scan_walk {
	struct scan *scan;
	struct redis *redis;
	struct redis *primary; /* whose slots they are: redis, unless that is a replica */
	struct scan_result result;
	struct redis_limits limits; /* before the walk */
	struct scan_pace pace;
	struct scan_table table;
	size_t unsized; /* keys asked for since the table's size was */
	struct scan_slots slots;
	uint64_t reconnects; /* at the start */
	struct scan_page pages[SCAN_PAGES];
	size_t filled;  /* pages that SCAN filled so far */
	size_t probed;  /* of these: whose probes are sent */
	size_t yielded; /* of these: whose keys the caller has seen */
	uint64_t cursor;
	bool asked;       /* a SCAN is under way */
	size_t under_way; /* commands without answer */
	struct err err;
};

struct scan {
	struct redis *redis;
	const struct scan_options *options;
	struct scan_result *sum; /* of all nodes; what the caller looks at meanwhile */
	struct scan_walk *walks;
	size_t count;
	bool stopped; /* fn said so */
};

/* Asks for the walk's next page where there is room for it, and for what a page that came
 * needs. */
void scan_advance(struct scan_walk *walk);

#endif
