#include "out/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int guarded[] = {SIGQUIT, SIGTSTP, SIGCONT};
enum { GUARDED = sizeof guarded / sizeof guarded[0] };
_Static_assert(GUARDED == sizeof((struct out_tty_guard *)0)->former / sizeof(struct sigaction),
	       "a guard keeps each");

static volatile sig_atomic_t noted;

static void note(int number)
{
	if (!noted || noted == SIGCONT)
		noted = number;
}

void out_tty_guard(struct out_tty_guard *guard)
{
	struct sigaction action = {.sa_handler = note};

	sigfillset(&action.sa_mask);
	noted = 0;
	for (size_t i = 0; i < GUARDED; i++)
		sigaction(guarded[i], &action, &guard->former[i]);
}

void out_tty_unguard(const struct out_tty_guard *guard)
{
	for (size_t i = 0; i < GUARDED; i++)
		sigaction(guarded[i], &guard->former[i], NULL);
}

void out_tty_guarded(sigset_t *signals)
{
	for (size_t i = 0; i < GUARDED; i++)
		sigaddset(signals, guarded[i]);
}

int out_tty_noted(void)
{
	int number = noted;

	noted = 0;
	return number;
}

static bool is_cancelled(const volatile int *cancel)
{
	return cancel && *cancel;
}

bool out_tty_is_behind(int fd)
{
	pid_t front = tcgetpgrp(fd);

	return front >= 0 && front != getpgrp();
}

int out_tty_foreground(int fd, const volatile int *cancel)
{
	if (!out_tty_is_behind(fd))
		return 0;
	/* of what the kernel stops for, this is what changes nothing */
	while (tcdrain(fd) != 0)
		if (errno != EINTR || is_cancelled(cancel))
			return -1;
	return out_tty_is_behind(fd) ? -1 : 0;
}

/*
 * Line input, and nothing typed so far: an editor may have left it otherwise. Before
 * the question is shown: who sees it may type at once.
 */
static void prepare(int fd, bool echo, struct termios *modes)
{
	modes->c_lflag |= ICANON | ISIG | ECHO;
	if (!echo)
		modes->c_lflag &= ~(tcflag_t)ECHO;
	modes->c_iflag |= ICRNL;
	tcsetattr(fd, TCSAFLUSH, modes);
}

/* Unless somebody else has set other ones since: a shell, while this program was stopped. */
static void restore(int fd, const struct termios *modes, const struct termios *before)
{
	bool echoes = modes->c_lflag & ECHO;
	struct termios now;

	if (tcgetattr(fd, &now) == 0 && ((now.c_lflag ^ modes->c_lflag) & (ICANON | ECHO)) == 0)
		tcsetattr(fd, echoes ? TCSADRAIN : TCSAFLUSH, before);
}

/*
 * 0, or -1 at end of file, on an error or a signal. A character at a time: nothing of it may
 * stay in a library's buffer. It polls first, because a handler with SA_RESTART would
 * restart a read, but never a poll; signals come in only there, so that none is missed just
 * before.
 */
static int read_line(int fd, const sigset_t *signals, char *line)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	for (size_t len = 0; len < OUT_TTY_LINE; len++) {
		if (ppoll(&ready, 1, NULL, signals) < 0 || read(fd, line + len, 1) != 1)
			return -1;
		if (line[len] == '\n') {
			line[len] = '\0';
			return 0;
		}
	}
	return -1;
}

struct question {
	const char *text;
	bool echo;
	const volatile int *cancel;
};

/* 0 or -1, as read_line. The signals that come meanwhile wait, one ends it. */
static int ask(int fd, const struct question *question, const sigset_t *signals, char *line)
{
	struct termios before, modes;
	int status = -1;

	if (is_cancelled(question->cancel) || out_tty_is_behind(fd) ||
	    tcgetattr(fd, &before) != 0)
		return -1;
	modes = before;
	prepare(fd, question->echo, &modes);
	if (write(fd, question->text, strlen(question->text)) >= 0)
		status = read_line(fd, signals, line);
	restore(fd, &modes, &before);
	if (!question->echo)
		(void)!write(fd, "\n", 1); /* the line end that was not echoed */
	return status;
}

/* As out_tty_ask, or the number of a signal that would have stopped or ended it. */
static int ask_guarded(int fd, const struct question *question, char *line)
{
	struct out_tty_guard guard;
	sigset_t all, signals;

	if (out_tty_foreground(fd, question->cancel) != 0)
		return is_cancelled(question->cancel) ? 1 : -1;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &signals);
	out_tty_guard(&guard);
	int status = ask(fd, question, &signals, line) == 0 ? 0 : 1;
	int number = status == 0 ? 0 : out_tty_is_behind(fd) ? SIGCONT : out_tty_noted();
	out_tty_unguard(&guard);
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	return number ? number : status;
}

int out_tty_ask(const char *text, bool echo, const volatile int *cancel,
		char ret_line[OUT_TTY_LINE])
{
	struct question question = {text, echo, cancel};
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int status = -1;

	if (fd < 0)
		return -1;
	while ((status = ask_guarded(fd, &question, ret_line)) > 1)
		raise(status); /* and asks again, when it goes on after a Ctrl-Z */
	close(fd);
	return status;
}
