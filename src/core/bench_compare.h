#ifndef CORE_BENCH_COMPARE_H
#define CORE_BENCH_COMPARE_H

#include "core/bench.h"

enum bench_measure { BENCH_PER_SECOND, BENCH_P50, BENCH_P99, BENCH_MEASURES };
extern const char *const bench_measure_names[]; /* as in JSON: "per_second" "p50_us" "p99_us" */

/* What one round gave for one kind of operation. */
struct bench_round {
	size_t round;
	enum bench_kind kind;
	double figures[BENCH_MEASURES]; /* times in us */
};
struct bench_rounds {
	struct bench_round *items;
	size_t count;
};
void bench_rounds_add(struct bench_rounds *rounds, size_t round,
		      const struct bench_result *result);
/* The "rounds" of a document that bench printed with -o json. ERR_USAGE: it is not one. */
int bench_rounds_read(const char *path, struct bench_rounds *ret_rounds, struct err *err);
void bench_rounds_release(struct bench_rounds *rounds);

enum bench_change {
	BENCH_SAME,   /* within what is allowed */
	BENCH_BETTER, /* by more than that */
	BENCH_WORSE,  /* by more than that, and the rounds do not overlap */
	BENCH_UNSURE, /* worse by more than that, but the rounds overlap: it may be noise */
};
extern const char *const bench_change_names[];

/* One figure then and now. */
struct bench_comparison {
	enum bench_kind kind;
	enum bench_measure measure;
	double before; /* medians of the rounds */
	double now;
	double change; /* now against before; 0.1: a tenth more */
	double low; /* the change that the rounds' spread allows: from quartile to quartile */
	double high;
	size_t rounds; /* the fewer of the two sides' */
	enum bench_change verdict;
};
/*
 * Every figure that both sides have; malloc'd. A rate may fall and a time may
 * rise by the share `allowed`.
 */
struct bench_comparison *bench_compare(const struct bench_rounds *before,
				       const struct bench_rounds *now, double allowed,
				       size_t *ret_count);

#endif
