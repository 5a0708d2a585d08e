#include "../answer.h"

#include "../fuzz.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/resp.h"
#include "wire/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REPLY_MAX ((size_t)64 * 1024 * 1024)
#define PEERS 16 /* connections at once */

static int listening[ANSWER_SERVERS];
static uint16_t ports[ANSWER_SERVERS];
static size_t servers;
static const struct answer_script *script;
static struct bytes rest;
static bool
    broke; /* and nothing was answered since: who asked would wait before it tries again */
static int64_t skipped_ns;

static int count(void *ctx, const struct reply *reply)
{
	size_t *replies = ctx;

	(void)reply;
	++*replies;
	return 0;
}

size_t answer_replies(struct bytes text, bool *ret_sound)
{
	size_t replies = 0;
	struct err err = {0};
	struct resp *resp = resp_new(REPLY_MAX, count, &replies);

	*ret_sound = resp_feed(resp, text.ptr, text.len, &err) == 0;
	resp_free(resp);
	return replies;
}

struct peer {
	int client; /* 0: none */
	char data[65536];
	size_t len;
};

static struct peer peers[PEERS];

/* Nobody of before is left. */
void answer_with(const struct answer_script *answers)
{
	int client;

	script = answers;
	rest = answers ? answers->text : (struct bytes){NULL, 0};
	broke = false;
	for (size_t i = 0; i < PEERS; i++) {
		if (peers[i].client)
			close(peers[i].client);
		peers[i].client = 0;
	}
	for (size_t i = 0; i < servers; i++)
		while ((client = accept4(listening[i], NULL, NULL, SOCK_CLOEXEC)) >= 0)
			close(client);
}

static void say(const struct peer *peer, struct bytes text)
{
	(void)!send(peer->client, text.ptr, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void tell(struct bytes command, struct bytes reply)
{
	if (script && script->said)
		script->said(command, reply);
}

/* -1: hang up. */
static int answer(const struct peer *peer, struct bytes command)
{
	bool over = rest.len == 0;
	struct bytes part = fuzz_part(&rest, (char)0xFE);
	bool is_sound;
	size_t replies = answer_replies(part, &is_sound);
	bool whole = replies > 0 && is_sound;

	if (!whole && !broke && !over) { /* for the end of it somebody would wait */
		tell(command, replies > 0 ? part : (struct bytes){NULL, 0});
		say(peer, part);
		broke = true;
		return -1;
	}
	if (!whole)
		part = BYTES("-ERR nothing more\r\n");
	else
		broke = false;
	tell(command, part);
	say(peer, part);
	return 0;
}

/* The bytes of the command that the data begins with, 0: it is not whole. */
static size_t command_size(const struct peer *peer)
{
	size_t at = 0, words = 1;

	for (size_t word = 0; word <= words; word++) {
		const char *end = memchr(peer->data + at, '\n', peer->len - at);
		size_t number = 0;

		if (!end)
			return 0;
		for (const char *digit = peer->data + at + 1; *digit != '\r'; digit++)
			number = number * 10 + (size_t)(*digit - '0');
		at = (size_t)(end + 1 - peer->data);
		if (word == 0)
			words = number;
		else
			at += number + 2;
		if (at > peer->len)
			return 0;
	}
	return at;
}

static bool greet(struct bytes command, struct buf *reply)
{
	static const struct {
		const char *word;
		const char *reply;
	} greetings[] = {{"SETNAME", "+OK\r\n"}, {"ASKING", "+OK\r\n"}, {"PING", "+PONG\r\n"}};

	if (script && script->own && script->own(command, reply))
		return true;
	if (script && script->greets)
		return false;
	if (memmem(command.ptr, command.len, "HELLO", 5)) {
		const char *mode = script && script->own ? "cluster" : "standalone";

		buf_printf(
		    reply,
		    "*4\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$4\r\nmode\r\n$%zu\r\n%s\r\n",
		    strlen(mode), mode);
		return true;
	}
	for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
		if (memmem(command.ptr, command.len, greetings[i].word,
			   strlen(greetings[i].word))) {
			buf_add_str(reply, greetings[i].reply);
			return true;
		}
	}
	return false;
}

/* -1: it has gone, or is to go. */
static int serve(struct peer *peer)
{
	size_t room = sizeof peer->data - peer->len;
	ssize_t came = recv(peer->client, peer->data + peer->len, room, MSG_DONTWAIT);
	struct buf reply = {0};
	int status = 0;
	size_t size;

	if (came <= 0)
		return came < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	peer->len += (size_t)came;
	while ((size = command_size(peer)) > 0) {
		struct bytes command = {peer->data, size};

		buf_clear(&reply);
		if (status < 0)
			tell(command, (struct bytes){NULL, 0});
		else if (greet(command, &reply))
			say(peer, buf_bytes(&reply));
		else
			status = answer(peer, command);
		peer->len -= size;
		memmove(peer->data, peer->data + size, peer->len);
	}
	buf_release(&reply);
	return status;
}

static void serve_all(void)
{
	size_t server = 0;

	for (size_t i = 0; i < PEERS; i++) {
		struct peer *peer = &peers[i];

		while (!peer->client && server < servers) {
			int client = accept4(listening[server], NULL, NULL, SOCK_CLOEXEC);

			if (client < 0) {
				server++;
				continue;
			}
			/* else the second of two answers waits for the first to be had */
			setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
			peer->client = client;
			peer->len = 0;
		}
		if (peer->client && serve(peer) < 0) {
			close(peer->client);
			peer->client = 0;
		}
	}
}

/* The linker hands us what our own code asks of the system (--wrap). */
int __real_poll(struct pollfd *fds, nfds_t fd_count, int timeout_ms); /* NOLINT(*identifier) */
int __wrap_poll(struct pollfd *fds, nfds_t fd_count, int timeout_ms); /* NOLINT(*identifier) */
int __real_clock_gettime(clockid_t id, struct timespec *ret_now);     /* NOLINT(*identifier) */
int __wrap_clock_gettime(clockid_t id, struct timespec *ret_now);     /* NOLINT(*identifier) */

/* Who is about to wait is served first, by no other thread. When that brings nothing the time
 * is over at once. */
int __wrap_poll(struct pollfd *fds, nfds_t fd_count, int timeout_ms) /* NOLINT(*identifier) */
{
	if (!script)
		return __real_poll(fds, fd_count, timeout_ms);
	serve_all();
	int ready = __real_poll(fds, fd_count, timeout_ms == 0 ? 0 : 1);
	EXPECT(timeout_ms >= 0 || ready != 0);
	if (ready == 0)
		skipped_ns += (int64_t)timeout_ms * 1000000;
	return ready;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ret_now) /* NOLINT(*identifier) */
{
	int status = __real_clock_gettime(id, ret_now);
	int64_t ns = ret_now->tv_nsec + skipped_ns;

	ret_now->tv_sec += ns / 1000000000;
	ret_now->tv_nsec = ns % 1000000000;
	return status;
}

static void start(size_t server)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		abort();
	listening[server] = fd;
	ports[server] = ntohs(address.sin_port);
}

uint16_t answer_port(size_t server)
{
	while (servers <= server)
		start(servers++);
	return ports[server];
}

void answer_target(struct target *target, uint64_t timeout_ms)
{
	if (target->host)
		return;
	target_init(target);
	target->port = answer_port(0);
	target->timeout_ms = timeout_ms;
}
