#include "run.h"

#include "app.h"
#include "help.h"
#include "session.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "opt/opt.h"
#include "out/stream.h"

#include <stdlib.h>

/* A run: what the words were parsed into. */
struct run {
	struct app *app;
	const struct command *command;
	void *options;
	struct globals own; /* of this run, in a session */
	struct opt_words words;
};

/* The options that may differ from one verb of a session to the next. */
static void copy_passing(struct globals *to, const struct globals *from)
{
	to->output = from->output;
	to->quiet = from->quiet;
	to->progress = from->progress;
	to->log_level = from->log_level;
	to->log_format = from->log_format;
	to->help = from->help;
}

static int refuse_settled(const struct globals *own, struct err *err)
{
	const struct opt_row *row = opt_given(app_global_rows, own, OPT_SETTLED);

	if (!row)
		return 0;
	return err_set(err, ERR_USAGE,
		       "--%s is settled for the whole session: leave it and start it with --%s",
		       row->name, row->name);
}

/* As opt_parse. */
static int parse(struct run *run, int argc, char **argv, struct err *err)
{
	const struct command *command = run->command;
	struct globals *globals = run->app->session ? &run->own : &run->app->globals;
	struct opt_group groups[] = {{command->rows, run->options}, {app_global_rows, globals}};
	bool stop = command->words == WORDS_COMMAND;
	int used = 0;

	opt_defaults(command->rows, run->options);
	if (run->app->session) {
		opt_defaults(app_global_rows, &run->own);
		copy_passing(&run->own, &run->app->globals);
	}
	int status = opt_parse(groups, 2, argc, argv, stop, &run->words, &used, err);
	if (status == 0 && stop)
		opt_words_view(&run->words, argv + used, (size_t)(argc - used));
	if (status == 0 && run->app->session)
		status = refuse_settled(&run->own, err);
	return status;
}

/* `use NS` names the namespace of every verb that takes one and was given none. */
static void narrow(struct run *run)
{
	const struct session *session = run->app->session;
	const struct opt_words *words = &run->words;

	bool takes_one =
	    run->command->words == WORDS_NAMESPACE || run->command->words == WORDS_NAMESPACES;

	/* where nothing stands behind the namespace, it is what is being chosen: use */
	if (!session || !session->ns || !takes_one || run->command->max_words == 1 ||
	    opt_given(run->command->rows, run->options, OPT_SUBJECT))
		return;
	if (words->count > 0 && nsset_find(app_namespaces(run->app), bytes_of(words->items[0])))
		return;
	opt_words_insert(&run->words, session->ns->name);
}

/* A person at a prompt reads what exceeds the screen in a pager. */
static bool begin_pages(const struct run *run)
{
	const struct app *app = run->app;
	bool wanted = app->session && app->session->interactive && !app->session->watching &&
		      app->out_terminal.moves && run->command->words != WORDS_COMMAND &&
		      !opt_given(run->command->rows, run->options, OPT_LIVE);

	if (wanted)
		out_stream_page(app->out, app->out_terminal.width,
				app->out_terminal.height - 1);
	return wanted;
}

static enum exit_code run_parsed(struct run *run, struct err *err)
{
	const struct command *command = run->command;

	narrow(run);
	if (run->words.count > command->max_words) {
		err_set(err, ERR_USAGE, "%s: unexpected argument '%s'; see 'ccache help %s'",
			command->name, run->words.items[command->max_words], command->name);
		return EXIT_USAGE;
	}
	if (session_check_writes(run->app->session, command, run->options, err) != 0 ||
	    app_open(run->app, command, err) != 0)
		return EXIT_DONE; /* told by err, or there is nothing to do */
	return command->run(run->app, run->options, &run->words);
}

enum exit_code run_verb(struct app *app, const struct command *command, int argc, char **argv)
{
	struct run run = {
	    .app = app, .command = command, .options = mem_zalloc(1, command->options_size)};
	struct globals session = app->globals;
	struct err err = {0};
	enum exit_code code = EXIT_DONE;
	int parsed = parse(&run, argc, argv, &err);

	if (app->session)
		copy_passing(&app->globals, &run.own);
	app_configure(app);
	bool pages = parsed >= 0 && begin_pages(&run);
	if (parsed == 1 || (parsed == 0 && app->globals.help))
		help_verb(app, command);
	else if (parsed == 0)
		code = run_parsed(&run, &err);
	if (err_is_set(&err))
		code = app_fail(app, &err);
	if (pages)
		out_stream_page_end(app->out);
	if (app->session) {
		copy_passing(&app->globals, &session);
		opt_release(app_global_rows, &run.own);
	}
	opt_words_release(&run.words);
	opt_release(command->rows, run.options);
	free(run.options);
	return code;
}
