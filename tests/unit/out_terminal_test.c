#include "check.h"

#include "base/clock.h"
#include "base/err.h"
#include "out/message.h"
#include "out/progress.h"
#include "out/terminal.h"

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Standard error goes into memory until capture_end gives what was written. */
static int capture_fd, saved_fd;
static char captured[8192];

static void capture_begin(void)
{
	saved_fd = dup(STDERR_FILENO);
	capture_fd = memfd_create("stderr", MFD_CLOEXEC);
	dup2(capture_fd, STDERR_FILENO);
}

static const char *capture_end(void)
{
	ssize_t n = pread(capture_fd, captured, sizeof captured - 1, 0);

	captured[n > 0 ? n : 0] = '\0';
	dup2(saved_fd, STDERR_FILENO);
	close(saved_fd);
	close(capture_fd);
	return captured;
}

TEST(query_without_terminal)
{
	struct out_terminal terminal;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	setenv("TERM", "xterm", 1);
	setenv("COLUMNS", "132", 1);
	out_terminal_query(fd, &terminal);
	CHECK(!terminal.is_tty && !terminal.colour);
	CHECK_INT(terminal.width, 132);
	CHECK(terminal.utf8);
	static const char *const bad[] = {"", "0", "-5", "x", "99999999999999999999"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		setenv("COLUMNS", bad[i], 1);
		out_terminal_query(fd, &terminal);
		CHECK_INT(terminal.width, 80);
	}
	setenv("COLUMNS", "3", 1);
	out_terminal_query(fd, &terminal);
	CHECK_INT(terminal.width, 20);
	close(fd);
}

TEST(query_terminal)
{
	struct winsize size = {.ws_col = 20, .ws_row = 5};
	struct out_terminal terminal;
	int master = -1;
	int slave = -1;

	CHECK_INT(openpty(&master, &slave, NULL, NULL, &size), 0);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	out_terminal_query(slave, &terminal);
	CHECK(terminal.is_tty && terminal.colour);
	CHECK_INT(terminal.width, 20);
	CHECK_INT(terminal.height, 5);
	CHECK_STR(out_style(&terminal, OUT_STYLE_RED), "\033[31m");
	setenv("NO_COLOR", "1", 1);
	out_terminal_query(slave, &terminal);
	CHECK(!terminal.colour);
	CHECK_STR(out_style(&terminal, OUT_STYLE_RED), "");
	CHECK_STR(out_style(NULL, OUT_STYLE_RED), "");
	setenv("NO_COLOR", "", 1);
	setenv("TERM", "dumb", 1);
	out_terminal_query(slave, &terminal);
	CHECK(!terminal.colour);
	unsetenv("TERM");
	out_terminal_query(slave, &terminal);
	CHECK(!terminal.colour);
	close(slave);
	close(master);
}

