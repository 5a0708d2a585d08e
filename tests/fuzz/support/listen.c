#include "../listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct listening {
	int fd;
	listen_fn *serve;
};

static pthread_mutex_t serving = PTHREAD_MUTEX_INITIALIZER;

void listen_pause(void)
{
	pthread_mutex_lock(&serving);
}

void listen_go_on(void)
{
	pthread_mutex_unlock(&serving);
}

static void *run(void *ctx)
{
	const struct listening *listening = ctx;

	for (;;) {
		int client = accept(listening->fd, NULL, NULL);

		if (client < 0)
			return NULL;
		/* else the second of two answers waits for longer than who asked does */
		setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		listen_pause();
		listening->serve(client);
		listen_go_on();
		close(client);
	}
}

uint16_t listen_start(listen_fn *serve)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	static struct listening listenings[2];
	static int count;
	struct listening *listening = &listenings[count++];
	pthread_t thread;

	listening->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	listening->serve = serve;
	if (bind(listening->fd, (struct sockaddr *)&address, len) != 0 ||
	    listen(listening->fd, 64) != 0 ||
	    getsockname(listening->fd, (struct sockaddr *)&address, &len) != 0 ||
	    pthread_create(&thread, NULL, run, listening) != 0)
		abort();
	pthread_detach(thread);
	return ntohs(address.sin_port);
}
