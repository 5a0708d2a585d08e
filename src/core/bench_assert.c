#include "core/bench_assert.h"

#include "base/err.h"
#include "base/num.h"

#include <string.h>

/* --- reading --- */

static bool is_time(enum bench_figure figure)
{
	return figure <= BENCH_MAX;
}

static int parse_figure(struct bytes name, struct bench_assert *assertion)
{
	static const struct {
		const char *name;
		enum bench_figure figure;
	} figures[] = {
	    {"min", BENCH_MIN},         {"mean", BENCH_MEAN},   {"max", BENCH_MAX},
	    {"rate", BENCH_RATE},       {"count", BENCH_COUNT}, {"errors", BENCH_ERRORS},
	    {"hits", BENCH_HITS},       {"wrong", BENCH_WRONG}, {"unsent", BENCH_UNSENT},
	    {"evicted", BENCH_EVICTED}, {"cpu", BENCH_CPU}};
	double percent = 0;

	if (name.len > 1 && name.ptr[0] == 'p' &&
	    num_parse_real(bytes_sub(name, 1, name.len), 0, 100, &percent) == 0) {
		assertion->figure = BENCH_QUANTILE;
		assertion->share = percent / 100;
		return 0;
	}
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
		if (bytes_equal_str(name, figures[i].name)) {
			assertion->figure = figures[i].figure;
			return 0;
		}
	return -1;
}

static int parse_subject(struct bytes name, struct bench_assert *assertion)
{
	size_t dot = bytes_index(name, '.');

	assertion->kind = -1;
	for (int kind = 0; kind < BENCH_KINDS && dot < name.len; kind++)
		if (bytes_equal_str(bytes_sub(name, 0, dot), bench_kind_names[kind])) {
			assertion->kind = kind;
			return parse_figure(bytes_sub(name, dot + 1, name.len), assertion);
		}
	return parse_figure(name, assertion);
}

/* "5ms" "200us" "1.5s" → ns */
static int parse_time(struct bytes text, double *ret_ns)
{
	static const struct {
		const char *suffix;
		double ns;
	} units[] = {{"us", 1e3}, {"\xc2\xb5s", 1e3}, {"ms", 1e6}, {"ns", 1}, {"s", 1e9}};

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		size_t len = strlen(units[i].suffix);
		double number = 0;

		if (text.len <= len ||
		    memcmp(text.ptr + text.len - len, units[i].suffix, len) != 0 ||
		    num_parse_real(bytes_sub(text, 0, text.len - len), 0, 1e12, &number) != 0)
			continue;
		*ret_ns = number * units[i].ns;
		return 0;
	}
	return -1;
}

static int parse_limit(struct bytes text, struct bench_assert *assertion)
{
	if (is_time(assertion->figure))
		return parse_time(text, &assertion->limit);
	if (text.len > 0 && text.ptr[text.len - 1] == '%')
		return num_parse_ratio(text, &assertion->limit);
	return num_parse_real(text, 0, 1e15, &assertion->limit);
}

int bench_assert_parse(const char *text, struct bench_assert *ret_assert, struct err *err)
{
	static const char *const relations[] = {"<=", ">=", "==", "!=", "<", ">"};
	static const enum bench_relation kinds[] = {BENCH_LE, BENCH_GE, BENCH_EQ,
						    BENCH_NE, BENCH_LT, BENCH_GT};
	struct bench_assert assertion = {.text = text};
	struct bytes all = bytes_of(text);
	size_t at = strcspn(text, "<>=!");
	size_t i = 0;

	while (i < 6 && strncmp(text + at, relations[i], strlen(relations[i])) != 0)
		i++;
	if (i == 6)
		return err_set(err, ERR_USAGE,
			       "--assert '%s': a comparison is missing, as in get.p99<5ms",
			       text);
	assertion.relation = kinds[i];
	if (parse_subject(bytes_sub(all, 0, at), &assertion) != 0)
		return err_set(
		    err, ERR_USAGE,
		    "--assert '%s': '%.*s' is no figure; there are p50 p99 p99.9 … min "
		    "mean max rate count errors hits wrong unsent evicted cpu, of all or "
		    "as get.p99",
		    text, (int)at, text);
	struct bytes limit = bytes_sub(all, at + strlen(relations[i]), all.len);
	if (parse_limit(limit, &assertion) != 0)
		return err_set(
		    err, ERR_USAGE, "--assert '%s': '%.*s' is no %s", text, BYTES_ARG(limit),
		    is_time(assertion.figure) ? "time (200us, 5ms, 1.5s)" : "number");
	*ret_assert = assertion;
	return 0;
}

/* --- judging --- */

/* NaN when there is no such figure. */
static double figure_of(const struct bench_assert *assertion, const struct bench_result *result,
			const struct bench_row *row)
{
	const struct histogram *times = row->response.counts ? &row->response : &row->service;
	double none = 0.0 / 0.0;

	if (is_time(assertion->figure) && (!times->counts || times->total == 0))
		return none;
	switch (assertion->figure) {
	case BENCH_QUANTILE:
		return (double)histogram_quantile(times, assertion->share);
	case BENCH_MIN:
		return (double)times->min;
	case BENCH_MEAN:
		return times->sum / (double)times->total;
	case BENCH_MAX:
		return (double)times->max;
	case BENCH_RATE:
		return result->elapsed_ns
			   ? (double)row->count * 1e9 / (double)result->elapsed_ns
			   : none;
	case BENCH_COUNT:
		return (double)row->count;
	case BENCH_ERRORS:
		return (double)row->errors;
	case BENCH_HITS:
		return row->hits + row->misses
			   ? (double)row->hits / (double)(row->hits + row->misses)
			   : none;
	case BENCH_WRONG:
		return (double)(row->foreign + row->torn + row->stale);
	case BENCH_UNSENT:
		return (double)result->unsent;
	case BENCH_EVICTED:
		return result->evicted >= 0 ? (double)result->evicted : none;
	case BENCH_CPU:
		return result->elapsed_ns
			   ? (double)result->client_cpu_us * 1e3 / (double)result->elapsed_ns
			   : none;
	}
	return none;
}

static bool holds(const struct bench_assert *assertion, double figure)
{
	switch (assertion->relation) {
	case BENCH_LT:
		return figure < assertion->limit;
	case BENCH_LE:
		return figure <= assertion->limit;
	case BENCH_GT:
		return figure > assertion->limit;
	case BENCH_GE:
		return figure >= assertion->limit;
	case BENCH_EQ:
		return figure == assertion->limit;
	case BENCH_NE:
		return figure < assertion->limit || figure > assertion->limit;
	}
	return false;
}

bool bench_assert_holds(const struct bench_assert *assertion, const struct bench_result *result,
			struct buf *ret_figure)
{
	struct bench_row row;

	bench_row_sum(result, assertion->kind, &row);
	double figure = figure_of(assertion, result, &row);
	bench_row_release(&row);
	if (figure != figure) // NOLINT(misc-redundant-expression) NaN alone is not itself
		buf_add_str(ret_figure, "there is no such figure");
	else if (is_time(assertion->figure) && figure < 1e6)
		buf_printf(ret_figure, "%.1fus", figure / 1e3);
	else if (is_time(assertion->figure))
		buf_printf(ret_figure, "%.2fms", figure / 1e6);
	else
		buf_printf(ret_figure, "%.6g", figure);
	return holds(assertion, figure);
}
