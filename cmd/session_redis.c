#include "app.h"
#include "connection.h"
#include "reply_view.h"
#include "session.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "core/server_command.h"
#include "opt/opt.h"
#include "out/stream.h"
#include "wire/redis.h"

#include <stdlib.h>

struct redis_options {
	bool yes;
};

static const struct opt_row rows[] = {
    {.name = "yes",
     .letter = 'y',
     .type = OPT_FLAG,
     .offset = offsetof(struct redis_options, yes),
     .help = "do not ask before a dangerous command"},
    OPT_END,
};

/* What would change the connection that the verbs of the session share. */
static int check_shared(const struct bytes *argv, size_t argc, struct err *err)
{
	static const char *const modes[] = {
	    "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "SYNC",  "PSYNC",
	    "MULTI",     "WATCH",      "HELLO",      "AUTH",    "RESET", "READONLY"};

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (bytes_equal_word(argv[0], modes[i]))
			return err_set(err, ERR_USAGE,
				       "redis %s would change the connection that every verb "
				       "here shares; use redis-cli",
				       modes[i]);
	if (argc > 1 && bytes_equal_word(argv[0], "CLIENT") &&
	    (bytes_equal_word(argv[1], "REPLY") || bytes_equal_word(argv[1], "TRACKING")))
		return err_set(err, ERR_USAGE,
			       "redis CLIENT %.*s would leave the verbs here without their "
			       "answers; use redis-cli",
			       BYTES_ARG(argv[1]));
	return 0;
}

static int consent(struct app *app, const struct redis_options *options,
		   const struct bytes *argv, const struct server_command *command,
		   struct err *err)
{
	struct buf question = {0};

	if (app->session->read_only && command->writes)
		return err_set(err, ERR_REFUSED,
			       "this session is --read-only: redis %.*s may write",
			       BYTES_ARG(argv[0]));
	if (!command->dangerous || options->yes)
		return 0;
	buf_printf(&question, "%.*s is %s: run it on %s? [y/N]", BYTES_ARG(argv[0]),
		   command->told ? "@dangerous" : "perhaps dangerous (the server does not say)",
		   app->target_text);
	int answer = out_confirm(buf_str(&question), "yes", app->cancel);
	buf_release(&question);
	if (answer > 0)
		return 0;
	return err_set(err, ERR_REFUSED, "redis %.*s: %s", BYTES_ARG(argv[0]),
		       answer < 0 ? "dangerous, and there is no terminal to confirm on: redis "
				    "--yes …"
				  : "not confirmed; nothing was sent");
}

/* SELECT moves the whole session, also after a reconnect. */
static void follow_select(struct app *app, const struct bytes *argv, size_t argc,
			  const struct reply *reply)
{
	uint64_t db = 0;

	if (argc != 2 || !bytes_equal_word(argv[0], "SELECT") || reply->type != REPLY_STATUS ||
	    num_parse_u64(argv[1], 0, UINT32_MAX, &db) != 0)
		return;
	app->target.db = (uint32_t)db;
	connection_describe(app);
}

static enum exit_code send(struct app *app, const struct bytes *argv, size_t argc, bool reads,
			   struct err *err)
{
	const struct reply *reply = NULL;
	struct buf text = {0};

	if (redis_call(app->redis, argv, argc, reads ? REDIS_IDEMPOTENT : 0, &reply, err) != 0)
		return EXIT_REDIS;
	follow_select(app, argv, argc, reply);
	reply_view(&text, reply, app->out_terminal.is_tty);
	if (app->session->interactive && !app->session->watching)
		out_stream_page(app->out, app->out_terminal.width,
				app->out_terminal.height - 1);
	out_stream_write(app->out, buf_bytes(&text));
	out_stream_page_end(app->out);
	buf_release(&text);
	return reply->type == REPLY_ERROR ? EXIT_REDIS : EXIT_DONE;
}

static enum exit_code redis_run(struct app *app, const void *values,
				const struct opt_words *words)
{
	struct bytes *argv = app_words(app, words, 0);
	struct server_command command = {0};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (words->count == 0)
		err_set(&err, ERR_USAGE, "redis: which command? redis GET key");
	else if (app_check_value_output(app, "redis", &err) == 0 &&
		 check_shared(argv, words->count, &err) == 0 &&
		 server_command_ask(app->redis, argv, words->count, &command, &err) == 0 &&
		 consent(app, values, argv, &command, &err) == 0)
		code = send(app, argv, words->count, command.reads, &err);
	if (err_is_set(&err))
		code = app_fail(app, &err);
	free(argv);
	return code;
}

static const struct command_example examples[] = {
    {"redis CLIENT INFO", "any command, on the session's own connection"},
    {"redis SET note \"a\\x00b\"", "with redis-cli's quoting"},
    {"redis --yes CONFIG RESETSTAT", "a dangerous one, without being asked"},
    {NULL, NULL},
};

const struct command command_redis = {
    .name = "redis",
    .summary = "send any command to the server",
    .synopsis = "[--yes] COMMAND ARGUMENTS…",
    .text = "The answer looks as redis-cli's. What the server counts as @dangerous asks first, "
	    "unless it only reports. "
	    "SELECT changes the database of the session; commands that would turn the shared "
	    "connection into something else (SUBSCRIBE, MONITOR, MULTI, AUTH, …) are refused.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct redis_options),
    .max_words = (size_t)-1,
    .words = WORDS_COMMAND,
    .needs = NEEDS_CONFIG | NEEDS_REDIS,
    .run = redis_run,
};
