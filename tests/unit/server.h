#ifndef TESTS_UNIT_SERVER_H
#define TESTS_UNIT_SERVER_H

#include "check.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * Real servers for unit tests. A server lives in a directory of its own under
 * TMPDIR, listens on a unix socket (and a free loopback port when asked), and
 * dies with the test, however that ends (PR_SET_PDEATHSIG).
 */
struct server {
	pid_t pid;
	unsigned port; /* 0: unix socket only */
	char dir[96];
	char socket[104];
};

#define SERVER_DEADLINE_MS 60000

/* Polls a condition; false when the deadline passed. */
#define SERVER_UNTIL(condition)                                                                \
	({                                                                                     \
		uint64_t until_deadline = clock_mono_ms() + SERVER_DEADLINE_MS;                \
		bool until_met;                                                                \
		while (!(until_met = (condition)) && clock_mono_ms() < until_deadline)         \
			nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);               \
		until_met;                                                                     \
	})

static inline bool server_port_is_free(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

	close(fd);
	return is_free;
}

/* A port of 127.0.0.1 from below the ephemeral range: no client takes it meanwhile. With +10000
 * (a cluster's bus) free too. */
static inline unsigned server_free_port(void)
{
	unsigned port;

	do {
		uint32_t random = 0;

		if (getrandom(&random, sizeof random, 0) < 0)
			abort();
		port = 10240 + random % 11000;
	} while (!server_port_is_free(port) || !server_port_is_free(port + 10000));
	return port;
}

static inline bool server_answers(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	bool answers = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return answers;
}

static inline void server_make_dir(struct server *server)
{
	const char *base = getenv("TMPDIR");

	snprintf(server->dir, sizeof server->dir, "%s/cc-unit" UNIQUE, base ? base : "/tmp");
	if (!mkdtemp(server->dir))
		abort();
	snprintf(server->socket, sizeof server->socket, "%s/s", server->dir);
}

/* Runs argv, silent, so that it cannot outlive us. */
static inline pid_t server_spawn(const char *dir, char *const *argv)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int null = open("/dev/null", O_RDWR);
	if (getppid() != parent || null < 0 || chdir(dir) < 0)
		_exit(127);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	execvp(argv[0], argv);
	_exit(127);
}

static inline bool server_is_gone(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == pid;
}

/* (Re)starts redis-server in server's directory; extra words go to its command line. */
static inline bool server_try(struct server *server, const char *const *extra)
{
	char port[16];
	const char *argv[64] = {"redis-server", "--port",    port,
				"--bind",       "127.0.0.1", "--unixsocket",
				server->socket, "--save",    "",
				"--appendonly", "no",        "--enable-debug-command",
				"yes"};
	size_t argc = 0;

	snprintf(port, sizeof port, "%u", server->port);
	while (argv[argc])
		argc++;
	while (extra && *extra)
		argv[argc++] = *extra++;
	server->pid = server_spawn(server->dir, (char *const *)argv);
	return SERVER_UNTIL(server_answers(server->socket) || server_is_gone(server->pid)) &&
	       server_answers(server->socket);
}

static inline void server_run(struct server *server, const char *const *extra)
{
	if (!server_try(server, extra)) {
		printf("Bail out! redis-server did not start\n");
		exit(1);
	}
}

static inline void server_start(struct server *server, bool tcp, const char *const *extra)
{
	*server = (struct server){0};
	server_make_dir(server);
	server->port = tcp ? server_free_port() : 0;
	for (int tries = 5; tcp && tries > 0; tries--) { /* another test may pick the same */
		if (server_try(server, extra))
			return;
		waitpid(server->pid, NULL, 0);
		server->port = server_free_port();
	}
	server_run(server, extra);
}

static inline void server_kill(struct server *server)
{
	if (server->pid <= 0)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
	unlink(server->socket);
}

/* True once the server's process is stopped by SIGSTOP. */
static inline bool server_is_stopped(pid_t pid)
{
	char path[64];
	char text[512] = "";

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	size_t len = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[len] = '\0';
	char *state = strrchr(text, ')');
	return state && strncmp(state, ") T", 3) == 0;
}

static inline void server_stop(struct server *server)
{
	char *const argv[] = {"rm", "-rf", server->dir, NULL};

	server_kill(server);
	pid_t pid = server_spawn("/", argv);
	waitpid(pid, NULL, 0);
}

#endif
