#include "bench_measure.h"

#include "app.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "bench_options.h"
#include "bench_view.h"
#include "core/bench_compare.h"
#include "core/bench_hdr.h"
#include "core/bench_watch.h"
#include "out/sink.h"
#include "out/file.h"
#include "out/stream.h"

#include <inttypes.h>
#include <stdlib.h>

/* Rounds under way: the document opens with their first second. */
struct showing {
	struct app *app;
	struct sink *sink;
	struct bench_watch watch;
	size_t seconds; /* of the rounds before */
	size_t shown;
};

static void open_document(struct showing *showing)
{
	if (showing->sink)
		return;
	showing->sink = app_sink(showing->app, "bench", 1);
	bench_view_seconds_begin(showing->sink);
}

static void on_begin(void *ctx)
{
	struct showing *showing = ctx;

	bench_watch_begin(&showing->watch);
}

static void on_second(void *ctx, size_t second, const struct bench_second *figures)
{
	struct showing *showing = ctx;

	open_document(showing);
	bench_view_second(showing->sink, showing->seconds + second, figures);
	showing->shown = showing->seconds + second + 1;
	/* A failure shows when the document ends. */
	if (sink_format(showing->sink) == OUT_NDJSON)
		(void)out_stream_flush(showing->app->out, NULL);
	bench_watch_beat(&showing->watch);
}

/* --- rounds --- */

static int run_rounds(struct showing *showing, const struct bench_job *job, uint64_t count,
		      struct bench_result *all, struct bench_rounds *rounds, struct err *err)
{
	const struct bench_follower follower = {showing, on_begin, on_second};
	int status = 0;

	for (uint64_t i = 0; i < count && status == 0; i++) {
		struct bench_result result;

		status = bench_run(&showing->app->target, job, showing->app->cancel, &follower,
				   &result, err);
		if (status == 0)
			bench_watch_end(&showing->watch, &result);
		bench_rounds_add(rounds, (size_t)i, &result);
		showing->seconds = showing->shown;
		if (i == 0) {
			*all = result;
			continue;
		}
		bench_result_add(all, &result);
		bench_result_release(&result);
	}
	return status;
}

/* --- judging --- */

static enum exit_code judge_errors(struct app *app, const struct bench_result *result)
{
	struct bench_row all;
	enum exit_code code = EXIT_DONE;

	bench_row_sum(result, -1, &all);
	if (all.errors > 0) {
		code = all.count > 0 ? EXIT_PARTIAL : EXIT_REDIS;
		app_warn(app, "%" PRIu64 " of %" PRIu64 " operations failed: %s", all.errors,
			 all.errors + all.count, result->errors[0].text);
	}
	uint64_t wrong = all.foreign + all.torn + all.stale;
	if (wrong > 0) {
		code = exit_worst(code, EXIT_FOUND);
		app_warn(app,
			 "%" PRIu64 " values were not what was written: %" PRIu64
			 " of another key, %" PRIu64 " torn, %" PRIu64 " stale",
			 wrong, all.foreign, all.torn, all.stale);
	}
	if (result->unsent > 0 && !result->partial)
		app_warn(app,
			 "%" PRIu64
			 " operations were due and never sent: the true response times "
			 "are worse than shown",
			 result->unsent);
	bench_row_release(&all);
	return code;
}

static enum exit_code judge_assertions(struct app *app, struct sink *sink,
				       const struct bench_plan *plan,
				       const struct bench_result *result)
{
	enum exit_code code = EXIT_DONE;

	bench_view_assertions_begin(sink, plan->assertion_count);
	for (size_t i = 0; i < plan->assertion_count; i++) {
		struct buf figure = {0};
		bool holds = bench_assert_holds(&plan->assertions[i], result, &figure);

		bench_view_assertion(sink, &plan->assertions[i], holds, buf_str(&figure));
		if (!holds) {
			code = EXIT_FOUND;
			app_warn(app, "--assert '%s' does not hold: %s",
				 plan->assertions[i].text, buf_str(&figure));
		}
		buf_release(&figure);
	}
	bench_view_assertions_end(sink, plan->assertion_count);
	return code;
}

