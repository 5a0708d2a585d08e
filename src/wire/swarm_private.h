#ifndef WIRE_SWARM_PRIVATE_H
#define WIRE_SWARM_PRIVATE_H

#include "base/buf.h"
#include "wire/resp.h"
#include "wire/swarm.h"

struct transport;

/* The commands of a connection that are not answered yet, oldest first. */
struct swarm_ring {
	struct swarm_op *ops;
	size_t size; /* a power of two */
	size_t head;
	size_t count;
};

struct swarm_client {
	struct swarm *swarm;
	struct transport *transport;
	struct resp *resp;
	int fd;
	size_t index;
	bool waits_for_room; /* EPOLLOUT is asked for */
	bool dirty;
	/* TLS must be offered the same bytes at the same place: what is being sent never grows.
	 */
	struct buf filling;
	struct buf sending;
	size_t sent;
	size_t unsent; /* the newest so many ops have no sent_ns yet */
	struct swarm_ring ring;
};

struct swarm {
	const struct target *target;
	const struct swarm_driver *driver;
	size_t depth;
	struct swarm_client *clients;
	size_t count;
	int epoll;
	bool over;        /* the driver has nothing more */
	size_t under_way; /* commands not answered */
	uint64_t due_ns;  /* the next command of the schedule */
	size_t turn;      /* the client that takes it */
	struct swarm_client **dirty;
	size_t dirty_count;
	uint64_t now_ns;      /* when the bytes being read arrived */
	uint64_t progress_ns; /* when something was answered last */
	bool blocked;         /* no connection has room for what is due */
};

/* Sends what the client has filled; what cannot be sent now waits for room. */
int swarm_flush(struct swarm_client *client, struct err *err);
/* Reads what is there; the answers go to the driver. */
int swarm_receive(struct swarm_client *client, struct err *err);

#endif
