#include "app.h"
#include "complete.h"
#include "hint.h"
#include "repl_prompt.h"
#include "repl_script.h"
#include "session.h"
#include "signals.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "opt/opt.h"
#include "out/edit.h"
#include "out/stream.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HISTORY_MOST = 1000 };

struct repl_options {
	struct opt_list execute;
	bool keep_going;
	bool verbose;
	bool read_only;
	bool no_history;
	bool no_hints;
	bool complete;
};

#define AT(field) .offset = offsetof(struct repl_options, field)

static const struct opt_row rows[] = {
    {.name = "execute",
     .letter = 'e',
     .type = OPT_LIST,
     .arg = "COMMANDS",
     AT(execute),
     .help = "run these, separated by ';', in place of a script; may be given again"},
    {.name = "keep-going",
     .type = OPT_FLAG,
     AT(keep_going),
     .help = "a script goes on after a command that failed"},
    {.name = "verbose",
     .type = OPT_FLAG,
     AT(verbose),
     .help = "a script shows each command before it runs"},
    {.name = "read-only",
     .type = OPT_FLAG,
     AT(read_only),
     .help = "refuse whatever would write to Redis"},
    {.name = "no-history",
     .type = OPT_FLAG,
     AT(no_history),
     .help = "neither read nor write the history of lines"},
    {.name = "no-hints",
     .type = OPT_FLAG,
     AT(no_hints),
     .help = "show nothing behind the line that is typed"},
    {.name = "complete",
     .type = OPT_FLAG,
     AT(complete),
     .help = "print what may stand in place of the last of the WORDS, and stop (for shells)"},
    OPT_END,
};

/* --- the prompt --- */

/* $XDG_STATE_HOME/callcache/history, its directory made; NULL: nowhere. */
static char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	char *base = state && state[0] == '/' ? mem_strdup(state)
		     : home && home[0] == '/' ? mem_printf("%s/.local/state", home)
					      : NULL;

	if (!base)
		return NULL;
	char *path = mem_printf("%s/callcache/history", base);
	for (char *at = path + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		mkdir(path, 0700); /* one that cannot be made shows when the file is opened */
	}
	free(base);
	return path;
}

static void remember(struct session *session, const char *line)
{
	if (!line[0] || line[0] == ' ' || session_is_secret(bytes_of(line)))
		return;
	if (out_history_add(session->history, line) != 0) {
		app_warn(session->app, "%s: %s; lines are not remembered", session->history,
			 strerror(errno));
		session->history = NULL;
	}
}

static void greet(const struct session *session)
{
	const struct app *app = session->app;
	struct buf text = {0};

	if (app->globals.quiet)
		return;
	opt_help_text(&text,
		      "Call Cache " CCACHE_VERSION
		      ": 'help' lists the verbs, TAB completes, Ctrl-D leaves.",
		      0, app->out_terminal.width);
	out_stream_write(app->out, buf_bytes(&text));
	out_stream_flush(app->out, NULL); /* the first command tells */
	buf_release(&text);
}

/* Ctrl-C stopped the verb, and with it no more than that. */
static void clear_interrupt(struct app *app)
{
	if (*app->cancel != SIGINT)
		return;
	*app->cancel = 0;
	out_stream_printf(app->out, "\n"); /* behind the ^C of the terminal */
}

static void converse(struct session *session)
{
	struct app *app = session->app;

	while (!session->leaving && !*app->cancel && !out_stream_failed(app->out)) {
		struct repl_prompt prompt;
		char *line = NULL;

		app_configure(app);
		repl_prompt_make(session, app->out_terminal.width, &prompt);
		enum out_edit_status status =
		    out_edit_read(&app->out_terminal, prompt.pieces, prompt.count, &line);
		repl_prompt_release(&prompt);
		if (status == OUT_EDIT_END && !session->leaving)
			out_stream_printf(app->out, "\n");
		if (status == OUT_EDIT_END || status == OUT_EDIT_SIGNAL)
			break;
		if (!line)
			continue;
		remember(session, line);
		session_run_line(session, bytes_of(line));
		if (!out_stream_at_line_start(app->out))
			out_stream_printf(app->out, "\n"); /* a value as it is */
		clear_interrupt(app);
		out_stream_flush(app->out, NULL); /* the loop's condition sees it */
		mem_wipe(line, strlen(line));
		free(line);
	}
}

