#ifndef TESTS_UNIT_FAKE_H
#define TESTS_UNIT_FAKE_H

#include "server.h"

/*
 * A server in a process of its own that says `says` to everyone who connects,
 * after the client's first bytes when listens is set, and closes, or keeps the
 * connection open until the client leaves; then it says `then` to all that the
 * client sends further, when that is not empty.
 */
struct fake_script {
	struct bytes says;
	struct bytes then;
	bool listens;
	bool closes;
};

struct fake {
	pid_t pid;
	unsigned port;
};

static inline void fake_say(int client, struct bytes says)
{
	if (says.len > 0 && write(client, says.ptr, says.len) < 0)
		_exit(1);
}

static inline void fake_serve(int fd, const struct fake_script *script)
{
	char data[4096];

	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client < 0)
			_exit(1);
		if (script->listens && read(client, data, sizeof data) < 0)
			_exit(1);
		fake_say(client, script->says);
		if (script->closes)
			shutdown(client, SHUT_WR);
		while (read(client, data, sizeof data) > 0)
			fake_say(client, script->then);
		close(client);
	}
}

static inline void fake_start(struct fake *fake, struct fake_script script)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t parent = getpid();

	if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 8) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		abort();
	fake->port = ntohs(address.sin_port);
	fake->pid = fork();
	if (fake->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		fake_serve(fd, &script);
	}
	close(fd);
}

static inline void fake_stop(struct fake *fake)
{
	kill(fake->pid, SIGKILL);
	waitpid(fake->pid, NULL, 0);
}

#endif
