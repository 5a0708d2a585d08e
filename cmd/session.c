#include "session.h"

#include "app.h"
#include "connection.h"
#include "run.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/seen.h"
#include "opt/opt.h"
#include "out/stream.h"
#include "source/source.h"

#include <stdlib.h>
#include <string.h>

int session_begin(struct session *session, struct app *app, struct err *err)
{
	session->app = app;
	if (app_load_config(app, err) != 0 || connection_resolve(app, err) != 0)
		return -1;
	session->seen = seen_new(app_namespaces(app));
	app->session = session;
	app->messages.in_session = true;
	return 0;
}

void session_end(struct session *session)
{
	if (!session->app)
		return;
	session->app->session = NULL;
	session->app->messages.in_session = false;
	seen_free(session->seen);
	session->seen = NULL;
}

/* Other names for commands, as other shells have them. */
static const char *canonical(const char *name)
{
	static const char *const aliases[][2] = {
	    {"quit", "exit"}, {"?", "help"}, {"\\q", "exit"}};

	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
		if (strcmp(name, aliases[i][0]) == 0)
			return aliases[i][1];
	return name;
}

/* A fetcher that was stopped amid transfers is not used again. */
static void recover(struct app *app)
{
	if (!*app->cancel)
		return;
	fetcher_free(app->fetcher);
	app->fetcher = NULL;
}

static int check_word(const struct opt_word *word, struct err *err)
{
	if (strlen(word->ptr) == word->len)
		return 0;
	return err_set(err, ERR_USAGE, "the name of a verb holds no NUL byte");
}

enum exit_code session_run_words(struct session *session, const struct opt_word *words,
				 size_t count)
{
	struct app *app = session->app;
	const struct opt_word *line = app->line;
	size_t line_count = app->line_count;
	struct err err = {0};

	if (check_word(&words[0], &err) != 0)
		return app_fail(app, &err);
	const struct command *command = command_need(canonical(words[0].ptr), true, &err);
	if (!command)
		return app_fail(app, &err);
	char **argv = mem_zalloc(count, sizeof *argv);
	for (size_t i = 1; i < count; i++)
		argv[i - 1] = words[i].ptr;
	app->line = words;
	app->line_count = count;
	enum exit_code code = run_verb(app, command, (int)count - 1, argv);
	app->line = line;
	app->line_count = line_count;
	recover(app);
	free(argv);
	return code;
}

/* What the command printed is out before the next one, or a prompt, is. */
static enum exit_code flush(struct app *app, enum exit_code code)
{
	struct err err = {0};

	if (out_stream_flush(app->out, &err) == 0)
		return code;
	if (!out_stream_closed(app->out) && code == EXIT_DONE)
		app_fail(app, &err);
	return exit_worst(code, EXIT_PARTIAL);
}

static void echo(const struct session *session, struct bytes command)
{
	struct buf text = {0};

	if (!session->verbose)
		return;
	if (session_is_secret(command))
		buf_add_str(&text, "(a command that may hold a secret)");
	else
		text_escape(&text, command);
	out_stream_printf(session->app->out, "> %s\n", buf_str(&text));
	out_stream_flush(session->app->out, NULL); /* flush tells it */
	buf_release(&text);
}

static enum exit_code run_command(struct session *session, struct bytes command)
{
	struct opt_word *words = NULL;
	size_t count = 0;
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (opt_split_line(command.ptr, command.len, &words, &count, &err) != 0)
		return app_fail(session->app, &err);
	if (count > 0) {
		echo(session, command);
		code = flush(session->app, session_run_words(session, words, count));
	}
	free(words);
	return code;
}

static struct bytes trim(struct bytes text)
{
	while (text.len && strchr(" \t\r\n", text.ptr[0]))
		text = bytes_sub(text, 1, text.len);
	while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
		text.len--;
	return text;
}

enum exit_code session_run_line(struct session *session, struct bytes line)
{
	enum exit_code code = EXIT_DONE;

	for (size_t from = 0; from <= line.len && !session->leaving;) {
		size_t end = opt_command_end(line.ptr, line.len, from);
		struct bytes command = trim(bytes_sub(line, from, end - from));

		from = end + 1;
		if (command.len == 0 || command.ptr[0] == '#')
			continue;
		code = exit_worst(code, run_command(session, command));
		if (*session->app->cancel || out_stream_failed(session->app->out))
			break;
		if (code != EXIT_DONE && !session->keep_going)
			break;
	}
	return code;
}

/* --- secrets --- */

static bool word_is(const struct opt_word *word, const char *text)
{
	return bytes_equal_word((struct bytes){word->ptr, word->len}, text);
}

static bool word_has(const struct opt_word *word, const char *text)
{
	return memmem(word->ptr, word->len, text, strlen(text)) != NULL;
}

/* redis-cli leaves the same commands out of its history (linenoise's filter in redis-cli.c). */
static bool command_is_secret(const struct opt_word *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct opt_word *word = &words[i];

		if (word_is(word, "auth") || word_is(word, "auth2") ||
		    word_is(word, "setuser") || word_is(word, "hello"))
			return true;
		if (word_has(word, "requirepass") || word_has(word, "masterauth") ||
		    word_has(word, "masteruser") || word_has(word, "key-file-pass"))
			return true;
		if (strncmp(word->ptr, "-a", 2) == 0 || strncmp(word->ptr, "--pass", 6) == 0)
			return true;
		if (word_has(word, "://") && word_has(word, "@"))
			return true;
	}
	return false;
}

bool session_is_secret(struct bytes line)
{
	struct opt_word *words = NULL;
	size_t count = 0;

	if (opt_split_line(line.ptr, line.len, &words, &count, NULL) != 0)
		return true; /* who knows what it was to be */
	bool secret = command_is_secret(words, count);
	free(words);
	return secret;
}

/* --- read-only --- */

bool session_is_read_only(const struct app *app)
{
	return app->session && app->session->read_only;
}

int session_check_writes(const struct session *session, const struct command *command,
			 const void *options, struct err *err)
{
	if (!session || !session->read_only ||
	    !(command->needs & (NEEDS_REDIS_WRITE | NEEDS_WRITING)))
		return 0;
	for (const struct opt_row *row = command->rows; row && row->name; row++)
		if (strcmp(row->name, "dry-run") == 0 &&
		    *(const bool *)((const char *)options + row->offset))
			return 0;
	return err_set(err, ERR_REFUSED, "this session is --read-only: %s would write",
		       command->name);
}
