#include "app.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/config.h"
#include "core/guard.h"
#include "core/lease.h"
#include "core/namespace.h"
#include "core/request.h"
#include "core/room.h"
#include "core/rowfile.h"
#include "core/selection.h"
#include "core/tally.h"
#include "core/warm.h"
#include "opt/opt.h"
#include "out/progress.h"
#include "out/sink.h"
#include "source/source.h"
#include "warm_failures.h"
#include "warm_from.h"
#include "warm_options.h"
#include "warm_plan.h"
#include "warm_view.h"
#include "warm_when.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

/* Failed items are named one by one up to here; --log-level debug names them all. */
#define NAMED_MAX 20

struct warming {
	struct app *app;
	const struct warm_options *options;
	struct sink *sink;
	struct out_progress *progress;
	struct guard *guard;
	struct warm_failures *failures;
	const struct ns *ns;
	const struct selection *selection;
	uint64_t deadline_ms;
	uint64_t named; /* problems told so far */
	struct warm_report sum;
};

static void on_problem(void *ctx, struct bytes key, const struct err *err)
{
	struct warming *warming = ctx;
	enum out_level level = warming->named++ < NAMED_MAX ? OUT_WARNING : OUT_DEBUG;

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

	warming->named = 0;
	warming->selection = selection;
	warming->progress = app_progress(app, warming->ns->name, selection_total(selection));
	int status = warm_run(&job, &report, &err);
	out_progress_free(warming->progress);
	if (warming->named > NAMED_MAX)
		app_warn(app,
			 "%s: %" PRIu64 " more like these; --log-level debug names them all",
			 warming->ns->name, warming->named - NAMED_MAX);
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

/* A whole namespace that had no turn. */
static void cut_short(struct warming *warming, enum warm_end end)
{
	if (warming->sum.end == WARM_END_COMPLETE)
		warming->sum.end = end;
}

/* The lease could not be had. */
static enum exit_code left_to_other(struct warming *warming, const struct err *err)
{
	cut_short(warming, err->kind == ERR_LOCKED ? WARM_END_LEASE : WARM_END_REDIS);
	if (err->kind != ERR_LOCKED || warming->options->if_locked == 0)
		return app_fail(warming->app, err);
	app_info(warming->app, "%s", err->text);
	return EXIT_DONE;
}

static enum exit_code warm_one(struct warming *warming, struct selection *selection)
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

static int open_rows(struct warming *warming, const struct opt_words *words,
		     struct rowfile **ret_file, struct err *err)
{
	if (words->count == 1 && nsset_need(app_namespaces(warming->app),
					    bytes_of(words->items[0]), &warming->ns, err) != 0)
		return -1;
	return rowfile_open(warming->options->from, ret_file, err);
}

static enum exit_code warm_rows(struct warming *warming, struct rowfile *file,
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

	return warm_from_run(warming->app, &from);
}

/* The rows of a pipe come once: nobody else has them. */
static enum exit_code warm_file(struct warming *warming, struct rowfile *file)
{
	const struct warm_options *options = warming->options;
	bool alone = options->ephemeral || options->dry_run || rowfile_may_wait(file);
	char *name = mem_printf("warm:%s:from:%s", warming->ns ? warming->ns->name : "*",
				rowfile_name(file));
	struct lease *lease = NULL;
	struct err err = {0};
	enum exit_code code =
	    !alone && lease_acquire(warming->app->redis, name, &lease, &err) != 0
		? left_to_other(warming, &err)
		: warm_rows(warming, file, lease);

	lease_release(lease);
	free(name);
	return code;
}

/* --- which namespaces, which ids --- */

static int select_listed(struct warming *warming, struct selection **ret_selection,
			 struct err *err)
{
	if (request_check(warming->ns, err) != 0)
		return -1;
	if (warming->options->existing)
		return selection_from_cache(app_namespaces(warming->app), warming->ns,
					    warming->app->redis, ret_selection, err);
	return selection_from_list(warming->ns, warming->app->fetcher, ret_selection, err);
}

/* The items that the words and --ids name; ids are the words behind the namespace. */
static int select_named(struct warming *warming, const struct opt_words *words,
			const struct bytes *ids, struct selection **ret_selection,
			struct err *err)
{
	if (nsset_need(app_namespaces(warming->app), bytes_of(words->items[0]), &warming->ns,
		       err) != 0 ||
	    request_check(warming->ns, err) != 0)
		return -1;
	if (warming->options->ids)
		return selection_from_file(warming->ns, warming->options->ids, ret_selection,
					   err);
	if (words->count > 1)
		return selection_from_words(warming->ns, ids, words->count - 1, ret_selection,
					    err);
	return select_listed(warming, ret_selection, err);
}

/* A run over several namespaces ends early only where the next one would meet the same. */
static bool goes_on(struct warming *warming, enum exit_code code)
{
	enum warm_end end = *warming->app->cancel ? WARM_END_INTERRUPTED
			    : code == EXIT_REDIS  ? WARM_END_REDIS
			    : warming->deadline_ms && clock_mono_ms() >= warming->deadline_ms
				? WARM_END_DEADLINE
				: WARM_END_COMPLETE;

	cut_short(warming, end);
	return end == WARM_END_COMPLETE;
}

/* --all: each namespace that can be warmed; the others are told apart. */
static enum exit_code warm_all(struct warming *warming)
{
	const struct nsset *set = app_namespaces(warming->app);
	enum exit_code code = EXIT_DONE;
	enum exit_code one = EXIT_DONE;

	for (size_t i = 0; i < nsset_count(set) && goes_on(warming, one); i++) {
		struct selection *selection = NULL;
		struct err err = {0};

		warming->ns = nsset_at(set, i);
		if (warming->ns->step_count == 0)
			continue;
		if (select_listed(warming, &selection, &err) != 0) {
			app_info(warming->app, "%s", err.text);
			continue;
		}
		one = warm_one(warming, selection);
		code = exit_worst(code, one);
		selection_free(selection);
	}
	return code;
}

/* A set: with its vars one key of each namespace, else the namespace's list. */
static enum exit_code warm_set(struct warming *warming, const struct config_set *set)
{
	enum exit_code code = EXIT_DONE;
	enum exit_code one = EXIT_DONE;

	for (size_t i = 0; i < set->count && goes_on(warming, one); i++) {
		struct selection *selection = NULL;
		struct err err = {0};

		warming->ns = set->namespaces[i];
		if (config_set_covers(set, warming->ns))
			selection = selection_from_vars(warming->ns, set->vars, set->var_count);
		one = selection || select_listed(warming, &selection, &err) == 0
			  ? warm_one(warming, selection)
			  : app_fail(warming->app, &err);
		if (!selection)
			cut_short(warming, WARM_END_INPUT);
		code = exit_worst(code, one);
		selection_free(selection);
	}
	return code;
}

/* --- the verb --- */

/* Deadline, guard and file of failures; what is refused here has touched nothing. */
static int prepare(struct warming *warming, struct err *err)
{
	const struct warm_options *options = warming->options;
	struct err denied_err = {0};
	bool denied = false;

	if (options->until &&
	    warm_when_until(warming->app, options->until, &warming->deadline_ms, err) != 0)
		return -1;
	if (options->deadline_ms != OPT_UNSET)
		warming->deadline_ms = clock_mono_ms() + options->deadline_ms;
	if (options->failures &&
	    warm_failures_open(options->failures, &warming->failures, err) != 0)
		return -1;
	if (options->ephemeral || options->dry_run || options->from)
		return 0;
	if (guard_new(warming->app->redis, &warming->guard, &denied, &denied_err) == 0)
		return 0;
	if (denied) {
		app_warn(warming->app,
			 "%s; going on without fencing and conditional requests, as "
			 "--ephemeral does",
			 denied_err.text);
		return 0;
	}
	*err = denied_err;
	return -1;
}

static enum exit_code finish(struct warming *warming, enum exit_code code, uint64_t start_ms)
{
	struct err err = {0};

	warm_view_end(warming->sink, warming->app->target_text, &warming->sum,
		      clock_mono_ms() - start_ms);
	if (warming->options->dry_run)
		warm_plan_tell(warming->app, warming->sink, &warming->sum,
			       warming->options->from ? "stored" : "fetched");
	code = app_finish(warming->app, warming->sink, code);
	if (warming->failures && warm_failures_close(warming->failures, &err) != 0)
		code = exit_worst(code, app_fail(warming->app, &err));
	warming->failures = NULL;
	return code;
}

static enum exit_code warm_run_verb(struct app *app, const void *values,
				    const struct opt_words *words)
{
	struct warm_options options = *(const struct warm_options *)values;
	struct warming warming = {.app = app, .options = &options};
	struct bytes *ids = app_words(app, words, 1);
	struct selection *selection = NULL;
	struct rowfile *file = NULL;
	struct config_set set = {0};
	uint64_t start_ms = clock_mono_ms();
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	int status = warm_options_check(&options, words, &err);
	if (options.expiring_ms != OPT_UNSET)
		options.policy = WARM_EXPIRING;
	else if (options.policy < 0)
		options.policy = WARM_CHANGED;
	if (status == 0 && options.from)
		status = open_rows(&warming, words, &file, &err);
	else if (status == 0 && options.set)
		status = config_set_find(app->config, bytes_of(options.set), &set, &err);
	else if (status == 0 && words->count > 0)
		status = select_named(&warming, words, ids, &selection, &err);
	if (status != 0 || prepare(&warming, &err) != 0) {
		code = app_fail(app, &err);
		goto out;
	}
	warming.sink = app_sink(app, "warm", 1);
	warm_view_begin(warming.sink);
	if (file)
		code = warm_file(&warming, file);
	else if (options.set)
		code = warm_set(&warming, &set);
	else
		code = selection ? warm_one(&warming, selection) : warm_all(&warming);
	code = finish(&warming, code, start_ms);
out:
	warm_failures_close(warming.failures, NULL);
	guard_free(warming.guard);
	rowfile_close(file);
	config_set_release(&set);
	selection_free(selection);
	free(ids);
	return code;
}

static const struct command_example examples[] = {
    {"ccache warm --all", "every namespace from its source, ids from its list"},
    {"ccache warm call-logs 507f1f77bcf86cd799439011", "one key"},
    {"ccache warm message --ids ids.txt --failures failed.txt",
     "the ids of a file (- for standard input)"},
    {"ccache warm --from rows.ndjson", "values from a file, no source is asked"},
    {"ccache warm --set campaign/42", "what the page of campaign 42 needs"},
    {"ccache warm --all --existing --expiring 60s --until 06:00",
     "off-peak, from cron: refresh what is about to go"},
    {NULL, NULL},
};

const struct command command_warm = {
    .name = "warm",
    .summary = "fetch values from their source and store them",
    .synopsis = "[NAMESPACE [IDS…]] [--all | --set NAME | --from FILE] [options]",
    .text =
	"Without ids the namespace's list says what there is. Every value is stored as the "
	"exact\n"
	"bytes received, with the namespace's TTL less its jitter. Requested = stored + "
	"renewed +\n"
	"skipped + absent + failed; exit code 3 when an item failed, or a named one is absent.",
    .examples = examples,
    .rows = warm_option_rows,
    .options_size = sizeof(struct warm_options),
    .words = WORDS_NAMESPACE,
    .max_words = (size_t)-1,
    .needs = NEEDS_CONFIG | NEEDS_REDIS_WRITE | NEEDS_SOURCE,
    .run = warm_run_verb,
};
