#include "wire/swarm_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "wire/target.h"
#include "wire/transport.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* So much is read at once: larger buffers of many connections leave the processor's cache. */
#define FEED ((size_t)32 * 1024)

/* A cleartext socket is used directly: libcurl's way costs a fifth of the client's time. */
static enum transport_status send_some(struct swarm_client *client, const char *data,
				       size_t len, size_t *ret_done, struct err *err)
{
	if (client->swarm->target->tls)
		return transport_send(client->transport, data, len, ret_done, err);
	for (;;) {
		ssize_t done = send(client->fd, data, len, MSG_NOSIGNAL);

		if (done > 0) {
			*ret_done = (size_t)done;
			return TRANSPORT_OK;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return TRANSPORT_AGAIN;
		if (errno != EINTR) {
			err_set(err, ERR_REDIS, "the connection broke: %s", strerror(errno));
			return TRANSPORT_CLOSED;
		}
	}
}

static enum transport_status receive_some(struct swarm_client *client, char *data, size_t len,
					  size_t *ret_done, struct err *err)
{
	if (client->swarm->target->tls)
		return transport_recv(client->transport, data, len, ret_done, err);
	for (;;) {
		ssize_t done = recv(client->fd, data, len, 0);

		if (done > 0) {
			*ret_done = (size_t)done;
			return TRANSPORT_OK;
		}
		if (done == 0) {
			err_set(err, ERR_REDIS, "the server closed the connection");
			return TRANSPORT_CLOSED;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return TRANSPORT_AGAIN;
		if (errno != EINTR) {
			err_set(err, ERR_REDIS, "the connection broke: %s", strerror(errno));
			return TRANSPORT_CLOSED;
		}
	}
}

static void ask_for_room(struct swarm_client *client, bool wanted)
{
	struct epoll_event event = {.events = EPOLLIN | (wanted ? (uint32_t)EPOLLOUT : 0),
				    .data.ptr = client};

	if (client->waits_for_room == wanted)
		return;
	client->waits_for_room = wanted;
	epoll_ctl(client->swarm->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

int swarm_flush(struct swarm_client *client, struct err *err)
{
	for (;;) {
		if (client->sent == client->sending.len) {
			struct buf empty = client->sending;

			if (client->filling.len == 0)
				break;
			client->sending = client->filling;
			client->filling = empty;
			client->filling.len = 0;
			client->sent = 0;
		}
		size_t done = 0;
		switch (send_some(client, client->sending.ptr + client->sent,
				  client->sending.len - client->sent, &done, err)) {
		case TRANSPORT_OK:
			client->sent += done;
			break;
		case TRANSPORT_AGAIN:
			ask_for_room(client, true);
			return 0;
		case TRANSPORT_CLOSED:
			return -1;
		}
	}
	ask_for_room(client, false);
	return 0;
}

int swarm_receive(struct swarm_client *client, struct err *err)
{
	struct swarm *swarm = client->swarm;

	for (;;) {
		size_t done = 0;
		char *room = resp_room(client->resp, FEED);

		switch (receive_some(client, room, FEED, &done, err)) {
		case TRANSPORT_OK:
			break;
		case TRANSPORT_AGAIN:
			return 0;
		case TRANSPORT_CLOSED:
			return -1;
		}
		swarm->now_ns = swarm->progress_ns = clock_mono_ns();
		if (resp_came(client->resp, done, err) != 0)
			return -1;
		/* TLS may hold more that no poll shows. */
		if (done < FEED && !swarm->target->tls)
			return 0;
	}
}
