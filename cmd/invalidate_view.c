#include "invalidate.h"

#include "app.h"

#include "base/err.h"
#include "base/num.h"
#include "consent.h"
#include "core/namespace.h"
#include "core/witness.h"
#include "out/sink.h"

#include <inttypes.h>

enum exit_code invalidate_print_plan(struct app *app, const struct invalidate_plan *plan)
{
	static const struct out_column target = {.name = "target", .title = "Target"};
	static const struct out_column keys = {
	    .name = "keys", .title = "Would drop", .unit = OUT_COUNT};
	static const struct out_column related = {
	    .name = "related", .title = "Of them index keys", .unit = OUT_COUNT};
	static const struct out_column members = {
	    .name = "members", .title = "Set members", .unit = OUT_COUNT};
	static const struct out_column absent = {
	    .name = "absent", .title = "Not there", .unit = OUT_COUNT};
	static const struct out_column unknown = {
	    .name = "unknown_age", .title = "Age not known", .unit = OUT_COUNT};
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
	bool people = sink_format(sink) == OUT_TABLE;

	sink_field(sink, &target, out_str(app->target_text));
	sink_field(sink, &keys, out_uint(plan->keys));
	if (!people || plan->related)
		sink_field(sink, &related, out_uint(plan->related));
	if (!people || plan->members)
		sink_field(sink, &members, out_uint(plan->members));
	sink_field(sink, &absent, out_uint(plan->absent));
	if (!people || plan->unknown_age)
		sink_field(sink, &unknown, out_uint(plan->unknown_age));
	sink_field(sink, &bytes, plan->bytes_known ? out_uint(plan->bytes) : OUT_NONE);
	sink_field(sink, &longest,
		   plan->longest_ttl_ms ? out_int(plan->longest_ttl_ms) : OUT_NONE);
	sink_field(sink, &no_ttl, out_uint(plan->without_ttl));
	if (plan->sample_count || !people) {
		sink_table_begin(sink, &samples);
		for (size_t i = 0; i < plan->sample_count; i++)
			sink_row(sink,
				 (struct out_value[]){out_text(buf_bytes(&plan->samples[i]))});
		sink_table_end(sink);
	}
	return app_finish(app, sink, EXIT_DONE);
}

static void add_count(struct buf *text, uint64_t count, const char *one, const char *many)
{
	num_format_count(text, (int64_t)count);
	buf_printf(text, " %s", count == 1 ? one : many);
}

