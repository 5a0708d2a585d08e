#include "out/terminal.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "out/tty.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
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

static bool term_knows_escapes(void)
{
	return env_is_set("TERM") && strcmp(getenv("TERM"), "dumb") != 0;
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
	terminal.moves = terminal.is_tty && term_knows_escapes();
	terminal.colour = terminal.moves && !env_is_set("NO_COLOR");
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

int out_confirm(const char *question, const char *expected, const volatile int *cancel)
{
	char line[OUT_TTY_LINE];
	struct buf text = {0};

	text_escape(&text, bytes_of(question));
	buf_add_char(&text, ' ');
	int status = out_tty_ask(buf_str(&text), true, cancel, line);
	buf_release(&text);
	return status == 0 ? answer_is(trim(bytes_of(line)), expected) : status < 0 ? -1 : 0;
}

int out_ask_secret(const char *question, const volatile int *cancel, char **ret_secret)
{
	char line[OUT_TTY_LINE];
	int status = out_tty_ask(question, false, cancel, line);

	if (status == 0)
		*ret_secret = mem_strdup(line);
	mem_wipe(line, sizeof line);
	return status;
}
