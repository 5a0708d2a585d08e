#include "app.h"

#include "base/clock.h"
#include "base/err.h"
#include "core/config.h"
#include "core/guard.h"
#include "core/namespace.h"
#include "core/request.h"
#include "core/rowfile.h"
#include "core/selection.h"
#include "opt/opt.h"
#include "warm_failures.h"
#include "warm_options.h"
#include "warm_plan.h"
#include "warm_view.h"
#include "warm_when.h"
#include "warming.h"

#include <stddef.h>
#include <stdlib.h>

/* --- what is asked for: rows, a namespace, ids --- */

static int open_rows(struct warming *warming, const struct opt_words *words,
		     struct rowfile **ret_file, struct err *err)
{
	if (words->count == 1 && nsset_need(app_namespaces(warming->app),
					    bytes_of(words->items[0]), &warming->ns, err) != 0)
		return -1;
	return rowfile_open(warming->options->from, ret_file, err);
}

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

	warming_cut_short(warming, end);
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
		one = warming_run(warming, selection);
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
			  ? warming_run(warming, selection)
			  : app_fail(warming->app, &err);
		if (!selection)
			warming_cut_short(warming, WARM_END_INPUT);
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
	    warm_failures_open(options->failures, options->ids ? options->ids : options->from,
			       warming->app->cancel, &warming->failures, err) != 0)
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
		code = warming_run_rows(&warming, file);
	else if (options.set)
		code = warm_set(&warming, &set);
	else
		code = selection ? warming_run(&warming, selection) : warm_all(&warming);
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
