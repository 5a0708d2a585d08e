#include "app.h"

#include "base/buf.h"
#include "base/err.h"
#include "core/findings.h"
#include "core/namespace.h"
#include "core/predicate.h"
#include "core/stats.h"
#include "opt/opt.h"
#include "out/file.h"
#include "out/progress.h"
#include "out/sink.h"
#include "replicas.h"
#include "stats_options.h"
#include "stats_render.h"
#include "stats_view.h"
#include "stats_watch.h"

#include <inttypes.h>
#include <stdlib.h>

#define TOP_DEFAULT 10

static void on_progress(void *ctx, uint64_t keys)
{
	out_progress_update(ctx, keys, 0);
}

static struct stats_show show_of(const struct app *app, const struct stats_options *options)
{
	struct stats_show show = {.target = app->target_text,
				  .sentinel = app->target.sentinel,
				  .app_names = options->metric_names == 1};

	if (options->top != OPT_UNSET)
		show.top = (unsigned)options->top;
	else if (app->globals.output != OUT_TABLE)
		show.top = TOP_DEFAULT;
	return show;
}

/* --- what is told beside the figures --- */

static void tell_denied(struct app *app, unsigned denied)
{
	for (unsigned bit = 1; bit < STATS_DENIED_END; bit <<= 1)
		if (denied & bit)
			app_warn(app, "this user may not run %s: %s",
				 stats_view_denied_command(bit), stats_view_denied_effect(bit));
}

static void tell_sample(struct app *app, const struct stats *stats,
			const struct stats_node *node)
{
	const struct traffic *traffic = node->traffic;

	if (!traffic || traffic->end == TRAFFIC_WHOLE || traffic->end == TRAFFIC_DENIED)
		return;
	app_warn(
	    app,
	    "%s%sthe sample ended after %.1f s: %s%s%s (%" PRIu64 " commands, %" PRIu64
	    " bytes read, answers took %.2f ms before and %.2f ms during, %.2f ms at worst)",
	    stats->cluster ? buf_str(&node->name) : "", stats->cluster ? ": " : "",
	    (double)traffic->interval_us / 1e6, traffic_end_text(traffic->end),
	    err_is_set(&traffic->err) ? ": " : "", traffic->err.text, traffic->lines,
	    traffic->bytes, (double)traffic->latency_before_us / 1000,
	    (double)traffic->latency_us / 1000, (double)traffic->latency_worst_us / 1000);
}

/* Whatever failed, by name: a part that is missing must not pass for 0. */
static enum exit_code tell_failures(struct app *app, const struct stats *stats)
{
	const struct traffic *traffic = stats->traffic;
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; i < stats->node_count; i++)
		if (err_is_set(&stats->nodes[i].err))
			code = exit_worst(code, app_fail(app, &stats->nodes[i].err));
	if (code == EXIT_DONE && err_is_set(&stats->scan_err))
		code = exit_worst(code, app_fail(app, &stats->scan_err));
	if (err_is_set(&stats->own_err))
		code = exit_worst(code, app_fail(app, &stats->own_err));
	if (traffic && (traffic->end == TRAFFIC_LOST || traffic->end == TRAFFIC_STUCK))
		code = exit_worst(code, EXIT_PARTIAL);
	return code;
}

/* --- thresholds --- */

static enum exit_code check_targets(struct app *app, const struct stats *stats)
{
	enum exit_code code = EXIT_DONE;
	const struct traffic *traffic = stats->traffic;

	if (!traffic || traffic->end == TRAFFIC_DENIED) {
		app_warn(app, "--check: no sample, so no target could be checked");
		return EXIT_REDIS;
	}
	for (size_t i = 0; i < nsset_count(stats->set); i++) {
		const struct ns *ns = nsset_at(stats->set, i);
		struct traffic_ratio ratio = traffic_ratio(&traffic->figures[i]);

		if (ns->target_hit_rate <= 0 || !ratio.known)
			continue;
		if (ratio.high < ns->target_hit_rate) {
			app_warn(app,
				 "%s: hit ratio %.1f %% (95 %%: %.1f to %.1f), target %.1f %%",
				 ns->name, ratio.ratio * 100, ratio.low * 100, ratio.high * 100,
				 ns->target_hit_rate * 100);
			code = EXIT_FOUND;
		} else if (ratio.ratio < ns->target_hit_rate) {
			app_info(
			    app,
			    "%s: hit ratio %.1f %% (95 %%: %.1f to %.1f) may still meet its "
			    "target of %.1f %%: sample longer to know",
			    ns->name, ratio.ratio * 100, ratio.low * 100, ratio.high * 100,
			    ns->target_hit_rate * 100);
		}
	}
	return code;
}

