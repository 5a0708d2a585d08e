#include "out/message.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "out/progress.h"
#include "out/stderr.h"
#include "out/stream.h"
#include "out/terminal.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

const char *const out_level_names[] = {"debug", "info", "warning", "error", "silent", NULL};

static void put_time(struct buf *buf)
{
	uint64_t now_ms = clock_wall_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	char text[32] = "";
	struct tm utc;

	if (gmtime_r(&seconds, &utc))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	buf_printf(buf, "%s.%03uZ", text, (unsigned)(now_ms % 1000));
}

static void put_json_line(struct buf *line, enum out_level level, struct bytes text)
{
	buf_add_str(line, "{\"time\":\"");
	put_time(line);
	buf_printf(line, "\",\"level\":\"%s\",\"message\":", out_level_names[level]);
	json_quote(line, text);
	buf_add_str(line, "}\n");
}

static void put_text_line(struct buf *line, const struct out_messages *messages,
			  enum out_level level, struct bytes text)
{
	static const enum out_style styles[] = {OUT_STYLE_DIM, OUT_STYLE_NONE, OUT_STYLE_YELLOW,
						OUT_STYLE_RED, OUT_STYLE_NONE};
	struct out_terminal terminal = {.colour = messages->colour};

	buf_printf(line, "%s: ", messages->program);
	if (level != OUT_INFO)
		buf_printf(line, "%s%s:%s ", out_style(&terminal, styles[level]),
			   out_level_names[level], out_style(&terminal, OUT_STYLE_NONE));
	buf_add(line, text);
	buf_add_char(line, '\n');
}

/* What ends the part of a URI where its password stands. A slash does not in a server's, where
 * one that should have been %2F may be part of the password. */
static const char *stops_behind(struct bytes scheme)
{
	static const char *const servers[] = {"redis", "rediss", "valkey", "valkeys"};

	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		size_t len = strlen(servers[i]);

		if (scheme.len >= len &&
		    memcmp(scheme.ptr + scheme.len - len, servers[i], len) == 0)
			return "'\" \t\r\n";
	}
	return "/?#'\" \t\r\n";
}

/* Copies text; of a URI in it, as one pastes it into any place, the password as "***". */
static void put_without_passwords(struct buf *out, struct bytes text)
{
	static const char slashes[] = "://";
	const char *found;

	while (text.len && (found = memmem(text.ptr, text.len, slashes, sizeof slashes - 1))) {
		size_t scheme = (size_t)(found - text.ptr);
		const char *stops = stops_behind(bytes_sub(text, 0, scheme));
		size_t end = scheme + sizeof slashes - 1, colon = 0, at = 0;

		for (; end < text.len && !strchr(stops, text.ptr[end]); end++) {
			if (text.ptr[end] == ':' && !colon)
				colon = end;
			else if (text.ptr[end] == '@' && colon)
				at = end;
		}
		buf_add(out, bytes_sub(text, 0, at ? colon + 1 : end));
		if (at)
			buf_add_str(out, "***");
		text = bytes_sub(text, at ? at : end, text.len);
	}
	buf_add(out, text);
}

/* One write a line, so that lines of several processes do not mix. */
static void write_line(struct bytes line)
{
	out_progress_hide();
	out_stderr_write(line);
}

static void put_line(const struct out_messages *messages, enum out_level level,
		     struct bytes text)
{
	struct buf masked = {0};
	struct buf clean = {0};
	struct buf line = {0};

	put_without_passwords(&masked, text);
	text_escape(&clean, buf_bytes(&masked));
	if (messages->json)
		put_json_line(&line, level, buf_bytes(&clean));
	else
		put_text_line(&line, messages, level, buf_bytes(&clean));
	if (messages->into)
		out_stream_write(messages->into, buf_bytes(&line));
	else
		write_line(buf_bytes(&line));
	buf_release(&masked);
	buf_release(&clean);
	buf_release(&line);
}

void out_message(const struct out_messages *messages, enum out_level level, const char *format,
		 ...)
{
	struct buf text = {0};
	va_list args;

	if (level < messages->level || level >= OUT_SILENT)
		return;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	put_line(messages, level, buf_bytes(&text));
	buf_release(&text);
}

void out_error(const struct out_messages *messages, const struct err *err)
{
	static const char worded[] = "'ccache ";
	struct buf text = {0};
	const char *rest = err->text;

	for (const char *hint; (hint = strstr(rest, worded)); rest = hint + sizeof worded - 1) {
		buf_add(&text, (struct bytes){rest, (size_t)(hint - rest)});
		buf_printf(&text, "'%s%s", messages->in_session ? "" : messages->program,
			   messages->in_session ? "" : " ");
	}
	buf_add_str(&text, rest);
	out_message(messages, OUT_ERROR, "%s", buf_str(&text));
	buf_release(&text);
}
