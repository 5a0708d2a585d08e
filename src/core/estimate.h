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
 * A sample of lots: keys that are drawn all together or not at all. Where lots
 * are alike, it tells less than as many keys that were drawn one by one.
 */
struct estimate_lots {
	uint64_t sampled; /* keys */
	uint64_t total;   /* of so many */
	double
	    squared; /* the sum of the squares of the lots' keys; sampled: each key is a lot */
};

/* What the lots have of one kind: keys, or their bytes. */
struct estimate_kind {
	uint64_t seen;  /* keys */
	double sum;     /* of what is estimated: seen, or bytes */
	double squared; /* the sum of the squares of what each lot has of it */
	double crossed; /* the sum of what each lot has of it times the lot's keys */
};

/*
 * How many of `total` keys are of a kind of which `seen` were among `sampled`,
 * each drawn alone: Wilson's score interval (E. B. Wilson, JASA 1927) with the
 * correction for a finite population; never below what was seen. Holds for rare
 * kinds too.
 */
struct estimate estimate_count(uint64_t seen, uint64_t sampled, uint64_t total);
/*
 * The same from lots: as from so many fewer keys as the variance between the
 * lots is greater (L. Kish, Survey Sampling 1965: the design effect). Of a kind
 * in too few lots to tell, as if its keys were always a whole lot.
 */
struct estimate estimate_count_of(const struct estimate_lots *lots,
				  const struct estimate_kind *kind);
/* The sum over all keys of the kind: the ratio estimate. Bounded from 10 lots on. */
struct estimate estimate_sum_of(const struct estimate_lots *lots,
				const struct estimate_kind *kind);

#endif
