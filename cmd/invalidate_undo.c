#include "invalidate.h"

#include "app.h"

#include "base/err.h"
#include "base/num.h"
#include "consent.h"
#include "core/backup.h"
#include "core/undo.h"
#include "out/progress.h"
#include "out/sink.h"

#include <inttypes.h>
#include <string.h>

/* Refuses a file of elsewhere, or one that is not whole, before anything is touched. */
static int check(struct app *app, const struct invalidate_options *options,
		 const struct backup_check *check, struct err *err)
{
	struct backup_origin here;

	if (check->damaged && !options->salvage)
		return err_set(err, ERR_REFUSED,
			       "undo file '%s' is damaged at byte %" PRIu64
			       "%s: nothing was restored; --salvage brings back the %" PRIu64
			       " records that are whole",
			       options->undo, check->first_damage,
			       check->damaged > 1 ? " and elsewhere" : "", check->records);
	if (!check->finished && !options->salvage)
		return err_set(
		    err, ERR_REFUSED,
		    "undo file '%s' has no end: it was cut, or its run was killed or "
		    "is still at it; nothing was restored; --salvage brings back the "
		    "%" PRIu64 " records that are whole",
		    options->undo, check->records);
	if (backup_origin_ask(app->redis, "undo", &here, err) != 0)
		return -1;
	if (options->elsewhere)
		return 0;
	bool unknown = !here.run_id[0] || !check->origin.run_id[0];
	bool same = unknown ? strcmp(here.target, check->origin.target) == 0
			    : backup_same_server(&here, &check->origin);
	if (here.db != check->origin.db)
		return err_set(err, ERR_REFUSED,
			       "undo file '%s' is of db %" PRIu64
			       " of %s, and this is db %" PRIu64
			       "; --elsewhere restores it here all the same",
			       options->undo, check->origin.db, check->origin.target, here.db);
	if (!same)
		return err_set(
		    err, ERR_REFUSED,
		    "undo file '%s' is of %s, and %s is another server, or was "
		    "restarted without its data; --elsewhere restores it here all the "
		    "same",
		    options->undo, check->origin.target, here.target);
	return 0;
}

static void describe(struct app *app, const struct undo_plan *plan, struct buf *text)
{
	num_format_count(text, (int64_t)(plan->changes - plan->expired));
	buf_printf(text, " %s to %s", plan->changes - plan->expired == 1 ? "key" : "keys",
		   app->target_text);
}

static int consent(struct app *app, const struct invalidate_options *options,
		   const struct undo_plan *plan, struct err *err)
{
	struct buf text = {0};

	describe(app, plan, &text);
	buf_add_str(&text, ", ");
	num_format_size(&text, plan->bytes);
	if (plan->expired)
		buf_printf(&text, "; of %" PRIu64 " more the time has passed", plan->expired);
	app_info(app, "restoring %s", buf_str(&text));
	buf_clear(&text);
	buf_add_str(&text, "Restore ");
	describe(app, plan, &text);
	buf_add_str(&text, "? [y/N] ");
	return consent_ask(app, &text, options->yes, "nothing was restored", err);
}

static enum exit_code print(struct app *app, const struct undo_report *report, uint64_t damaged,
			    bool dry_run)
{
	static const struct out_column target = {.name = "target", .title = "Target"};
	static const struct out_column columns[] = {
	    {.name = "changes", .title = "Saved", .unit = OUT_COUNT},
	    {.name = "restored", .title = "Restored", .unit = OUT_COUNT},
	    {.name = "kept", .title = "Left as it is", .unit = OUT_COUNT},
	    {.name = "expired", .title = "Expired since", .unit = OUT_COUNT},
	    {.name = "failed", .title = "Failed", .unit = OUT_COUNT, .flags = OUT_WARN},
	    {.name = "damaged",
	     .title = "Damaged places",
	     .unit = OUT_COUNT,
	     .flags = OUT_WARN},
	};
	static const struct out_column complete = {.name = "complete", .title = "Complete"};
	static const struct out_column dry = {.name = "dry_run", .title = "Only looked"};
	const uint64_t values[] = {report->changes, report->restored, report->kept,
				   report->expired, report->failed,   damaged};
	struct sink *sink = app_sink(app, "undo", 1);

	sink_field(sink, &target, out_str(app->target_text));
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (i != 5 || damaged || sink_format(sink) != OUT_TABLE)
			sink_field(sink, &columns[i], out_uint(values[i]));
	sink_field(sink, &complete, out_bool(report->complete));
	if (dry_run || sink_format(sink) != OUT_TABLE)
		sink_field(sink, &dry, out_bool(dry_run));
	return app_finish(app, sink,
			  report->failed || (damaged && !dry_run) ? EXIT_PARTIAL : EXIT_DONE);
}

static void on_progress(void *ctx, uint64_t done, uint64_t failed)
{
	out_progress_update(ctx, done, failed);
}

static enum exit_code carry_out(struct app *app, struct backup_reader *reader,
				const struct undo_plan *plan)
{
	struct undo_report report = {0};
	struct err err = {0};
	struct out_progress *progress = app_progress(app, "undo", plan->changes);
	struct undo_job job = {.redis = app->redis,
			       .reader = reader,
			       .cancel = app->cancel,
			       .progress = on_progress,
			       .ctx = progress};
	int status = undo_run(&job, &report, &err);

	out_progress_free(progress);
	enum exit_code code = print(app, &report, backup_checked(reader)->damaged, false);
	if (report.problem.len && status == 0)
		app_error(app, "%s", buf_str(&report.problem));
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	undo_report_release(&report);
	return code;
}

enum exit_code invalidate_undo(struct app *app, const struct invalidate_options *options,
			       const struct opt_words *words)
{
	struct backup_reader *reader = NULL;
	struct undo_plan plan = {0};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (words->count)
		err_set(&err, ERR_USAGE,
			"--undo takes back the whole file: no namespace, no ids");
	else if (backup_read(options->undo, &reader, &err) == 0 &&
		 check(app, options, backup_checked(reader), &err) == 0 &&
		 undo_plan(app->redis, reader, &plan, &err) == 0) {
		struct undo_report only = {.changes = plan.changes, .expired = plan.expired};

		if (options->dry_run)
			code = print(app, &only, backup_checked(reader)->damaged, true);
		else if (plan.changes == 0 || consent(app, options, &plan, &err) == 0)
			code = carry_out(app, reader, &plan);
	}
	if (err_is_set(&err))
		code = app_fail(app, &err);
	backup_reader_free(reader);
	return code;
}

enum exit_code invalidate_close_undo(struct app *app, struct backup *backup,
				     struct invalidate_undo_file *ret_file, struct err *err)
{
	bool kept = false;

	if (!backup)
		return EXIT_DONE;
	int status = backup_finish(backup, &kept, err);
	if (kept)
		*ret_file = (struct invalidate_undo_file){.path = backup_path(backup),
							  .bytes = backup_size(backup),
							  .is_named = backup_is_named(backup)};
	return status == 0 ? EXIT_DONE : app_fail(app, err);
}