/* The plan in a few lines on standard error, before anything is dropped. */
static void tell_plan(struct app *app, const struct invalidate_options *options,
		      const struct invalidate_plan *plan)
{
	struct buf text = {0};

	if (options->soft) {
		buf_printf(&text, "%s: ending within ", app->target_text);
		if (options->in_ms == OPT_UNSET)
			buf_add_str(&text, "its namespace's grace");
		else
			num_format_duration_ms(&text, (int64_t)options->in_ms);
		buf_add_str(&text, " the life of ");
	} else {
		buf_printf(&text, "%s: dropping ", app->target_text);
	}
	add_count(&text, plan->keys, "key", "keys");
	if (plan->related) {
		buf_add_str(&text, " (");
		add_count(&text, plan->related, "of them an index key", "of them index keys");
		buf_add_str(&text, " of the others)");
	}
	if (plan->members && !options->soft) {
		buf_add_str(&text, " and ");
		add_count(&text, plan->members, "set member", "set members");
	}
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

/* --everything: no option stands for the name, typed by somebody who means it. */
static int ask_name(struct app *app, const struct invalidate_choice *choice,
		    const struct invalidate_plan *plan, struct err *err)
{
	const char *name = choice->ns ? choice->ns->name : app->target_text;
	struct buf question = {0};

	buf_add_str(&question, "Every key of ");
	buf_printf(&question, "%s%s: ", choice->ns ? "namespace " : "", name);
	add_count(&question, plan->keys, "key", "keys");
	buf_printf(&question, " of %s. Type %s to go on:", app->target_text, name);
	int answer = out_confirm(buf_str(&question), name, app->cancel);
	buf_release(&question);
	if (answer > 0)
		return 0;
	return err_set(err, ERR_REFUSED,
		       answer < 0 ? "--everything asks for the name '%s' to be typed on a "
				    "terminal, and there is none"
				  : "'%s' was not typed; nothing was dropped",
		       name);
}

int invalidate_consent(struct app *app, const struct invalidate_options *options,
		       const struct invalidate_choice *choice,
		       const struct invalidate_plan *plan, struct err *err)
{
	struct buf question = {0};

	tell_plan(app, options, plan);
	if (options->everything)
		return ask_name(app, choice, plan, err);
	buf_add_str(&question, options->soft ? "Shorten the life of " : "Drop ");
	add_count(&question, plan->keys, "key", "keys");
	buf_printf(&question, " %s %s? [y/N] ", options->soft ? "in" : "from",
		   app->target_text);
	return consent_ask(app, &question, options->yes, "nothing was dropped", err);
}

static void print_back(struct sink *sink, const struct invalidate_outcome *outcome)
{
	static const struct out_column back = {
	    .name = "back", .title = "There again", .unit = OUT_COUNT, .flags = OUT_WARN};
	static const struct out_column columns[] = {
	    {.name = "key", .title = "SUCH AS", .flags = OUT_SHRINK},
	    {.name = "writer", .title = "WRITTEN BY"},
	    {.name = "writer_name", .title = "CALLED", .flags = OUT_MINOR},
	    {.name = "command", .title = "WITH"}};
	static const struct out_table sample = {
	    .name = "back_sample", .columns = columns, .column_count = 4, .primary = true};
	struct keylist_walk walk = {0};
	struct bytes key;

	sink_field(sink, &back, outcome->verified ? out_uint(outcome->look.back) : OUT_NONE);
	if (!outcome->look.sample.count && sink_format(sink) == OUT_TABLE)
		return;
	sink_table_begin(sink, &sample);
	for (size_t i = 0; keylist_next(&outcome->look.sample, &walk, &key); i++) {
		const struct witness_writer *writer = outcome->writers[i];
		const char *name = outcome->names[i];

		sink_row(sink, (struct out_value[]){out_text(key),
						    out_str(writer ? writer->client : NULL),
						    out_str(name[0] ? name : NULL),
						    out_str(writer ? writer->command : NULL)});
	}
	sink_table_end(sink);
}

void invalidate_put_undo(struct sink *sink, const struct invalidate_undo_file *file)
{
	static const struct out_column undo = {.name = "undo", .title = "Undo file"};
	static const struct out_column bytes = {
	    .name = "undo_bytes", .title = "Its size", .unit = OUT_SIZE};

	if (!file->path && sink_format(sink) == OUT_TABLE)
		return;
	sink_field(sink, &undo, out_str(file->path));
	sink_field(sink, &bytes, file->path ? out_uint(file->bytes) : OUT_NONE);
}

enum exit_code invalidate_print_report(struct app *app,
				       const struct invalidate_outcome *outcome)
{
	static const struct out_column columns[] = {
	    {.name = "requested", .title = "Requested", .unit = OUT_COUNT},
	    {.name = "removed", .title = "Removed", .unit = OUT_COUNT},
	    {.name = "shortened", .title = "Shortened", .unit = OUT_COUNT},
	    {.name = "kept", .title = "Shorter anyway", .unit = OUT_COUNT},
	    {.name = "gone", .title = "Not there", .unit = OUT_COUNT},
	    {.name = "failed", .title = "Failed", .unit = OUT_COUNT, .flags = OUT_WARN},
	    {.name = "members", .title = "Set members", .unit = OUT_COUNT},
	    {.name = "unanswered", .title = "Of them unanswered", .unit = OUT_COUNT},
	};
	static const struct out_column target = {.name = "target", .title = "Target"};
	static const struct out_column complete = {.name = "complete", .title = "Complete"};
	static const struct out_column rewarmed = {
	    .name = "rewarmed", .title = "Fetched again", .unit = OUT_COUNT};
	static const struct out_column rewarm_failed = {.name = "rewarm_failed",
							.title = "Not fetched",
							.unit = OUT_COUNT,
							.flags = OUT_WARN};
	const struct take_counts *counts = &outcome->report.counts;
	const uint64_t values[] = {counts->asked,    counts->removed, counts->shortened,
				   counts->kept,     counts->gone,    counts->failed,
				   counts->unlinked, counts->unsure};
	struct sink *sink = app_sink(app, "invalidate", 1);
	bool people = sink_format(sink) == OUT_TABLE;

	sink_field(sink, &target, out_str(app->target_text));
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		bool soft_only = i == 2 || i == 3;

		/* people see what this run can have */
		if (people && ((soft_only && !outcome->soft) || (i == 1 && outcome->soft) ||
			       (i >= 6 && !values[i])))
			continue;
		sink_field(sink, &columns[i], out_uint(values[i]));
	}
	sink_field(sink, &complete, out_bool(outcome->report.complete));
	invalidate_put_undo(sink, &outcome->file);
	if (!people || outcome->rewarm) {
		sink_field(sink, &rewarmed,
			   outcome->rewarm ? out_uint(outcome->rewarmed) : OUT_NONE);
		sink_field(sink, &rewarm_failed,
			   outcome->rewarm ? out_uint(outcome->rewarm_failed) : OUT_NONE);
	}
	if (!people || outcome->verified)
		print_back(sink, outcome);
	/* a problem without a failed key: members that stayed in their set */
	return app_finish(app, sink,
			  counts->failed || counts->problem.len ? EXIT_PARTIAL
			  : outcome->look.back                  ? EXIT_FOUND
								: EXIT_DONE);
}

