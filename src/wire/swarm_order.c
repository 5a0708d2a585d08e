#include "wire/swarm_private.h"

#include "base/err.h"
#include "base/mem.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>

/*
 * One server answers many connections about in the order of their commands. So only the
 * one that has waited longest need be watched, and the others are read after it as far as
 * there is something: a connection in an epoll set costs the server a turn of that set's
 * lock for each answer, and us a look at each connection beside the read. A server that
 * writes the answers of a round backwards (Redis up to 7.2 does) wakes us when it has
 * written all of them.
 */

/* Fewer gain nothing: each of their answers is waited for. */
#define ORDER_CLIENTS 16

/* How long the oldest may wait before the others are looked at. */
#define LATE_MS 20

bool swarm_order_fits(const struct swarm *swarm)
{
	return !swarm->driver->due && !swarm->slots && swarm->clients >= ORDER_CLIENTS;
}

static struct swarm_link *link_of(const struct swarm *swarm, size_t client)
{
	return &swarm->nodes[0]->links[client];
}

/* For an answer, be it of a command that follows the client's own. */
static bool waits(const struct swarm *swarm, size_t client)
{
	return link_of(swarm, client)->ring.count > 0;
}

int swarm_order_leave(struct swarm *swarm, struct err *err)
{
	swarm->in_order = false;
	for (size_t i = 0; i < swarm->clients; i++)
		if (swarm_link_watch(link_of(swarm, i), EPOLL_CTL_ADD, err) != 0)
			return -1;
	return 0;
}

/* Of the connections that wait for answers: whether any of them has something. */
static bool is_anything_there(const struct swarm *swarm)
{
	struct pollfd *links = mem_zalloc(swarm->clients, sizeof *links);

	for (size_t i = 0; i < swarm->clients; i++) {
		links[i].fd = waits(swarm, i) ? link_of(swarm, i)->fd : -1;
		links[i].events = POLLIN;
	}
	bool anything = poll(links, swarm->clients, 0) > 0;
	free(links);
	return anything;
}

static void step(struct swarm *swarm)
{
	swarm->turn = swarm->turn + 1 == swarm->clients ? 0 : swarm->turn + 1;
}

/* Reads on from the oldest until one has nothing more. How many were answered, or -1. */
static int read_on(struct swarm *swarm, struct err *err)
{
	int answered = 0;

	for (size_t i = 0; i < swarm->clients && swarm->in_order; i++) {
		size_t client = swarm->turn;

		if (waits(swarm, client)) {
			if (swarm_receive(link_of(swarm, client), false, err) != 0)
				return -1;
			if (waits(swarm, client))
				break;
			answered++;
			if (!swarm->over && swarm_refill(swarm, client, err) != 0)
				return -1;
		}
		step(swarm);
	}
	return answered;
}

int swarm_order_turn(struct swarm *swarm, struct err *err)
{
	struct pollfd oldest = {.events = POLLIN};

	/* Towards the end some have nothing to wait for. */
	while (!waits(swarm, swarm->turn))
		step(swarm);
	oldest.fd = link_of(swarm, swarm->turn)->fd;
	int ready = poll(&oldest, 1, LATE_MS);
	if (ready < 0)
		return 0;
	if (ready > 0)
		return read_on(swarm, err);
	if (is_anything_there(swarm))
		return swarm_order_leave(swarm, err);
	return 0;
}
