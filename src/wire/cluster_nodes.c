#include "wire/cluster_private.h"

#include "base/clock.h"
#include "wire/topology.h"

#include <stdlib.h>
#include <string.h>

#define REFRESH_MS 100      /* not more often */
#define ASK_TIMEOUT_MS 1000 /* a node that does not tell the map by then: the next one */

static struct cluster_node *add(struct cluster *cluster, struct bytes host, uint16_t port)
{
	struct cluster_node *node = mem_zalloc(1, sizeof *node);

	node->cluster = cluster;
	node->target = *cluster->self->target;
	node->target.host = mem_bytesdup(host);
	node->target.port = port;
	node->target.socket = NULL;
	node->session = redis_new_node(&node->target, cluster->self);
	cluster->nodes = mem_resize(cluster->nodes, cluster->count + 1, sizeof(void *));
	cluster->nodes[cluster->count++] = node;
	return node;
}

struct cluster_node *cluster_nodes_find(struct cluster *cluster, struct bytes host,
					uint16_t port)
{
	for (size_t i = 0; i < cluster->count; i++) {
		struct cluster_node *node = cluster->nodes[i];

		if (node->target.port == port && bytes_equal_str(host, node->target.host))
			return node;
	}
	return add(cluster, host, port);
}

static void apply(struct cluster *cluster, const struct topology *topology)
{
	struct cluster_node **met = mem_resize(NULL, topology->count + 1, sizeof *met);

	for (size_t i = 0; i < cluster->count; i++)
		cluster->nodes[i]->is_primary = false;
	for (size_t i = 0; i < topology->count; i++) {
		const struct topology_node *node = &topology->nodes[i];

		met[i] = node->is_replica
			     ? NULL
			     : cluster_nodes_find(cluster, bytes_of(node->host), node->port);
		if (met[i])
			met[i]->is_primary = true;
	}
	for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
		int owner = topology->owner[slot];

		cluster->slots[slot].owner = owner < 0 ? NULL : met[owner];
	}
	free(met);
}

int cluster_nodes_learn(struct cluster *cluster, struct redis *session, const char *host,
			struct err *err)
{
	const struct reply *reply = NULL;
	struct topology topology = {0};

	if (redis_call_words(session, REDIS_IDEMPOTENT, &reply, err, "CLUSTER", "SLOTS", NULL) <
	    0)
		return -1;
	if (reply->type == REPLY_ERROR)
		return redis_fail(session, reply, "cluster slots", (struct bytes){0}, err);
	if (topology_read(reply, host, &topology, err) < 0)
		return -1;
	apply(cluster, &topology);
	if (cluster->count ==
	    0) /* a node that serves nothing, and knows of nobody: still a server */
		add(cluster, bytes_of(cluster->self->target->host), cluster->self->target->port)
		    ->target.socket = cluster->self->target->socket;
	topology_release(&topology);
	return 0;
}

/* On a connection of its own: the node's pipeline may be long, or stuck. */
static int ask(struct cluster *cluster, const struct cluster_node *node)
{
	struct target target = node->target;
	struct err ignored = {0};

	if (target.timeout_ms == 0 || target.timeout_ms > ASK_TIMEOUT_MS)
		target.timeout_ms = ASK_TIMEOUT_MS;
	struct redis *session = redis_new_node(&target, cluster->self);
	int status = cluster_nodes_learn(cluster, session, target.host, &ignored);
	redis_free(session);
	return status;
}

void cluster_nodes_refresh(struct cluster *cluster)
{
	if (!cluster->is_stale || clock_mono_ms() < cluster->refresh_ms)
		return;
	for (int out = 0; out < 2 && cluster->is_stale; out++) {
		size_t count = cluster->count; /* learning may add */

		for (size_t i = 0; i < count && cluster->is_stale; i++) {
			if (cluster->nodes[i]->is_out == out &&
			    ask(cluster, cluster->nodes[i]) == 0)
				cluster->is_stale = false;
			if (cluster->self->cancel && *cluster->self->cancel)
				return;
		}
	}
	cluster->refresh_ms = clock_mono_ms() + REFRESH_MS;
}

struct cluster_node *cluster_nodes_any(struct cluster *cluster)
{
	struct cluster_node *any = cluster->nodes[0];

	for (size_t i = 0; i < cluster->count; i++) {
		struct cluster_node *node = cluster->nodes[i];

		if (node->is_primary && !node->is_out)
			return node;
		if (node->is_primary && !any->is_primary)
			any = node;
	}
	return any;
}

void cluster_nodes_release(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++) {
		redis_free(cluster->nodes[i]->session);
		free(cluster->nodes[i]->target.host);
		free(cluster->nodes[i]);
	}
	free(cluster->nodes);
}
