#include "out/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What runs when the user named nothing: less leaves the text on the screen and shows colours.
 */
static const char usual[] =
    "if command -v less >/dev/null; then LESS=\"${LESS--RX}\" exec less; "
    "elif command -v more >/dev/null; then exec more; else exec cat; fi";

static int spawn(const char *command, int input, pid_t *ret_pid)
{
	char *const argv[] = {"sh", "-c", (char *)command, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t plain;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawnattr_init(&attributes);
	sigemptyset(&plain);
	sigaddset(&plain, SIGPIPE);
	sigaddset(&plain, SIGXFSZ);
	sigaddset(&plain, SIGINT);
	sigaddset(&plain, SIGTERM);
	posix_spawnattr_setsigdefault(&attributes, &plain);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	int error = posix_spawn(ret_pid, "/bin/sh", &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error ? -1 : 0;
}

int out_pager_start(struct out_pager *ret_pager)
{
	const char *command = getenv("PAGER");
	int ends[2];
	pid_t pid = 0;

	if (command && (!*command || strcmp(command, "cat") == 0))
		return -1;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	int status = spawn(command ? command : usual, ends[0], &pid);
	close(ends[0]);
	if (status != 0) {
		close(ends[1]);
		return -1;
	}
	*ret_pager = (struct out_pager){.pid = pid, .fd = ends[1]};
	return 0;
}

void out_pager_finish(struct out_pager *pager)
{
	close(pager->fd);
	while (waitpid(pager->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Behind a terminal escape (ECMA-48 §5.4) that begins at text[at]. */
static size_t skip_escape(struct bytes text, size_t at)
{
	if (at + 1 >= text.len || text.ptr[at + 1] != '[')
		return at + 1;
	for (at += 2; at < text.len; at++)
		if (text.ptr[at] >= '@' && text.ptr[at] <= '~')
			return at + 1;
	return at;
}

bool out_pager_exceeds(struct bytes text, unsigned width, unsigned height)
{
	size_t lines = 0;
	size_t columns = 0;

	for (size_t at = 0; at < text.len && lines <= height;) {
		unsigned char c = (unsigned char)text.ptr[at];

		if (c == '\n') {
			lines += columns > width ? (columns + width - 1) / width : 1;
			columns = 0;
		} else if (c == 27) {
			at = skip_escape(text, at);
			continue;
		} else if ((c & 0xc0) != 0x80) {
			columns++;
		}
		at++;
	}
	return lines + (columns > 0) > height;
}
