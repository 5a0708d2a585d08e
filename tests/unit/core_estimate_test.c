/* Estimates from a sample: exact ends, and coverage of the 95 % bounds over many drawn samples
 * (fixed seed). */
#include "core/estimate.h"

#include "check.h"

#include <math.h>

static uint64_t state = 20261121;

static uint64_t below(uint64_t limit)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 33) % limit;
}

/* From keys that were drawn each alone. */
static struct estimate estimate_sum(double sum, double squares, uint64_t seen, uint64_t sampled,
				    uint64_t total)
{
	const struct estimate_lots lots = {sampled, total, (double)sampled};
	const struct estimate_kind kind = {seen, sum, squares, sum};

	return estimate_sum_of(&lots, &kind);
}

TEST(a_sample_of_all_is_exact)
{
	struct estimate count = estimate_count(7, 100, 100);
	struct estimate sum = estimate_sum(70, 700, 7, 100, 100);

	CHECK(count.value == 7 && count.low == 7 && count.high == 7);
	CHECK(sum.value == 70 && sum.low == 70 && sum.high == 70 && sum.bounded);
}

TEST(nothing_seen_has_an_upper_bound)
{
	struct estimate none = estimate_count(0, 1000, 1000000);

	CHECK(none.value == 0 && none.low == 0);
	CHECK(none.high > 3000 && none.high < 5000); /* the rule of three says 3000 */
	CHECK(!estimate_sum(100, 1000, 9, 1000, 1000000).bounded);
	CHECK(!estimate_count(0, 0, 1000).bounded);
}

TEST(bounds_hold_what_is_known)
{
	struct estimate most = estimate_count(999, 1000, 1010);

	CHECK(most.low >= 999 && most.high <= 1009);
}

#define POPULATION 5000
#define DRAWN 400
#define RUNS 3000

/* Members below `kind` are of the kind; their size is known by their number. */
static void check_coverage(uint64_t kind)
{
	static uint32_t order[POPULATION];
	double truth = 0;
	int count_held = 0;
	int sum_held = 0;
	double mean = 0;

	for (uint32_t i = 0; i < POPULATION; i++) {
		order[i] = i;
		truth += i < kind ? 100 + i % 97 : 0;
	}
	for (int run = 0; run < RUNS; run++) {
		uint64_t seen = 0;
		double sum = 0;
		double squares = 0;

		for (uint32_t i = 0; i < DRAWN; i++) {
			uint32_t other = i + (uint32_t)below(POPULATION - i);
			uint32_t drawn = order[other];

			order[other] = order[i];
			order[i] = drawn;
			if (drawn >= kind)
				continue;
			double size = 100 + drawn % 97;
			seen++;
			sum += size;
			squares += size * size;
		}
		struct estimate count = estimate_count(seen, DRAWN, POPULATION);
		struct estimate bytes = estimate_sum(sum, squares, seen, DRAWN, POPULATION);
		count_held += count.low <= (double)kind && (double)kind <= count.high;
		sum_held += bytes.low <= truth && truth <= bytes.high;
		mean += count.value / RUNS;
	}
	CHECK(count_held >= RUNS * 93 / 100);
	CHECK(sum_held >= RUNS * 92 / 100);
	CHECK(mean > (double)kind * 0.98 && mean < (double)kind * 1.02);
}

TEST(bounds_hold_95_times_in_100)
{
	check_coverage(2500);
	check_coverage(800);
	check_coverage(4700);
}

TEST(bounds_of_rare_kinds_hold_too)
{
	static const uint64_t kinds[] = {1, 5, 25, 60};

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		int held = 0;

		for (int run = 0; run < RUNS; run++) {
			uint64_t seen = 0;

			for (uint64_t i = 0, left = kinds[k]; i < DRAWN; i++) {
				if (below(POPULATION - i) < left) {
					seen++;
					left--;
				}
			}
			struct estimate count = estimate_count(seen, DRAWN, POPULATION);
			held += count.low <= (double)kinds[k] && (double)kinds[k] <= count.high;
		}
		CHECK(held >= RUNS * 92 / 100);
	}
}

/*
 * Lots as a server has them with a table for each slot: SLOTS slots of equal
 * tables, a key in any bucket of its slot's. Of the first slots, a share that
 * is KIND, every key is of the kind: tags made them alike. So are buckets.
 */
#define SLOTS 256
#define BUCKETS 16 /* of a slot */
#define LOTS (SLOTS * BUCKETS)

struct lots {
	uint16_t keys[LOTS];
	uint16_t of_kind[LOTS];
	uint64_t total;
	uint64_t kind;
};

static void fill(struct lots *lots, unsigned keys, unsigned alike, unsigned mixed)
{
	*lots = (struct lots){.total = keys};
	for (unsigned i = 0; i < keys; i++) {
		uint64_t slot = below(SLOTS);
		uint64_t lot = slot * BUCKETS + below(BUCKETS);
		bool is_kind = slot < alike || below(100) < mixed;

		lots->keys[lot]++;
		lots->of_kind[lot] += is_kind;
		lots->kind += is_kind;
	}
}

