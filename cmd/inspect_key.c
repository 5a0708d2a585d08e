#include "inspect_key.h"

#include "app.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/keyinfo.h"
#include "core/namespace.h"
#include "core/relation.h"
#include "core/unpacked.h"
#include "inspect_view.h"
#include "out/sink.h"
#include "out/stream.h"
#include "out/view.h"
#include "wire/redis.h"
#include "wire/target.h"

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
	struct buf node;
	struct sink *sink;
	bool listing; /* of the elements: begun */
	uint64_t items;
	bool items_cut; /* one was longer than is shown */
};

static void tell_cut(struct run *run)
{
	const struct keyinfo *info = &run->info;
	bool string = strcmp(info->type, "string") == 0;

	if (!string && run->items == 0)
		return; /* this user may not read them, which is told */
	if (!string && info->length > (int64_t)run->items)
		app_warn(run->app,
			 "the first %" PRIu64 " of %lld elements; --limit 0 shows all",
			 run->items, (long long)info->length);
	else if (string && info->length >= 0)
		app_warn(run->app, "cut at %llu bytes of %lld; raise --max-value",
			 (unsigned long long)run->options->max_value, (long long)info->length);
	else if (string)
		app_warn(run->app, "the first %llu bytes; raise --max-value to see more",
			 (unsigned long long)run->options->max_value);
	else
		app_warn(run->app, "elements are cut at %llu bytes; raise --max-value",
			 (unsigned long long)run->options->max_value);
}

/* What this user may not learn. */
static void tell_refused(struct run *run)
{
	const struct keyinfo *info = &run->info;
	struct buf names = {0};

	for (size_t i = 0; i < info->refused_count; i++) {
		buf_add_str(&names, i == 0 ? "" : i + 1 < info->refused_count ? ", " : " or ");
		buf_add_str(&names, info->refused[i]);
	}
	if (names.len)
		app_warn(run->app, "this user may not run %s: fewer fields", buf_str(&names));
	buf_release(&names);
}

static bool on_part(void *ctx, struct bytes part)
{
	struct run *run = ctx;

	out_stream_write(run->app->out, part);
	return !out_stream_failed(run->app->out);
}

/* The exact stored bytes. */
static int print_raw(struct run *run, struct err *err)
{
	uint64_t most = run->options->max_value;

	if (!run->info.exists)
		return 0;
	if (run->info.has_value && run->info.cut && most > KEYINFO_PART) {
		run->info.cut = (uint64_t)run->info.length > most;
		return keyinfo_stream(run->app->redis, run->view.key, most, on_part, run, err);
	}
	if (run->info.has_value) {
		out_stream_write(run->app->out, run->info.value);
		return 0;
	}
	if (run->info.type[0] && strcmp(run->info.type, "string") != 0)
		return err_set(err, ERR_USAGE, "--raw: '%.*s' is a %s, it has no single value",
			       BYTES_ARG(run->view.key), run->info.type);
	return err_set(err, ERR_REDIS,
		       "--raw: this user may not read '%.*s' (ACL SETUSER … +getrange)",
		       BYTES_ARG(run->view.key));
}

static void begin_items(struct run *run)
{
	if (!run->listing)
		inspect_view_items_begin(run->sink);
	run->listing = true;
}

static bool on_item(void *ctx, struct bytes name, struct bytes value, bool cut)
{
	struct run *run = ctx;

	begin_items(run);
	run->items++;
	run->items_cut = run->items_cut || cut;
	inspect_view_item(run->sink, name, value);
	return !sink_failed(run->sink);
}

/* The elements, as they come. */
static int print_items(struct run *run, struct err *err)
{
	int status = keyinfo_walk(run->app->redis, run->view.key, &run->info, &run->limits,
				  on_item, run, err);
	bool unread = run->items == 0 && run->info.length != 0;

	/* people are not told that there are none where none could be read */
	if (!unread || sink_format(run->sink) != OUT_TABLE)
		begin_items(run);
	if (run->listing)
		inspect_view_items_end(run->sink);
	run->info.cut = unread || run->items_cut || (int64_t)run->items < run->info.length;
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
	if (run->info.has_value && !run->info.cut)
		value = run->info.value;
	return relation_read(run->app->redis, app_namespaces(run->app), view->ns, view->vars,
			     view->key, value, run->relations, &view->relation_count, err);
}

/* In a cluster: who holds the key. */
static void name_node(struct run *run)
{
	struct redis *redis = run->app->redis;
	struct redis *node = NULL;

	if (redis_is_cluster(redis))
		node = redis_holder(redis, run->view.key, NULL);
	if (node)
		target_describe(redis_target(node), &run->node);
	run->view.node = buf_bytes(&run->node);
}

static enum exit_code print_key(struct run *run, struct err *err)
{
	bool string = run->info.has_value;

	if (read_relations(run, err) != 0)
		return EXIT_DONE;
	if (string) {
		unpacked_make(run->info.value, run->info.cut, &run->unpacked);
		run->view.unpacked = &run->unpacked;
	}
	name_node(run);
	run->sink = app_sink(run->app, "inspect-key", 1);
	inspect_view_key(run->sink, &run->view);
	if (run->info.exists && strcmp(run->info.type, "string") != 0)
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
	uint64_t most = options->max_value;
	if (options->raw && most > KEYINFO_PART)
		most = KEYINFO_PART;
	if (keyinfo_read(app->redis, key, (size_t)most, &run.info, &err) != 0)
		goto out;
	if (options->raw)
		print_raw(&run, &err);
	else
		code = print_key(&run, &err);
	if (run.info.cut && !err_is_set(&err))
		tell_cut(&run);
	if (run.info.exists && !options->raw)
		tell_refused(&run);
	if (!run.info.exists) {
		app_info(app, "'%.*s' is not in Redis", BYTES_ARG(key));
		code = exit_worst(code, EXIT_FOUND);
	}
out:
	if (err_is_set(&err))
		code = exit_worst(code, app_fail(app, &err));
	relation_release(run.relations, run.view.relation_count);
	keyinfo_release(&run.info);
	buf_release(&run.node);
	return code;
}