void invalidate_tell_undo(struct app *app, const struct invalidate_undo_file *file)
{
	struct buf size = {0};

	if (!file->path)
		return;
	num_format_size(&size, file->bytes);
	app_info(app, "to take it back: ccache invalidate --undo '%s' (%s%s)", file->path,
		 buf_str(&size), file->is_named ? "" : ", kept for 7 days");
	buf_release(&size);
}

/* With an undo file each was looked at again, and dropped again if it was there. */
static void warn_of_unanswered(struct app *app, const struct invalidate_outcome *outcome)
{
	const struct invalidate_report *report = &outcome->report;
	struct buf found = {0};

	if (report->looked && report->there)
		buf_printf(&found,
			   "a look afterwards found %" PRIu64 " of all keys there; run the "
			   "same again",
			   report->there);
	else if (report->looked || !report->counts.failed)
		buf_add_str(&found, outcome->soft
					? "a look afterwards found that they end in time"
					: "a look afterwards found them gone");
	else
		buf_add_str(&found, "run the same again");
	app_warn(app,
		 "the connection broke before Redis answered for %" PRIu64 " of the keys: %s",
		 report->counts.unsure, buf_str(&found));
	buf_release(&found);
}

void invalidate_warn(struct app *app, const struct invalidate_outcome *outcome)
{
	const struct invalidate_report *report = &outcome->report;

	if (report->unfenced)
		app_warn(app,
			 "%" PRIu64 " sidecars could not be dropped: a fetch that is under way "
			 "may bring their keys back",
			 report->unfenced);
	if (report->counts.unsure)
		warn_of_unanswered(app, outcome);
	if (report->counts.sizes_denied)
		app_warn(app, "this user may not run MEMORY USAGE: large values were saved in "
			      "one piece, which may have held up others");
	if (report->counts.problem.len)
		app_error(app, "%s", buf_str(&report->counts.problem));
}
