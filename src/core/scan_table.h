#ifndef CORE_SCAN_TABLE_H
#define CORE_SCAN_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct redis_server;

/*
 * Whether the server's hash table can have changed its size during a walk.
 * SCAN's cursors are bucket numbers in reverse-binary order (Redis dict.c,
 * dictScan): a table that grows never repeats a key, one that shrinks may. A
 * cursor is below the number of buckets, so the largest one seen tells the
 * size from below. Redis shrinks a table that is less than 1/8 (before 7.4:
 * 1/10) full, and grows one that has more keys than buckets; from 8.1 on a
 * Valkey's buckets hold 7 keys, and it shrinks a table that is less than 13 %
 * full (hashtable.c).
 *
 * Nodes of a cluster have a table for each slot (Redis from 7.4 on, Valkey from
 * 8.0), walked one after another, with the slot in the cursor's low bits. One
 * that a single page covers was seen at one moment. Of the others the keys are
 * to be asked for before each further page.
 */
struct scan_table {
	bool by_slot;
	bool by_seven; /* keys to a bucket */
	bool inside;   /* by_slot: a page ended amid the slot's table; the below is of that */
	bool changed;  /* by_slot: the size of a former one may have */
	unsigned slot; /* by_slot */
	unsigned bits; /* of the largest cursor: at least 2^bits buckets */
	uint64_t keys_min; /* UINT64_MAX at first */
	uint64_t keys_max;
	uint64_t pages;
	bool unknown; /* the number of keys was refused */
};
/* Once the server is known, before anything is told. */
void scan_table_of(struct scan_table *table, const struct redis_server *server);
void scan_table_cursor(struct scan_table *table, uint64_t cursor);
/* What DBSIZE said, by_slot CLUSTER COUNTKEYSINSLOT; -1: nothing. */
void scan_table_keys(struct scan_table *table, int64_t keys);
/* True only when no key can have come twice and the size stayed. */
bool scan_table_is_steady(const struct scan_table *table);

#endif
