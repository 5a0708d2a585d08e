#include "core/estimate.h"

#include <math.h>

#define Z95 1.959963984540054
#define SEEN_LEAST 10

static double clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

struct estimate estimate_count(uint64_t seen, uint64_t sampled, uint64_t total)
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
	double n = (double)sampled / (1 - (double)sampled / all);
	double p = (double)seen / (double)sampled;
	double z2 = Z95 * Z95 / n;
	double centre = (p + z2 / 2) / (1 + z2);
	double half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n)) / (1 + z2);

	estimate.value = p * all;
	estimate.low = clamp((centre - half) * all, (double)seen, estimate.value);
	estimate.high = clamp((centre + half) * all, estimate.value, most);
	return estimate;
}

struct estimate estimate_sum(double sum, double squares, uint64_t seen, uint64_t sampled,
			     uint64_t total)
{
	double n = (double)sampled;
	double all = (double)total;
	struct estimate estimate = {.low = sum, .high = sum, .bounded = seen >= SEEN_LEAST};

	if (sampled == 0)
		return estimate;
	if (sampled >= total) {
		estimate.value = sum;
		estimate.bounded = true;
		return estimate;
	}
	double mean = sum / n;
	double variance = sampled > 1 ? (squares / n - mean * mean) * n / (n - 1) : 0;
	double error = all * sqrt(clamp(variance, 0, INFINITY) / n * (1 - n / all));

	estimate.value = mean * all;
	estimate.low = clamp(estimate.value - Z95 * error, sum, estimate.value);
	estimate.high = estimate.value + Z95 * error;
	return estimate;
}
