#ifndef WIRE_SWARM_H
#define WIRE_SWARM_H

#include "wire/reply.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct target;

/*
 * Many clients of one server, driven by one thread as a load generator drives
 * them: each connection is registered with epoll once, edge-triggered, written to
 * at once, and waits for EPOLLOUT only behind an EAGAIN; those of a closed loop are read
 * in the order of their commands instead, as long as they are answered so. Commands and what
 * becomes of their answers are the driver's; so is the schedule. One swarm per
 * thread, no globals.
 *
 * Of a Redis Cluster each client has a connection to every primary, and a
 * command goes to the one that serves its slot. MOVED, ASK and TRYAGAIN are
 * followed and counted, a few times for each command; then it is the driver's error.
 * A client's commands of one slot are answered in order all the same.
 */
struct swarm;

/* A command under way. Times are of clock_mono_ns. */
struct swarm_op {
	uint64_t due_ns;  /* when it should have been sent; sent_ns without a schedule */
	uint64_t sent_ns; /* when it was first given to a connection */
	uint64_t cookie;  /* the driver's */
	uint16_t slot;    /* of its key: the driver says it, of a cluster */
	uint16_t node;    /* that answered */
	uint8_t tries;    /* how often it was sent again */
	uint8_t tails;    /* so many commands follow in the same bytes: the driver says it */
	bool asked;       /* behind an ASKING */
	bool internal;    /* the swarm's own */
};

#define SWARM_NEVER UINT64_MAX

struct swarm_driver {
	void *ctx;
	/*
	 * Appends the next command for that client to out, and fills its cookie, slot
	 * and tails: commands behind it whose answers nobody wants. false: nothing
	 * more to send, now and later.
	 */
	bool (*next)(void *ctx, size_t client, uint64_t now_ns, struct buf *out,
		     struct swarm_op *op);
	/*
	 * The same for a closed loop with one server: the client's next commands, up to
	 * count, into ops, and the bytes of all of them in a buffer of the driver's. It
	 * lasts until the next call; the swarm may take it, with its memory, and leave an
	 * empty one. Fewer than count: nothing more to send.
	 */
	size_t (*batch)(void *ctx, size_t client, uint64_t now_ns, size_t count,
			struct swarm_op *ops, struct buf **ret_bytes);
	/* Appends that command once more: it was redirected. For a cluster. */
	void (*again)(void *ctx, const struct swarm_op *op, struct buf *out);
	/* The answer, inside whose call reply lives; REPLY_LOST when the connection broke. */
	void (*done)(void *ctx, const struct swarm_op *op, const struct reply *reply,
		     uint64_t now_ns);
	/*
	 * Open loop: when the next command is due (it may be past), SWARM_NEVER when
	 * there is none any more; each call is one command. NULL: closed loop, where every
	 * client sends a batch of `depth` and the next when the last is answered.
	 */
	uint64_t (*due)(void *ctx);
	/* May be NULL. Between turns, at most 100 ms apart; false ends the run at once. */
	bool (*turn)(void *ctx, uint64_t now_ns);
};

struct swarm_plan {
	size_t clients;
	size_t depth;     /* closed loop */
	size_t reply_max; /* a longer answer ends the run */
	bool cluster;     /* the target is a node of one */
	const struct swarm_driver *driver;
};

/*
 * Opens the connections, each ready for commands. -1: ERR_REDIS says how many
 * could be had and why not the next. Borrows target and driver.
 */
int swarm_open(const struct target *target, const struct swarm_plan *plan,
	       const volatile int *cancel, struct swarm **ret_swarm, struct err *err);
/*
 * Runs until the driver has no more to send and everything is answered. -1
 * when a connection breaks, or nothing is answered for the target's timeout
 * (ERR_REDIS; what was under way is reported as lost), or *cancel is set
 * (ERR_INTERRUPTED). With a schedule what cannot be sent yet stays due: memory
 * is bounded and no delay is forgotten.
 */
int swarm_run(struct swarm *swarm, const volatile int *cancel, struct err *err);
void swarm_free(struct swarm *swarm);

/* The servers that were met: one, or a cluster's primaries. In the order of swarm_op.node. */
struct swarm_server {
	const char *host; /* borrowed; NULL: a unix socket */
	uint16_t port;
	uint64_t moved; /* commands that it sent elsewhere */
	uint64_t asked;
	uint64_t tried_again;
};
size_t swarm_servers(const struct swarm *swarm);
struct swarm_server swarm_server(const struct swarm *swarm, size_t index);

#endif
