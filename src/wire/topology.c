#include "wire/topology.h"

#include "base/err.h"
#include "base/mem.h"
#include "wire/reply.h"

#include <stdlib.h>
#include <string.h>

/* More than the specification recommends, by far. */
#define NODES_MAX 4096

static bool is_integer(const struct reply *reply, int64_t min, int64_t max)
{
	return reply->type == REPLY_INTEGER && reply->integer >= min && reply->integer <= max;
}

/* What the node says of itself beside its endpoint (since 7.0): names and values in turn. */
static struct bytes told(const struct reply *node, const char *name)
{
	const struct reply *list = node->count > 3 ? node->items[3] : NULL;

	for (size_t i = 0; list && list->type == REPLY_ARRAY && i + 1 < list->count; i += 2)
		if (bytes_equal_str(list->items[i]->text, name))
			return list->items[i + 1]->text;
	return (struct bytes){0};
}

/* "?": host names are preferred, and this node was given none. */
static struct bytes host_of(const struct reply *node, const char *asked_host)
{
	struct bytes host = node->items[0]->text;

	if (bytes_equal_str(host, "?"))
		host = told(node, "ip");
	return host.len > 0 ? host : bytes_of(asked_host);
}

static bool is_node(const struct reply *reply)
{
	if (reply->type != REPLY_ARRAY || reply->count < 2 ||
	    (reply->items[0]->type != REPLY_STRING && reply->items[0]->type != REPLY_NIL) ||
	    !is_integer(reply->items[1], 0, UINT16_MAX))
		return false;
	struct bytes host = host_of(reply, "");
	return bytes_index(host, '\0') == host.len;
}

static bool is_range(const struct reply *reply)
{
	if (reply->type != REPLY_ARRAY || reply->count < 2 || reply->count > NODES_MAX ||
	    !is_integer(reply->items[0], 0, SLOT_COUNT - 1) ||
	    !is_integer(reply->items[1], reply->items[0]->integer, SLOT_COUNT - 1))
		return false;
	for (size_t i = 2; i < reply->count; i++)
		if (!is_node(reply->items[i]))
			return false;
	return true;
}

/* The node's index, added when it is new. */
static size_t find(struct topology *topology, const struct reply *node, const char *asked_host)
{
	struct bytes host = host_of(node, asked_host);
	uint16_t port = (uint16_t)node->items[1]->integer;
	size_t i;

	for (i = 0; i < topology->count; i++)
		if (topology->nodes[i].port == port &&
		    bytes_equal_str(host, topology->nodes[i].host))
			return i;
	topology->nodes = mem_resize(topology->nodes, i + 1, sizeof *topology->nodes);
	topology->nodes[i] = (struct topology_node){
	    .host = mem_bytesdup(host), .port = port, .is_replica = true};
	topology->count++;
	return i;
}

static void add_range(struct topology *topology, const struct reply *range,
		      const char *asked_host)
{
	int16_t primary = 0;

	for (size_t i = 2; i < range->count; i++) {
		size_t node = find(topology, range->items[i], asked_host);

		if (i > 2) {
			topology->nodes[node].primary = primary;
			continue;
		}
		primary = (int16_t)node;
		topology->nodes[node].is_replica = false;
		for (int64_t slot = range->items[0]->integer; slot <= range->items[1]->integer;
		     slot++)
			topology->owner[slot] = (int16_t)node;
	}
}

int topology_read(const struct reply *reply, const char *asked_host,
		  struct topology *ret_topology, struct err *err)
{
	struct topology topology = {0};

	for (size_t slot = 0; slot < SLOT_COUNT; slot++)
		topology.owner[slot] = -1;
	if (reply->type != REPLY_ARRAY)
		return err_set(err, ERR_REDIS, "CLUSTER SLOTS: not a list of slot ranges");
	for (size_t i = 0; i < reply->count; i++) {
		if (!is_range(reply->items[i]) || topology.count > NODES_MAX) {
			topology_release(&topology);
			return err_set(err, ERR_REDIS,
				       "CLUSTER SLOTS: range %zu makes no sense", i + 1);
		}
		add_range(&topology, reply->items[i], asked_host);
	}
	*ret_topology = topology;
	return 0;
}

void topology_release(struct topology *topology)
{
	for (size_t i = 0; i < topology->count; i++)
		free(topology->nodes[i].host);
	free(topology->nodes);
	*topology = (struct topology){0};
}
