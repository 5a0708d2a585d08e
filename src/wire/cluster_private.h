#ifndef WIRE_CLUSTER_PRIVATE_H
#define WIRE_CLUSTER_PRIVATE_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/cluster.h"
#include "wire/redis_private.h"
#include "wire/slot.h"
#include "wire/target.h"

/* A node that was met: announced, or named by a redirection. Never forgotten. */
struct cluster_node {
	struct cluster *cluster;
	struct target target; /* self's, with another address */
	struct redis *session;
	bool is_serving; /* slots: a primary, or for a reader a replica in its place */
	struct cluster_node *primary; /* a reader's: whose keys a serving one has */
	struct buf primary_name;
	int64_t behind;  /* see redis_place */
	struct buf why;  /* no replica serves in its place */
	uint64_t opened; /* of the connection that the descriptor set holds */
	short events;
};

/* A command from its submit to its answer. */
struct cluster_flight {
	struct cluster_flight *next; /* parked, or spare */
	struct cluster *cluster;
	struct cluster_node *node; /* where it flies, or was refused last */
	struct cluster_node *ask;  /* go there once, with ASKING */
	bool counted;              /* in its slot's flying */
	int slot;                  /* -1: any node */
	uint64_t number;           /* in the order of submission */
	unsigned tries;
	size_t expect;
	unsigned flags;
	redis_reply_fn *fn;
	void *ctx;
	uint64_t due_ms;      /* parked: not before */
	uint64_t give_up_ms;  /* since its first trouble; 0: none yet */
	enum reply_type said; /* the last trouble, REPLY_ERROR or REPLY_LOST */
	struct buf text;      /* its words */
	struct buf raw;       /* parked: the command */
};

/* The commands of one slot: in flight, all at one node, and parked. */
struct cluster_slot {
	struct cluster_node *owner; /* NULL: unknown */
	struct cluster_node *at;
	uint32_t flying;
	uint32_t parked;
	uint64_t latest; /* of those under way, the highest number */
};

struct cluster {
	struct redis *self;
	struct cluster_node **nodes;
	size_t count;
	struct cluster_slot slots[SLOT_COUNT];
	uint64_t begun;                /* commands so far */
	struct cluster_flight *parked; /* oldest first */
	struct cluster_flight **parked_end;
	struct cluster_flight **parked_last; /* behind the one that was parked last */
	size_t parked_count;
	struct cluster_flight *spare;
	bool is_stale;       /* the map is to be asked for again */
	uint64_t refresh_ms; /* not before */
	bool turning;        /* callbacks may run: nobody waits */
	bool giving_up;
	const struct cluster_node *answering;
	struct err lost; /* a command's, whose node was out of reach: to be told when nothing
			    is under way */
	struct redis_counts sum;         /* as cluster_counts gave it last */
	int descriptors;                 /* epoll, over the nodes' connections; -1: none yet */
	uint8_t blocked[SLOT_COUNT / 8]; /* of a pump: slots whose older command stays parked */
};

/* cluster_nodes.c: which nodes there are, and who serves what. */

/* Asks a node for the map and applies it. -1 with ERR_REDIS. */
int cluster_nodes_learn(struct cluster *cluster, struct redis *session, const char *host,
			struct err *err);
/* The node of that address, made when it is new. */
struct cluster_node *cluster_nodes_find(struct cluster *cluster, struct bytes host,
					uint16_t port);
/* Asks the nodes in turn for the map when it is stale and its time has come. */
void cluster_nodes_refresh(struct cluster *cluster);
/* A primary that answers, for what any may do; else any node. */
struct cluster_node *cluster_nodes_any(struct cluster *cluster);
void cluster_nodes_release(struct cluster *cluster);

/* cluster_flight.c: commands in flight, their redirections. */

/* Sends the command on its way, or parks it. Never waits. */
void cluster_flight_begin(struct cluster *cluster, const struct redis_command *command,
			  struct cluster_node *node, int slot);
/*
 * Sends what is parked and due. A command whose time is over as its node is out of reach is
 * answered REPLY_LOST, and cluster->lost names the node.
 */
void cluster_flight_pump(struct cluster *cluster);
/* Milliseconds until a parked command is due; -1: none is. */
int cluster_flight_patience(const struct cluster *cluster);
/* Answers all that are parked with REPLY_LOST. */
void cluster_flight_abandon(struct cluster *cluster, const char *why);
void cluster_flight_release(struct cluster *cluster);

#endif
