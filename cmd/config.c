#include "app.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "core/config.h"
#include "core/discover.h"
#include "core/namespace.h"
#include "opt/opt.h"
#include "out/progress.h"
#include "out/sink.h"
#include "out/stream.h"
#include "out/view.h"

#include <stddef.h>
#include <string.h>

struct config_options {
	uint64_t max_keys;
};

static const struct opt_row rows[] = {
    {.name = "max-keys",
     .type = OPT_COUNT,
     .arg = "N",
     .offset = offsetof(struct config_options, max_keys),
     .help = "discover: look at so many keys at most; 0: all (default 1000000)"},
    OPT_END,
};

#define MAX_KEYS_DEFAULT 1000000

/* --- check --- */

enum { F_SEVERITY, F_FILE, F_LINE, F_COLUMN, F_PATH, F_TEXT, F_COUNT };

static const struct out_column finding_columns[F_COUNT] = {
    [F_SEVERITY] = {.name = "severity", .title = "SEVERITY"},
    [F_FILE] = {.name = "file", .title = "FILE"},
    [F_LINE] = {.name = "line", .title = "LINE"},
    [F_COLUMN] = {.name = "column", .title = "COLUMN"},
    [F_PATH] = {.name = "path", .title = "PATH"},
    [F_TEXT] = {.name = "text", .title = "FINDING"},
};
static const struct out_table finding_table = {
    .name = "findings", .columns = finding_columns, .column_count = F_COUNT, .primary = true};

static void print_finding(struct sink *sink, const struct config_finding *finding)
{
	const char *severity = finding->severity == CONFIG_ERROR ? "error" : "warning";

	/* for people as compilers do, so that editors can jump there */
	if (sink_format(sink) == OUT_TABLE) {
		sink_note(sink, "%s: %s: %s", finding->where, severity, finding->text);
		return;
	}
	sink_row(sink, (struct out_value[F_COUNT]){
			   [F_SEVERITY] = out_str(severity),
			   [F_FILE] = out_str(finding->file),
			   [F_LINE] = out_uint(finding->line),
			   [F_COLUMN] = out_uint(finding->column),
			   [F_PATH] = out_str(finding->path),
			   [F_TEXT] = out_str(finding->text),
		       });
}

static enum exit_code check(struct app *app, const char *file_word)
{
	static const struct out_column file = {.name = "file", .title = "File"};
	static const struct out_column errors = {.name = "errors", .title = "Errors"};
	static const struct out_column warnings = {.name = "warnings", .title = "Warnings"};
	static const struct out_column namespaces = {.name = "namespaces",
						     .title = "Namespaces"};
	const char *path = NULL;
	const char *profile = NULL;
	struct config_report *report = NULL;
	struct config *config = NULL;
	struct err err = {0};

	app_choose_config(app, &path, &profile);
	if (config_open(file_word ? file_word : path, file_word ? NULL : profile, &config,
			&report, &err) != 0)
		return app_fail(app, &err);
	const struct config_findings *findings = config_report_findings(report);
	struct sink *sink = app_sink(app, "config-check", 1);
	bool people = sink_format(sink) == OUT_TABLE;
	if (!people)
		sink_table_begin(sink, &finding_table);
	for (size_t i = 0; i < findings->count; i++)
		print_finding(sink, &findings->items[i]);
	if (!people)
		sink_table_end(sink);
	sink_field(sink, &file,
		   out_str(config ? config_origin(config) : findings->items[0].file));
	sink_field(sink, &errors, out_uint(findings->errors));
	sink_field(sink, &warnings, out_uint(findings->count - findings->errors));
	sink_field(sink, &namespaces,
		   config ? out_uint(nsset_count(config_namespaces(config))) : OUT_NONE);
	enum exit_code code = app_finish(app, sink, findings->errors ? EXIT_USAGE : EXIT_DONE);
	config_free(config);
	config_report_free(report);
	return code;
}

/* --- show, schema, names --- */

static enum exit_code show(struct app *app)
{
	struct buf text = {0};
	struct err err = {0};

	if (app_load_config(app, &err) != 0)
		return app_fail(app, &err);
	config_show(app->config, &text);
	out_view_value(app->out, &app->out_terminal, buf_bytes(&text));
	buf_release(&text);
	return EXIT_DONE;
}

static enum exit_code schema(struct app *app)
{
	struct buf text = {0};

	config_schema(&text);
	out_view_value(app->out, &app->out_terminal, buf_bytes(&text));
	buf_release(&text);
	return EXIT_DONE;
}

/* One namespace a line, for completions and loops. */
static enum exit_code names(struct app *app)
{
	struct err err = {0};

	if (app_load_config(app, &err) != 0)
		return app_fail(app, &err);
	const struct nsset *set = config_namespaces(app->config);
	for (size_t i = 0; i < nsset_count(set); i++)
		out_stream_printf(app->out, "%s\n", nsset_at(set, i)->name);
	return EXIT_DONE;
}

