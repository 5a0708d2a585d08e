#include "core/histogram.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static size_t bucket_of(const struct histogram *histogram, uint64_t value)
{
	unsigned bits = histogram->bits;

	if (value < (uint64_t)1 << bits)
		return (size_t)value;
	unsigned shift = 63 - (unsigned)__builtin_clzll(value) - bits;
	return ((size_t)(shift + 1) << bits) +
	       (size_t)((value >> shift) - ((uint64_t)1 << bits));
}

/* The greatest value that falls into a bucket. */
static uint64_t bucket_top(const struct histogram *histogram, size_t bucket)
{
	unsigned bits = histogram->bits;
	size_t row = bucket >> bits;

	if (row == 0)
		return bucket;
	uint64_t base = (bucket & (((size_t)1 << bits) - 1)) + ((uint64_t)1 << bits);
	return ((base + 1) << (row - 1)) - 1;
}

static size_t bucket_count(const struct histogram *histogram)
{
	return (size_t)(64 - histogram->bits + 1) << histogram->bits;
}

void histogram_init(struct histogram *histogram, unsigned bits)
{
	*histogram = (struct histogram){.bits = bits, .min = UINT64_MAX};
	histogram->counts = mem_zalloc(bucket_count(histogram), sizeof *histogram->counts);
}

void histogram_release(struct histogram *histogram)
{
	free(histogram->counts);
	histogram->counts = NULL;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram_add_many(histogram, value, 1);
}

void histogram_add_many(struct histogram *histogram, uint64_t value, uint64_t times)
{
	histogram->counts[bucket_of(histogram, value)] += times;
	histogram->total += times;
	histogram->sum += (double)value * (double)times;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
	for (size_t i = 0; i < bucket_count(histogram); i++)
		histogram->counts[i] += other->counts[i];
	histogram->total += other->total;
	histogram->sum += other->sum;
	if (other->min < histogram->min)
		histogram->min = other->min;
	if (other->max > histogram->max)
		histogram->max = other->max;
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
	uint64_t rank = (uint64_t)ceil(share * (double)histogram->total);
	uint64_t seen = 0;

	if (histogram->total == 0)
		return 0;
	for (size_t i = 0; i < bucket_count(histogram); i++) {
		seen += histogram->counts[i];
		if (seen >= rank && seen > 0) {
			uint64_t top = bucket_top(histogram, i);

			return top < histogram->max ? top : histogram->max;
		}
	}
	return histogram->max;
}

uint64_t histogram_count_to(const struct histogram *histogram, uint64_t value)
{
	size_t last = bucket_of(histogram, value);
	uint64_t seen = 0;

	for (size_t i = 0; i <= last; i++)
		seen += histogram->counts[i];
	return seen;
}
