#include "inspect_drift.h"

#include "app.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/drift.h"
#include "core/namespace.h"
#include "inspect_check.h"
#include "out/progress.h"
#include "out/sink.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define CHANGES_MAX 20   /* shown of one key */
#define VALUE_SHOWN 4096 /* bytes of one side of a change */

enum { D_KEY, D_NAMESPACE, D_OUTCOME, D_PATH, D_CACHED, D_SOURCE, D_TTL, D_DETAIL, D_COLUMNS };

static const struct out_column columns[D_COLUMNS] = {
    [D_KEY] = {.name = "key", .title = "KEY", .flags = OUT_SHRINK},
    [D_NAMESPACE] = {.name = "namespace", .title = "NAMESPACE", .flags = OUT_DETAIL},
    [D_OUTCOME] = {.name = "outcome", .title = "OUTCOME"},
    [D_PATH] = {.name = "path", .title = "PATH", .flags = OUT_SHRINK},
    [D_CACHED] = {.name = "cached", .title = "CACHED", .flags = OUT_SHRINK},
    [D_SOURCE] = {.name = "source", .title = "SOURCE", .flags = OUT_SHRINK},
    [D_TTL] = {.name = "ttl_ms", .title = "TTL", .unit = OUT_MS},
    [D_DETAIL] = {.name = "detail", .title = "WHY", .flags = OUT_SHRINK},
};
static const struct out_table table = {
    .name = "differences", .columns = columns, .column_count = D_COLUMNS, .primary = true};

struct view {
	struct sink *sink;
	struct out_progress *progress;
	uint64_t done;
	uint64_t failed;
	const struct drift_item *item; /* whose changes are shown */
	size_t changes;
};

static void add_row(struct view *view, struct bytes path, struct out_value cached,
		    struct out_value source, const char *detail)
{
	const struct drift_item *item = view->item;

	sink_row(view->sink, (struct out_value[D_COLUMNS]){
				 [D_KEY] = out_text(item->key),
				 [D_NAMESPACE] = out_str(item->ns->name),
				 [D_OUTCOME] = out_str(drift_outcome_names[item->outcome]),
				 [D_PATH] = path.ptr ? out_text(path) : OUT_NONE,
				 [D_CACHED] = cached,
				 [D_SOURCE] = source,
				 [D_TTL] = item->ttl_ms >= 0 ? out_int(item->ttl_ms) : OUT_NONE,
				 [D_DETAIL] = detail && detail[0] ? out_str(detail) : OUT_NONE,
			     });
}

/* A row about the key as a whole. */
static void add_remark(struct view *view, const char *detail)
{
	struct out_value none = OUT_NONE;

	add_row(view, (struct bytes){NULL, 0}, none, none, detail);
}

static struct out_value side(struct bytes json)
{
	return json.ptr && json.len <= VALUE_SHOWN ? out_raw(json) : OUT_NONE;
}

static bool on_change(void *ctx, const struct json_change *change)
{
	struct view *view = ctx;
	struct buf detail = {0};

	if (++view->changes > CHANGES_MAX)
		return true; /* they are counted */
	if (!change->before.ptr)
		buf_add_str(&detail, "only at the source");
	else if (!change->after.ptr)
		buf_add_str(&detail, "only cached");
	if (change->before.len > VALUE_SHOWN || change->after.len > VALUE_SHOWN)
		buf_printf(&detail, "%s%zu bytes cached, %zu at the source",
			   detail.len ? "; " : "", change->before.len, change->after.len);
	add_row(view, change->path, side(change->before), side(change->after),
		buf_str(&detail));
	buf_release(&detail);
	return true;
}