static enum exit_code interact(struct session *session, const struct repl_options *options)
{
	struct app *app = session->app;
	const struct out_editor editor = {.complete = complete_line,
					  .hint = options->no_hints ? NULL : hint_line,
					  .ctx = session,
					  .cancel = app->cancel,
					  .program = "ccache"};
	char *path = options->no_history ? NULL : history_path();

	session->interactive = true;
	session->keep_going = false;
	session->history = path;
	out_edit_begin(&editor);
	if (path) {
		out_history_trim(path, HISTORY_MOST);
		out_history_load(path, HISTORY_MOST);
	}
	greet(session);
	signals_at_prompt(true);
	converse(session);
	signals_at_prompt(false);
	free(path);
	return EXIT_DONE;
}

/* --- completion for the shells --- */

static enum exit_code print_completions(struct session *session, const struct opt_words *words)
{
	struct app *app = session->app;
	struct out_candidates list = {0};
	struct opt_word *typed = mem_zalloc(words->count + 1, sizeof *typed);
	size_t before = words->count ? words->count - 1 : 0;
	const char *last = words->count ? words->items[before] : "";

	for (size_t i = 0; i < before; i++)
		typed[i] = (struct opt_word){words->items[i], strlen(words->items[i])};
	complete_words(session, typed, before, bytes_of(last), &list);
	for (size_t i = 0; i < list.count; i++)
		if (!strchr(list.items[i], '\n'))
			out_stream_printf(app->out, "%s\n", list.items[i]);
	out_candidates_release(&list);
	free(typed);
	return EXIT_DONE;
}

static int check_options(const struct app *app, const struct repl_options *options,
			 const struct opt_words *words, struct err *err)
{
	if (app->session)
		return err_set(err, ERR_USAGE, "repl: this is a session already");
	if (words->count && !options->complete)
		return err_set(err, ERR_USAGE,
			       "repl: unexpected argument '%s'; commands go behind -e, or into "
			       "a script on standard input",
			       words->items[0]);
	return 0;
}

static enum exit_code repl_run(struct app *app, const void *values,
			       const struct opt_words *words)
{
	const struct repl_options *options = values;
	struct session session = {.read_only = options->read_only,
				  .keep_going = options->keep_going,
				  .verbose = options->verbose};
	bool at_terminal = app->out_terminal.is_tty && isatty(STDIN_FILENO);
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (check_options(app, options, words, &err) != 0 ||
	    session_begin(&session, app, &err) != 0)
		code = app_fail(app, &err);
	else if (options->complete)
		code = print_completions(&session, words);
	else if (options->execute.count)
		code = repl_script_lines(&session, &options->execute);
	else if (at_terminal)
		code = interact(&session, options);
	else
		code = repl_script_input(&session);
	session_end(&session);
	return code;
}

static const struct command_example examples[] = {
    {"ccache repl", "a prompt; `ccache` alone on a terminal is the same"},
    {"ccache repl --read-only", "look around in production"},
    {"ccache repl -e 'use call-logs; inspect; stats'", "several commands over one connection"},
    {"echo ping | ccache repl --verbose", "a script, each command shown before it runs"},
    {NULL, NULL},
};

const struct command command_repl = {
    .name = "repl",
    .summary = "a prompt, or a script: many commands over one connection",
    .synopsis = "[-e COMMANDS] [--keep-going] [--verbose] [--read-only]",
    .text = "On a terminal it asks for commands, completes them with TAB and remembers them. "
	    "Otherwise standard input is a script, which ends at the first command that fails, "
	    "with its exit code. Besides the verbs there are use, ttl, watch, redis, history "
	    "and exit.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct repl_options),
    .max_words = (size_t)-1,
    .run = repl_run,
};
