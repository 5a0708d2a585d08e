#include "bench_view.h"

#include "core/bench_assert.h"
#include "core/bench_compare.h"
#include "out/sink.h"

/* --- rounds --- */

void bench_view_rounds(struct sink *sink, const struct bench_rounds *rounds)
{
	static const struct out_column columns[] = {
	    {.name = "round", .title = "ROUND", .unit = OUT_COUNT},
	    {.name = "operation", .title = "OP"},
	    {.name = "per_second", .title = "RATE", .unit = OUT_RATE},
	    {.name = "p50_us", .title = "P50", .unit = OUT_US},
	    {.name = "p99_us", .title = "P99", .unit = OUT_US},
	};
	static const struct out_table table = {
	    .name = "rounds", .columns = columns, .column_count = 5};
	bool several = rounds->count > 0 && rounds->items[rounds->count - 1].round > 0;

	if (sink_format(sink) == OUT_TABLE && !several)
		return;
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < rounds->count; i++) {
		const struct bench_round *round = &rounds->items[i];

		sink_row(sink, (struct out_value[]){
				   out_uint(round->round),
				   out_str(bench_kind_names[round->kind]),
				   out_real(round->figures[BENCH_PER_SECOND]),
				   out_real(round->figures[BENCH_P50]),
				   out_real(round->figures[BENCH_P99]),
			       });
	}
	sink_table_end(sink);
}

/* --- assertions --- */

static const struct out_column assertion_columns[] = {
    {.name = "assertion", .title = "ASSERTION"},
    {.name = "holds", .title = "HOLDS"},
    {.name = "figure", .title = "FIGURE"},
};
static const struct out_table assertion_table = {
    .name = "assertions", .columns = assertion_columns, .column_count = 3};

static bool shows_assertions(const struct sink *sink, size_t count)
{
	return count > 0 || sink_format(sink) != OUT_TABLE;
}

void bench_view_assertions_begin(struct sink *sink, size_t count)
{
	if (shows_assertions(sink, count))
		sink_table_begin(sink, &assertion_table);
}

void bench_view_assertion(struct sink *sink, const struct bench_assert *assertion, bool holds,
			  const char *figure)
{
	sink_row(sink, (struct out_value[]){out_str(assertion->text), out_bool(holds),
					    out_str(figure)});
}

void bench_view_assertions_end(struct sink *sink, size_t count)
{
	if (shows_assertions(sink, count))
		sink_table_end(sink);
}

/* --- the comparison --- */

void bench_view_comparisons(struct sink *sink, const struct bench_comparison *all, size_t count)
{
	static const struct out_column columns[] = {
	    {.name = "operation", .title = "OP"},
	    {.name = "figure", .title = "FIGURE"},
	    {.name = "before", .title = "BEFORE"},
	    {.name = "now", .title = "NOW"},
	    {.name = "change", .title = "CHANGE", .unit = OUT_PERCENT},
	    {.name = "change_low", .title = "FROM", .unit = OUT_PERCENT},
	    {.name = "change_high", .title = "TO", .unit = OUT_PERCENT},
	    {.name = "rounds", .title = "ROUNDS", .unit = OUT_COUNT, .flags = OUT_MINOR},
	    {.name = "verdict", .title = "VERDICT"},
	};
	static const struct out_table table = {
	    .name = "comparison", .columns = columns, .column_count = 9};

	sink_table_begin(sink, &table);
	for (size_t i = 0; i < count; i++)
		sink_row(sink, (struct out_value[]){
				   out_str(bench_kind_names[all[i].kind]),
				   out_str(bench_measure_names[all[i].measure]),
				   out_real(all[i].before),
				   out_real(all[i].now),
				   out_real(all[i].change),
				   out_real(all[i].low),
				   out_real(all[i].high),
				   out_uint(all[i].rounds),
				   out_str(bench_change_names[all[i].verdict]),
			       });
	sink_table_end(sink);
}
