#ifndef CORE_SAMPLE_TABLES_H
#define CORE_SAMPLE_TABLES_H

#include "core/buckets.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply;

/*
 * The hash tables of a server, cut into places of which a sample draws some. A
 * server has one table, or, in a cluster (Redis from 7.4, Valkey from 8), one
 * for each slot: its cursors then have the slot in their lowest 14 bits, and
 * SCAN goes on with the next slot that has keys (kvstore.c, kvstoreScan).
 *
 * A place is an interval of the way that SCAN takes through a table, not a
 * bucket: a key lies in it when its bucket's end does, so all places of a table
 * together have every key once, of whatever size the table is. A place as long
 * as a bucket takes one SCAN; one of several buckets takes more.
 */
struct sample_table {
	uint64_t first; /* of its places, among those of all */
	uint16_t slot;
	uint8_t bits; /* it has 2^bits places; not more than it has buckets */
};

struct sample_tables {
	struct sample_table *list;
	size_t count;
	size_t room;
	uint64_t places;
	bool by_slot;
	struct buckets order;
	uint64_t next; /* in this order */
};

struct sample_place {
	uint64_t cursor; /* of the next SCAN: the first begins it */
	uint64_t end;    /* its end's way; 0: that of the table */
	uint16_t slot;
};

/* Where the bucket lies of which a SCAN brought the keys. */
enum sample_where {
	SAMPLE_BEYOND, /* the place is over, and they are not of it */
	SAMPLE_INSIDE, /* of the place, and it goes on at the cursor */
	SAMPLE_LAST,   /* of the place, and it ends there */
};

/* Forgets all tables. */
void sample_tables_clear(struct sample_tables *tables, bool by_slot);
void sample_tables_release(struct sample_tables *tables);
/* In the order of their slots. */
void sample_tables_add(struct sample_tables *tables, uint16_t slot, unsigned bits);
/* Begins to draw: sample_tables_draw then gives every place once, in random order. */
void sample_tables_shuffle(struct sample_tables *tables, uint64_t *random);
struct sample_place sample_tables_draw(struct sample_tables *tables);
/* By what SCAN said at one of the place's cursors: the next cursor, and the keys. */
enum sample_where sample_tables_where(const struct sample_tables *tables,
				      const struct sample_place *place, uint64_t cursor,
				      const struct reply *keys);

/* Whether the answer to SCAN is none that a server with a table for each slot could give. */
bool sample_is_one_table(uint64_t asked, uint64_t cursor, const struct reply *keys);
/* From the answer to SCAN at the slot itself: bits of its table, or fewer; -1: it has no keys.
 */
int sample_slot_bits(uint16_t slot, uint64_t cursor, const struct reply *keys);

#endif
