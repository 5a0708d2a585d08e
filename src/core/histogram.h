#ifndef CORE_HISTOGRAM_H
#define CORE_HISTOGRAM_H

#include <stdint.h>

/*
 * Log-linear counts of non-negative values, as HdrHistogram lays them out
 * (Gil Tene, hdrhistogram.org): each power of two is split into 2^bits equal
 * buckets, so a value is known to within 1/2^bits of itself. Memory is
 * constant: (64 - bits + 1) × 2^bits counters.
 */
struct histogram {
	unsigned bits;
	uint64_t *counts;
	uint64_t total;
	uint64_t min;
	uint64_t max;
	double sum;
};

/* bits 3..14: 7 is within 0.8 %, 10 within 0.1 %. */
void histogram_init(struct histogram *histogram, unsigned bits);
void histogram_release(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t value);
void histogram_add_many(struct histogram *histogram, uint64_t value, uint64_t times);
/* Adds all of other, which has the same bits. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);
/*
 * The least recorded value (upper edge of its bucket, at most max) that
 * share (0..1) of all values do not exceed; 0 when empty.
 */
uint64_t histogram_quantile(const struct histogram *histogram, double share);
/* How many values are ≤ value (to the bucket's precision). */
uint64_t histogram_count_to(const struct histogram *histogram, uint64_t value);

#endif
