#include "app.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/inspect.h"
#include "core/invalidate.h"
#include "core/namespace.h"
#include "core/selection.h"
#include "core/tally.h"
#include "invalidate_event.h"
#include "opt/opt.h"
#include "out/progress.h"
#include "out/sink.h"
#include "where.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

struct invalidate_options {
	struct opt_list keys;
	const char *match;
	struct opt_list where;
	bool all;
	bool dry_run;
	bool yes;
	uint64_t max_keys;
	struct event_options events;
};

#define AT(field) .offset = offsetof(struct invalidate_options, field)

static const struct opt_row rows[] = {
    {.name = "key",
     .type = OPT_LIST,
     .arg = "KEY",
     AT(keys),
     .flags = OPT_SUBJECT,
     .complete = OPT_COMPLETE_KEY,
     .help = "drop this key; may be given again"},
    {.name = "match",
     .type = OPT_TEXT,
     .arg = "GLOB",
     AT(match),
     .complete = OPT_COMPLETE_KEY,
     .flags = OPT_SUBJECT,
     .help = "drop the keys that match"},
    {.name = "where",
     .type = OPT_LIST,
     .arg = "VAR=VALUE",
     AT(where),
     .complete = OPT_COMPLETE_VAR,
     .help = "drop the namespace's keys whose var has this value; '*' is any"},
    {.name = "all", .type = OPT_FLAG, AT(all), .help = "drop every key of the namespace"},
    {.name = "dry-run", .type = OPT_FLAG, AT(dry_run), .help = "show the plan, drop nothing"},
    {.name = "yes", .letter = 'y', .type = OPT_FLAG, AT(yes), .help = "do not ask"},
    {.name = "max-keys",
     .type = OPT_COUNT,
     .arg = "N",
     .fallback = "10000",
     AT(max_keys),
     .help = "refuse to drop more keys"},
    EVENT_ROWS(offsetof(struct invalidate_options, events)),
    OPT_END,
};

/* What the words and options come down to. Owns what target points to. */
struct choice {
	struct invalidate_target target;
	struct inspect_filter filter;
	struct bytes *keys;
	const struct ns *ns; /* of the keys that ids made, or NULL */
	struct buf *made;
	size_t made_count;
};

static void choice_release(struct choice *choice)
{
	for (size_t i = 0; i < choice->made_count; i++)
		buf_release(&choice->made[i]);
	free(choice->made);
	free(choice->keys);
	inspect_filter_release(&choice->filter);
}

static void choose_keys(const struct app *app, struct choice *choice,
			const struct opt_list *list)
{
	choice->keys = mem_zalloc(list->count, sizeof *choice->keys);
	for (size_t i = 0; i < list->count; i++)
		choice->keys[i] = app_bytes(app, list->items[i]);
	choice->target.keys = choice->keys;
	choice->target.key_count = list->count;
}

/* Ids of one namespace: each is one key. */
static int choose_ids(struct app *app, struct choice *choice, const struct ns *ns,
		      const struct bytes *ids, size_t count, struct err *err)
{
	struct selection *selection = NULL;
	struct var vars[TEMPLATE_VARS_MAX];
	size_t var_count = 0;
	int status = selection_from_words(ns, ids, count, &selection, err);

	if (status != 0)
		return -1;
	choice->made = mem_zalloc((size_t)selection_total(selection), sizeof *choice->made);
	choice->keys = mem_zalloc((size_t)selection_total(selection), sizeof *choice->keys);
	while (status == 0) {
		enum selection_status next = selection_next(selection, vars, &var_count, err);

		if (next == SELECTION_END)
			break;
		struct buf *key = &choice->made[choice->made_count];
		status = next == SELECTION_ITEM
			     ? ns_expand(app_namespaces(app), ns, vars, var_count, key, err)
			     : -1;
		choice->keys[choice->made_count++] = buf_bytes(key);
	}
	choice->target.keys = choice->keys;
	choice->target.key_count = choice->made_count;
	choice->ns = ns;
	selection_free(selection);
	return status;
}

