#include "warming.h"

#include "app.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/lease.h"
#include "core/namespace.h"
#include "core/room.h"
#include "core/rowfile.h"
#include "core/selection.h"
#include "core/tally.h"
#include "opt/opt.h"
#include "out/progress.h"
#include "source/source.h"
#include "warm_failures.h"
#include "warm_from.h"
#include "warm_options.h"
#include "warm_view.h"

#include <inttypes.h>
#include <stdlib.h>

/* Failed items are named one by one up to here, and the first that Redis failed in any case:
 * that names the node. --log-level debug names them all. */
#define NAMED_MAX 20

static void on_problem(void *ctx, struct bytes key, const struct err *err)
{
	struct warming *warming = ctx;
	bool is_first = err->kind == ERR_REDIS && !warming->redis_failed;
	bool told = warming->named < NAMED_MAX || is_first;
	enum out_level level = told ? OUT_WARNING : OUT_DEBUG;

	warming->redis_failed = warming->redis_failed || is_first;
	warming->named += told;
	warming->untold += !told;
	if (key.len)
		out_message(&warming->app->messages, level, "%s '%.*s': %s", warming->ns->name,
			    BYTES_ARG(key), err->text);
	else
		out_message(&warming->app->messages, level, "%s", err->text);
}

static void on_failed(void *ctx, struct bytes vars)
{
	struct warming *warming = ctx;

	warm_failures_add(warming->failures, vars);
}

static void on_progress(void *ctx, uint64_t done, uint64_t failed)
{
	struct warming *warming = ctx;
	double share = selection_share(warming->selection);

	if (share > 0) /* of a file: as many as there will be if the lines stay as long */
		out_progress_total(warming->progress, (uint64_t)((double)done / share));
	out_progress_update(warming->progress, done, failed);
}

/* What a finished namespace means for the exit code. */
static enum exit_code judge(const struct warm_report *report, bool is_explicit)
{
	enum exit_code code = EXIT_DONE;

	if (report->failed || (is_explicit && report->absent))
		code = EXIT_PARTIAL;
	if (report->requested && report->failed == report->requested &&
	    report->causes[SOURCE_CAUSE_CONNECT] + report->causes[SOURCE_CAUSE_BREAKER] ==
		report->failed)
		code = EXIT_SOURCE;
	return code;
}

/* Into the program's own counters, once a namespace: nothing on the way of an item. */
static void count(struct app *app, const struct warm_options *options,
		  const struct warm_report *report)
{
	uint64_t own = report->causes[WARM_CAUSE_VARS] + report->causes[WARM_CAUSE_ROW] +
		       report->causes[WARM_CAUSE_REDIS];
	struct tally *tally = options->ephemeral ? NULL : app_tally(app);

	tally_add(tally, report->ns, TALLY_SET, report->stored + report->renewed);
	tally_add(tally, report->ns, TALLY_SET_ERROR, report->causes[WARM_CAUSE_REDIS]);
	tally_add(tally, report->ns, TALLY_FETCHED, report->fetched);
	tally_add(tally, report->ns, TALLY_FETCH_ABSENT, report->absent - report->noted_absent);
	tally_add(tally, report->ns, TALLY_FETCH_ERROR, report->failed - own);
	tally_add(tally, report->ns, TALLY_INVALIDATED, report->pruned);
	app_tally_flush(app);
}

/* --- one namespace --- */

static int64_t expiring_of(const struct warming *warming)
{
	if (warming->options->expiring_ms != OPT_UNSET)
		return (int64_t)warming->options->expiring_ms;
	const struct ns *ns = warming->ns;
	return (int64_t)((ns->ttl_kind == NS_TTL_ADAPTIVE ? ns->ttl_min_ms : ns->ttl_ms) / 5 +
			 ns->grace_ms);
}

static enum exit_code run_job(struct warming *warming, struct selection *selection,
			      struct lease *lease)
{
	struct app *app = warming->app;
	const struct warm_options *options = warming->options;
	struct warm_job job = {.set = app_namespaces(app),
			       .ns = warming->ns,
			       .selection = selection,
			       .redis = app->redis,
			       .fetcher = app->fetcher,
			       .guard = warming->guard,
			       .lease = lease,
			       .policy = (enum warm_policy)options->policy,
			       .expiring_ms = expiring_of(warming),
			       .prune = options->prune,
			       .evict = options->evict,
			       .deadline_ms = warming->deadline_ms,
			       .dry_run = options->dry_run,
			       .ttl_ms =
				   options->ttl_ms == OPT_UNSET ? 0 : (int64_t)options->ttl_ms,
			       .cancel = app->cancel,
			       .problem = on_problem,
			       .failed = warming->failures ? on_failed : NULL,
			       .progress = on_progress,
			       .ctx = warming};
	struct warm_report report = {0};
	struct err err = {0};

