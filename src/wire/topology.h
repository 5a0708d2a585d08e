#ifndef WIRE_TOPOLOGY_H
#define WIRE_TOPOLOGY_H

#include "wire/slot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct reply;

/* A node as the cluster announces it. Strings are owned. */
struct topology_node {
	char *host;
	uint16_t port;
	bool is_replica; /* of some range, and primary of none */
	int16_t primary; /* of a replica: whose; an index in nodes */
};

/* Which node serves which slot. */
struct topology {
	struct topology_node *nodes;
	size_t count;
	int16_t owner[SLOT_COUNT]; /* index of the primary in nodes; -1: no node serves it */
};

/*
 * Reads the answer to CLUSTER SLOTS (redis.io/docs/latest/commands/cluster-slots):
 * it is deprecated in favour of SHARDS since 7.0, but every version answers it,
 * Redis 8.0 and Valkey 9.1 too, and its endpoints are the ones that MOVED names,
 * with the port of the protocol, TLS or not, that it is asked over. SHARDS also
 * lists replicas that are down or still loading, of which SLOTS is silent: none
 * that could be read. A primary that is down is in both; that it is, who asks it
 * finds out sooner than the cluster says so. asked_host stands for a node
 * that does not know its own address (nil, ""); one whose host name nobody knows ("?")
 * is taken by the address that comes with it. -1 with ERR_REDIS when
 * it is of another form; nothing to release then.
 */
int topology_read(const struct reply *reply, const char *asked_host,
		  struct topology *ret_topology, struct err *err);
void topology_release(struct topology *topology);

#endif
