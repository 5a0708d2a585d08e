#include "out/edit.h"

#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>

void out_history_load(const char *path, unsigned most)
{
	using_history();
	stifle_history((int)most);
	read_history(path); /* a first session has none */
}

/* One write, so that lines of two sessions do not mix. */
static int append(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	char *text = mem_printf("%s\n", line);
	ssize_t written = write(fd, text, strlen(text));
	int error = written < 0 ? errno : written == (ssize_t)strlen(text) ? 0 : ENOSPC;

	/* half a line would be the beginning of the next one */
	if (error && written > 0 && lseek(fd, 0, SEEK_CUR) == lseek(fd, 0, SEEK_END) &&
	    ftruncate(fd, lseek(fd, 0, SEEK_CUR) - written) != 0)
		error = errno;
	free(text);
	close(fd);
	errno = error;
	return error ? -1 : 0;
}

int out_history_add(const char *path, const char *line)
{
	HIST_ENTRY *newest =
	    history_length ? history_get(history_base + history_length - 1) : NULL;

	if (newest && strcmp(newest->line, line) == 0)
		return 0;
	add_history(line);
	return path ? append(path, line) : 0;
}

void out_history_trim(const char *path, unsigned most)
{
	sigset_t all, before;

	/* it writes another file beside it, which no signal should leave there */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	history_truncate_file(path, (int)most); /* what cannot be cut is only longer */
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

size_t out_history_count(void)
{
	return (size_t)history_length;
}

const char *out_history_at(size_t index)
{
	HIST_ENTRY *entry = history_get(history_base + (int)index);

	return entry ? entry->line : NULL;
}
