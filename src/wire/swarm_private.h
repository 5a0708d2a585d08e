#ifndef WIRE_SWARM_PRIVATE_H
#define WIRE_SWARM_PRIVATE_H

#include "base/buf.h"
#include "wire/resp.h"
#include "wire/swarm.h"
#include "wire/target.h"

struct epoll_event;
struct transport;

/* So much is read at once: one room for all connections stays in the processor's cache. */
#define SWARM_INPUT ((size_t)128 * 1024)

/* The commands of a connection that are not answered yet, oldest first. */
struct swarm_ring {
	struct swarm_op *ops;
	size_t size; /* a power of two */
	size_t head;
	size_t count;
};

/* A connection: of one client to one server. */
struct swarm_link {
	struct swarm *swarm;
	struct swarm_node *node;
	size_t client;
	struct transport *transport; /* NULL: not opened yet */
	struct resp *resp;
	int fd;
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

/* A server, with a link for each client. */
struct swarm_node {
	struct target target; /* the swarm's, with another address; only host is owned */
	size_t index;
	struct swarm_link *links;
	size_t under_way;     /* commands not answered */
	uint64_t progress_ns; /* when something was answered last */
	uint64_t moved;
	uint64_t asked;
	uint64_t tried_again;
};

/*
 * The commands of one slot that are in flight, all at one node. Those behind an
 * ASKING do not count: they go where the slot will be.
 */
struct swarm_slot {
	int32_t owner; /* -1: unknown */
	int32_t at;
	uint32_t flying;
	uint32_t parked;
};

/* A command that cannot fly now. */
struct swarm_parked {
	struct swarm_op op;
	size_t client;
	int32_t ask; /* there, with ASKING; -1: to the slot's owner */
};
struct swarm_parking {
	struct swarm_parked *items;
	size_t count;
	size_t size;
};

struct swarm {
	struct target at; /* of a target with sentinels: the primary they named */
	const struct target *target;
	const struct swarm_driver *driver;
	const volatile int *cancel;
	size_t depth;
	size_t clients;
	size_t reply_max;
	size_t *lanes; /* of each client: commands not answered */
	struct swarm_node **nodes;
	size_t node_count;
	int epoll;
	struct swarm_op *batch; /* depth entries */
	char *input;            /* SWARM_INPUT bytes, of the link that is being read */
	bool over;              /* the driver has nothing more */
	size_t under_way;       /* commands not answered, parked ones too */
	uint64_t due_ns;        /* the next command of the schedule */
	size_t turn;            /* the client that takes it */
	struct swarm_link **dirty;
	size_t dirty_count;
	uint64_t now_ns;                 /* when the bytes being read arrived */
	bool in_order;                   /* read without epoll, see swarm_order.c */
	bool blocked;                    /* no connection has room for what is due */
	const struct swarm_node *failed; /* whose connection broke; NULL: unknown */

	/* Of a cluster. */
	struct swarm_slot *slots; /* NULL: no cluster */
	struct buf scratch;
	struct swarm_parking returned; /* redirected: before those that wait */
	struct swarm_parking waiting;  /* for the slot to be drained elsewhere */
	bool pump;                     /* something parked may fly */
};

/* swarm_wait.c */

#define SWARM_EVENTS 128

/* Of the calling thread, before its first wait. */
void swarm_wait_begin(void);
/*
 * Waits for answers, for room, for the time of the next command, at most 100 ms; returns
 * as epoll_wait does.
 */
int swarm_wait(const struct swarm *swarm, struct epoll_event *events);

/* swarm_run.c */

/* Puts a command, whose bytes are in link->filling, behind those under way there. */
void swarm_append(struct swarm_link *link, const struct swarm_op *op, uint64_t now_ns);
void swarm_mark(struct swarm_link *link);
/* Closed loop, the client's batch is answered: sends the next. */
int swarm_refill(struct swarm *swarm, size_t client, struct err *err);

/* swarm_order.c: a closed loop at one server without epoll. */

/* Whether the swarm's connections can be read in order; they are then not watched. */
bool swarm_order_fits(const struct swarm *swarm);
/* Waits for the oldest command's answer, reads it and those behind it. How many connections
 * were answered, or -1. Leaves the order when another is answered before the oldest. */
int swarm_order_turn(struct swarm *swarm, struct err *err);
/* From now on each connection is watched, and tells what is there and when it has room. */
int swarm_order_leave(struct swarm *swarm, struct err *err);

/* swarm_io.c */

/* Sends what the link has filled; what cannot be sent now waits for room. */
int swarm_flush(struct swarm_link *link, struct err *err);
/* Sends a batch over a link that has filled nothing; takes what cannot be sent now. */
int swarm_offer(struct swarm_link *link, struct buf *batch, struct err *err);
/* Reads what is there, to its end when the server has ended it; the answers go to the driver.
 * Names the link's node as the one that failed. */
int swarm_receive(struct swarm_link *link, bool ended, struct err *err);

/* swarm_node.c */

/* A server of that address, without connections. host NULL: the target itself. */
struct swarm_node *swarm_node_add(struct swarm *swarm, const char *host, uint16_t port);
/* The node of that address, made when it is new. */
struct swarm_node *swarm_node_find(struct swarm *swarm, struct bytes host, uint16_t port);
void swarm_node_free(struct swarm_node *node);
/* Asks the target for its cluster's primaries and their slots. */
int swarm_node_learn(struct swarm *swarm, struct err *err);
/* Opens the connection and makes it ready for commands. */
int swarm_link_open(struct swarm_link *link, struct err *err);
/* Says what is waited for, as epoll_ctl does; each event is told once (EPOLLET). */
int swarm_link_watch(struct swarm_link *link, int change, struct err *err);

/* swarm_route.c: of a cluster. */

/* The link that takes a new command; NULL: it was parked. */
struct swarm_link *swarm_route(struct swarm *swarm, size_t client, const struct swarm_op *op);
/* Of an answer: true when its command is on its way again. */
bool swarm_route_answer(struct swarm_link *link, struct swarm_op *op,
			const struct reply *reply);
/* Gives what may fly to its link. */
int swarm_route_pump(struct swarm *swarm, uint64_t now_ns, struct err *err);

#endif
