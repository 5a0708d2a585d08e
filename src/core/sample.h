#ifndef CORE_SAMPLE_H
#define CORE_SAMPLE_H

#include "core/scan.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct redis;

/*
 * A random sample of the keyspace in which every key has the same chance.
 * RANDOMKEY has not: it picks a random place in the server's table and takes
 * what it finds next to it, so that in a sparse table a key that stands alone
 * comes more often than one in a crowd. Here random places of the tables are
 * drawn (core/sample_tables.h), each at most once, and exactly the keys of each
 * are taken: SCAN with a random cursor and COUNT 1 returns at the first bucket
 * with a key, and the cursor that it gives back tells which bucket that was. In
 * a cluster every primary gives the same share of its places, so that every key
 * has the same chance there, too, however unequal they are; ERR_ITEM when slots
 * moved meanwhile.
 */
struct sample_options {
	/* about so many; the number of places is fixed before the first is drawn */
	uint64_t keys;
	uint64_t seed;
	unsigned probes;
	scan_key_fn *fn; /* of each key that was drawn; false ends it */
	/*
	 * The keys since the last call were drawn together, so many with those that
	 * fn did not hear of. Where each slot has a table, keys of one bucket are of
	 * one slot, and by their tags may be alike; else every key comes alone.
	 */
	void (*lot_fn)(void *ctx, uint64_t keys);
	/* the table was resized: what fn heard so far does not count */
	void (*restart)(void *ctx);
	void *ctx;
};

struct sample_result {
	struct scan_result scan; /* keys, own: drawn; expected: DBSIZE */
	uint64_t total;          /* keys of the whole: DBSIZE, or what the places tell */
	uint64_t places;         /* drawn */
	bool too_small;          /* a walk over all is hardly more work: nothing was drawn */
};

int sample_run(struct redis *redis, const struct sample_options *options,
	       struct sample_result *ret_result, struct err *err);

#endif
