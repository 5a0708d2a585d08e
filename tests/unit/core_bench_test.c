#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "core/bench_assert.h"
#include "core/bench_blank.h"
#include "core/bench_compare.h"
#include "core/bench_load.h"
#include "core/bench_random.h"
#include "core/bench_schedule.h"
#include "core/bench_verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

TEST(zipfian_ranks_have_their_shares)
{
	struct bench_random random;
	struct bench_zipf zipf;
	uint64_t counts[100] = {0};
	double sum = 0;

	bench_random_seed(&random, 7);
	bench_zipf_init(&zipf, 1.2, 100);
	for (int i = 0; i < 200000; i++) {
		uint64_t rank = bench_zipf_next(&zipf, &random);

		CHECK(rank < 100);
		counts[rank]++;
	}
	for (int k = 1; k <= 100; k++)
		sum += pow(k, -1.2);
	for (int k = 1; k <= 100; k += 11) {
		double want = pow(k, -1.2) / sum * 200000;

		CHECK(fabs((double)counts[k - 1] - want) < 6 * sqrt(want));
	}
	bench_zipf_init(&zipf, 1, 1);
	CHECK_INT(bench_zipf_next(&zipf, &random), 0);
}

TEST(threads_share_one_constant_schedule)
{
	const struct bench_schedule_plan plan = {.rate = 1000};
	struct bench_schedule a, b;

	bench_schedule_init(&a, &plan, 5000, 0, 2);
	bench_schedule_init(&b, &plan, 5000, 1, 2);
	for (uint64_t i = 0; i < 1000; i++) {
		CHECK_INT(bench_schedule_next(&a), 5000 + 2 * i * 1000000);
		CHECK_INT(bench_schedule_next(&b), 5000 + (2 * i + 1) * 1000000);
	}
}

TEST(a_ramp_has_as_many_operations_as_its_mean_rate)
{
	const struct bench_schedule_plan plan = {
	    .rate = 100, .rate_to = 900, .ramp_ns = 2000000000};
	struct bench_schedule schedule;
	uint64_t count = 0;
	uint64_t last = 0;

	bench_schedule_init(&schedule, &plan, 0, 0, 1);
	for (uint64_t at = 0; (at = bench_schedule_next(&schedule)) < 2000000000; last = at) {
		CHECK(at >= last);
		count++;
	}
	CHECK_INT(count, 1000);
}

TEST(poisson_gaps_have_their_mean_and_spread)
{
	const struct bench_schedule_plan plan = {.rate = 1000, .poisson = true, .seed = 3};
	struct bench_schedule schedule;
	double sum = 0, squares = 0;
	uint64_t last = 0;

	bench_schedule_init(&schedule, &plan, 0, 0, 1);
	for (int i = 0; i < 50000; i++) {
		uint64_t at = bench_schedule_next(&schedule);
		double gap = (double)(at - last) / 1e6;

		sum += gap;
		squares += gap * gap;
		last = at;
	}
	CHECK(fabs(sum / 50000 - 1) < 0.03);
	CHECK(fabs(squares / 50000 - 2) < 0.15); /* variance 1 */
}

TEST(a_cookie_keeps_an_operation)
{
	struct bench_op op = {
	    .family = 15, .kind = BENCH_COMMAND, .index = 1999999999, .number = 0xabcdef};
	struct bench_op again = bench_op_unpack(bench_op_pack(op));

	CHECK_INT(again.family, op.family);
	CHECK_INT(again.kind, op.kind);
	CHECK_INT(again.index, op.index);
	CHECK_INT(again.number, op.number);
}

TEST(a_blank_gives_what_the_slow_way_gives)
{
	struct bench_job job = {.run = "abcdefghijkl",
				.families = {{.name = "(plain)",
					      .keys = 1000,
					      .size_min = 7,
					      .size_max = 7,
					      .ttl_ms = 5000,
					      .weight = 1}},
				.family_count = 1,
				.mix = {[BENCH_GET] = 1},
				.clients = 1,
				.threads = 1};
	struct bench_load *load = bench_load_new(&job, 1, NULL);
	struct buf out = {0};

	bench_load_write(load, (struct bench_op){0, BENCH_GET, 123456789012, 0}, &out);
	CHECK_BYTES(buf_bytes(&out), BYTES("*2\r\n$3\r\nGET\r\n$38\r\n"
					   "cc:bench:abcdefghijkl:key:123456789012\r\n"));
	buf_clear(&out);
	bench_load_write(load, (struct bench_op){0, BENCH_DEL, 7, 0}, &out);
	CHECK_BYTES(buf_bytes(&out), BYTES("*2\r\n$6\r\nUNLINK\r\n$38\r\n"
					   "cc:bench:abcdefghijkl:key:000000000007\r\n"));
	buf_release(&out);
	bench_load_free(load);
}

TEST(digits_are_those_of_the_number)
{
	static const uint64_t numbers[] = {
	    0,        7,         99,        100,      9999,     10000,      12345678,
	    99999999, 100000000, 123456789, 99990000, 10203040, 9999999999, 999999999999};
	char want[64];
	char digits[BENCH_DIGITS];

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		snprintf(want, sizeof want, "%012llu", (unsigned long long)numbers[i]);
		bench_blank_digits(digits, numbers[i]);
		CHECK_BYTES(((struct bytes){digits, sizeof digits}), bytes_of(want));
	}
	for (uint64_t number = 0; number < 10000; number++) {
		uint64_t all = number * 100010001 % 1000000000000;

		snprintf(want, sizeof want, "%012llu", (unsigned long long)all);
		bench_blank_digits(digits, all);
		CHECK_BYTES(((struct bytes){digits, sizeof digits}), bytes_of(want));
	}
}

