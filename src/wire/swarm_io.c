#include "wire/swarm_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "wire/target.h"
#include "wire/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* The most that a record holds (RFC 8446, 5.1). */
#define TLS_RECORD ((size_t)16 * 1024)

/* A cleartext socket is used directly: libcurl's way costs a fifth of the client's time. */
static enum transport_status send_some(struct swarm_link *link, const char *data, size_t len,
				       size_t *ret_done, struct err *err)
{
	if (link->swarm->target->tls)
		return transport_send(link->transport, data, len, ret_done, err);
	for (;;) {
		ssize_t done = send(link->fd, data, len, MSG_NOSIGNAL);

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

static enum transport_status receive_some(struct swarm_link *link, char *data, size_t len,
					  size_t *ret_done, struct err *err)
{
	if (link->swarm->target->tls)
		return transport_recv(link->transport, data, len, ret_done, err);
	for (;;) {
		ssize_t done = recv(link->fd, data, len, 0);

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

static int ask_for_room(struct swarm_link *link, bool wanted, struct err *err)
{
	if (link->waits_for_room == wanted)
		return 0;
	link->waits_for_room = wanted;
	if (link->swarm->in_order)
		return swarm_order_leave(link->swarm, err);
	return swarm_link_watch(link, EPOLL_CTL_MOD, err);
}

int swarm_flush(struct swarm_link *link, struct err *err)
{
	for (;;) {
		if (link->sent == link->sending.len) {
			struct buf empty = link->sending;

			if (link->filling.len == 0)
				break;
			link->sending = link->filling;
			link->filling = empty;
			link->filling.len = 0;
			link->sent = 0;
		}
		size_t done = 0;
		switch (send_some(link, link->sending.ptr + link->sent,
				  link->sending.len - link->sent, &done, err)) {
		case TRANSPORT_OK:
			link->sent += done;
			break;
		case TRANSPORT_AGAIN:
			return ask_for_room(link, true, err);
		case TRANSPORT_CLOSED:
			return -1;
		}
	}
	return ask_for_room(link, false, err);
}

/* Between these calls what is sent goes out in full packets only. */
static void cork(struct swarm_link *link, int on)
{
	setsockopt(link->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

int swarm_offer(struct swarm_link *link, struct buf *batch, struct err *err)
{
	bool records = link->swarm->target->tls && batch->len > TLS_RECORD;
	size_t done = 0;

	/* Each record is a send: without this also a packet, and a wakeup of the server. */
	if (records)
		cork(link, 1);
	enum transport_status status = send_some(link, batch->ptr, batch->len, &done, err);
	if (records)
		cork(link, 0);
	if (status == TRANSPORT_CLOSED)
		return -1;
	if (done == batch->len)
		return 0;
	/* TLS wants the same bytes again, from the same place. */
	buf_release(&link->sending);
	link->sending = *batch;
	link->sent = done;
	*batch = (struct buf){0};
	return swarm_flush(link, err);
}

static int receive(struct swarm_link *link, bool ended, struct err *err)
{
	struct swarm *swarm = link->swarm;

	for (;;) {
		size_t done = 0;

		switch (receive_some(link, swarm->input, SWARM_INPUT, &done, err)) {
		case TRANSPORT_OK:
			break;
		case TRANSPORT_AGAIN:
			return 0;
		case TRANSPORT_CLOSED:
			return -1;
		}
		swarm->now_ns = link->node->progress_ns = clock_mono_ns();
		if (resp_feed(link->resp, swarm->input, done, err) != 0)
			return -1;
		/* What comes from now on is another event; TLS may hold more that none shows.
		 */
		if (done < SWARM_INPUT && !swarm->target->tls && !ended)
			return 0;
	}
}

int swarm_receive(struct swarm_link *link, bool ended, struct err *err)
{
	if (receive(link, ended, err) == 0)
		return 0;
	link->swarm->failed = link->node;
	return -1;
}
