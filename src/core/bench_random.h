#ifndef CORE_BENCH_RANDOM_H
#define CORE_BENCH_RANDOM_H

#include <stdint.h>

/* xoshiro256** (Blackman, Vigna 2018), seeded through splitmix64: the same seed, the same load.
 */
struct bench_random {
	uint64_t state[4];
};
void bench_random_seed(struct bench_random *random, uint64_t seed);
uint64_t bench_random_next(struct bench_random *random);
/* 0 ≤ result < 1 */
double bench_random_real(struct bench_random *random);
/* 0 ≤ result < limit; limit > 0 */
uint64_t bench_random_below(struct bench_random *random, uint64_t limit);
/* Exponentially distributed with that mean: the gaps of a Poisson process. */
double bench_random_exponential(struct bench_random *random, double mean);

/*
 * Ranks 0..count-1, rank k with a probability proportional to 1/(k+1)^exponent,
 * by rejection-inversion (Hörmann, Derflinger 1996): constant memory and time.
 */
struct bench_zipf {
	double exponent;
	double count;
	double h_first, h_last, s;
};
/* exponent > 0, count > 0 */
void bench_zipf_init(struct bench_zipf *zipf, double exponent, uint64_t count);
uint64_t bench_zipf_next(const struct bench_zipf *zipf, struct bench_random *random);

#endif
