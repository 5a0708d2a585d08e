#include "out/terminal.h"

#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX 512

/* Reads up to the line end, a character at a time: nothing of it may stay in a library's
 * buffer. */
static ssize_t read_line(int fd, char *line, size_t size)
{
	size_t len = 0;

	while (len + 1 < size) {
		ssize_t got = read(fd, line + len, 1);

		if (got <= 0)
			return -1;
		if (line[len] == '\n')
			break;
		len++;
	}
	line[len] = '\0';
	return (ssize_t)len;
}

int out_ask_secret(const char *question, char **ret_secret)
{
	char line[SECRET_MAX];
	struct termios before, silent;
	int status = -1;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &before) != 0)
		goto out;
	/* first: who sees the question may type at once */
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(fd, TCSAFLUSH, &silent);
	if (write(fd, question, strlen(question)) >= 0 &&
	    read_line(fd, line, sizeof line) >= 0) {
		*ret_secret = mem_strdup(line);
		status = 0;
	}
	tcsetattr(fd, TCSAFLUSH, &before);
	(void)!write(fd, "\n", 1); /* the line end that was not echoed; nothing hangs on it */
	mem_wipe(line, sizeof line);
out:
	close(fd);
	return status;
}
