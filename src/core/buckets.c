#include "core/buckets.h"

#include <stddef.h>

uint64_t buckets_random(uint64_t *state)
{
	/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void buckets_shuffle(struct buckets *buckets, unsigned bits, uint64_t *state)
{
	buckets->bits = bits;
	for (size_t i = 0; i < 3; i++)
		buckets->factors[i] = buckets_random(state) | 1;
	buckets->offset = buckets_random(state);
}

/* A permutation of the numbers below 2^bits: each step can be undone. */
uint64_t buckets_at(const struct buckets *buckets, uint64_t i)
{
	uint64_t mask = ((uint64_t)1 << buckets->bits) - 1;
	uint64_t x = (i + buckets->offset) & mask;

	for (size_t k = 0; k < 3; k++) {
		x = (x * buckets->factors[k]) & mask;
		x ^= x >> (buckets->bits / 2 + 1);
	}
	return x;
}

/* Reverses the bits: pairs, quads, nibbles, then the bytes. */
uint64_t buckets_way(uint64_t bucket)
{
	uint64_t x = bucket;

	x = (x >> 1 & UINT64_C(0x5555555555555555)) | (x & UINT64_C(0x5555555555555555)) << 1;
	x = (x >> 2 & UINT64_C(0x3333333333333333)) | (x & UINT64_C(0x3333333333333333)) << 2;
	x = (x >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (x & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
	return __builtin_bswap64(x);
}

unsigned buckets_bits(uint64_t number)
{
	return number ? 64 - (unsigned)__builtin_clzll(number) : 0;
}
