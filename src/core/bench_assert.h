#ifndef CORE_BENCH_ASSERT_H
#define CORE_BENCH_ASSERT_H

#include "core/bench.h"

/*
 * A threshold: "get.p99<5ms", "errors==0", "rate>=20000", "hits>0.95".
 * In front of the dot an operation (get set del command; none: all of them), then a
 * figure: p50 p90 p95 p99 p99.9 p99.99 (any such), min mean max (times), rate (per
 * second), count errors hits (share of reads) wrong unsent evicted cpu (client's
 * share of a core). Times take us, ms and s.
 */
struct bench_assert {
	const char *text;
	int kind; /* enum bench_kind; -1: all */
	enum bench_figure {
		BENCH_QUANTILE,
		BENCH_MIN,
		BENCH_MEAN,
		BENCH_MAX,
		BENCH_RATE,
		BENCH_COUNT,
		BENCH_ERRORS,
		BENCH_HITS,
		BENCH_WRONG,
		BENCH_UNSENT,
		BENCH_EVICTED,
		BENCH_CPU,
	} figure;
	double share; /* of a quantile */
	enum bench_relation {
		BENCH_LT,
		BENCH_LE,
		BENCH_GT,
		BENCH_GE,
		BENCH_EQ,
		BENCH_NE
	} relation;
	double limit; /* times in ns */
};

/* ERR_USAGE says which part is not understood. Borrows text. */
int bench_assert_parse(const char *text, struct bench_assert *ret_assert, struct err *err);
/*
 * True when it holds. Appends the figure as it was to ret_figure, for people; a figure that
 * there is none of ("set.p99" without a SET) does not hold.
 */
bool bench_assert_holds(const struct bench_assert *assertion, const struct bench_result *result,
			struct buf *ret_figure);

#endif
