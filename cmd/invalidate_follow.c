#include "invalidate.h"

#include "app.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/num.h"
#include "core/backup.h"
#include "core/event_follow.h"
#include "core/event_run.h"
#include "invalidate_event_fetch.h"
#include "out/progress.h"
#include "out/sink.h"
#include "source/source.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* Events that failed are named one by one up to here; --log-level debug names them all. */
#define NAMED_MAX 20

struct fetcher *event_fetcher(void *ctx, struct err *err)
{
	struct app *app = ctx;

	if (!app->fetcher)
		app->fetcher = fetcher_new("ccache/" CCACHE_VERSION, app->cancel, err);
	return app->fetcher;
}

struct followed {
	struct app *app;
	struct out_progress *progress;
	uint64_t named;
};

static void on_problem(void *ctx, const struct event_item *item)
{
	struct followed *followed = ctx;
	enum out_level level = followed->named++ < NAMED_MAX ? OUT_WARNING : OUT_DEBUG;
	const struct out_messages *messages = &followed->app->messages;

	if (item->line)
		out_message(messages, level, "line %" PRIu64 ": %s", item->line,
			    item->problem.text);
	else if (item->id.len)
		out_message(messages, level, "entry %.*s: %s", BYTES_ARG(item->id),
			    item->problem.text);
	else
		out_message(messages, level, "%s", item->problem.text);
}

static void on_outage(void *ctx, const struct err *err)
{
	struct followed *followed = ctx;

	if (err)
		app_warn(followed->app, "%s; trying again until it is back", err->text);
	else
		app_info(followed->app, "Redis is back");
}

static double rate_of(const struct event_follow_report *report)
{
	return report->busy_us ? (double)report->events * 1e6 / (double)report->busy_us : 0;
}

static void on_tick(void *ctx, const struct event_follow_report *report)
{
	struct followed *followed = ctx;
	struct buf text = {0};

	num_format_count(&text, (int64_t)report->events);
	buf_printf(&text,
		   " events, %" PRIu64 " keys touched, %" PRIu64 " bad, %" PRIu64 " failed",
		   report->keys, report->bad, report->failed);
	if (report->elapsed_us)
		buf_printf(&text, ", %.0f/s",
			   (double)report->events * 1e6 / (double)report->elapsed_us);
	if (report->lag_ms >= 0) {
		buf_add_str(&text, ", lag ");
		num_format_duration_ms(&text, report->lag_ms);
	}
	if (report->waiting >= 0)
		buf_printf(&text, ", %" PRId64 " waiting", report->waiting);
	app_info(followed->app, "%s", buf_str(&text));
	buf_release(&text);
}

static void on_progress(void *ctx, uint64_t events, uint64_t failed)
{
	struct followed *followed = ctx;

	out_progress_update(followed->progress, events, failed);
}

/* --- the report --- */

static void put_count(struct sink *sink, const char *name, const char *title, uint64_t count,
		      unsigned flags)
{
	const struct out_column column = {
	    .name = name, .title = title, .unit = OUT_COUNT, .flags = flags};

	sink_field(sink, &column, out_uint(count));
}

static void put_effects(struct sink *sink, const struct event_follow_report *report)
{
	static const struct out_column columns[] = {
	    {.name = "outcome", .title = "OUTCOME"},
	    {.name = "steps", .title = "STEPS", .unit = OUT_COUNT}};
	static const struct out_table table = {
	    .name = "effects", .columns = columns, .column_count = 2, .primary = true};

	sink_table_begin(sink, &table);
	for (size_t i = EVENT_REMOVED; i < EVENT_OUTCOMES; i++)
		if (report->outcomes[i])
			sink_row(sink, (struct out_value[]){out_str(event_outcome_names[i]),
							    out_uint(report->outcomes[i])});
	sink_table_end(sink);
}

static enum exit_code print_report(struct app *app, const char *source,
				   const struct event_follow_report *report,
				   const struct invalidate_undo_file *file)
{
	static const struct out_column target = {.name = "target", .title = "Target"};
	static const struct out_column from = {.name = "source", .title = "Source"};
	static const struct out_column rate = {
	    .name = "events_per_s", .title = "Rate while busy", .unit = OUT_RATE};
	static const struct out_column elapsed = {
	    .name = "elapsed_ms", .title = "Time", .unit = OUT_MS};
	static const struct out_column lag = {.name = "lag_ms", .title = "Lag", .unit = OUT_MS};
	static const struct out_column waiting = {
	    .name = "waiting", .title = "Waiting", .unit = OUT_COUNT};
	static const struct out_column complete = {.name = "complete", .title = "To the end"};
	struct sink *sink = app_sink(app, "follow", 1);

	sink_field(sink, &target, out_str(app->target_text));
	sink_field(sink, &from, out_str(source));
	put_count(sink, "events", "Events", report->events, 0);
	put_count(sink, "applied", "Applied", report->applied, 0);
	put_count(sink, "bad", "Not usable", report->bad, OUT_WARN);
	put_count(sink, "failed", "Failed", report->failed, OUT_WARN);
	put_count(sink, "unfinished", "Unfinished", report->unfinished, OUT_WARN);
	put_count(sink, "set_aside", "Set aside", report->set_aside, OUT_WARN);
	put_count(sink, "keys", "Touched", report->keys, 0);
	put_count(sink, "outages", "Redis gone", report->outages, OUT_WARN);
	sink_field(sink, &rate, out_real(rate_of(report)));
	sink_field(sink, &elapsed, out_uint(report->elapsed_us / 1000));
	sink_field(sink, &lag, report->lag_ms < 0 ? OUT_NONE : out_int(report->lag_ms));
	sink_field(sink, &waiting, report->waiting < 0 ? OUT_NONE : out_int(report->waiting));
	sink_field(sink, &complete, out_bool(report->complete));
	put_effects(sink, report);
	invalidate_put_undo(sink, file);
	return app_finish(app, sink, report->bad || report->failed ? EXIT_PARTIAL : EXIT_DONE);
}

