#include "bench_cached.h"

#include "app.h"
#include "base/err.h"
#include "bench_options.h"
#include "core/bench_source.h"
#include "core/bench_stampede.h"
#include "core/namespace.h"
#include "core/selection.h"
#include "out/sink.h"

#include <inttypes.h>

/* Hits measured for each miss. */
#define HITS 10
/* Of a namespace that names no target. */
#define HIT_RATIO 0.8
/* A stampede's keys live so many times as long as the source takes, and are watched so many
 * lives. */
#define LIFE 5
#define LIVES 3

static double mean_us(const struct histogram *times)
{
	return times->total ? times->sum / (double)times->total / 1e3 : 0;
}

static struct out_value quantile(const struct histogram *times, double share)
{
	return times->total ? out_real((double)histogram_quantile(times, share) / 1e3)
			    : OUT_NONE;
}

/* --- what a hit saves --- */

enum { P_PATH, P_COUNT, P_MEAN, P_P50, P_P90, P_P99, P_MAX, P_COLUMNS };
static const struct out_column path_columns[P_COLUMNS] = {
    [P_PATH] = {.name = "path", .title = "PATH"},
    [P_COUNT] = {.name = "count", .title = "READS", .unit = OUT_COUNT},
    [P_MEAN] = {.name = "mean_us", .title = "MEAN", .unit = OUT_US},
    [P_P50] = {.name = "p50_us", .title = "P50", .unit = OUT_US},
    [P_P90] = {.name = "p90_us", .title = "P90", .unit = OUT_US},
    [P_P99] = {.name = "p99_us", .title = "P99", .unit = OUT_US},
    [P_MAX] = {.name = "max_us", .title = "MAX", .unit = OUT_US},
};
static const struct out_table path_table = {
    .name = "paths", .columns = path_columns, .column_count = P_COLUMNS, .primary = true};

static void print_path(struct sink *sink, const char *name, const struct histogram *times)
{
	sink_row(sink,
		 (struct out_value[P_COLUMNS]){
		     [P_PATH] = out_str(name),
		     [P_COUNT] = out_uint(times->total),
		     [P_MEAN] = times->total ? out_real(mean_us(times)) : OUT_NONE,
		     [P_P50] = quantile(times, 0.5),
		     [P_P90] = quantile(times, 0.9),
		     [P_P99] = quantile(times, 0.99),
		     [P_MAX] = times->total ? out_real((double)times->max / 1e3) : OUT_NONE,
		 });
}

static void print_saving(struct sink *sink, const struct ns *ns,
			 const struct bench_saving *saving)
{
	static const struct out_column columns[] = {
	    {.name = "namespace", .title = "Namespace"},
	    {.name = "ids", .title = "Ids", .unit = OUT_COUNT},
	    {.name = "absent", .title = "Not at the source", .unit = OUT_COUNT},
	    {.name = "failed", .title = "Failed", .unit = OUT_COUNT, .flags = OUT_WARN},
	    {.name = "bytes", .title = "Value bytes", .unit = OUT_SIZE},
	    {.name = "hit_ratio", .title = "At a hit ratio of", .unit = OUT_PERCENT},
	    {.name = "before_us", .title = "Mean read without cache", .unit = OUT_US},
	    {.name = "after_us", .title = "Mean read with it", .unit = OUT_US},
	    {.name = "times_faster", .title = "Times faster"},
	    {.name = "calls_avoided", .title = "Source calls avoided", .unit = OUT_PERCENT},
	};
	double ratio = ns->target_hit_rate > 0 ? ns->target_hit_rate : HIT_RATIO;
	double before = mean_us(&saving->source);
	double after = ratio * mean_us(&saving->hit) + (1 - ratio) * mean_us(&saving->miss);
	const struct out_value values[] = {
	    out_str(ns->name),
	    out_uint(saving->ids),
	    out_uint(saving->absent),
	    out_uint(saving->failed),
	    out_uint(saving->bytes),
	    out_real(ratio),
	    saving->source.total ? out_real(before) : OUT_NONE,
	    saving->hit.total ? out_real(after) : OUT_NONE,
	    saving->hit.total && after > 0 ? out_real(before / after) : OUT_NONE,
	    out_real(ratio),
	};

	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		sink_field(sink, &columns[i], values[i]);
	sink_table_begin(sink, &path_table);
	print_path(sink, "source", &saving->source);
	print_path(sink, "miss", &saving->miss);
	print_path(sink, "hit", &saving->hit);
	sink_table_end(sink);
}

static int open_selection(struct app *app, const struct bench_options *options,
			  const struct ns *ns, struct selection **ret_selection,
			  struct err *err)
{
	if (options->ids)
		return selection_from_file(ns, options->ids, ret_selection, err);
	return selection_from_list(ns, app->fetcher, ret_selection, err);
}