static void show_differences(struct view *view)
{
	const struct drift_item *item = view->item;
	struct buf detail = {0};

	view->changes = 0;
	if (item->json) {
		json_diff(item->cached, item->source, on_change, view);
		if (view->changes > CHANGES_MAX)
			buf_printf(&detail, "%zu more changes", view->changes - CHANGES_MAX);
	} else {
		buf_printf(&detail, "%zu bytes cached, %zu at the source, and not both JSON",
			   item->cached.len, item->source.len);
	}
	if (detail.len)
		add_remark(view, buf_str(&detail));
	buf_release(&detail);
}

static void on_item(void *ctx, const struct drift_item *item)
{
	struct view *view = ctx;

	view->item = item;
	view->failed += item->outcome == DRIFT_FAILED;
	out_progress_update(view->progress, ++view->done, view->failed);
	if (item->outcome == DRIFT_DIFFERS)
		show_differences(view);
	else if (item->outcome == DRIFT_ABSENT)
		add_remark(view, "the source has nothing there");
	else if (item->outcome == DRIFT_FAILED)
		add_remark(view, item->error->text);
}

static void add_fields(struct sink *sink, const char *target, const struct drift_report *report)
{
	static const struct out_column where = {.name = "target", .title = "Target"};
	static const struct out_column eligible = {
	    .name = "eligible", .title = "With a source", .unit = OUT_COUNT};
	static const struct out_column sampled = {
	    .name = "sampled", .title = "Compared", .unit = OUT_COUNT};
	static const struct out_column outcomes[DRIFT_OUTCOMES] = {
	    {.name = "same", .title = "The same", .unit = OUT_COUNT},
	    {.name = "differs", .title = "Differ", .unit = OUT_COUNT, .flags = OUT_WARN},
	    {.name = "absent",
	     .title = "Not at the source",
	     .unit = OUT_COUNT,
	     .flags = OUT_WARN},
	    {.name = "moved", .title = "Changed meanwhile", .unit = OUT_COUNT},
	    {.name = "failed", .title = "Failed", .unit = OUT_COUNT, .flags = OUT_WARN},
	};
	static const struct out_column complete = {.name = "complete", .title = "Complete"};

	sink_field(sink, &where, out_str(target));
	sink_field(sink, &eligible, out_uint(report->eligible));
	sink_field(sink, &sampled, out_uint(report->sampled));
	for (size_t i = 0; i < DRIFT_OUTCOMES; i++)
		sink_field(sink, &outcomes[i], out_uint(report->outcomes[i]));
	sink_field(sink, &complete, out_bool(report->complete));
}

static enum exit_code code_of(const struct drift_report *report)
{
	if (report->outcomes[DRIFT_FAILED])
		return report->source_failed == report->sampled ? EXIT_SOURCE : EXIT_PARTIAL;
	return report->outcomes[DRIFT_DIFFERS] || report->outcomes[DRIFT_ABSENT] ? EXIT_FOUND
										 : EXIT_DONE;
}

enum exit_code inspect_drift_run(struct app *app, uint64_t sample,
				 const struct inspect_subject *subject)
{
	/* inspect itself asks no source */
	static const struct command self = {.name = "inspect --drift", .needs = NEEDS_SOURCE};
	struct drift_report report = {0};
	struct view view = {0};
	struct err err = {0};

	if (app_open(app, &self, &err) != 0)
		return app_fail(app, &err);
	struct drift_options options = {.set = app_namespaces(app),
					.fetcher = app->fetcher,
					.keys = subject->keys,
					.key_count = subject->key_count,
					.filter = subject->filter,
					.sample = sample,
					.item = on_item,
					.ctx = &view};
	view.progress = app_progress(app, "drift", sample);
	view.sink = app_sink(app, "inspect-drift", 1);
	sink_table_begin(view.sink, &table);
	int status = drift_run(app->redis, &options, &report, &err);
	sink_table_end(view.sink);
	out_progress_free(view.progress);
	add_fields(view.sink, app->target_text, &report);
	enum exit_code code = app_finish(app, view.sink, code_of(&report));
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	else if (report.eligible == 0)
		app_info(app, "none of these keys has a source to compare with");
	return code;
}