static void tell_unfinished(struct app *app, const struct event_follow_report *report)
{
	if (report->unfinished_line)
		app_warn(app,
			 "%" PRIu64 " events have no outcome yet, the first is line %" PRIu64
			 ": send them again",
			 report->unfinished, report->unfinished_line);
	else if (report->unfinished)
		app_warn(app,
			 "%" PRIu64 " events have no outcome yet: a stream's come again to "
			 "the next run, a channel's do not",
			 report->unfinished);
}

/* --- the sources --- */

static struct event_feed *open_feed(const struct app *app, const char *source,
				    struct event_feed_options *options, struct bytes *ret_deaf,
				    struct err *err)
{
	struct bytes text = app_bytes(app, source);

	if (bytes_equal_str(text, "-"))
		return event_feed_lines(STDIN_FILENO, options);
	if (bytes_starts_with(text, BYTES("stream:")) && text.len > 7) {
		options->key = bytes_sub(text, 7, text.len);
		return event_feed_stream(options);
	}
	if (bytes_starts_with(text, BYTES("channel:")) && text.len > 8) {
		options->channel = *ret_deaf = bytes_sub(text, 8, text.len);
		return event_feed_channel(options);
	}
	err_set(err, ERR_USAGE, "--follow '%s': write -, stream:KEY or channel:NAME", source);
	return NULL;
}

/* "event" → "/event"; a pointer stays. */
static int make_pointer(const char *field, struct buf *pointer, struct err *err)
{
	if (field[0] != '/')
		buf_add_char(pointer, '/');
	for (const char *at = field; *at; at++)
		if (field[0] != '/' && (*at == '~' || *at == '/'))
			buf_add_str(pointer, *at == '~' ? "~0" : "~1");
		else
			buf_add_char(pointer, *at);
	if (pointer->len > 1 && json_pointer_valid(buf_bytes(pointer)))
		return 0;
	return err_set(err, ERR_USAGE, "--event-field '%s' is no field and no JSON pointer",
		       field);
}

static enum exit_code follow_feed(struct app *app, const struct event_options *options,
				  struct event_feed *feed, struct bytes deaf,
				  const struct event_request *request)
{
	struct backup *backup = NULL;
	struct invalidate_undo_file file = {0};
	struct err err = {0}, err_at_end = {0};

	if (event_open_backup(app, request, false, &backup, &err) != 0) {
		feed->free(feed, true);
		return app_fail(app, &err);
	}
	struct event_runner_options runner_options = {.redis = app->redis,
						      .namespaces = app_namespaces(app),
						      .fetcher = event_fetcher,
						      .ctx = app,
						      .backup = backup,
						      .deaf = deaf,
						      .cancel = app->cancel};
	struct followed followed = {.app = app, .progress = app_progress(app, "follow", 0)};
	struct event_set *set = event_set_new(app->config);
	struct event_runner *runner = event_runner_new(&runner_options);
	struct event_follow follow = {.set = set,
				      .runner = runner,
				      .feed = feed,
				      .max_keys = request->max_keys,
				      .redis = app->redis,
				      .tally = app_tally(app),
				      .stop_on_bad = options->bad_events == 1,
				      .every_ms = options->report_every_ms,
				      .cancel = app->cancel,
				      .problem = on_problem,
				      .outage = on_outage,
				      .tick = on_tick,
				      .progress = on_progress,
				      .ctx = &followed};
	struct event_follow_report report = {0};
	int status = event_follow(&follow, &report, &err);

	out_progress_free(followed.progress);
	enum exit_code code = invalidate_close_undo(app, backup, &file, &err_at_end);
	app_tally_flush(app);
	code = exit_worst(code, print_report(app, options->follow, &report, &file));
	if (followed.named > NAMED_MAX)
		app_warn(app, "%" PRIu64 " more like these; --log-level debug names them all",
			 followed.named - NAMED_MAX);
	tell_unfinished(app, &report);
	invalidate_tell_undo(app, &file);
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	backup_free(backup);
	event_runner_free(runner);
	event_set_free(set);
	feed->free(feed, status == 0);
	return code;
}

enum exit_code event_verb_follow(struct app *app, const struct event_options *options,
				 const struct event_request *request)
{
	struct buf pointer = {0};
	struct bytes deaf = {NULL, 0};
	struct err err = {0};
	struct event_feed_options feed_options = {.target = &app->target,
						  .cancel = app->cancel,
						  .group = options->group,
						  .consumer = options->consumer,
						  .dead = options->dead_letter,
						  .claim_ms = options->claim_after_ms,
						  .max_tries = options->max_tries};
	struct event_feed *feed = NULL;
	enum exit_code code = EXIT_DONE;

	if (make_pointer(options->event_field, &pointer, &err) == 0) {
		feed_options.name_at = buf_bytes(&pointer);
		feed = open_feed(app, options->follow, &feed_options, &deaf, &err);
	}
	if (feed)
		code = follow_feed(app, options, feed, deaf, request);
	else
		code = app_fail(app, &err);
	buf_release(&pointer);
	return code;
}
