#ifndef WIRE_CLUSTER_H
#define WIRE_CLUSTER_H

#include "wire/redis.h"

/*
 * The router behind a session whose server is a node of a Redis Cluster: one
 * session per primary, each with its own pipeline, and a map of the slots
 * (redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec). The
 * functions do for all nodes what redis_… do for one; redis.c calls them.
 *
 * Commands of one slot are answered in the order of their submission, over
 * redirections too; over slots there is no order. MOVED, ASK, TRYAGAIN,
 * CLUSTERDOWN and a node that is gone (of idempotent commands, and of those
 * that were not sent) are dealt with here, within the target's timeout since
 * the command's first trouble; then the answer is given as it came, or, with a
 * node out of reach, it is REPLY_LOST. The other nodes go on; when nothing is
 * under way any more, a call fails, naming that node (not for REDIS_ALONE).
 */
struct cluster;

/* Learns the slot map from self's server, which is connected. NULL with err. */
struct cluster *cluster_new(struct redis *self, struct err *err);
void cluster_free(struct cluster *cluster);

int cluster_submit(struct cluster *cluster, const struct redis_command *command,
		   struct err *err);
int cluster_drain(struct cluster *cluster, size_t outstanding, struct err *err);
int cluster_step(struct cluster *cluster, struct err *err);
size_t cluster_outstanding(const struct cluster *cluster);
/* Commands wait to be sent, for the first time or again. NULL: none. */
bool cluster_waits(const struct cluster *cluster);
void cluster_wait(struct cluster *cluster, struct redis_wait *ret_wait);
int cluster_turn(struct cluster *cluster, struct err *err);

/* Of each node's session what redis_set_… did to self. */
void cluster_follow_cancel(struct cluster *cluster);
void cluster_follow_limits(struct cluster *cluster);
/* The sums over the nodes and self. */
const struct redis_counts *cluster_counts(struct cluster *cluster);

/* Asks for the slot map again where it is known to be out of date. */
void cluster_renew(struct cluster *cluster);
int cluster_recover(struct cluster *cluster, struct err *err);
/* The nodes that serve slots (primaries, or a reader's replicas), as redis_nodes and redis_node
 * give them. */
size_t cluster_primaries(const struct cluster *cluster);
struct redis *cluster_primary(struct cluster *cluster, size_t index);
/* Of a reader: what redis_place and redis_node_primary give. */
void cluster_place(struct cluster *cluster, size_t index, struct redis_place *ret_place);
struct redis *cluster_primary_of(struct cluster *cluster, size_t index);
/* The session of the slot's owner; NULL: no node serves it. */
struct redis *cluster_owner(struct cluster *cluster, unsigned slot);
/* The node whose answer is being given, inside a callback; else NULL. */
const struct redis *cluster_answering(const struct cluster *cluster);

#endif