/* --- discover --- */

static void on_progress(void *ctx, uint64_t keys)
{
	out_progress_update(ctx, keys, 0);
}

/* What is written must be a configuration, whatever the keys were. */
static int check_discovered(struct bytes text, size_t *ret_namespaces, struct err *err)
{
	struct config *config = NULL;
	struct config_report *report = config_read("discovered", text, &config);
	const struct config_findings *findings = config_report_findings(report);
	int status = 0;

	for (size_t i = 0; i < findings->count && status == 0; i++)
		if (findings->items[i].severity == CONFIG_ERROR)
			status = err_set(err, ERR_CONFIG,
					 "%s: %s; these keys are more than can be described: "
					 "please report it",
					 findings->items[i].where, findings->items[i].text);
	*ret_namespaces = config ? nsset_count(config_namespaces(config)) : 0;
	config_free(config);
	config_report_free(report);
	return status;
}

static enum exit_code discover(struct app *app, const struct config_options *options)
{
	/* the other actions need no server */
	static const struct command self = {.name = "config discover", .needs = NEEDS_REDIS};
	struct discover_options how = {
	    .max_keys = options->max_keys == OPT_UNSET ? MAX_KEYS_DEFAULT : options->max_keys,
	    .progress = on_progress};
	struct discover found = {0};
	struct buf text = {0};
	struct err err = {0};
	size_t namespaces = 0;
	enum exit_code code = EXIT_DONE;

	if (app_check_value_output(app, "config discover", &err) != 0 ||
	    app_load_config(app, &err) != 0 || app_open(app, &self, &err) != 0)
		return app_fail(app, &err);
	how.target = app->target_text;
	how.ctx = app_progress(app, "discover", how.max_keys);
	int status = discover_run(app->redis, &how, &found, &err);
	out_progress_free(how.ctx);
	if (status == 0) {
		discover_write(&found, &text);
		status = check_discovered(buf_bytes(&text), &namespaces, &err);
	}
	if (status != 0)
		code = app_fail(app, &err);
	else
		out_stream_write(app->out, buf_bytes(&text));
	if (status == 0)
		app_info(app, "%zu namespace%s from %llu key%s", namespaces,
			 namespaces == 1 ? "" : "s", (unsigned long long)found.keys,
			 found.keys == 1 ? "" : "s");
	discover_release(&found);
	buf_release(&text);
	return code;
}

static void unknown_action(const char *action, struct err *err)
{
	static const char *const actions[] = {"check", "show", "names", "schema", "discover"};
	const char *nearest =
	    text_nearest(bytes_of(action), actions, sizeof actions / sizeof actions[0]);

	if (nearest)
		err_set(err, ERR_USAGE, "config '%s': did you mean '%s'?", action, nearest);
	else
		err_set(err, ERR_USAGE,
			"config: say check, show, names, schema or discover%s%s%s",
			action[0] ? ", not '" : "", action, action[0] ? "'" : "");
}

static enum exit_code config_run(struct app *app, const void *options,
				 const struct opt_words *words)
{
	const char *action = words->count ? words->items[0] : "";
	struct err err = {0};

	if (((const struct config_options *)options)->max_keys != OPT_UNSET &&
	    strcmp(action, "discover") != 0) {
		err_set(&err, ERR_USAGE, "--max-keys goes with config discover");
		return app_fail(app, &err);
	}
	if (strcmp(action, "check") == 0)
		return check(app, words->count > 1 ? words->items[1] : NULL);
	if (words->count > 1)
		err_set(&err, ERR_USAGE, "config %s: unexpected argument '%s'", action,
			words->items[1]);
	else if (strcmp(action, "show") == 0)
		return show(app);
	else if (strcmp(action, "schema") == 0)
		return schema(app);
	else if (strcmp(action, "names") == 0)
		return names(app);
	else if (strcmp(action, "discover") == 0)
		return discover(app, options);
	else
		unknown_action(action, &err);
	return app_fail(app, &err);
}

static const struct command_example examples[] = {
    {"ccache config check callcache.json",
     "every finding with line and column; exit code 2 on an error"},
    {"ccache config show", "the configuration in force, secrets masked"},
    {"ccache config names", "the namespaces, one a line"},
    {"ccache config schema > callcache.schema.json", "for editors"},
    {"ccache config discover > callcache.json",
     "a first configuration from the keys that are there, guesses marked"},
    {NULL, NULL},
};

const struct command command_config = {
    .name = "config",
    .summary = "check, show, describe or discover the configuration",
    .synopsis = "check [FILE] | show | names | schema | discover",
    .text =
	"The file is --config, CALLCACHE_CONFIG, $XDG_CONFIG_HOME/callcache/config.json or\n"
	"/etc/callcache/config.json; without one the built-in profiles are in force.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct config_options),
    .words = WORDS_ACTION,
    .max_words = 2,
    .run = config_run,
};
