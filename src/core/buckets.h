#ifndef CORE_BUCKETS_H
#define CORE_BUCKETS_H

#include <stdint.h>

/* The buckets of a server's table, 2^bits of them, in a random order that repeats none. */
struct buckets {
	unsigned bits;
	uint64_t factors[3];
	uint64_t offset;
};

/* A number from the state that it moves on. */
uint64_t buckets_random(uint64_t *state);
void buckets_shuffle(struct buckets *buckets, unsigned bits, uint64_t *state);
uint64_t buckets_at(const struct buckets *buckets, uint64_t i);
/*
 * How far SCAN is in a table when it has come to this bucket, in 2^-64 of the
 * table, whatever its size: it counts the buckets' numbers from the high bits
 * down (Redis dict.c, dictScan; Valkey hashtable.c, nextCursor).
 */
uint64_t buckets_way(uint64_t bucket);
/* How many bits the number has. */
unsigned buckets_bits(uint64_t number);

#endif