enum exit_code bench_saving(struct app *app, const struct bench_options *options,
			    struct bench_plan *plan)
{
	struct bench_family *family = &plan->job.families[0];
	struct bench_source_plan work = {
	    .set = app_namespaces(app),
	    .ns = family->ns,
	    .redis = app->redis,
	    .fetcher = app->fetcher,
	    .job = &plan->job,
	    .limit = options->requests == OPT_UNSET ? 100 : options->requests,
	    .hits = HITS};
	struct bench_saving saving = {0};
	struct bench_names keys = {0};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (open_selection(app, options, family->ns, &work.selection, &err) != 0) {
		family->keys = 0;
		return app_fail(app, &err);
	}
	int status = bench_source_run(&work, &keys, &saving, &err);
	/* These are the keys to remove. */
	bench_names_release(&plan->names[0]);
	plan->names[0] = keys;
	family->names = &plan->names[0];
	family->keys = keys.count;
	if (saving.source.total > 0) {
		struct sink *sink = app_sink(app, "bench-source", 1);

		print_saving(sink, family->ns, &saving);
		if (saving.failed > 0) {
			code = EXIT_PARTIAL;
			app_warn(app, "%" PRIu64 " of %" PRIu64 " ids failed: %s",
				 saving.failed, saving.ids, saving.first_failure.text);
		}
		code = app_finish(app, sink, code);
	}
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	bench_saving_release(&saving);
	selection_free(work.selection);
	return code;
}

/* --- stampedes --- */

enum {
	S_GUARD,
	S_READS,
	S_MISSES,
	S_CALLS,
	S_AT_ONCE,
	S_PER_KEY,
	S_P50,
	S_P99,
	S_MAX,
	S_COLUMNS
};
static const struct out_column guard_columns[S_COLUMNS] = {
    [S_GUARD] = {.name = "guard", .title = "GUARD"},
    [S_READS] = {.name = "reads", .title = "READS", .unit = OUT_COUNT},
    [S_MISSES] = {.name = "misses", .title = "MISSES", .unit = OUT_COUNT},
    [S_CALLS] = {.name = "source_calls", .title = "SOURCE CALLS", .unit = OUT_COUNT},
    [S_AT_ONCE] = {.name = "at_once", .title = "AT ONCE", .unit = OUT_COUNT},
    [S_PER_KEY] = {.name = "at_once_per_key", .title = "PER KEY", .unit = OUT_COUNT},
    [S_P50] = {.name = "p50_us", .title = "P50", .unit = OUT_US},
    [S_P99] = {.name = "p99_us", .title = "P99", .unit = OUT_US},
    [S_MAX] = {.name = "max_us", .title = "MAX", .unit = OUT_US},
};
static const struct out_table guard_table = {
    .name = "guards", .columns = guard_columns, .column_count = S_COLUMNS, .primary = true};

static void print_guard(struct sink *sink, enum bench_guard guard,
			const struct bench_stampede *figures)
{
	sink_row(sink,
		 (struct out_value[S_COLUMNS]){
		     [S_GUARD] = out_str(bench_guard_names[guard]),
		     [S_READS] = out_uint(figures->reads),
		     [S_MISSES] = out_uint(figures->misses),
		     [S_CALLS] = out_uint(figures->source_calls),
		     [S_AT_ONCE] = out_uint(figures->at_once),
		     [S_PER_KEY] = out_uint(figures->at_once_per_key),
		     [S_P50] = quantile(&figures->times, 0.5),
		     [S_P99] = quantile(&figures->times, 0.99),
		     [S_MAX] = figures->times.total ? out_real((double)figures->times.max / 1e3)
						    : OUT_NONE,
		 });
}

enum exit_code bench_stampede(struct app *app, const struct bench_options *options,
			      const struct bench_plan *plan)
{
	static const struct out_column clients = {
	    .name = "clients", .title = "Readers", .unit = OUT_COUNT};
	static const struct out_column keys = {
	    .name = "keys", .title = "Keys", .unit = OUT_COUNT};
	static const struct out_column latency = {
	    .name = "source_latency_ms", .title = "Source takes", .unit = OUT_MS};
	static const struct out_column ttl = {
	    .name = "ttl_ms", .title = "Keys live", .unit = OUT_MS};
	const struct bench_stampede_plan work = {
	    .run = plan->job.run,
	    .clients = (size_t)options->stampede,
	    .keys = options->stampede < 10 ? 1 : 10,
	    .latency_ms = options->latency_ms,
	    .ttl_ms = options->latency_ms * LIFE,
	    .duration_ms = options->latency_ms * LIFE * LIVES,
	    .value_size = plan->job.families[0].size_min,
	    .seed = options->seed,
	};
	struct sink *sink = app_sink(app, "bench-stampede", 1);
	struct err err = {0};
	int status = 0;

	sink_field(sink, &clients, out_uint(work.clients));
	sink_field(sink, &keys, out_uint(work.keys));
	sink_field(sink, &latency, out_uint(work.latency_ms));
	sink_field(sink, &ttl, out_uint(work.ttl_ms));
	sink_table_begin(sink, &guard_table);
	for (int guard = 0; guard < BENCH_GUARDS && status == 0; guard++) {
		struct bench_stampede figures;

		status = bench_stampede_run(app->redis, &work, (enum bench_guard)guard,
					    app->cancel, &figures, &err);
		if (status == 0)
			print_guard(sink, (enum bench_guard)guard, &figures);
		histogram_release(&figures.times);
	}
	sink_table_end(sink);
	enum exit_code code = app_finish(app, sink, EXIT_DONE);
	return status == 0 ? code : exit_worst(code, app_fail(app, &err));
}
