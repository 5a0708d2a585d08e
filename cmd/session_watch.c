#include "app.h"
#include "session.h"
#include "signals.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "opt/opt.h"
#include "out/frame.h"
#include "out/stream.h"
#include "out/tty.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

enum { INTERVAL_MS = 2000, FRAME_MOST = 1024 * 1024 };

struct watch_options {
	uint64_t count;
};

static const struct opt_row rows[] = {
    {.name = "count",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .offset = offsetof(struct watch_options, count),
     .help = "run it N times and stop"},
    OPT_END,
};

static int read_interval(const struct opt_words *words, uint64_t *ret_ms, size_t *ret_first,
			 struct err *err)
{
	const char *word = words->count ? words->items[0] : "";

	*ret_ms = INTERVAL_MS;
	*ret_first = 0;
	if (isdigit((unsigned char)word[0])) {
		*ret_first = 1;
		if (num_parse_duration_ms(bytes_of(word), ret_ms) != 0 || *ret_ms < 100 ||
		    *ret_ms > 86400000)
			return err_set(err, ERR_USAGE,
				       "watch '%s': not an interval from 100ms to 1d; write 2, "
				       "500ms, 1m",
				       word);
	}
	if (words->count <= *ret_first)
		return err_set(err, ERR_USAGE, "watch: which command? watch 2 stats");
	return 0;
}

/* One run of the command, its output in kept; on a screen its messages too, which a frame would
 * else paint over. */
static enum exit_code run_once(struct app *app, const struct opt_word *line, size_t count,
			       struct out_stream *kept, bool screen)
{
	struct out_stream *out = app->out;

	app->out = kept;
	app->messages.into = screen ? kept : NULL;
	enum exit_code code = session_run_words(app->session, line, count);
	app->messages.into = NULL;
	app->out = out;
	return code;
}

static char *title(uint64_t interval_ms, const struct opt_word *line, size_t count)
{
	struct buf text = {0};

	buf_add_str(&text, "every ");
	num_format_duration_ms(&text, (int64_t)interval_ms);
	buf_add_char(&text, ':');
	for (size_t i = 0; i < count; i++) {
		buf_add_char(&text, ' ');
		opt_quote_word(&text, line[i].ptr, line[i].len);
	}
	buf_add_str(&text, "   (Ctrl-C ends it)");
	return buf_steal(&text);
}

static enum exit_code watch(struct app *app, const struct watch_options *options,
			    uint64_t interval_ms, const struct opt_word *line, size_t count)
{
	bool screen = app->out_terminal.moves;
	char *head = title(interval_ms, line, count);
	enum exit_code code = EXIT_DONE;

	for (uint64_t i = 0; !*app->cancel && !app->session->leaving; i++) {
		struct out_stream *kept = out_stream_new_kept(FRAME_MOST);

		enum exit_code once = run_once(app, line, count, kept, screen);
		code = exit_worst(code, once);
		if (screen) {
			out_tty_foreground(STDOUT_FILENO, app->cancel);
			out_terminal_query(STDOUT_FILENO, &app->out_terminal);
			out_frame_draw(app->out, &app->out_terminal, head,
				       out_stream_kept(kept), i == 0);
		} else {
			out_stream_write(app->out, out_stream_kept(kept));
		}
		out_stream_flush(app->out, NULL); /* the session tells it */
		out_stream_free(kept);
		/* What was typed wrong stays wrong; a server may come back. */
		if (out_stream_failed(app->out) || i + 1 == options->count ||
		    once == EXIT_USAGE || signals_wait(interval_ms))
			break;
	}
	free(head);
	return code;
}

static enum exit_code watch_run(struct app *app, const void *values,
				const struct opt_words *words)
{
	const struct watch_options *options = values;
	struct err err = {0};
	uint64_t interval_ms = 0;
	size_t first = 0;

	if (app->session->watching)
		err_set(&err, ERR_USAGE, "watch: one watch at a time");
	else
		read_interval(words, &interval_ms, &first, &err);
	if (err_is_set(&err))
		return app_fail(app, &err);

	/* The words are the end of the line; with their lengths they stand in app->line. */
	size_t count = words->count - first;
	const struct opt_word *line = app->line + (app->line_count - count);
	app->session->watching = true;
	enum exit_code code = watch(app, options, interval_ms, line, count);
	app->session->watching = false;
	return code;
}

static const struct command_example examples[] = {
    {"watch 2 stats", "the server's figures, renewed every two seconds"},
    {"watch 10s inspect call-logs", "what lives there, until Ctrl-C"},
    {"watch --count 3 1 ttl --key note", "three times, for a script"},
    {NULL, NULL},
};

const struct command command_watch = {
    .name = "watch",
    .summary = "run a command again and again",
    .synopsis = "[--count N] [INTERVAL] COMMAND ARGUMENTS…",
    .text = "On a terminal each run redraws the screen, cut to its size. A command that fails "
	    "(the server may be restarting) is tried again the next time. INTERVAL is in "
	    "seconds or with a unit: 2, 500ms, 1m.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct watch_options),
    .max_words = (size_t)-1,
    .words = WORDS_COMMAND,
    .needs = NEEDS_CONFIG,
    .run = watch_run,
};