/* A figure that is not known must not pass for one that is well. */
static int check_condition(struct app *app, const char *text, struct bytes doc,
			   enum exit_code *code, struct err *err)
{
	enum predicate_result result = PREDICATE_UNKNOWN;
	struct buf unknown = {0};
	int status = predicate_eval(text, doc, &result, &unknown, err);

	if (status == 0 && result == PREDICATE_UNKNOWN)
		app_warn(app,
			 "--fail-if '%s': not known: %s (--sample and --scan measure more)",
			 text, buf_str(&unknown));
	else if (status == 0 && result == PREDICATE_TRUE)
		app_warn(app, "--fail-if '%s' holds", text);
	if (status == 0 && result != PREDICATE_FALSE)
		*code = exit_worst(*code, EXIT_FOUND);
	buf_release(&unknown);
	return status;
}

static enum exit_code check_conditions(struct app *app, const struct stats_options *options,
				       const struct stats *stats, const struct findings *found)
{
	struct stats_show show = show_of(app, options);
	struct buf doc = {0};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;
	int status = options->fail_if.count == 0
			 ? 0
			 : stats_render(OUT_JSON, stats, found, &show, &doc, &err);

	for (size_t i = 0; i < options->fail_if.count && status == 0; i++)
		status = check_condition(app, options->fail_if.items[i], buf_bytes(&doc), &code,
					 &err);
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	buf_release(&doc);
	return code;
}

/* Conditions that name what there is not are refused before anything is measured. */
static int refuse_conditions(struct app *app, const struct stats_options *options,
			     struct err *err)
{
	struct stats_show show = show_of(app, options);
	struct findings none = {0};
	struct stats stats;
	struct buf doc = {0};
	int status = 0;

	if (options->fail_if.count == 0)
		return 0;
	stats_init(&stats, app_namespaces(app));
	status = stats_render(OUT_JSON, &stats, &none, &show, &doc, err);
	for (size_t i = 0; i < options->fail_if.count && status == 0; i++) {
		enum predicate_result ignored;

		status = predicate_eval(options->fail_if.items[i], buf_bytes(&doc), &ignored,
					NULL, err);
	}
	buf_release(&doc);
	stats_release(&stats);
	return status;
}

/* --- once --- */

static enum exit_code print(struct app *app, const struct stats_options *options,
			    const struct stats *stats, const struct findings *findings)
{
	struct stats_show show = show_of(app, options);
	struct stats_page page = {.stats = stats, .findings = findings, .show = &show};
	struct err err = {0};

	if (options->textfile && *app->cancel) {
		err_set(&err, ERR_INTERRUPTED, "interrupted: --textfile %s stays as it was",
			options->textfile);
		return app_fail(app, &err);
	}
	if (options->textfile) {
		/* mode: the collector is another user */
		struct out_file file = {"--textfile", options->textfile, 0644, app->cancel};
		int status = stats_render_textfile(&file, stats, findings, &show, &err);

		return status == 0 ? EXIT_DONE : app_fail(app, &err);
	}
	struct sink *sink = app_sink(app, "stats", 1);
	if (sink_format(sink) != OUT_TABLE) {
		stats_view_document(sink, stats, findings, &show);
	} else {
		if (app->out_terminal.is_tty && options->top == OPT_UNSET)
			page.height = app->out_terminal.height;
		if (app->out_terminal.is_tty)
			page.width = app->out_terminal.width;
		stats_page_print(sink, &page);
	}
	return app_finish(app, sink, EXIT_DONE);
}

/* Of a replica that was lost on the way, all the figures are another's then. */
static int gather(struct app *app, const struct stats_want *want, struct stats *ret_stats,
		  struct err *err)
{
	unsigned tries = 0;

	for (;;) {
		int status =
		    stats_gather(app_namespaces(app), app->redis, want, ret_stats, err);
		struct scan_result scan = ret_stats->overview.scan;
		struct err why = status != 0 ? *err : ret_stats->scan_err;

		for (size_t i = 0; i < ret_stats->node_count; i++)
			if (ret_stats->nodes[i].err.kind == ERR_REDIS) {
				why = ret_stats->nodes[i].err;
				scan.lost = true;
			}
		if (!err_is_set(&why) || !replicas_again(app, &scan, &tries, &why))
			return status;
		stats_release(ret_stats);
		*err = (struct err){0};
	}
}

static enum exit_code once(struct app *app, const struct stats_options *options,
			   struct stats_want *want)
{
	struct findings findings = {0};
	struct stats stats;
	struct err err = {0};