/* How often the bounds held the truth, of `runs` samples of `drawn` lots; and their mean width.
 */
static double lots_coverage(const struct lots *all, unsigned drawn, unsigned runs, bool naive,
			    double *ret_bytes_held)
{
	static uint32_t order[LOTS];
	unsigned held = 0;
	unsigned bytes_held = 0;
	unsigned bounded = 0;

	for (uint32_t i = 0; i < LOTS; i++)
		order[i] = i;
	for (unsigned run = 0; run < runs; run++) {
		struct estimate_lots lots = {.total = all->total};
		struct estimate_kind kind = {0};
		struct estimate_kind bytes = {0};

		for (uint32_t i = 0; i < drawn; i++) {
			uint32_t other = i + (uint32_t)below(LOTS - i);
			uint32_t lot = order[other];

			order[other] = order[i];
			order[i] = lot;
			double keys = all->keys[lot];
			double has = all->of_kind[lot];
			lots.sampled += all->keys[lot];
			lots.squared += keys * keys;
			kind.seen += all->of_kind[lot];
			kind.sum += has;
			kind.squared += has * has;
			kind.crossed += has * keys;
		}
		bytes = (struct estimate_kind){kind.seen, 100 * kind.sum, 10000 * kind.squared,
					       100 * kind.crossed};
		struct estimate count =
		    naive ? estimate_count(kind.seen, lots.sampled, lots.total)
			  : estimate_count_of(&lots, &kind);
		struct estimate sum = estimate_sum_of(&lots, &bytes);
		held += count.low <= (double)all->kind && (double)all->kind <= count.high;
		bytes_held += sum.bounded && sum.low <= 100 * (double)all->kind &&
			      100 * (double)all->kind <= sum.high;
		bounded += sum.bounded;
	}
	*ret_bytes_held = bounded ? bytes_held / (double)bounded : 1;
	return held / (double)runs;
}

TEST(bounds_from_lots_hold_95_times_in_100)
{
	static const struct {
		unsigned keys; /* 16384: four a bucket, as in Valkey 8.1; 3000: as in a dict */
		unsigned alike;
		unsigned mixed;
	} cases[] = {{16384, 0, 30}, {16384, 80, 0}, {16384, 12, 5}, {3000, 0, 30},
		     {3000, 80, 0},  {3000, 12, 5},  {16384, 2, 0},  {40000, 128, 0}};
	static struct lots lots;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double bytes = 0;

		fill(&lots, cases[i].keys, cases[i].alike, cases[i].mixed);
		double naive = lots_coverage(&lots, 400, RUNS, true, &bytes);
		double held = lots_coverage(&lots, 400, RUNS, false, &bytes);
		printf("# %5u keys, %3u slots alike, %2u %% elsewhere: %.1f %% held, of bytes "
		       "%.1f %%; as keys drawn alone: %.1f %%\n",
		       cases[i].keys, cases[i].alike, cases[i].mixed, 100 * held, 100 * bytes,
		       100 * naive);
		CHECK(held >= 0.93);
		CHECK(bytes >= 0.90); /* a sum's are as if it was spread as by a bell curve */
		if (cases[i].alike == 80 && cases[i].keys == 16384)
			CHECK(naive < 0.80);
	}
}

TEST(keys_drawn_alone_are_lots_of_one)
{
	const struct estimate_lots lots = {1000, 50000, 1000};
	const struct estimate_kind kind = {77, 77, 77, 77};
	struct estimate as_lots = estimate_count_of(&lots, &kind);
	struct estimate alone = estimate_count(77, 1000, 50000);

	CHECK(fabs(as_lots.low - alone.low) < 1e-6 && fabs(as_lots.high - alone.high) < 1e-6);
}

/* In lots of five, all or none of the kind, nothing seen says as much as a fifth of the keys.
 */
TEST(nothing_seen_in_lots)
{
	const struct estimate_lots lots = {1000, 1000000, 5000};
	struct estimate none = estimate_count_of(&lots, &(struct estimate_kind){0});
	struct estimate fifth = estimate_count(0, 200, 1000000);

	CHECK(none.value == 0 && none.low == 0);
	CHECK(fabs(none.high / fifth.high - 1) < 0.01);
}

int main(void)
{
	RUN(a_sample_of_all_is_exact);
	RUN(nothing_seen_has_an_upper_bound);
	RUN(bounds_hold_what_is_known);
	RUN(bounds_hold_95_times_in_100);
	RUN(bounds_of_rare_kinds_hold_too);
	RUN(keys_drawn_alone_are_lots_of_one);
	RUN(nothing_seen_in_lots);
	RUN(bounds_from_lots_hold_95_times_in_100);
	CHECK_DONE();
}
