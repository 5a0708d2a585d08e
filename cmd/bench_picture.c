#include "bench_view.h"

#include "base/buf.h"
#include "core/bench.h"
#include "out/sink.h"

/* At most so wide, and what stands before a bar. */
#define BAR 40
#define BAR_INDENT 28
#define STRIP 60
#define LADDER_INDENT 8
/* Powers of two of microseconds: from under 1 µs to over a minute. */
#define BINS 28

static void put_time(struct buf *text, double us)
{
	if (us < 1000)
		buf_printf(text, "%.4g us", us);
	else if (us < 1e6)
		buf_printf(text, "%.4g ms", us / 1e3);
	else
		buf_printf(text, "%.4g s", us / 1e6);
}

static size_t at_most(size_t width, size_t indent, size_t most)
{
	size_t room = width > indent + 1 ? width - indent - 1 : 1;

	return room < most ? room : most;
}

static void print_bin(struct sink *sink, unsigned bin, size_t width, uint64_t count,
		      uint64_t most, uint64_t total)
{
	struct buf limit = {0};
	char bar[BAR + 1] = "";
	size_t longest = at_most(width, BAR_INDENT, BAR);
	size_t len = (size_t)((double)count / (double)most * (double)longest + 0.999);

	for (size_t i = 0; i < len && i < longest; i++) {
		bar[i] = '#';
		bar[i + 1] = '\0';
	}
	put_time(&limit, (double)(UINT64_C(1) << bin));
	sink_note(sink, "  up to %8s  %6.2f %%  %s", buf_str(&limit),
		  (double)count * 100 / (double)total, bar);
	buf_release(&limit);
}

static void print_bins(struct sink *sink, const struct histogram *times, size_t width)
{
	uint64_t counts[BINS] = {0};
	uint64_t before = 0;
	uint64_t most = 0;

	for (unsigned i = 0; i < BINS; i++) {
		uint64_t upto = i + 1 == BINS
				    ? times->total
				    : histogram_count_to(times, (UINT64_C(1000) << i) - 1);

		counts[i] = upto - before;
		before = upto;
		most = counts[i] > most ? counts[i] : most;
	}
	for (unsigned i = 0; i < BINS; i++)
		if (counts[i] > 0)
			print_bin(sink, i, width, counts[i], most, times->total);
}

static void print_ladder(struct sink *sink, const struct histogram *times, size_t width)
{
	static const double steps[] = {50, 75, 90, 95, 99, 99.9, 99.99, 100};
	size_t count = sizeof steps / sizeof steps[0];
	struct buf line = {0};
	struct buf step = {0};

	buf_add_str(&line, "Within:");
	for (size_t i = 0; i < count; i++) {
		buf_clear(&step);
		buf_printf(&step, " %g %% ", steps[i]);
		put_time(&step, (double)histogram_quantile(times, steps[i] / 100) / 1e3);
		buf_add_str(&step, i + 1 < count ? "," : "");
		if (line.len + step.len > width) {
			sink_note(sink, "%s", buf_str(&line));
			buf_clear(&line);
			buf_printf(&line, "%*s", LADDER_INDENT - 1, "");
		}
		buf_add(&line, buf_bytes(&step));
	}
	sink_note(sink, "%s", buf_str(&line));
	buf_release(&line);
	buf_release(&step);
}

/* A mark per second, or per so many that they fit: the darker, the slower its p99. */
static void print_strip(struct sink *sink, const struct bench_result *result, size_t width)
{
	static const char marks[] = ".:-=+*#%@";
	char strip[STRIP + 1] = "";
	size_t longest = at_most(width, 2, STRIP);
	size_t each = (result->second_count + longest - 1) / longest;
	uint64_t most = 1;

	if (result->second_count < 2)
		return;
	for (size_t i = 0; i < result->second_count; i++)
		most = result->seconds[i].p99_ns > most ? result->seconds[i].p99_ns : most;
	for (size_t i = 0; i * each < result->second_count; i++) {
		uint64_t worst = 0;

		for (size_t j = i * each; j < (i + 1) * each && j < result->second_count; j++)
			if (result->seconds[j].p99_ns > worst)
				worst = result->seconds[j].p99_ns;
		strip[i] = marks[(size_t)((double)worst / (double)most * (sizeof marks - 2))];
		strip[i + 1] = '\0';
	}
	struct buf text = {0};
	put_time(&text, (double)most / 1e3);
	sink_note(sink, "p99 of each %s (@ is %s):", each == 1 ? "second" : "few seconds",
		  buf_str(&text));
	sink_note(sink, "  %s", strip);
	buf_release(&text);
}

void bench_view_picture(struct sink *sink, const struct bench_result *result, size_t width)
{
	struct bench_row all;

	if (sink_format(sink) != OUT_TABLE)
		return;
	bench_row_sum(result, -1, &all);
	const struct histogram *times = all.response.counts ? &all.response : &all.service;
	if (times->counts && times->total > 0) {
		sink_note(sink, "%s times:", all.response.counts ? "Response" : "Service");
		print_bins(sink, times, width);
		print_ladder(sink, times, width);
		print_strip(sink, result, width);
	}
	bench_row_release(&all);
}
