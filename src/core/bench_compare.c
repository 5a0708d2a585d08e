#include "core/bench_compare.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BASELINE_MAX ((size_t)64 * 1024 * 1024)

const char *const bench_measure_names[] = {"per_second", "p50_us", "p99_us", NULL};
const char *const bench_change_names[] = {"same", "better", "worse", "unsure", NULL};

/* --- rounds --- */

static struct bench_round *append(struct bench_rounds *rounds)
{
	rounds->items = mem_resize(rounds->items, rounds->count + 1, sizeof *rounds->items);
	rounds->items[rounds->count] = (struct bench_round){0};
	return &rounds->items[rounds->count++];
}

void bench_rounds_add(struct bench_rounds *rounds, size_t round,
		      const struct bench_result *result)
{
	for (int kind = 0; kind < BENCH_KINDS; kind++) {
		struct bench_row row;

		bench_row_sum(result, kind, &row);
		const struct histogram *times =
		    row.response.counts ? &row.response : &row.service;
		if (row.count > 0 && result->elapsed_ns > 0) {
			struct bench_round *item = append(rounds);

			item->round = round;
			item->kind = (enum bench_kind)kind;
			item->figures[BENCH_PER_SECOND] =
			    (double)row.count * 1e9 / (double)result->elapsed_ns;
			item->figures[BENCH_P50] = (double)histogram_quantile(times, 0.5) / 1e3;
			item->figures[BENCH_P99] =
			    (double)histogram_quantile(times, 0.99) / 1e3;
		}
		bench_row_release(&row);
	}
}

void bench_rounds_release(struct bench_rounds *rounds)
{
	free(rounds->items);
	*rounds = (struct bench_rounds){0};
}

static int read_figure(struct bytes item, const char *pointer, double *ret_figure)
{
	struct bytes value;

	if (json_find(item, bytes_of(pointer), &value) != 0)
		return -1;
	return num_parse_real(value, 0, 1e18, ret_figure);
}

static int read_round(struct bytes item, struct bench_round *round)
{
	struct bytes value;
	double number = 0;
	int kind = 0;

	if (json_find(item, BYTES("/operation"), &value) != 0 || value.len < 2 ||
	    read_figure(item, "/round", &number) != 0)
		return -1;
	value = bytes_sub(value, 1, value.len - 2);
	while (bench_kind_names[kind] && !bytes_equal_str(value, bench_kind_names[kind]))
		kind++;
	if (kind == BENCH_KINDS)
		return -1;
	round->kind = (enum bench_kind)kind;
	round->round = (size_t)number;
	if (read_figure(item, "/per_second", &round->figures[BENCH_PER_SECOND]) != 0 ||
	    read_figure(item, "/p50_us", &round->figures[BENCH_P50]) != 0)
		return -1;
	return read_figure(item, "/p99_us", &round->figures[BENCH_P99]);
}

int bench_rounds_read(const char *path, struct bench_rounds *ret_rounds, struct err *err)
{
	struct buf text = {0};
	struct bench_rounds rounds = {0};
	struct json_iter iter;
	struct bytes value;
	struct bytes name;
	int status = 0;

	if (buf_read_file(&text, path, BASELINE_MAX) != 0) {
		status = err_set(err, ERR_USAGE, "--baseline %s: %s", path, strerror(errno));
		goto out;
	}
	if (json_find(buf_bytes(&text), BYTES("/schema"), &value) != 0 ||
	    !bytes_equal_str(value, "\"ccache.bench/1\"") ||
	    json_find(buf_bytes(&text), BYTES("/rounds"), &value) != 0 ||
	    json_iter_init(&iter, value) != 0)
		status = -1;
	while (status == 0 && json_iter_next(&iter, &name, &value) == 1)
		status = read_round(value, append(&rounds));
	if (status != 0 || rounds.count == 0)
		status = err_set(err, ERR_USAGE,
				 "--baseline %s: not what 'ccache bench -o json' prints", path);
out:
	buf_release(&text);
	if (status == 0)
		*ret_rounds = rounds;
	else
		bench_rounds_release(&rounds);
	return status;
}

/* --- comparing --- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* A side's figures in order. Returns how many. */
static size_t collect(const struct bench_rounds *rounds, enum bench_kind kind,
		      enum bench_measure measure, double *ret_figures)
{
	size_t count = 0;

	for (size_t i = 0; i < rounds->count; i++)
		if (rounds->items[i].kind == kind)
			ret_figures[count++] = rounds->items[i].figures[measure];
	qsort(ret_figures, count, sizeof *ret_figures, by_size);
	return count;
}

static double at_share(const double *figures, size_t count, double share)
{
	double place = share * (double)(count - 1);
	size_t below = (size_t)place;
	size_t above = below + 1 < count ? below + 1 : below;

	return figures[below] + (figures[above] - figures[below]) * (place - (double)below);
}

static double change(double now, double before)
{
	return before > 0 ? now / before - 1 : 0;
}

static void judge(struct bench_comparison *comparison, double allowed)
{
	/* In the direction in which more is worse. */
	bool rate = comparison->measure == BENCH_PER_SECOND;
	double worse = rate ? -comparison->change : comparison->change;
	double at_best = rate ? -comparison->high : comparison->low;

	if (worse > allowed)
		comparison->verdict = at_best > 0 ? BENCH_WORSE : BENCH_UNSURE;
	else
		comparison->verdict = worse < -allowed ? BENCH_BETTER : BENCH_SAME;
}

static void compare(const double *before, size_t before_count, const double *now,
		    size_t now_count, struct bench_comparison *comparison)
{
	comparison->before = at_share(before, before_count, 0.5);
	comparison->now = at_share(now, now_count, 0.5);
	comparison->change = change(comparison->now, comparison->before);
	comparison->low =
	    change(at_share(now, now_count, 0.25), at_share(before, before_count, 0.75));
	comparison->high =
	    change(at_share(now, now_count, 0.75), at_share(before, before_count, 0.25));
	comparison->rounds = before_count < now_count ? before_count : now_count;
}

struct bench_comparison *bench_compare(const struct bench_rounds *before,
				       const struct bench_rounds *now, double allowed,
				       size_t *ret_count)
{
	struct bench_comparison *all =
	    mem_zalloc((size_t)BENCH_KINDS * BENCH_MEASURES, sizeof *all);
	double *old_figures = mem_zalloc(before->count, sizeof *old_figures);
	double *new_figures = mem_zalloc(now->count, sizeof *new_figures);
	size_t count = 0;

	for (int kind = 0; kind < BENCH_KINDS; kind++)
		for (int measure = 0; measure < BENCH_MEASURES; measure++) {
			struct bench_comparison *one = &all[count];
			size_t old_count = collect(before, (enum bench_kind)kind,
						   (enum bench_measure)measure, old_figures);
			size_t new_count = collect(now, (enum bench_kind)kind,
						   (enum bench_measure)measure, new_figures);

			if (old_count == 0 || new_count == 0)
				continue;
			one->kind = (enum bench_kind)kind;
			one->measure = (enum bench_measure)measure;
			compare(old_figures, old_count, new_figures, new_count, one);
			judge(one, allowed);
			count++;
		}
	free(old_figures);
	free(new_figures);
	*ret_count = count;
	return all;
}