static enum exit_code judge_change(struct app *app, struct sink *sink,
				   const struct bench_options *options,
				   const struct bench_rounds *before,
				   const struct bench_rounds *now)
{
	enum exit_code code = EXIT_DONE;
	size_t count = 0;
	struct bench_comparison *all = bench_compare(before, now, options->max_regress, &count);

	bench_view_comparisons(sink, all, count);
	for (size_t i = 0; i < count; i++) {
		const struct bench_comparison *one = &all[i];

		if (one->verdict == BENCH_SAME || one->verdict == BENCH_BETTER)
			continue;
		if (one->verdict == BENCH_WORSE)
			code = EXIT_FOUND;
		app_warn(app,
			 "%s.%s: %.4g before, %.4g now: %+.1f %% (%+.1f to %+.1f %%, %zu "
			 "rounds), allowed %.3g %%%s",
			 bench_kind_names[one->kind], bench_measure_names[one->measure],
			 one->before, one->now, one->change * 100, one->low * 100,
			 one->high * 100, one->rounds, options->max_regress * 100,
			 one->verdict == BENCH_UNSURE ? "; the rounds overlap, it may be noise"
						      : "");
	}
	free(all);
	return code;
}

/* Fewer rounds have no spread that tells a change from noise. */
#define ROUNDS_LEAST 3

static int read_baseline(const struct bench_options *options, struct bench_rounds *ret_before,
			 struct err *err)
{
	if (options->rounds < ROUNDS_LEAST)
		return err_set(err, ERR_USAGE,
			       "--baseline needs --rounds %d or more: fewer do not tell a "
			       "change from noise",
			       ROUNDS_LEAST);
	if (bench_rounds_read(options->baseline, ret_before, err) != 0)
		return -1;
	if (ret_before->items[ret_before->count - 1].round + 1 < ROUNDS_LEAST)
		return err_set(
		    err, ERR_USAGE,
		    "--baseline %s: it has fewer than %d rounds, which do not tell a "
		    "change from noise: run it with --rounds 5",
		    options->baseline, ROUNDS_LEAST);
	return 0;
}

/* --- the log --- */

static int write_log(const struct out_file *file, const struct bench_result *result,
		     uint64_t wall_ms, struct err *err)
{
	struct buf text = {0};

	bench_hdr_log(result, wall_ms, &text);
	int status = out_file_replace(file, buf_bytes(&text), err);
	buf_release(&text);
	return status;
}

enum exit_code bench_measure(struct app *app, const struct bench_options *options,
			     const struct bench_plan *plan)
{
	struct showing showing = {.app = app,
				  .watch = {.redis = app->redis, .job = &plan->job}};
	struct bench_result all = {0};
	struct bench_rounds rounds = {0};
	struct bench_rounds before = {0};
	struct err err = {0};
	struct out_file hdr = {"--hdr", options->hdr, 0, app->cancel};
	uint64_t wall_ms = clock_wall_ms();
	enum exit_code code = EXIT_DONE;

	if (options->baseline && read_baseline(options, &before, &err) != 0) {
		bench_rounds_release(&before);
		return app_fail(app, &err);
	}
	int status = run_rounds(&showing, &plan->job, options->rounds, &all, &rounds, &err);
	if (all.elapsed_ns > 0 || showing.sink) {
		open_document(&showing);
		bench_view_seconds_end(showing.sink);
		bench_view_result(app, showing.sink, &plan->job, &all);
		bench_view_rounds(showing.sink, &rounds);
		code = judge_assertions(app, showing.sink, plan, &all);
		if (options->baseline)
			code = exit_worst(
			    code, judge_change(app, showing.sink, options, &before, &rounds));
		code = exit_worst(code, judge_errors(app, &all));
		code = app_finish(app, showing.sink, code);
		struct err output = {0};
		if (options->hdr && write_log(&hdr, &all, wall_ms, &output) != 0)
			code = exit_worst(code, app_fail(app, &output));
	}
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	bench_watch_release(&showing.watch);
	bench_rounds_release(&rounds);
	bench_rounds_release(&before);
	bench_result_release(&all);
	return code;
}
