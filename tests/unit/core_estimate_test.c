/* Estimates from a sample: exact ends, and coverage of the 95 % bounds over many drawn samples
 * (fixed seed). */
#include "core/estimate.h"

#include "check.h"

static uint64_t state = 20261121;

static uint64_t below(uint64_t limit)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 33) % limit;
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

int main(void)
{
	RUN(a_sample_of_all_is_exact);
	RUN(nothing_seen_has_an_upper_bound);
	RUN(bounds_hold_what_is_known);
	RUN(bounds_hold_95_times_in_100);
	RUN(bounds_of_rare_kinds_hold_too);
	CHECK_DONE();
}
