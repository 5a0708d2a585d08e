#include "app.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "connection.h"
#include "core/config.h"
#include "core/tally.h"
#include "opt/opt.h"
#include "out/progress.h"
#include "out/sink.h"
#include "out/stderr.h"
#include "out/stream.h"
#include "replicas.h"
#include "session.h"
#include "source/source.h"
#include "wire/redis.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void app_init(struct app *app, volatile int *cancel, volatile int *again)
{
	*app = (struct app){.cancel = cancel, .again = again};
	opt_defaults(app_global_rows, &app->globals);
	target_init(&app->target);
	app->out = out_stream_new(STDOUT_FILENO, "standard output");
	out_stream_heed(app->out, cancel);
	out_stderr_heed(cancel);
	app->messages.program = "ccache";
	app_configure(app);
}

void app_release(struct app *app)
{
	tally_free(app->tally);
	redis_free(app->redis);
	fetcher_free(app->fetcher);
	config_free(app->config);
	target_release(&app->target);
	out_stream_free(app->out);
	free(app->target_text);
	opt_release(app_global_rows, &app->globals);
}

void app_configure(struct app *app)
{
	out_terminal_query(STDOUT_FILENO, &app->out_terminal);
	out_terminal_query(STDERR_FILENO, &app->err_terminal);
	app->messages.level = (enum out_level)app->globals.log_level;
	if (app->globals.quiet && app->messages.level < OUT_ERROR)
		app->messages.level = OUT_ERROR;
	app->messages.json = app->globals.log_format == 1;
	app->messages.colour = app->err_terminal.colour;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

const char *app_choose_config(const struct app *app, const char **ret_path,
			      const char **ret_profile)
{
	bool chosen = app->globals.config || app->globals.profile;

	*ret_path = chosen ? app->globals.config : environment("CALLCACHE_CONFIG");
	*ret_profile = chosen ? app->globals.profile : environment("CALLCACHE_PROFILE");
	return chosen         ? NULL
	       : *ret_path    ? "CALLCACHE_CONFIG"
	       : *ret_profile ? "CALLCACHE_PROFILE"
			      : NULL;
}

int app_load_config(struct app *app, struct err *err)
{
	const char *path = NULL;
	const char *profile = NULL;

	if (app->config)
		return 0;
	const char *variable = app_choose_config(app, &path, &profile);
	if (config_load(path, profile, &app->config, err) != 0)
		return variable ? err_wrap(err, "%s", variable) : -1;

	const struct config_findings *warnings = config_warnings(app->config);
	for (size_t i = 0; i < warnings->count; i++)
		app_warn(app, "%s: %s", warnings->items[i].where, warnings->items[i].text);
	return 0;
}

static int open_redis(struct app *app, const struct command *command, struct err *err)
{
	if (!app->redis_enabled && (command->needs & NEEDS_REDIS))
		return err_set(
		    err, ERR_REDIS,
		    "REDIS_ENABLED=false: %s has nothing to look at; unset it to work on %s",
		    command->name, app->target_text);
	if (!app->redis_enabled && (command->needs & NEEDS_REDIS_WRITE)) {
		app_info(app, "REDIS_ENABLED=false: %s does nothing", command->name);
		return 1;
	}
	if (!app->redis)
		app->redis = redis_new(&app->target, app->cancel);
	redis_refresh(app->redis);
	if (command->needs & NEEDS_REDIS_MAYBE)
		return 0;
	if (redis_connect(app->redis, err) != 0)
		return -1;
	connection_describe(app); /* sentinels have said by now where it is */
	return 0;
}

int app_open(struct app *app, const struct command *command, struct err *err)
{
	unsigned redis = NEEDS_REDIS | NEEDS_REDIS_WRITE | NEEDS_REDIS_MAYBE;

	if ((command->needs & NEEDS_CONFIG) && app_load_config(app, err) != 0)
		return -1;
	if ((command->needs & NEEDS_SOURCE) && !app->fetcher) {
		app->fetcher = fetcher_new("ccache/" CCACHE_VERSION, app->cancel, err);
		if (!app->fetcher)
			return -1;
	}
	if (!(command->needs & redis))
		return 0;
	if (!app->target_text && connection_resolve(app, err) != 0)
		return -1;
	return open_redis(app, command, err);
}

struct sink *app_sink(struct app *app, const char *verb, unsigned version)
{
	struct sink *sink =
	    sink_new((enum out_format)app->globals.output, app->out, &app->out_terminal);

	sink_begin(sink, verb, version);
	return sink;
}

enum exit_code app_finish(struct app *app, struct sink *sink, enum exit_code code)
{
	struct err err = {0};

	replicas_view(app, sink);
	if (sink_end(sink, &err) != 0) {
		if (!out_stream_closed(app->out))
			out_error(&app->messages, &err);
		code = exit_worst(code, EXIT_PARTIAL);
	}
	if (sink_format(sink) == OUT_PROM && !sink_has_metrics(sink))
		app_warn(app,
			 "-o prom: nothing in this answer is a figure to scrape; take -o json");
	sink_free(sink);
	return code;
}

int app_check_value_output(const struct app *app, const char *what, struct err *err)
{
	enum out_format format = (enum out_format)app->globals.output;

	if (format == OUT_TABLE || format == OUT_JSON)
		return 0;
	return err_set(err, ERR_USAGE, "-o %s: %s prints the value as it is; leave -o out",
		       out_format_names[format], what);
}

struct out_progress *app_progress(const struct app *app, const char *what, uint64_t total)
{
	static const enum out_progress_mode modes[] = {OUT_PROGRESS_OFF, OUT_PROGRESS_BAR,
						       OUT_PROGRESS_LINES, OUT_PROGRESS_OFF};
	enum out_progress_mode mode = modes[app->globals.progress];

	if (app->globals.progress == 0 && app->err_terminal.moves && !app->globals.quiet)
		mode = OUT_PROGRESS_BAR;
	return out_progress_new(mode, &app->err_terminal, what, total);
}

static enum exit_code exit_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return EXIT_DONE;
	case ERR_USAGE:
	case ERR_CONFIG:
		return EXIT_USAGE;
	case ERR_REFUSED:
		return EXIT_REFUSED;
	case ERR_LOCKED:
		return EXIT_LOCKED;
	case ERR_REDIS:
		return EXIT_REDIS;
	case ERR_SOURCE:
		return EXIT_SOURCE;
	case ERR_ITEM:
	case ERR_OUTPUT:
	case ERR_INTERRUPTED: /* main turns it into 130 or 143 */
		return EXIT_PARTIAL;
	}
	return EXIT_PARTIAL;
}

