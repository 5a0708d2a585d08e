#include "app.h"
#include "session.h"

#include "base/err.h"
#include "base/num.h"
#include "core/namespace.h"
#include "opt/opt.h"
#include "out/edit.h"
#include "out/stream.h"

#include <stddef.h>

/* The small commands of a session: use, history, exit. */

static const struct opt_row no_rows[] = {OPT_END};

static enum exit_code use_run(struct app *app, const void *options,
			      const struct opt_words *words)
{
	struct session *session = app->session;
	struct err err = {0};

	(void)options;
	if (words->count == 0) {
		session->ns = NULL;
		return EXIT_DONE;
	}
	if (nsset_need(app_namespaces(app), app_bytes(app, words->items[0]), &session->ns,
		       &err) != 0)
		return app_fail(app, &err);
	return EXIT_DONE;
}

static const struct command_example use_examples[] = {
    {"use call-logs", "then `get 507f1f77bcf86cd799439011` reads a call log"},
    {"use", "all namespaces again"},
    {NULL, NULL},
};

const struct command command_use = {
    .name = "use",
    .summary = "narrow the verbs to one namespace",
    .synopsis = "[NAMESPACE]",
    .text = "Until the next use, a verb that takes a namespace and is given none works on "
	    "this one. A first word that is a namespace's name still names it, and options "
	    "that choose keys by themselves (--key, --match, --all of warm) are not narrowed.",
    .examples = use_examples,
    .rows = no_rows,
    .max_words = 1,
    .words = WORDS_NAMESPACE,
    .needs = NEEDS_CONFIG,
    .run = use_run,
};

static enum exit_code history_run(struct app *app, const void *options,
				  const struct opt_words *words)
{
	uint64_t most = 20;
	struct err err = {0};
	size_t count = out_history_count();

	(void)options;
	if (words->count &&
	    num_parse_u64(app_bytes(app, words->items[0]), 1, UINT32_MAX, &most) != 0) {
		err_set(&err, ERR_USAGE, "history '%s': not a number of lines",
			words->items[0]);
		return app_fail(app, &err);
	}
	for (size_t i = count > most ? count - (size_t)most : 0; i < count; i++)
		out_stream_printf(app->out, "%s\n", out_history_at(i));
	return EXIT_DONE;
}

static const struct command_example history_examples[] = {
    {"history 5", "the last five lines"},
    {NULL, NULL},
};

const struct command command_history = {
    .name = "history",
    .summary = "the lines typed before",
    .synopsis = "[N]",
    .text = "The newest last, 20 unless N says how many. Lines that may hold a secret (AUTH, "
	    "ACL SETUSER, requirepass, a URI with a password) and lines that begin with a "
	    "blank are not remembered.",
    .examples = history_examples,
    .rows = no_rows,
    .max_words = 1,
    .run = history_run,
};

static enum exit_code exit_run(struct app *app, const void *options,
			       const struct opt_words *words)
{
	(void)options;
	(void)words;
	app->session->leaving = true;
	return EXIT_DONE;
}

static const struct command_example exit_examples[] = {
    {"exit", "leave; so do quit and Ctrl-D"},
    {NULL, NULL},
};

const struct command command_exit = {
    .name = "exit",
    .summary = "leave the session",
    .synopsis = "",
    .text = "In a script, the rest is not run.",
    .examples = exit_examples,
    .rows = no_rows,
    .run = exit_run,
};
