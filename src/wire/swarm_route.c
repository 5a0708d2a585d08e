#include "wire/swarm_private.h"

#include "base/mem.h"

#include <string.h>

/* Two nodes that send a command to each other end here: it is an error then. */
#define TRIES_MAX 8

#define ASKING "*1\r\n$6\r\nASKING\r\n"

static void park(struct swarm_parking *parking, const struct swarm_op *op, size_t client,
		 int32_t ask)
{
	if (parking->count == parking->size) {
		parking->size = parking->size ? parking->size * 2 : 64;
		parking->items =
		    mem_resize(parking->items, parking->size, sizeof *parking->items);
	}
	parking->items[parking->count++] =
	    (struct swarm_parked){.op = *op, .client = client, .ask = ask};
}

/* Where a slot's next command goes; -1 while older ones are answered by another node. */
static int32_t place_of(const struct swarm_slot *slot)
{
	int32_t owner = slot->owner < 0 ? 0 : slot->owner;

	return slot->flying > 0 && slot->at != owner ? -1 : owner;
}

static void fly(struct swarm_slot *slot, int32_t node)
{
	slot->at = node;
	slot->flying++;
}

struct swarm_link *swarm_route(struct swarm *swarm, size_t client, const struct swarm_op *op)
{
	struct swarm_slot *slot = &swarm->slots[op->slot];
	int32_t node = place_of(slot);

	if (node < 0 || slot->parked > 0 || !swarm->nodes[node]->links[client].transport) {
		park(&swarm->waiting, op, client, -1);
		slot->parked++;
		swarm->pump = swarm->pump || node >= 0;
		return NULL;
	}
	fly(slot, node);
	return &swarm->nodes[node]->links[client];
}

/* --- redirections --- */

/* An empty host is that of the node that said so. */
static struct swarm_node *redirected_to(struct swarm_link *link, struct bytes text)
{
	struct bytes host;
	uint16_t port;

	if (reply_redirection(text, &host, &port) != 0)
		return NULL;
	if (host.len == 0)
		host = bytes_of(link->node->target.host);
	return swarm_node_find(link->swarm, host, port);
}

/* What the answer says of the way: where to ask, -1: to the slot's owner. False: it is one. */
static bool redirection(struct swarm_link *link, const struct swarm_op *op,
			const struct reply *reply, int32_t *ret_ask)
{
	struct swarm_node *said = link->node;
	struct swarm_node *node;

	*ret_ask = -1;
	switch (reply_error_kind(reply)) {
	case REPLY_ERR_MOVED:
		said->moved++;
		node = redirected_to(link, reply->text);
		if (node)
			link->swarm->slots[op->slot].owner = (int32_t)node->index;
		return node != NULL;
	case REPLY_ERR_ASK:
		said->asked++;
		node = redirected_to(link, reply->text);
		if (node)
			*ret_ask = (int32_t)node->index;
		return node != NULL;
	case REPLY_ERR_TRYAGAIN:
		said->tried_again++;
		*ret_ask = op->asked ? (int32_t)said->index : -1;
		return true;
	default:
		return false;
	}
}

bool swarm_route_answer(struct swarm_link *link, struct swarm_op *op, const struct reply *reply)
{
	struct swarm *swarm = link->swarm;
	struct swarm_slot *slot = &swarm->slots[op->slot];
	int32_t ask = -1;

	if (!op->asked && --slot->flying == 0 && slot->parked > 0)
		swarm->pump = true;
	if (reply->type != REPLY_ERROR || !redirection(link, op, reply, &ask) ||
	    op->tries >= TRIES_MAX)
		return false;
	op->tries++;
	park(&swarm->returned, op, link->client, ask);
	slot->parked++;
	swarm->pump = true;
	return true;
}

/* --- what is parked --- */

/* 1: it flies; 0: not yet; -1. */
static int launch(struct swarm *swarm, struct swarm_parked *parked, uint64_t now_ns,
		  struct err *err)
{
	struct swarm_slot *slot = &swarm->slots[parked->op.slot];
	int32_t node = parked->ask >= 0 ? parked->ask : place_of(slot);

	if (node < 0)
		return 0;
	struct swarm_link *link = &swarm->nodes[node]->links[parked->client];
	if (!link->transport && swarm_link_open(link, err) != 0)
		return -1;
	parked->op.asked = parked->ask >= 0;
	if (parked->op.asked) {
		buf_add(&link->filling, BYTES(ASKING));
		swarm_append(link, &(struct swarm_op){.internal = true}, now_ns);
	} else {
		fly(slot, node);
	}
	swarm->driver->again(swarm->driver->ctx, &parked->op, &link->filling);
	swarm_append(link, &parked->op, now_ns);
	swarm_mark(link);
	slot->parked--;
	return 1;
}

/* Keeps those that cannot fly, in their order. */
static int launch_all(struct swarm *swarm, struct swarm_parking *parking, uint64_t now_ns,
		      struct err *err)
{
	size_t kept = 0;
	int status = 0;

	for (size_t i = 0; i < parking->count; i++) {
		int flies = status < 0 ? 0 : launch(swarm, &parking->items[i], now_ns, err);

		if (flies < 0)
			status = -1;
		if (flies <= 0)
			parking->items[kept++] = parking->items[i];
	}
	parking->count = kept;
	return status;
}

int swarm_route_pump(struct swarm *swarm, uint64_t now_ns, struct err *err)
{
	if (!swarm->pump)
		return 0;
	swarm->pump = false;
	if (launch_all(swarm, &swarm->returned, now_ns, err) != 0)
		return -1;
	return launch_all(swarm, &swarm->waiting, now_ns, err);
}
