#include "help.h"

#include "app.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "opt/opt.h"
#include "out/edit.h"
#include "out/stderr.h"
#include "out/stream.h"
#include "wire/libraries.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELP_WIDTH_MAX 100

static unsigned help_width(const struct app *app)
{
	unsigned width = app->out_terminal.is_tty ? app->out_terminal.width : 80;

	return width > HELP_WIDTH_MAX ? HELP_WIDTH_MAX : width;
}

/* "name  summary", wrapped beside the name. */
static void put_verb(struct buf *text, const struct app *app, const struct command *command)
{
	size_t start = text->len;

	buf_printf(text, "  %-11s ", command->name);
	opt_help_text(text, command->summary, (unsigned)(text->len - start), help_width(app));
}

/* The last line: how `help` is typed here, and what it tells. */
__attribute__((format(printf, 3, 4))) static void
put_pointer(struct buf *text, const struct app *app, const char *format, ...)
{
	struct buf line = {0};
	va_list args;

	buf_printf(&line, "'%s%s", app->session ? "" : app->messages.program,
		   app->session ? "" : " ");
	va_start(args, format);
	buf_vprintf(&line, format, args);
	va_end(args);
	buf_add_char(text, '\n');
	opt_help_text(text, buf_str(&line), 0, help_width(app));
	buf_release(&line);
}

void help_overview(struct app *app, int fd)
{
	struct buf text = {0};
	const struct command *command;

	opt_help_text(
	    &text, "Call Cache: operates application caches on Redis and Valkey by namespace.",
	    0, help_width(app));
	buf_printf(&text, "\nUsage: %s ", app->messages.program);
	opt_help_text(&text, "[options] VERB [options] [arguments]",
		      (unsigned)strlen(app->messages.program) + 8, help_width(app));
	buf_add_str(&text, "\nVerbs:\n");
	for (size_t i = 0; (command = command_at(i)); i++)
		put_verb(&text, app, command);
	if (app->session)
		buf_add_str(&text, "\nIn this session:\n");
	for (size_t i = 0; app->session && (command = command_in_session_at(i)); i++)
		put_verb(&text, app, command);
	buf_add_char(&text, '\n');
	opt_help_text(&text, "Options for every verb, before or behind it:", 0,
		      help_width(app));
	opt_help(&text, app_global_rows, help_width(app));
	put_pointer(&text, app, "help VERB' explains one; %s(1) tells the rest.",
		    app->messages.program);

	if (fd == STDOUT_FILENO)
		out_stream_write(app->out, buf_bytes(&text));
	else
		out_stderr_write(buf_bytes(&text));
	buf_release(&text);
}

static struct bytes trim_left(struct bytes text)
{
	while (text.len && text.ptr[0] == ' ')
		text = bytes_sub(text, 1, text.len);
	return text;
}

/*
 * Examples are written for "ccache"; who installed it otherwise copies them too.
 * A session's lines begin with the verb. A command is never wrapped: it is copied whole.
 */
static void put_example(struct buf *text, const struct app *app,
			const struct command_example *example)
{
	const char *program = app->session ? NULL : app->messages.program;
	struct bytes line = bytes_of(example->line);
	bool named = bytes_starts_with(line, BYTES("ccache "));

	if (named)
		line = bytes_sub(line, sizeof "ccache" - 1, line.len);
	buf_printf(text, "  %s%.*s\n      ", named && program ? program : "",
		   BYTES_ARG(program ? line : trim_left(line)));
	opt_help_text(text, example->what, 6, help_width(app));
}

void help_verb(struct app *app, const struct command *command)
{
	const char *program = app->session ? NULL : app->messages.program;
	struct buf text = {0};

	char *title = mem_printf("%s: %s", command->name, command->summary);
	opt_help_text(&text, title, 0, help_width(app));
	free(title);
	buf_add_char(&text, '\n');
	size_t start = text.len;
	buf_printf(&text, "Usage: %s%s%s ", program ? program : "", program ? " " : "",
		   command->name);
	unsigned indent = (unsigned)(text.len - start);
	opt_help_text(&text, command->synopsis, indent, help_width(app));
	buf_add_char(&text, '\n');
	for (const struct command_example *at = command->examples; at && at->line; at++)
		put_example(&text, app, at);
	buf_add_char(&text, '\n');
	opt_help_text(&text, command->text, 0, help_width(app));
	if (command->rows && command->rows[0].name) {
		buf_add_str(&text, "\nOptions:\n");
		opt_help(&text, command->rows, help_width(app));
	}
	put_pointer(&text, app, "help' lists the options for connections and output.");
	out_stream_write(app->out, buf_bytes(&text));
	buf_release(&text);
}

void help_version(struct app *app)
{
	struct buf text = {0};

	buf_printf(&text, "Call Cache (%s) %s\n", app->messages.program, CCACHE_VERSION);
	libraries_describe(&text);
	buf_printf(&text, "cJSON %s\n", cJSON_Version());
	out_describe_library(&text);
	out_edit_describe_library(&text);
	out_stream_write(app->out, buf_bytes(&text));
	buf_release(&text);
}

static enum exit_code help_run(struct app *app, const void *options,
			       const struct opt_words *words)
{
	struct err err = {0};

	(void)options;
	if (words->count == 0) {
		help_overview(app, STDOUT_FILENO);
		return EXIT_DONE;
	}
	const struct command *command = command_need(words->items[0], app->session, &err);
	if (!command)
		return app_fail(app, &err);
	help_verb(app, command);
	return EXIT_DONE;
}

static const struct opt_row rows[] = {OPT_END};
static const struct command_example examples[] = {
    {"ccache help warm", "explain one verb"},
    {NULL, NULL},
};

const struct command command_help = {
    .name = "help",
    .summary = "explain a verb",
    .synopsis = "[VERB]",
    .text = "Without a verb: all verbs and the options that they share.",
    .examples = examples,
    .rows = rows,
    .words = WORDS_VERB,
    .max_words = 1,
    .run = help_run,
};