enum exit_code app_fail(struct app *app, const struct err *err)
{
	out_error(&app->messages, err);
	return exit_of(err->kind);
}

static void tell(struct app *app, enum out_level level, const char *format, va_list args)
{
	struct buf text = {0};

	buf_vprintf(&text, format, args);
	out_message(&app->messages, level, "%s", buf_str(&text));
	buf_release(&text);
}

void app_error(struct app *app, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(app, OUT_ERROR, format, args);
	va_end(args);
}

void app_warn(struct app *app, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(app, OUT_WARNING, format, args);
	va_end(args);
}

void app_info(struct app *app, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(app, OUT_INFO, format, args);
	va_end(args);
}

void app_debug(struct app *app, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(app, OUT_DEBUG, format, args);
	va_end(args);
}

struct tally *app_tally(struct app *app)
{
	if (!app->tally && app->redis_enabled && app->redis && !session_is_read_only(app))
		app->tally = tally_new(app_namespaces(app));
	return app->tally;
}

/* What was done counts also after Ctrl-C, but nobody waits long for that. */
#define TALLY_GRACE_MS 300
#define TALLY_HASTE_MS 500 /* nor for a server that does not answer */

void app_tally_flush(struct app *app)
{
	struct err err = {0};

	if (!app->tally || !redis_is_connected(app->redis))
		return;
	struct redis_grace before =
	    redis_set_grace(app->redis, (struct redis_grace){TALLY_GRACE_MS, TALLY_GRACE_MS});
	redis_set_haste(app->redis, TALLY_HASTE_MS);
	if (tally_flush(app->tally, app->redis, &err) != 0 ||
	    redis_drain(app->redis, 0, &err) != 0)
		out_message(&app->messages, OUT_DEBUG, "not counted: %s", err.text);
	redis_set_haste(app->redis, 0);
	redis_set_grace(app->redis, before);
}

const struct nsset *app_namespaces(const struct app *app)
{
	return config_namespaces(app->config);
}

struct bytes app_bytes(const struct app *app, const char *text)
{
	for (size_t i = 0; i < app->line_count; i++) {
		const struct opt_word *word = &app->line[i];

		if (text >= word->ptr && text <= word->ptr + word->len)
			return (struct bytes){text, (size_t)(word->ptr + word->len - text)};
	}
	return bytes_of(text);
}

struct bytes *app_words(const struct app *app, const struct opt_words *words, size_t from)
{
	size_t count = words->count > from ? words->count - from : 0;
	struct bytes *list = mem_zalloc(count, sizeof *list);

	for (size_t i = 0; i < count; i++)
		list[i] = app_bytes(app, words->items[from + i]);
	return list;
}
