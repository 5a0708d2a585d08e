#ifndef TESTS_UNIT_SOURCE_SERVER_H
#define TESTS_UNIT_SOURCE_SERVER_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "source/source.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * An upstream that answers from a table, byte for byte as told, on a free
 * loopback port; one thread per connection. And a fetch that keeps what came.
 */
enum server_then { THEN_KEEP, THEN_CLOSE, THEN_RESET, THEN_HANG, THEN_TRICKLE };

struct server_reply {
	const char *status;  /* "200 OK", framed with Content-Length; NULL: body goes out raw */
	const char *headers; /* further ones, each with CR LF */
	const char *body;
	size_t len; /* 0: strlen(body) */
	enum server_then then;
};

struct server_route {
	const char *path; /* without the query */
	struct server_reply
	    replies[3]; /* the n-th request gets the n-th, later ones the last */
	atomic_int hits;
};

#define REPLY(status_, headers_, body_)                                                        \
	{                                                                                      \
		.status = (status_), .headers = (headers_), .body = (body_)                    \
	}
#define RAW(body_, then_)                                                                      \
	{                                                                                      \
		.body = (body_), .then = (then_)                                               \
	}
#define ROUTE(path_, ...)                                                                      \
	{                                                                                      \
		.path = (path_), .replies = { __VA_ARGS__ }                                    \
	}
#define ROUTE_END                                                                              \
	{                                                                                      \
		.path = NULL                                                                   \
	}

#define SERVER_CONNECTIONS 2048

struct server {
	struct server_route *routes; /* ends with a NULL path, which answers 404 */
	int fd;
	char url[64];
	pthread_t acceptor;
	pthread_t threads[SERVER_CONNECTIONS];
	int fds[SERVER_CONNECTIONS];
	atomic_int connections;
	atomic_int requests;
	pthread_mutex_t lock;
	char last[4096]; /* the last request's head */
};

struct server_connection {
	struct server *server;
	int index;
};

static inline bool server_send(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Until the peer closes. */
static inline void server_hang(int fd)
{
	char sink[512];

	while (recv(fd, sink, sizeof sink, 0) > 0)
		continue;
}

static inline bool server_trickle(int fd, const char *data, size_t len)
{
	struct pollfd gone = {.fd = fd, .events = POLLIN};

	for (size_t i = 0; i < len; i++)
		if (!server_send(fd, data + i, 1) || poll(&gone, 1, 10) != 0)
			return false;
	return true;
}

static inline void server_reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	int closed = open("/dev/null", O_RDONLY);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	dup2(closed, fd); /* closes with RST, keeps the number */
	close(closed);
}

static inline bool server_reply_to(int fd, const struct server_reply *reply)
{
	const char *body = reply->body ? reply->body : "";
	size_t len = reply->len ? reply->len : strlen(body);
	char head[1024];

	if (reply->status) {
		snprintf(head, sizeof head, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n",
			 reply->status, reply->headers ? reply->headers : "", len);
		if (!server_send(fd, head, strlen(head)))
			return false;
	}
	if (reply->then == THEN_TRICKLE)
		return server_trickle(fd, body, len);
	if (!server_send(fd, body, len))
		return false;
	if (reply->then == THEN_HANG)
		server_hang(fd);
	if (reply->then == THEN_RESET)
		server_reset(fd);
	return reply->then == THEN_KEEP;
}

/* The route of "GET /path?query HTTP/1.1". */
static inline struct server_route *server_route_of(struct server *server, const char *head)
{
	const char *path = strchr(head, ' ') ? strchr(head, ' ') + 1 : "";
	size_t len = strcspn(path, " ?");
	struct server_route *route = server->routes;

	while (route->path &&
	       (strlen(route->path) != len || strncmp(route->path, path, len) != 0))
		route++;
	return route;
}

static inline bool server_answer(struct server *server, int fd, const char *head)
{
	static const struct server_reply missing = {.status = "404 Not Found", .body = "no"};
	struct server_route *route = server_route_of(server, head);
	const struct server_reply *reply = &missing;

	server->requests++;
	pthread_mutex_lock(&server->lock);
	snprintf(server->last, sizeof server->last, "%s", head);
	pthread_mutex_unlock(&server->lock);
	if (route->path) {
		int turn = route->hits++;

		while (turn > 2 ||
		       (turn > 0 && !route->replies[turn].status && !route->replies[turn].body))
			turn--;
		reply = &route->replies[turn];
	}
	return server_reply_to(fd, reply);
}