/* Reads from the terminal's other end until text was seen, 30 s at most. */
static bool wait_for(int fd, const char *text)
{
	char seen[1024] = "";
	size_t len = 0;
	uint64_t deadline_ms = clock_mono_ms() + 30000;
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	while (!strstr(seen, text) && len < sizeof seen - 1 &&
	       poll(&ready, 1, clock_until_ms(deadline_ms)) > 0) {
		ssize_t n = read(fd, seen + len, sizeof seen - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
		seen[len] = '\0';
	}
	return strstr(seen, text) != NULL;
}

static void on_alarm(int number)
{
	(void)number;
}

/* What out_confirm answers in a session with a terminal on which answer is typed. */
static int confirm_with(const char *expected, const char *answer, int signal_number)
{
	int master = -1;
	int status = 0;
	pid_t pid = forkpty(&master, NULL, NULL, NULL);

	if (pid == 0) {
		struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

		sigaction(SIGUSR1, &action, NULL);
		_exit(out_confirm("Delete \033[1m?", expected, NULL) + 1);
	}
	CHECK(wait_for(master, "Delete \\x1b[1m? "));
	if (signal_number)
		kill(pid, signal_number);
	else
		CHECK(write(master, answer, strlen(answer)) == (ssize_t)strlen(answer));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	close(master);
	return WEXITSTATUS(status) - 1;
}

TEST(confirm)
{
	CHECK_INT(confirm_with("yes", "yes\n", 0), 1);
	CHECK_INT(confirm_with("yes", " Y \n", 0), 1);
	CHECK_INT(confirm_with("yes", "\n", 0), 0);
	CHECK_INT(confirm_with("yes", "ye\n", 0), 0);
	CHECK_INT(confirm_with("yes", "\004", 0), 0);
	CHECK_INT(confirm_with("prod-1", "prod-1\n", 0), 1);
	CHECK_INT(confirm_with("prod-1", "yes\n", 0), 0);
	CHECK_INT(confirm_with("prod-1", "y\n", 0), 0);
	CHECK_INT(confirm_with("yes", "", SIGUSR1), 0);
}

/* After a signal nothing is asked, though there is a terminal. */
TEST(confirm_when_cancelled)
{
	volatile int cancel = SIGINT;
	int master = -1;
	int status = 0;
	char asked = '\0';
	pid_t pid = forkpty(&master, NULL, NULL, NULL);

	if (pid == 0) {
		char *secret = NULL;
		int first = out_confirm("?", "yes", &cancel);

		_exit(first == 0 && out_ask_secret("?", &cancel, &secret) == 1 ? 7 : 1);
	}
	CHECK(read(master, &asked, 1) <= 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_INT(WEXITSTATUS(status), 7);
	close(master);
}

TEST(confirm_without_terminal)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		_exit(out_confirm("?", "yes", NULL) + 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_INT(WEXITSTATUS(status), 0);
}

TEST(messages)
{
	struct out_messages messages = {.level = OUT_INFO, .program = "ccache"};
	struct err err = {0};

	capture_begin();
	out_message(&messages, OUT_DEBUG, "hidden");
	out_message(&messages, OUT_INFO, "a\033[31m%c\n", '\xff');
	out_message(&messages, OUT_WARNING, "%d keys", 3);
	err_set(&err, ERR_REDIS, "redis down");
	out_error(&messages, &err);
	messages.level = OUT_SILENT;
	out_error(&messages, &err);
	CHECK_STR(capture_end(), "ccache: a\\x1b[31m\\xff\\n\nccache: warning: 3 keys\n"
				 "ccache: error: redis down\n");
}

TEST(messages_colour_and_json)
{
	struct out_messages messages = {
	    .level = OUT_DEBUG, .colour = true, .program = "ccache"};

	capture_begin();
	out_message(&messages, OUT_ERROR, "x");
	CHECK_STR(capture_end(), "ccache: \033[31merror:\033[0m x\n");
	messages.json = true;
	capture_begin();
	out_message(&messages, OUT_WARNING, "a \"b\"");
	const char *line = capture_end();
	const char *tail = "Z\",\"level\":\"warning\",\"message\":\"a \\\"b\\\"\"}\n";
	CHECK(strncmp(line, "{\"time\":\"20", 11) == 0);
	CHECK_INT(strlen(line), strlen("{\"time\":\"2026-01-01T00:00:00.000") + strlen(tail));
	CHECK(strstr(line, tail));
}

/* Updates until something is drawn that contains text, then clears. */
static const char *draw(const struct out_terminal *terminal, const char *verb, uint64_t total,
			uint64_t failed)
{
	struct out_progress *progress =
	    out_progress_new(OUT_PROGRESS_BAR, terminal, verb, total);
	uint64_t deadline_ms = clock_mono_ms() + 30000;

	capture_begin();
	while (lseek(capture_fd, 0, SEEK_END) == 0 && clock_mono_ms() < deadline_ms) {
		out_progress_update(progress, 500, failed);
		poll(NULL, 0, 5);
	}
	out_progress_free(progress);
	return capture_end();
}

TEST(progress_bar)
{
	struct out_terminal terminal = {.is_tty = true, .width = 80};
	const char *text = draw(&terminal, "warm", 1000, 2);

	CHECK(strncmp(text, "\rwarm  ####", 11) == 0);
	CHECK(strstr(text, "--  50 %  500/1,000  "));
	CHECK(strstr(text, "/s  ETA "));
	CHECK(strstr(text, "  2 failed\033[K"));
	CHECK_STR(text + strlen(text) - 4, "\r\033[K");
	terminal.utf8 = true;
	CHECK(strstr(draw(&terminal, "warm", 1000, 0), "█░"));
	text = draw(&terminal, "scan", 0, 0);
	CHECK(strstr(text, "\rscan  500  "));
	CHECK(!strstr(text, "%") && !strstr(text, "ETA"));
}

TEST(progress_narrow)
{
	struct out_terminal terminal = {.is_tty = true, .width = 20};

	for (uint64_t total = 1; total < UINT64_MAX / 100000; total *= 99999) {
		const char *text = draw(&terminal, "invalidate", total, 1000000);
		const char *end = strstr(text, "\033[K");

		CHECK(end && end - text <= 1 + 19);
		CHECK(strncmp(text, "\rinvalidate", 11) == 0);
	}
}

/* A message takes the bar's line, it does not end up behind it. */
TEST(progress_makes_room)
{
	struct out_terminal terminal = {.is_tty = true, .width = 80};
	struct out_messages messages = {.program = "ccache"};
	struct out_progress *progress =
	    out_progress_new(OUT_PROGRESS_BAR, &terminal, "warm", 0);
	uint64_t deadline_ms = clock_mono_ms() + 30000;

	capture_begin();
	while (lseek(capture_fd, 0, SEEK_END) == 0 && clock_mono_ms() < deadline_ms) {
		out_progress_update(progress, 1, 0);
		poll(NULL, 0, 5);
	}
	out_message(&messages, OUT_INFO, "hello");
	out_progress_free(progress);
	const char *text = capture_end();
	CHECK(strstr(text, "\033[K\r\033[Kccache: hello\n"));
	CHECK_STR(text + strlen(text) - 7, " hello\n"); /* nothing left to clear */
}

TEST(progress_off)
{
	struct out_terminal terminal = {.width = 80};
	struct out_progress *progress =
	    out_progress_new(OUT_PROGRESS_OFF, &terminal, "warm", 9);

	capture_begin();
	out_progress_update(progress, 1, 0);
	out_progress_free(progress);
	out_progress_free(NULL);
	CHECK_STR(capture_end(), "");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	setlocale(LC_CTYPE, "C.UTF-8");
	RUN(query_without_terminal);
	RUN(query_terminal);
	RUN(confirm);
	RUN(confirm_when_cancelled);
	RUN(confirm_without_terminal);
	RUN(messages);
	RUN(messages_colour_and_json);
	RUN(progress_bar);
	RUN(progress_narrow);
	RUN(progress_makes_room);
	RUN(progress_off);
	CHECK_DONE();
}
