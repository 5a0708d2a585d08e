#include "wire/swarm_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/redis.h"
#include "wire/setup.h"
#include "wire/topology.h"
#include "wire/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct swarm_node *swarm_node_add(struct swarm *swarm, const char *host, uint16_t port)
{
	struct swarm_node *node = mem_zalloc(1, sizeof *node);

	node->index = swarm->node_count;
	node->target = *swarm->target;
	node->target.host = NULL;
	if (host) {
		node->target.socket = NULL;
		node->target.port = port;
	} else {
		host = swarm->target->host;
	}
	if (host)
		node->target.host = mem_strdup(host);
	node->links = mem_zalloc(swarm->clients, sizeof *node->links);
	for (size_t i = 0; i < swarm->clients; i++)
		node->links[i] =
		    (struct swarm_link){.swarm = swarm, .node = node, .client = i, .fd = -1};
	swarm->nodes =
	    mem_resize(swarm->nodes, swarm->node_count + 1, sizeof(struct swarm_node *));
	swarm->nodes[swarm->node_count++] = node;
	swarm->dirty = mem_resize(swarm->dirty, swarm->node_count * swarm->clients,
				  sizeof(struct swarm_link *));
	return node;
}

struct swarm_node *swarm_node_find(struct swarm *swarm, struct bytes host, uint16_t port)
{
	for (size_t i = 0; i < swarm->node_count; i++) {
		struct swarm_node *node = swarm->nodes[i];

		if (node->target.port == port && bytes_equal_str(host, node->target.host))
			return node;
	}
	char *name = mem_bytesdup(host);
	struct swarm_node *node = swarm_node_add(swarm, name, port);
	free(name);
	return node;
}

void swarm_node_free(struct swarm_node *node)
{
	for (size_t i = 0; i < node->links[0].swarm->clients; i++) {
		struct swarm_link *link = &node->links[i];

		transport_close(link->transport);
		resp_free(link->resp);
		buf_release(&link->filling);
		buf_release(&link->sending);
		free(link->ring.ops);
	}
	free(node->links);
	free(node->target.host);
	free(node);
}

/* --- the slot map --- */

static int apply(struct swarm *swarm, const struct topology *topology, struct err *err)
{
	int32_t *met = mem_zalloc(topology->count + 1, sizeof *met);

	for (size_t i = 0; i < topology->count; i++) {
		const struct topology_node *node = &topology->nodes[i];

		if (!node->is_replica)
			met[i] =
			    (int32_t)swarm_node_find(swarm, bytes_of(node->host), node->port)
				->index;
	}
	swarm->slots = mem_zalloc(SLOT_COUNT, sizeof *swarm->slots);
	for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
		int owner = topology->owner[slot];

		swarm->slots[slot].owner = owner < 0 ? -1 : met[owner];
	}
	free(met);
	return swarm->node_count > 0
		   ? 0
		   : err_set(err, ERR_REDIS, "no node of the cluster serves any slot");
}

int swarm_node_learn(struct swarm *swarm, struct err *err)
{
	const struct reply *reply = NULL;
	struct topology topology = {0};
	struct redis *redis = redis_new(swarm->target, swarm->cancel);
	int status =
	    redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "CLUSTER", "SLOTS", NULL);

	if (status == 0 && reply->type == REPLY_ERROR)
		status = redis_fail(redis, reply, "cluster slots", (struct bytes){0}, err);
	if (status == 0)
		status = topology_read(reply, swarm->target->host, &topology, err);
	if (status == 0) {
		status = apply(swarm, &topology, err);
		topology_release(&topology);
	}
	redis_free(redis);
	return status;
}

/* --- a connection --- */

static void answered(struct swarm_link *link, const struct swarm_op *op,
		     const struct reply *reply)
{
	struct swarm *swarm = link->swarm;

	swarm->lanes[link->client]--;
	swarm->under_way--;
	swarm->driver->done(swarm->driver->ctx, op, reply, swarm->now_ns);
}

static int on_reply(void *ctx, const struct reply *reply)
{
	struct swarm_link *link = ctx;
	struct swarm_ring *ring = &link->ring;

	if (ring->count == 0)
		return -1;
	const struct swarm_op *op = &ring->ops[ring->head & (ring->size - 1)];
	ring->head++;
	ring->count--;
	link->node->under_way--;
	if (op->internal)
		return 0;
	if (!link->swarm->slots) {
		answered(link, op, reply);
		return 0;
	}
	/* Another command may take its place when it goes on its way again. */
	struct swarm_op routed = *op;
	routed.node = (uint16_t)link->node->index;
	if (!swarm_route_answer(link, &routed, reply))
		answered(link, &routed, reply);
	return 0;
}

int swarm_link_watch(struct swarm_link *link, int change, struct err *err)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = link};

	if (link->waits_for_room)
		event.events |= EPOLLOUT;
	if (epoll_ctl(link->swarm->epoll, change, link->fd, &event) == 0)
		return 0;
	return err_set(err, ERR_REDIS, "cannot watch the connection: %s", strerror(errno));
}

int swarm_link_open(struct swarm_link *link, struct err *err)
{
	struct swarm *swarm = link->swarm;
	const struct target *target = &link->node->target;
	struct setup_facts facts;
	bool refused = false;
	uint64_t deadline = clock_mono_ms() + target->timeout_ms;

	if (transport_open(target, swarm->cancel, &link->transport, err) != 0 ||
	    setup_run(link->transport, target, swarm->cancel, deadline, &facts, &refused,
		      err) != 0) {
		swarm->failed = link->node;
		return -1;
	}
	link->fd = transport_fd(link->transport);
	link->resp = resp_new(swarm->reply_max, on_reply, link);
	return swarm->in_order ? 0 : swarm_link_watch(link, EPOLL_CTL_ADD, err);
}
