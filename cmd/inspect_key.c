#include "inspect_key.h"

#include "app.h"
#include "base/err.h"
#include "core/keyinfo.h"
#include "core/namespace.h"
#include "core/relation.h"
#include "core/unpacked.h"
#include "inspect_view.h"
#include "out/sink.h"
#include "out/stream.h"
#include "out/view.h"

#include <inttypes.h>
#include <string.h>

struct run {
	struct app *app;
	const struct inspect_key_options *options;
	struct keyinfo_limits limits;
	struct keyinfo info;
	struct unpacked unpacked;
	struct relation relations[RELATIONS_MAX];
	struct inspect_key_view view;
	struct sink *sink;
	uint64_t items;
	bool items_cut; /* one was longer than is shown */
};

static void tell_cut(struct run *run)
{
	const struct keyinfo *info = &run->info;
	bool string = strcmp(info->type, "string") == 0;

	if (!string && info->length > (int64_t)run->items)
		app_warn(run->app,
			 "the first %" PRIu64 " of %lld elements; --limit 0 shows all",
			 run->items, (long long)info->length);
	else if (string)
		app_warn(run->app, "cut at %llu bytes of %lld; raise --max-value",
			 (unsigned long long)run->options->max_value, (long long)info->length);
	else
		app_warn(run->app, "elements are cut at %llu bytes; raise --max-value",
			 (unsigned long long)run->options->max_value);
}

static bool is_string(const struct keyinfo *info)
{
	return info->exists && strcmp(info->type, "string") == 0 && info->item_count > 0;
}

/* The exact stored bytes. */
static int print_raw(struct run *run, struct err *err)
{
	if (!run->info.exists)
		return 0;
	if (!is_string(&run->info))
		return err_set(err, ERR_USAGE, "--raw: '%.*s' is a %s, it has no single value",
			       BYTES_ARG(run->view.key), run->info.type);
	out_stream_write(run->app->out, run->info.items[0].value);
	return 0;
}

static bool on_item(void *ctx, struct bytes name, struct bytes value, bool cut)
{
	struct run *run = ctx;

	run->items++;
	run->items_cut = run->items_cut || cut;
	inspect_view_item(run->sink, name, value);
	return !sink_failed(run->sink);
}

/* The elements, as they come. */
static int print_items(struct run *run, struct err *err)
{
	inspect_view_items_begin(run->sink);
	int status = keyinfo_walk(run->app->redis, run->view.key, &run->info, &run->limits,
				  on_item, run, err);
	inspect_view_items_end(run->sink);
	run->info.cut = run->items_cut || (int64_t)run->items < run->info.length;
	return status;
}

static void show_value(struct run *run)
{
	if (run->app->globals.output == OUT_TABLE && run->unpacked.value.len) {
		out_stream_write(run->app->out, BYTES("\n"));
		out_view_pretty(run->app->out, &run->app->out_terminal, run->unpacked.value);
	}
	if (err_is_set(&run->unpacked.problem))
		app_warn(run->app, "'%.*s': %s; shown as stored", BYTES_ARG(run->view.key),
			 run->unpacked.problem.text);
}

/* What it has to do with other keys: asked behind everything else, and missing it fails
 * nothing but the connection's end. */
static int read_relations(struct run *run, struct err *err)
{
	struct inspect_key_view *view = &run->view;
	struct bytes value = {NULL, 0};

	if (!run->info.exists)
		return 0;
	if (is_string(&run->info) && !run->info.cut)
		value = run->info.items[0].value;
	return relation_read(run->app->redis, app_namespaces(run->app), view->ns, view->vars,
			     view->key, value, run->relations, &view->relation_count, err);
}

static enum exit_code print_key(struct run *run, struct err *err)
{
	bool string = is_string(&run->info);

	if (read_relations(run, err) != 0)
		return EXIT_DONE;
	if (string) {
		unpacked_make(run->info.items[0].value, run->info.cut, &run->unpacked);
		run->view.unpacked = &run->unpacked;
	}
	run->sink = app_sink(run->app, "inspect-key", 1);
	inspect_view_key(run->sink, &run->view);
	if (run->info.exists && !string)
		print_items(run, err);
	inspect_view_key_end(run->sink, &run->view);
	enum exit_code code = app_finish(run->app, run->sink, EXIT_DONE);
	if (string)
		show_value(run);
	unpacked_release(&run->unpacked);
	return code;
}

enum exit_code inspect_key_run(struct app *app, const struct inspect_key_options *options,
			       struct bytes key)
{
	struct bytes vars[TEMPLATE_VARS_MAX];
	struct run run = {.app = app, .options = options};
	struct keyinfo_limits first = {.value_bytes = (size_t)options->max_value};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	run.limits = (struct keyinfo_limits){.value_bytes = (size_t)options->max_value,
					     .items = (size_t)options->limit};
	run.view =
	    (struct inspect_key_view){.target = app->target_text,
				      .ns = nsset_classify(app_namespaces(app), key, vars),
				      .vars = vars,
				      .key = key,
				      .info = &run.info,
				      .terminal = &app->out_terminal,
				      .relations = run.relations};
	if (keyinfo_read(app->redis, key, &first, &run.info, &err) != 0)
		goto out;
	if (options->raw)
		print_raw(&run, &err);
	else
		code = print_key(&run, &err);
	if (run.info.cut && !err_is_set(&err))
		tell_cut(&run);
	if (!run.info.exists) {
		app_info(app, "'%.*s' is not in Redis", BYTES_ARG(key));
		code = exit_worst(code, EXIT_FOUND);
	}
out:
	if (err_is_set(&err))
		code = exit_worst(code, app_fail(app, &err));
	relation_release(run.relations, run.view.relation_count);
	keyinfo_release(&run.info);
	return code;
}
