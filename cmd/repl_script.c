#include "repl_script.h"

#include "app.h"
#include "session.h"

#include "base/buf.h"
#include "base/err.h"
#include "opt/opt.h"
#include "out/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MOST = 1024 * 1024, READ = 65536 };

/* Whether the next command may run. */
static bool goes_on(const struct session *session, enum exit_code code)
{
	return !session->leaving && !*session->app->cancel &&
	       !out_stream_failed(session->app->out) &&
	       (code == EXIT_DONE || session->keep_going);
}

enum exit_code repl_script_lines(struct session *session, const struct opt_list *lines)
{
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; i < lines->count && goes_on(session, code); i++)
		code = exit_worst(code, session_run_line(session, bytes_of(lines->items[i])));
	return code;
}

struct script {
	int fd;
	struct buf text; /* read, not run yet */
	bool ended;
	uint64_t line;
};

/* Reads on; -1 with err. A signal makes it come back early. */
static int read_more(struct script *script, const struct app *app, struct err *err)
{
	ssize_t got = read(script->fd, buf_reserve(&script->text, READ), READ);

	if (got > 0)
		script->text.len += (size_t)got;
	else if (got == 0)
		script->ended = true;
	else if (errno != EINTR && errno != EAGAIN)
		return err_set(err, ERR_USAGE, "standard input: %s", strerror(errno));
	else if (errno == EAGAIN && !*app->cancel)
		poll(&(struct pollfd){.fd = script->fd, .events = POLLIN}, 1, -1);
	return 0;
}

/* The next line; false at the end, or with err. It stays in script->text until it is consumed.
 */
static bool next_line(struct script *script, const struct app *app, struct bytes *ret_line,
		      struct err *err)
{
	for (;;) {
		struct bytes text = buf_bytes(&script->text);
		size_t end = bytes_index(text, '\n');

		if (end < text.len || (script->ended && text.len)) {
			*ret_line = bytes_sub(text, 0, end);
			script->line++;
			return true;
		}
		if (text.len > LINE_MOST) {
			err_set(err, ERR_USAGE,
				"standard input:%llu: a line of more than 1 MiB is no command",
				(unsigned long long)script->line + 1);
			return false;
		}
		if (script->ended || *app->cancel || read_more(script, app, err) != 0)
			return false;
	}
}

static enum exit_code run_script(struct session *session, struct script *script)
{
	struct app *app = session->app;
	struct err err = {0};
	struct bytes line;
	enum exit_code code = EXIT_DONE;

	while (goes_on(session, code) && next_line(script, app, &line, &err)) {
		enum exit_code got = session_run_line(session, line);

		if (got != EXIT_DONE && !*app->cancel)
			app_info(app, "standard input:%llu: exit code %d%s",
				 (unsigned long long)script->line, (int)got,
				 session->keep_going ? "" : "; the rest was not run");
		code = exit_worst(code, got);
		buf_consume(&script->text,
			    line.len < script->text.len ? line.len + 1 : line.len);
	}
	return err_is_set(&err) ? exit_worst(code, app_fail(app, &err)) : code;
}

enum exit_code repl_script_input(struct session *session)
{
	struct script script = {.fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
	struct err err = {0};
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* The script is not what a verb or a source command finds on its standard input. */
	if (script.fd < 0 || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0) {
		err_set(&err, ERR_USAGE, "standard input: %s", strerror(errno));
		return app_fail(session->app, &err);
	}
	close(nothing);
	enum exit_code code = run_script(session, &script);
	close(script.fd);
	buf_release(&script.text);
	return code;
}
