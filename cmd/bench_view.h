#ifndef CMD_BENCH_VIEW_H
#define CMD_BENCH_VIEW_H

#include <stdbool.h>
#include <stddef.h>

struct app;
struct bench_assert;
struct bench_comparison;
struct bench_job;
struct bench_result;
struct bench_rounds;
struct bench_second;
struct sink;

/* "50 clients, closed loop, depth 1, …" to standard error, before anything is done. */
void bench_view_plan(struct app *app, const struct bench_job *job);
/* The seconds as they come; a table for people leaves them out. */
void bench_view_seconds_begin(struct sink *sink);
void bench_view_second(struct sink *sink, size_t second, const struct bench_second *figures);
void bench_view_seconds_end(struct sink *sink);
void bench_view_result(struct app *app, struct sink *sink, const struct bench_job *job,
		       const struct bench_result *result);
/* For people: the times as a histogram, the percentiles, a mark per second
 * (bench_picture.c). */
void bench_view_picture(struct sink *sink, const struct bench_result *result, size_t width);

/* What it is judged by (bench_judged.c). */
void bench_view_rounds(struct sink *sink, const struct bench_rounds *rounds);
void bench_view_assertions_begin(struct sink *sink, size_t count);
void bench_view_assertion(struct sink *sink, const struct bench_assert *assertion, bool holds,
			  const char *figure);
void bench_view_assertions_end(struct sink *sink, size_t count);
void bench_view_comparisons(struct sink *sink, const struct bench_comparison *all,
			    size_t count);

#endif