/* Batches reuse what is there: each must be what its commands are one by one. */
TEST(a_batch_is_its_commands)
{
	static const size_t sizes[] = {30};
	struct bench_job job = {
	    .run = "abcdefghijkl",
	    .families =
		{{.name = "a", .keys = 1000, .size_min = 7, .size_max = 7, .weight = 2},
		 {.name = "b", .keys = 9, .sizes = sizes, .size_count = 1, .weight = 1}},
	    .family_count = 2,
	    .mix = {[BENCH_GET] = 0.6, [BENCH_SET] = 0.3, [BENCH_DEL] = 0.1},
	    .clients = 1,
	    .threads = 1};
	struct bench_load *load = bench_load_new(&job, 1, NULL);
	struct bench_load *other = bench_load_new(&job, 1, NULL);
	struct buf want = {0};

	for (size_t round = 0; round < 200; round++) {
		buf_clear(&want);
		bench_load_begin(load);
		for (size_t i = 0; i < 1 + round % 17; i++) {
			struct bench_op op = bench_load_pick(load, 0);

			/* Long runs of the same, now and then. */
			if (round % 20 > 5)
				op = (struct bench_op){0, BENCH_GET, op.index, 0};
			bench_load_add(load, op);
			bench_load_write(other, op, &want);
		}
		CHECK_BYTES(buf_bytes(bench_load_batch(load)), buf_bytes(&want));
		/* What could not be sent keeps its buffer. */
		if (round % 7 == 0)
			buf_release(bench_load_batch(load));
	}
	buf_release(&want);
	bench_load_free(load);
	bench_load_free(other);
}

TEST(values_tell_of_themselves)
{
	char value[64], other[64];
	struct bytes bytes = {value, sizeof value};

	bench_verify_fill(value, sizeof value, 3, 77, 5);
	CHECK_INT(bench_verify_check(bytes, 3, 77, 5), BENCH_RIGHT);
	CHECK_INT(bench_verify_check(bytes, 3, 77, 4), BENCH_RIGHT);
	CHECK_INT(bench_verify_check(bytes, 3, 77, 6), BENCH_STALE);
	CHECK_INT(bench_verify_check(bytes, 3, 78, 5), BENCH_FOREIGN);
	CHECK_INT(bench_verify_check(bytes, 2, 77, 5), BENCH_FOREIGN);
	CHECK_INT(bench_verify_check(bytes_sub(bytes, 0, 30), 3, 77, 5), BENCH_FOREIGN);
	CHECK_INT(bench_verify_check(bytes_sub(bytes, 0, 63), 3, 77, 5), BENCH_TORN);
	bench_verify_fill(other, sizeof other, 3, 77, 6);
	memcpy(value + 30, other + 30, 10);
	CHECK_INT(bench_verify_check(bytes, 3, 77, 5), BENCH_TORN);
	/* the numbers go round */
	bench_verify_fill(value, sizeof value, 0, 0, BENCH_VERIFY_MODULO + 1);
	CHECK_INT(bench_verify_check(bytes, 0, 0, BENCH_VERIFY_MODULO - 1), BENCH_RIGHT);
}

static struct bench_rounds rounds_of(struct bench_round *items, const double *rates,
				     size_t count)
{
	for (size_t i = 0; i < count; i++)
		items[i] = (struct bench_round){
		    .round = i, .kind = BENCH_GET, .figures = {rates[i], 1000 / rates[i], 50}};
	return (struct bench_rounds){items, count};
}

TEST(a_change_is_judged_by_the_spread_of_the_rounds)
{
	struct bench_round a[4], b[4];
	struct bench_rounds before = rounds_of(a, (const double[]){100, 101, 99, 100}, 4);
	struct bench_rounds now = rounds_of(b, (const double[]){80, 81, 79, 80}, 4);
	size_t count = 0;
	struct bench_comparison *all = bench_compare(&before, &now, 0.1, &count);

	CHECK_INT(count, 3);
	CHECK_INT(all[BENCH_PER_SECOND].verdict, BENCH_WORSE);
	CHECK_INT(all[BENCH_P50].verdict, BENCH_WORSE);
	CHECK_INT(all[BENCH_P99].verdict, BENCH_SAME);
	free(all);
	all = bench_compare(&now, &before, 0.1, &count);
	CHECK_INT(all[BENCH_PER_SECOND].verdict, BENCH_BETTER);
	free(all);
	now = rounds_of(b, (const double[]){40, 130, 60, 110}, 4);
	all = bench_compare(&before, &now, 0.1, &count);
	CHECK_INT(all[BENCH_PER_SECOND].verdict, BENCH_UNSURE);
	CHECK(all[BENCH_PER_SECOND].low < 0 && all[BENCH_PER_SECOND].high > 0);
	free(all);
}

int main(void)
{
	RUN(zipfian_ranks_have_their_shares);
	RUN(threads_share_one_constant_schedule);
	RUN(a_ramp_has_as_many_operations_as_its_mean_rate);
	RUN(poisson_gaps_have_their_mean_and_spread);
	RUN(a_cookie_keeps_an_operation);
	RUN(a_blank_gives_what_the_slow_way_gives);
	RUN(digits_are_those_of_the_number);
	RUN(a_batch_is_its_commands);
	RUN(values_tell_of_themselves);
	RUN(a_change_is_judged_by_the_spread_of_the_rounds);
	CHECK_DONE();
}
