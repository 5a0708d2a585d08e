#ifndef CORE_ESTIMATE_H
#define CORE_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

/* A figure of the whole from a simple random sample of its members, and where it lies 19 times
 * in 20. */
struct estimate {
	double value;
	double low;
	double high;
	bool bounded; /* else too few were seen to say how far off value may be */
};

/*
 * How many of `total` keys are of a kind of which `seen` were among `sampled`:
 * Wilson's score interval (E. B. Wilson, JASA 1927) with the correction for a
 * finite population; never below what was seen. Holds for rare kinds too.
 */
struct estimate estimate_count(uint64_t seen, uint64_t sampled, uint64_t total);
/*
 * The sum over all keys of what summed up to `sum` (its squares to `squares`)
 * over the `seen` ones that have any. Bounded from 10 seen on.
 */
struct estimate estimate_sum(double sum, double squares, uint64_t seen, uint64_t sampled,
			     uint64_t total);

#endif