static inline void *server_connection_run(void *ctx)
{
	struct server_connection *connection = ctx;
	struct server *server = connection->server;
	int fd = server->fds[connection->index];
	char head[4096];
	size_t len = 0;
	bool open = true;

	while (open) {
		ssize_t n = recv(fd, head + len, sizeof head - 1 - len, 0);

		if (n <= 0)
			break;
		len += (size_t)n;
		head[len] = '\0';
		if (head[0] == 0x16) { /* a TLS ClientHello: what a plain server says to it */
			server_send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
			break;
		}
		if (strstr(head, "\r\n\r\n")) {
			open = server_answer(server, fd, head);
			len = 0;
		}
	}
	shutdown(fd, SHUT_RDWR);
	free(connection);
	return NULL;
}

static inline void *server_accept(void *ctx)
{
	struct server *server = ctx;
	int fd = -1;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0 &&
	       server->connections < SERVER_CONNECTIONS) {
		struct server_connection *connection = malloc(sizeof *connection);
		int index = server->connections;
		int on = 1;

		*connection = (struct server_connection){server, index};
		server->fds[index] = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if (pthread_create(&server->threads[index], NULL, server_connection_run,
				   connection))
			abort();
		server->connections++;
	}
	return NULL;
}

static inline void server_start(struct server *server, struct server_route *routes)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;

	signal(SIGPIPE, SIG_IGN);
	setenv("no_proxy", "*", 1); /* whatever the environment of the tests says */
	memset(server, 0, sizeof *server);
	pthread_mutex_init(&server->lock, NULL);
	server->routes = routes;
	for (struct server_route *route = routes; route->path; route++)
		route->hits = 0;
	server->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server->fd, (struct sockaddr *)&address, len) < 0 ||
	    listen(server->fd, 1024) < 0 ||
	    getsockname(server->fd, (struct sockaddr *)&address, &len) < 0)
		abort();
	snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d",
		 ntohs(address.sin_port));
	if (pthread_create(&server->acceptor, NULL, server_accept, server))
		abort();
}

static inline void server_stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->acceptor, NULL);
	close(server->fd);
	for (int i = 0; i < server->connections; i++) {
		shutdown(server->fds[i], SHUT_RDWR);
		pthread_join(server->threads[i], NULL);
		close(server->fds[i]);
	}
	pthread_mutex_destroy(&server->lock);
}

/* What a fetch gave, kept beyond the callback. */
struct got {
	int calls;
	struct source_answer answer; /* its views point into the buffers */
	struct buf value;
	struct buf etag;
	struct buf last_modified;
	struct err error;
};

static inline void got_answer(void *ctx, const struct source_answer *answer)
{
	struct got *got = ctx;

	got->calls++;
	got->answer = *answer;
	buf_clear(&got->value);
	buf_add(&got->value, answer->value);
	got->answer.value = buf_bytes(&got->value);
	buf_clear(&got->etag);
	buf_add(&got->etag, answer->etag);
	got->answer.etag = buf_bytes(&got->etag);
	buf_clear(&got->last_modified);
	buf_add(&got->last_modified, answer->last_modified);
	got->answer.last_modified = buf_bytes(&got->last_modified);
	if (answer->error)
		got->error = *answer->error;
}

static inline void got_release(struct got *got)
{
	buf_release(&got->value);
	buf_release(&got->etag);
	buf_release(&got->last_modified);
	*got = (struct got){0};
}

static const uint16_t server_retried[] = {408, 429, 500, 502, 503, 504};

/* A source on url: quick, patient enough for a slow machine, three tries. */
static inline struct source_def server_source(const char *url)
{
	struct source_def def = {.name = "api",
				 .base_url = url,
				 .timeout_ms = 10000,
				 .connect_ms = 5000,
				 .max_body = 65536,
				 .concurrency = 4,
				 .max_redirects = 3};

	def.retry.max = 2;
	def.retry.base_ms = 1;
	def.retry.cap_ms = 5;
	def.retry.statuses = server_retried;
	def.retry.status_count = sizeof server_retried / sizeof *server_retried;
	return def;
}

/* Fetches a chain on a fetcher of its own. */
static inline void got_fetch(struct got *got, const struct source_request *steps, size_t count)
{
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, &got->error);

	fetcher_submit(fetcher, steps, count, got_answer, got);
	if (got->calls != 0 || fetcher_drain(fetcher, &got->error) < 0)
		abort();
	fetcher_free(fetcher);
}

#endif