static int choose_namespace(struct app *app, struct choice *choice,
			    const struct invalidate_options *options,
			    const struct opt_words *words, struct err *err)
{
	struct bytes *ids = app_words(app, words, 1);
	struct var vars[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;
	size_t count = 0;
	int status =
	    nsset_need_or_key(app_namespaces(app), app_bytes(app, words->items[0]), &ns, err);

	if (status != 0)
		goto out;
	bool wide = options->all || options->where.count > 0;
	if (wide && words->count > 1) {
		status = err_set(err, ERR_USAGE, "--%s and ids exclude each other",
				 options->all ? "all" : "where");
	} else if (!wide && words->count == 1 && template_var_count(ns->key) > 0) {
		status = err_set(err, ERR_USAGE,
				 "invalidate %s: name ids, or --where VAR=VALUE, or --all for "
				 "every key of the namespace",
				 ns->name);
	} else if (!wide) {
		status = choose_ids(app, choice, ns, ids, words->count - 1, err);
	} else if ((status = where_parse(ns, &options->where, vars, &count, err)) == 0) {
		status = inspect_filter_init(&choice->filter, app_namespaces(app), ns, vars,
					     count, (struct bytes){NULL, 0}, err);
		choice->target.filter = &choice->filter;
	}
out:
	free(ids);
	return status;
}

static int choose(struct app *app, struct choice *choice,
		  const struct invalidate_options *options, const struct opt_words *words,
		  struct err *err)
{
	int kinds = (options->keys.count > 0) + (options->match != NULL) + (words->count > 0);

	choice->target.max_keys = options->max_keys;
	if (kinds != 1)
		return err_set(err, ERR_USAGE,
			       "invalidate: name a namespace with ids, or --key, or --match%s",
			       kinds ? " (one of them)" : "");
	if (words->count > 0)
		return choose_namespace(app, choice, options, words, err);
	if (options->all || options->where.count)
		return err_set(err, ERR_USAGE, "--%s goes with a namespace",
			       options->all ? "all" : "where");
	if (options->keys.count) {
		choose_keys(app, choice, &options->keys);
		return 0;
	}
	if (invalidate_is_catch_all(app_bytes(app, options->match)))
		return err_set(err, ERR_REFUSED,
			       "--match '%s' would match every key of the database; name a "
			       "namespace instead",
			       options->match);
	choice->target.filter = &choice->filter;
	return inspect_filter_init(&choice->filter, app_namespaces(app), NULL, NULL, 0,
				   app_bytes(app, options->match), err);
}

/* --- the plan --- */

/* Whoever writes '*' for an id and meets nothing meant every id. */
static void warn_of_patterns(struct app *app, const struct choice *choice,
			     const struct invalidate_plan *plan)
{
	bool star = false;

	for (size_t i = 0; i < choice->made_count && plan->keys == 0; i++)
		star = star || bytes_index(choice->keys[i], '*') < choice->keys[i].len;
	if (star)
		app_warn(app, "ids are no patterns: --where %s='*' or --all",
			 template_var_name(choice->ns->key, 0));
}

static enum exit_code print_plan(struct app *app, const struct invalidate_plan *plan)
{
	static const struct out_column target = {.name = "target", .title = "Target"};
	static const struct out_column keys = {
	    .name = "keys", .title = "Would drop", .unit = OUT_COUNT};
	static const struct out_column absent = {
	    .name = "absent", .title = "Not there", .unit = OUT_COUNT};
	static const struct out_column bytes = {
	    .name = "bytes", .title = "Memory", .unit = OUT_SIZE};
	static const struct out_column longest = {
	    .name = "longest_ttl_ms", .title = "Longest TTL", .unit = OUT_MS};
	static const struct out_column no_ttl = {
	    .name = "no_ttl", .title = "Without TTL", .unit = OUT_COUNT};
	static const struct out_column sample[] = {
	    {.name = "key", .title = "SUCH AS", .flags = OUT_SHRINK}};
	static const struct out_table samples = {
	    .name = "sample", .columns = sample, .column_count = 1, .primary = true};
	struct sink *sink = app_sink(app, "invalidate-plan", 1);

	sink_field(sink, &target, out_str(app->target_text));
	sink_field(sink, &keys, out_uint(plan->keys));
	sink_field(sink, &absent, out_uint(plan->absent));
	sink_field(sink, &bytes, plan->bytes_known ? out_uint(plan->bytes) : OUT_NONE);
	sink_field(sink, &longest,
		   plan->longest_ttl_ms ? out_int(plan->longest_ttl_ms) : OUT_NONE);
	sink_field(sink, &no_ttl, out_uint(plan->without_ttl));
	if (plan->sample_count || sink_format(sink) != OUT_TABLE) {
		sink_table_begin(sink, &samples);
		for (size_t i = 0; i < plan->sample_count; i++)
			sink_row(sink,
				 (struct out_value[]){out_text(buf_bytes(&plan->samples[i]))});
		sink_table_end(sink);
	}
	return app_finish(app, sink, EXIT_DONE);
}

/* The plan in a few lines on standard error, before anything is dropped. */
static void tell_plan(struct app *app, const struct invalidate_plan *plan)
{
	struct buf text = {0};

	buf_printf(&text, "%s: dropping ", app->target_text);
	num_format_count(&text, (int64_t)plan->keys);
	buf_add_str(&text, plan->keys == 1 ? " key" : " keys");
	if (plan->bytes_known) {
		buf_add_str(&text, ", ");
		num_format_size(&text, plan->bytes);
	}
	if (plan->longest_ttl_ms) {
		buf_add_str(&text, ", longest TTL ");
		num_format_duration_ms(&text, plan->longest_ttl_ms);
	}
	if (plan->without_ttl)
		buf_printf(&text, ", %" PRIu64 " without TTL", plan->without_ttl);
	for (size_t i = 0; i < plan->sample_count; i++)
		buf_printf(&text, "%s'%s'", i ? ", " : ", such as ",
			   buf_str(&plan->samples[i]));
	app_info(app, "%s", buf_str(&text));
	buf_release(&text);
}

static int consent(struct app *app, const struct invalidate_options *options,
		   const struct invalidate_plan *plan, struct err *err)
{
	struct buf question = {0};

	tell_plan(app, plan);
	if (options->yes)
		return 0;
	buf_add_str(&question, "Drop ");
	num_format_count(&question, (int64_t)plan->keys);
	buf_printf(&question, " %s from %s? [y/N] ", plan->keys == 1 ? "key" : "keys",
		   app->target_text);
	int answer = out_confirm(buf_str(&question), "yes");
	buf_release(&question);
	if (answer > 0)
		return 0;
	return err_set(
	    err, ERR_REFUSED,
	    answer < 0
		? "there is no terminal to confirm on: say --yes, or look first with --dry-run"
		: "not confirmed; nothing was dropped");
}

/* --- the report --- */

static void on_progress(void *ctx, uint64_t done, uint64_t failed)
{
	out_progress_update(ctx, done, failed);
}

static enum exit_code print_report(struct app *app, const struct invalidate_report *report)
{
	static const struct out_column target = {.name = "target", .title = "Target"};
	static const struct out_column requested = {
	    .name = "requested", .title = "Requested", .unit = OUT_COUNT};
	static const struct out_column removed = {
	    .name = "removed", .title = "Removed", .unit = OUT_COUNT};
	static const struct out_column gone = {
	    .name = "gone", .title = "Not there", .unit = OUT_COUNT};
	static const struct out_column failed = {
	    .name = "failed", .title = "Failed", .unit = OUT_COUNT, .flags = OUT_WARN};
	static const struct out_column complete = {.name = "complete", .title = "Complete"};
	struct sink *sink = app_sink(app, "invalidate", 1);

	sink_field(sink, &target, out_str(app->target_text));
	sink_field(sink, &requested, out_uint(report->requested));
	sink_field(sink, &removed, out_uint(report->removed));
	sink_field(sink, &gone, out_uint(report->gone));
	sink_field(sink, &failed, out_uint(report->failed));
	sink_field(sink, &complete, out_bool(report->complete));
	return app_finish(app, sink, report->failed ? EXIT_PARTIAL : EXIT_DONE);
}

/* Keys of several namespaces count as nobody's. */
static void count(struct app *app, const struct choice *choice,
		  const struct invalidate_report *report)
{
	const struct ns *ns = choice->ns ? choice->ns : choice->filter.ns;
	struct bytes values[TEMPLATE_VARS_MAX];

	for (size_t i = 0; !ns && i < choice->target.key_count; i++)
		ns = nsset_classify(app_namespaces(app), choice->target.keys[i], values);
	for (size_t i = 0; !choice->ns && i < choice->target.key_count; i++)
		if (nsset_classify(app_namespaces(app), choice->target.keys[i], values) != ns)
			ns = NULL;
	tally_add(app_tally(app), ns, TALLY_INVALIDATED, report->removed);
	tally_add(app_tally(app), ns, TALLY_INVALIDATE_ERROR, report->failed);
	app_tally_flush(app);
}

static enum exit_code carry_out(struct app *app, const struct choice *choice, uint64_t planned)
{
	struct invalidate_report report = {0};
	struct err err = {0};
	struct out_progress *progress = app_progress(app, "invalidate", planned);
	int status = invalidate_run(app->redis, &choice->target, app->cancel, on_progress,
				    progress, &report, &err);

	out_progress_free(progress);
	count(app, choice, &report);
	enum exit_code code = print_report(app, &report);
	if (report.unfenced)
		app_warn(app,
			 "%" PRIu64 " sidecars could not be dropped: a fetch that is under way "
			 "may bring their keys back",
			 report.unfenced);
	if (report.problem.len)
		app_warn(app, "%s", buf_str(&report.problem));
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	invalidate_report_release(&report);
	return code;
}

/* What names keys, and so does not go with events; NULL: nothing. */
static const char *beside_events(const struct invalidate_options *options,
				 const struct opt_words *words)
{
	return words->count           ? "a namespace"
	       : options->keys.count  ? "--key"
	       : options->match       ? "--match"
	       : options->where.count ? "--where"
	       : options->all         ? "--all"
				      : NULL;
}

static enum exit_code invalidate_run_verb(struct app *app, const void *values,
					  const struct opt_words *words)
{
	const struct invalidate_options *options = values;
	struct choice choice = {0};
	struct invalidate_plan plan = {0};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (event_options_asked(&options->events))
		return event_verb(app, &options->events, options->max_keys, options->dry_run,
				  beside_events(options, words));
	if (choose(app, &choice, options, words, &err) != 0 ||
	    invalidate_plan(app->redis, &choice.target, &plan, &err) != 0)
		goto out;
	warn_of_patterns(app, &choice, &plan);
	if (options->dry_run)
		code = print_plan(app, &plan);
	else if (plan.keys == 0)
		code = carry_out(app, &choice, 0);
	else if (consent(app, options, &plan, &err) == 0)
		code = carry_out(app, &choice, plan.keys);
out:
	if (err_is_set(&err))
		code = app_fail(app, &err);
	invalidate_plan_release(&plan);
	choice_release(&choice);
	return code;
}

static const struct command_example examples[] = {
    {"ccache invalidate call-logs 507f1f77bcf86cd799439011", "one key; asks on a terminal"},
    {"ccache invalidate lead-conversations --where leadId=42 --dry-run", "what would go?"},
    {"ccache invalidate --match 'campaign_*' --yes", "by pattern, from a script"},
    {NULL, NULL},
};

const struct command command_invalidate = {
    .name = "invalidate",
    .summary = "drop keys: plan, confirm, do, tell",
    .synopsis = "NAMESPACE IDS… | NAMESPACE --where VAR=VALUE | NAMESPACE --all | --key KEY | "
		"--match GLOB | "
		"--event NAME --data JSON | --follow SOURCE",
    .text =
	"Shows server, count, bytes and a sample, then asks; without a terminal it needs "
	"--yes.\n"
	"Refuses (exit code 7) more than --max-keys keys and patterns that match everything.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct invalidate_options),
    .words = WORDS_NAMESPACE,
    .max_words = (size_t)-1,
    .needs = NEEDS_CONFIG | NEEDS_REDIS_WRITE,
    .run = invalidate_run_verb,
};
