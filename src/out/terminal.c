#include "out/terminal.h"

#include "base/buf.h"
#include "base/num.h"
#include "base/text.h"

#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { WIDTH_LEAST = 20, WIDTH_DEFAULT = 80, HEIGHT_DEFAULT = 24, SIZE_MOST = 10000 };

static unsigned size_from_env(const char *name, unsigned fallback)
{
	uint64_t value = 0;

	if (num_parse_u64(bytes_of(getenv(name)), 1, SIZE_MOST, &value) < 0)
		return fallback;
	return (unsigned)value;
}

static bool env_is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static bool term_has_colour(void)
{
	return env_is_set("TERM") && strcmp(getenv("TERM"), "dumb") != 0 &&
	       !env_is_set("NO_COLOR");
}

void out_terminal_query(int fd, struct out_terminal *ret_terminal)
{
	struct out_terminal terminal = {.is_tty = isatty(fd) == 1};
	struct winsize size = {0};

	if (terminal.is_tty && ioctl(fd, TIOCGWINSZ, &size) == 0) {
		terminal.width = size.ws_col;
		terminal.height = size.ws_row;
	}
	if (!terminal.width)
		terminal.width = size_from_env("COLUMNS", WIDTH_DEFAULT);
	if (!terminal.height)
		terminal.height = size_from_env("LINES", HEIGHT_DEFAULT);
	if (terminal.width < WIDTH_LEAST)
		terminal.width = WIDTH_LEAST;
	terminal.colour = terminal.is_tty && term_has_colour();
	terminal.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	*ret_terminal = terminal;
}

const char *out_style(const struct out_terminal *terminal, enum out_style style)
{
	static const char *const sequences[] = {
	    [OUT_STYLE_NONE] = "\033[0m",   [OUT_STYLE_BOLD] = "\033[1m",
	    [OUT_STYLE_DIM] = "\033[2m",    [OUT_STYLE_RED] = "\033[31m",
	    [OUT_STYLE_GREEN] = "\033[32m", [OUT_STYLE_YELLOW] = "\033[33m",
	    [OUT_STYLE_CYAN] = "\033[36m",
	};

	return terminal && terminal->colour ? sequences[style] : "";
}

/* Line input with echo, and nothing typed so far: an editor may have left it otherwise. */
static void prepare_tty(int fd, struct termios *ret_before)
{
	if (tcgetattr(fd, ret_before) < 0)
		return;
	struct termios plain = *ret_before;
	plain.c_lflag |= ICANON | ECHO | ISIG;
	plain.c_iflag |= ICRNL;
	tcsetattr(fd, TCSAFLUSH, &plain);
}

/*
 * 0 with the line, -1 at end of file, on an error or a signal. It polls first,
 * because a handler with SA_RESTART would restart a read, but never a poll;
 * signals come in only there, so that none is missed just before.
 */
static int read_line(int fd, const sigset_t *signals, struct buf *line)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	for (char c = '\0';;) {
		if (ppoll(&ready, 1, NULL, signals) < 0 || read(fd, &c, 1) != 1)
			return -1;
		if (c == '\n')
			return 0;
		buf_add_char(line, c);
	}
}

static struct bytes trim(struct bytes text)
{
	while (text.len && strchr(" \t\r", text.ptr[0]))
		text = bytes_sub(text, 1, text.len);
	while (text.len && strchr(" \t\r", text.ptr[text.len - 1]))
		text.len--;
	return text;
}

static bool answer_is(struct bytes answer, const char *expected)
{
	if (strcmp(expected, "yes") != 0)
		return bytes_equal_str(answer, expected);
	return (answer.len == 3 && strncasecmp(answer.ptr, "yes", 3) == 0) ||
	       (answer.len == 1 && (answer.ptr[0] | 0x20) == 'y');
}

static int ask(int fd, const sigset_t *signals, const char *question, const char *expected)
{
	struct buf line = {0};
	int answer = -1;

	text_escape(&line, bytes_of(question));
	buf_add_char(&line, ' ');
	if (write(fd, line.ptr, line.len) == (ssize_t)line.len) {
		buf_clear(&line);
		answer = read_line(fd, signals, &line) == 0 &&
			 answer_is(trim(buf_bytes(&line)), expected);
	}
	buf_release(&line);
	return answer;
}

int out_confirm(const char *question, const char *expected)
{
	struct termios before = {0};
	sigset_t held;
	sigset_t signals;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -1;
	sigfillset(&held);
	pthread_sigmask(SIG_SETMASK, &held, &signals);
	prepare_tty(fd, &before);
	int answer = ask(fd, &signals, question, expected);
	tcsetattr(fd, TCSADRAIN, &before);
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	close(fd);
	return answer;
}