	warming->named = warming->untold = 0;
	warming->redis_failed = false;
	warming->selection = selection;
	warming->progress = app_progress(app, warming->ns->name, selection_total(selection));
	int status = warm_run(&job, &report, &err);
	out_progress_free(warming->progress);
	if (warming->untold)
		app_warn(app,
			 "%s: %" PRIu64 " more like these; --log-level debug names them all",
			 warming->ns->name, warming->untold);
	report.estimated =
	    report.skips[WARM_SKIP_DRY_RUN] *
	    (options->dry_run ? room_value_size(app->redis, job.set, job.ns) : 0);
	enum exit_code code = judge(&report, selection_is_explicit(selection));
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	count(app, options, &report);
	warm_view_row(warming->sink, &report);
	warm_view_add(&warming->sum, &report);
	warm_report_release(&report);
	return code;
}

/* How the lease of this selection is called; NULL: single ids need none. */
static char *lease_name(const struct warming *warming, const struct selection *selection)
{
	const struct warm_options *options = warming->options;
	const char *what = options->existing ? "existing"
			   : options->set    ? options->set
			   : options->ids    ? options->ids
					     : "list";

	if (options->ephemeral || options->dry_run ||
	    (selection_is_explicit(selection) && !options->ids))
		return NULL;
	return mem_printf("warm:%s:%s", warming->ns->name, what);
}

void warming_cut_short(struct warming *warming, enum warm_end end)
{
	if (warming->sum.end == WARM_END_COMPLETE)
		warming->sum.end = end;
}

/* The lease could not be had. */
static enum exit_code left_to_other(struct warming *warming, const struct err *err)
{
	warming_cut_short(warming, err->kind == ERR_LOCKED ? WARM_END_LEASE : WARM_END_REDIS);
	if (err->kind != ERR_LOCKED || warming->options->if_locked == 0)
		return app_fail(warming->app, err);
	app_info(warming->app, "%s", err->text);
	return EXIT_DONE;
}

enum exit_code warming_run(struct warming *warming, struct selection *selection)
{
	struct app *app = warming->app;
	char *name = lease_name(warming, selection);
	struct lease *lease = NULL;
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (!name || lease_acquire(app->redis, name, &lease, &err) == 0) {
		code = run_job(warming, selection, lease);
	} else {
		code = left_to_other(warming, &err);
	}
	lease_release(lease);
	free(name);
	return code;
}

/* --- rows of a file in place of a source --- */

static void take_report(void *ctx, const struct warm_report *report)
{
	struct warming *warming = ctx;

	count(warming->app, warming->options, report);
	warm_view_row(warming->sink, report);
	warm_view_add(&warming->sum, report);
}

static enum exit_code store_rows(struct warming *warming, struct rowfile *file,
				 struct lease *lease)
{
	const struct warm_options *options = warming->options;
	struct warm_from from = {
	    .file = file,
	    .only = warming->ns,
	    .ttl_ms = options->ttl_ms == OPT_UNSET ? 0 : (int64_t)options->ttl_ms,
	    .lease = lease,
	    .failures = warming->failures,
	    .evict = options->evict,
	    .dry_run = options->dry_run,
	    .report = take_report,
	    .ctx = warming};

	enum warm_end end = WARM_END_COMPLETE;
	enum exit_code code = warm_from_run(warming->app, &from, &end);

	warming_cut_short(warming, end);
	return code;
}

enum exit_code warming_run_rows(struct warming *warming, struct rowfile *file)
{
	const struct warm_options *options = warming->options;
	/* the rows of a pipe come once: nobody else has them */
	bool alone = options->ephemeral || options->dry_run || rowfile_may_wait(file);
	char *name = mem_printf("warm:%s:from:%s", warming->ns ? warming->ns->name : "*",
				rowfile_name(file));
	struct lease *lease = NULL;
	struct err err = {0};
	enum exit_code code =
	    !alone && lease_acquire(warming->app->redis, name, &lease, &err) != 0
		? left_to_other(warming, &err)
		: store_rows(warming, file, lease);

	lease_release(lease);
	free(name);
	return code;
}
