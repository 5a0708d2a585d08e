#include "wire/cluster_private.h"

#include "base/clock.h"
#include "wire/replica.h"
#include "wire/topology.h"

#include <stdlib.h>
#include <string.h>

#define REFRESH_MS 100 /* not more often */

static struct cluster_node *add(struct cluster *cluster, struct bytes host, uint16_t port)
{
	struct cluster_node *node = mem_zalloc(1, sizeof *node);

	node->cluster = cluster;
	node->target = *cluster->self->target;
	node->target.host = mem_bytesdup(host);
	node->target.port = port;
	node->target.socket = NULL;
	node->target.readonly = cluster->self->reads_only;
	node->behind = -1;
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

/* --- a reader's replicas --- */

/* Of the replicas of a primary: the one that served it until now, the others, those that are
 * out. */
static int rank(const struct cluster_node *node, const struct cluster_node *primary)
{
	if (redis_is_ill(node->session))
		return 2;
	return node->is_serving && node->primary == primary ? 0 : 1;
}

static size_t list_replicas(const struct topology *topology, size_t primary,
			    struct cluster_node *const *met, struct cluster_node **list)
{
	size_t count = 0;

	for (int turn = 0; turn <= 2; turn++)
		for (size_t i = 0; i < topology->count; i++)
			if (topology->nodes[i].is_replica &&
			    topology->nodes[i].primary == (int16_t)primary &&
			    rank(met[i], met[primary]) == turn)
				list[count++] = met[i];
	return count;
}

/* Who serves the slots of a primary: a replica that is fit for it, or else itself. */
static struct cluster_node *stand_in(struct cluster *cluster, const struct topology *topology,
				     size_t index, struct cluster_node *const *met)
{
	struct cluster_node **list = mem_resize(NULL, topology->count, sizeof *list);
	struct target *targets = mem_resize(NULL, topology->count, sizeof *targets);
	size_t count = list_replicas(topology, index, met, list);
	struct cluster_node *primary = met[index], *node = primary;
	int64_t behind = -1;

	for (size_t i = 0; i < count; i++)
		targets[i] = list[i]->target;
	size_t chosen = replica_choose(&primary->target, targets, count, cluster->self->cancel,
				       &behind, &primary->why);
	if (chosen < count) {
		node = list[chosen];
		node->session->ill_ms = node->session->due_ms = 0; /* it answered just now */
		buf_clear(&node->why);
		buf_clear(&node->primary_name);
		target_describe_place(&primary->target, &node->primary_name);
	}
	node->primary = primary;
	node->behind = behind;
	free(list);
	free(targets);
	return node;
}

/* --- the map --- */

static void apply(struct cluster *cluster, const struct topology *topology)
{
	bool reads = cluster->self->reads_only;
	struct cluster_node **met = mem_zalloc(topology->count + 1, sizeof *met);
	struct cluster_node **serving = mem_zalloc(topology->count + 1, sizeof *serving);

	for (size_t i = 0; i < topology->count; i++) {
		const struct topology_node *node = &topology->nodes[i];

		if (reads || !node->is_replica)
			met[i] = cluster_nodes_find(cluster, bytes_of(node->host), node->port);
	}
	for (size_t i = 0; i < topology->count; i++)
		if (!topology->nodes[i].is_replica)
			serving[i] = reads ? stand_in(cluster, topology, i, met) : met[i];
	for (size_t i = 0; i < cluster->count; i++)
		cluster->nodes[i]->is_serving = false;
	for (size_t i = 0; i < topology->count; i++)
		if (serving[i])
			serving[i]->is_serving = true;
	for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
		int owner = topology->owner[slot];

		cluster->slots[slot].owner = owner < 0 ? NULL : serving[owner];
	}
	free(met);
	free(serving);
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

	target_hasten(&target);
	struct redis *session = redis_new_node(&target, cluster->self);
	session->impatient = true;
	int status = cluster_nodes_learn(cluster, session, target.host, &ignored);
	redis_free(session);
	if (status < 0 && ignored.kind == ERR_REDIS &&
	    !redis_is_ill(node->session)) /* the others are asked first */
		node->session->ill_ms = clock_mono_ms();
	return status;
}

void cluster_nodes_refresh(struct cluster *cluster)
{
	if (!cluster->is_stale || clock_mono_ms() < cluster->refresh_ms)
		return;
	for (int out = 0; out < 2 && cluster->is_stale; out++) {
		size_t count = cluster->count; /* learning may add */

		for (size_t i = 0; i < count && cluster->is_stale; i++) {
			if (redis_is_ill(cluster->nodes[i]->session) == out &&
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

		if (node->is_serving && !redis_is_ill(node->session))
			return node;
		if (node->is_serving && !any->is_serving)
			any = node;
	}
	return any;
}

void cluster_nodes_release(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++) {
		redis_free(cluster->nodes[i]->session);
		free(cluster->nodes[i]->target.host);
		buf_release(&cluster->nodes[i]->primary_name);
		buf_release(&cluster->nodes[i]->why);
		free(cluster->nodes[i]);
	}
	free(cluster->nodes);
}
