#include "core/estimate.h"

#include <math.h>

#define Z95 1.959963984540054
#define LOTS_LEAST 10 /* for bounds of a sum */
#define LOTS_TELL 30  /* how alike they are */

static double clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

/* Wilson's interval, from keys that tell as much as so many times fewer drawn one by one. */
static struct estimate count_bounds(uint64_t seen, uint64_t sampled, uint64_t total,
				    double effect)
{
	double all = (double)total;
	double most = all - (double)(sampled - seen); /* the others are known to be others */
	struct estimate estimate = {.low = (double)seen, .high = most, .bounded = sampled > 0};

	if (sampled == 0)
		return estimate;
	if (sampled >= total) {
		estimate.value = estimate.high = (double)seen;
		return estimate;
	}
	/* a sample without replacement says as much as a larger one with it */
	double n = (double)sampled / effect / (1 - (double)sampled / all);
	double p = (double)seen / (double)sampled;
	double z2 = Z95 * Z95 / n;
	double centre = (p + z2 / 2) / (1 + z2);
	double half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n)) / (1 + z2);

	estimate.value = p * all;
	estimate.low = clamp((centre - half) * all, (double)seen, estimate.value);
	estimate.high = clamp((centre + half) * all, estimate.value, most);
	return estimate;
}

struct estimate estimate_count(uint64_t seen, uint64_t sampled, uint64_t total)
{
	return count_bounds(seen, sampled, total, 1);
}

/* Keys of the mean lot, as a key sees it. */
static double lot_of(const struct estimate_lots *lots)
{
	return lots->sampled ? lots->squared / (double)lots->sampled : 1;
}

/* The sum over the lots of the squares of what each has above what its keys let expect. */
static double deviations(const struct estimate_lots *lots, const struct estimate_kind *kind)
{
	double ratio = kind->sum / (double)lots->sampled;

	return clamp(kind->squared - 2 * ratio * kind->crossed + ratio * ratio * lots->squared,
		     0, INFINITY);
}

struct estimate estimate_count_of(const struct estimate_lots *lots,
				  const struct estimate_kind *kind)
{
	double n = (double)lots->sampled;
	double p = n > 0 ? kind->sum / n : 0;
	double effect = 1;

	if (p > 0 && p < 1)
		effect = clamp(deviations(lots, kind) / (n * p * (1 - p)), 1, INFINITY);
	if (effect < lot_of(lots) && kind->sum / lot_of(lots) < LOTS_TELL)
		effect = lot_of(lots);
	return count_bounds(kind->seen, lots->sampled, lots->total, effect);
}

struct estimate estimate_sum_of(const struct estimate_lots *lots,
				const struct estimate_kind *kind)
{
	double n = (double)lots->sampled;
	double all = (double)lots->total;
	double seen = (double)kind->seen / lot_of(lots);
	struct estimate estimate = {
	    .low = kind->sum, .high = kind->sum, .bounded = seen >= LOTS_LEAST};

	if (lots->sampled == 0)
		return estimate;
	if (lots->sampled >= lots->total) {
		estimate.value = kind->sum;
		estimate.bounded = true;
		return estimate;
	}
	double count = n / lot_of(lots);
	double variance = count > 1 ? deviations(lots, kind) * count / (count - 1) : 0;
	double error = all * sqrt(variance * (1 - n / all)) / n;

	estimate.value = kind->sum / n * all;
	estimate.low = clamp(estimate.value - Z95 * error, kind->sum, estimate.value);
	estimate.high = estimate.value + Z95 * error;
	return estimate;
}
