#include "out/terminal.h"

#include "base/mem.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX 512

/* What would end or stop the program with the echo off. */
static const int rude[] = {SIGQUIT, SIGTSTP};
enum { RUDE = sizeof rude / sizeof rude[0] };

static volatile sig_atomic_t noted;

static void note(int number)
{
	noted = number;
}

/*
 * Reads up to the line end, a character at a time: nothing of it may stay in a library's
 * buffer. Signals come in only while it waits, so that none is missed just before.
 */
static int read_line(int fd, const sigset_t *signals, char *line, size_t size)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	size_t len = 0;

	while (len + 1 < size) {
		if (ppoll(&ready, 1, NULL, signals) < 0 || read(fd, line + len, 1) != 1)
			return -1;
		if (line[len] == '\n')
			break;
		len++;
	}
	line[len] = '\0';
	return 0;
}

/* 0, or -1 when there was no line. The terminal is as it was, whatever came. */
static int ask(int fd, const struct termios *before, const char *question, char *line,
	       size_t size)
{
	struct sigaction action = {.sa_handler = note}, former[RUDE];
	struct termios silent = *before;
	sigset_t held, signals;
	int status = -1;

	sigfillset(&held);
	pthread_sigmask(SIG_SETMASK, &held, &signals);
	noted = 0;
	for (size_t i = 0; i < RUDE; i++)
		sigaction(rude[i], &action, &former[i]);
	/* first: who sees the question may type at once */
	silent.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(fd, TCSAFLUSH, &silent);
	if (write(fd, question, strlen(question)) >= 0)
		status = read_line(fd, &signals, line, size);
	tcsetattr(fd, TCSAFLUSH, before);
	(void)!write(fd, "\n", 1); /* the line end that was not echoed; nothing hangs on it */
	for (size_t i = 0; i < RUDE; i++)
		sigaction(rude[i], &former[i], NULL);
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	return status;
}

int out_ask_secret(const char *question, char **ret_secret)
{
	char line[SECRET_MAX];
	struct termios before;
	int status = -1;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &before) == 0) {
		while ((status = ask(fd, &before, question, line, sizeof line)) != 0 && noted)
			raise(noted); /* and asks again, when it goes on after a Ctrl-Z */
		if (status == 0)
			*ret_secret = mem_strdup(line);
		status = status == 0 ? 0 : 1;
	}
	mem_wipe(line, sizeof line);
	close(fd);
	return status;
}
