#include "check.h"

#include "core/histogram.h"

TEST(quantiles_are_within_the_promised_precision)
{
	struct histogram histogram;

	histogram_init(&histogram, 7);
	for (uint64_t i = 1; i <= 100000; i++)
		histogram_add(&histogram, i * 37);
	for (int share = 1; share <= 99; share += 7) {
		double want = (double)share / 100 * 100000 * 37;
		double got = (double)histogram_quantile(&histogram, (double)share / 100);

		CHECK(got >= want && got <= want * (1 + 1.0 / 128) + 37);
	}
	CHECK_INT(histogram.min, 37);
	CHECK_INT(histogram_quantile(&histogram, 1), 3700000);
	histogram_release(&histogram);
}

TEST(small_values_are_exact)
{
	struct histogram histogram;

	histogram_init(&histogram, 6);
	for (uint64_t i = 0; i < 64; i++)
		histogram_add(&histogram, i);
	CHECK_INT(histogram_quantile(&histogram, 0.5), 31);
	CHECK_INT(histogram_count_to(&histogram, 9), 10);
	histogram_release(&histogram);
}

TEST(the_whole_range_fits)
{
	struct histogram histogram;

	histogram_init(&histogram, 3);
	histogram_add(&histogram, 0);
	histogram_add(&histogram, UINT64_MAX);
	CHECK_INT(histogram.total, 2);
	CHECK(histogram_quantile(&histogram, 1) == UINT64_MAX);
	CHECK_INT(histogram_quantile(&histogram, 0), 0);
	histogram_release(&histogram);
}

TEST(an_empty_histogram_gives_zero)
{
	struct histogram histogram;

	histogram_init(&histogram, 5);
	CHECK_INT(histogram_quantile(&histogram, 0.99), 0);
	CHECK_INT(histogram_count_to(&histogram, 100), 0);
	histogram_release(&histogram);
}

TEST(merging_is_adding_every_value)
{
	struct histogram a, b, both;

	histogram_init(&a, 7);
	histogram_init(&b, 7);
	histogram_init(&both, 7);
	for (uint64_t i = 0; i < 1000; i++) {
		histogram_add(i % 3 ? &a : &b, i * i);
		histogram_add(&both, i * i);
	}
	histogram_merge(&a, &b);
	CHECK_INT(a.total, both.total);
	CHECK_INT(a.min, both.min);
	CHECK_INT(a.max, both.max);
	for (int share = 0; share <= 100; share += 10)
		CHECK_INT(histogram_quantile(&a, share / 100.0),
			  histogram_quantile(&both, share / 100.0));
	histogram_release(&a);
	histogram_release(&b);
	histogram_release(&both);
}

int main(void)
{
	RUN(quantiles_are_within_the_promised_precision);
	RUN(small_values_are_exact);
	RUN(the_whole_range_fits);
	RUN(an_empty_histogram_gives_zero);
	RUN(merging_is_adding_every_value);
	CHECK_DONE();
}