	if (want->scan) {
		want->progress = on_progress;
		want->ctx = app_progress(app, "stats", 0);
	}
	int status = gather(app, want, &stats, &err);
	out_progress_free(want->ctx);
	enum exit_code code = EXIT_DONE;
	if (status == 0) {
		findings_make(&stats, &findings);
		code = print(app, options, &stats, &findings);
		tell_denied(app, stats.denied);
		if (*app->cancel && !want->sample && !options->textfile)
			app_warn(app, "interrupted: some figures are missing");
		for (size_t i = 0; i < stats.node_count; i++)
			tell_sample(app, &stats, &stats.nodes[i]);
		code = exit_worst(code, tell_failures(app, &stats));
		if (options->check)
			code = exit_worst(code, check_targets(app, &stats));
		code = exit_worst(code, check_conditions(app, options, &stats, &findings));
	} else {
		code = app_fail(app, &err);
	}
	findings_release(&findings);
	stats_release(&stats);
	return code;
}

/* --- the verb --- */

static enum exit_code reset(struct app *app, bool yes)
{
	uint64_t dropped = 0;
	struct err err = {0};
	struct buf question = {0};
	int answer = 1;

	buf_printf(&question, "Set the program's own counters on %s to 0? [y/N]",
		   app->target_text);
	if (!yes)
		answer = out_confirm(buf_str(&question), "yes", app->cancel);
	buf_release(&question);
	if (answer <= 0)
		err_set(&err, ERR_REFUSED,
			answer < 0 ? "there is no terminal to confirm on: say --yes"
				   : "not confirmed; nothing was reset");
	else if (tally_reset(app_namespaces(app), app->redis, &dropped, &err) == 0)
		app_info(app, "%s: own counters of %" PRIu64 " namespaces are 0 again",
			 app->target_text, dropped);
	return err_is_set(&err) ? app_fail(app, &err) : EXIT_DONE;
}

static enum exit_code show(struct app *app, const struct stats_options *options,
			   struct stats_want *want)
{
	const struct stats_show how = show_of(app, options);

	if (options->watch_ms != OPT_UNSET && app->out_terminal.moves &&
	    app->globals.output == OUT_TABLE)
		return stats_watch(app, want, &how, options->watch_ms);
	return once(app, options, want);
}

static enum exit_code stats_run(struct app *app, const void *values,
				const struct opt_words *words)
{
	const struct stats_options *options = values;
	struct traffic_options sample = {.duration_ms = options->sample_ms,
					 .max_lines = options->max_lines,
					 .max_bytes = options->max_bytes,
					 .max_latency_ms = options->max_latency_ms,
					 .max_keys = TRAFFIC_KEYS};
	struct stats_want want = {.scan = options->scan,
				  .sample = options->sample_ms == OPT_UNSET ? NULL : &sample,
				  .cancel = app->cancel};
	struct replicas replicas;
	struct err err = {0};

	(void)words;
	if (stats_options_check(options, &err) != 0 ||
	    refuse_conditions(app, options, &err) != 0)
		return app_fail(app, &err);
	if (options->reset)
		return reset(app, options->yes);
	if (!options->replica_reads)
		return show(app, options, &want);
	if (replicas_begin(app, &replicas, &err) != 0)
		return app_fail(app, &err);
	enum exit_code code = show(app, options, &want);
	replicas_end(app, &replicas);
	return code;
}

static const struct command_example examples[] = {
    {"ccache stats", "the server, what it lacks, and what the program itself did"},
    {"ccache stats --sample 5s", "the hit ratio of each namespace, from its traffic"},
    {"ccache stats --sample 30s --check", "in CI: exit 1 when a target is missed"},
    {"ccache stats --scan --textfile /var/lib/node_exporter/callcache.prom", "from cron"},
    {"ccache stats --watch 2s --sample 1s", "a page that is redrawn"},
    {NULL, NULL},
};

const struct command command_stats = {
    .name = "stats",
    .summary = "is the cache doing its job: figures, hit ratios, findings",
    .synopsis = "[--sample DURATION] [--scan] [--watch DURATION] [--check] [--fail-if EXPR]",
    .text =
	"Figures of the server are its own (INFO), of all clients since it started; hit "
	"ratios\n"
	"are sampled from the traffic of every client; keys and bytes are counted by a scan; "
	"the\n"
	"own counters see this program alone. Each figure says where it comes from.",
    .examples = examples,
    .rows = stats_option_rows,
    .options_size = sizeof(struct stats_options),
    .needs = NEEDS_CONFIG | NEEDS_REDIS,
    .run = stats_run,
};
