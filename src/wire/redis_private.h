#ifndef WIRE_REDIS_PRIVATE_H
#define WIRE_REDIS_PRIVATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/outq.h"
#include "wire/redis.h"
#include "wire/setup.h"
#include "wire/watch.h"

struct cluster;
struct reader;
struct resp;
struct transport;

/* A command that awaits its answer, from its submit on. */
struct redis_pending {
	struct outq_block *block; /* NULL: lost */
	size_t at;                /* its bytes in block */
	size_t len;
	size_t expect;
	size_t weight;
	bool flying;       /* counts in the window */
	bool refused;      /* the server would not carry it out: it goes again */
	uint64_t alone_ns; /* when it went, if nothing else was under way; else 0 */
	unsigned flags;
	redis_reply_fn *fn;
	void *ctx;
};

/* Commands in order of submission; a ring whose size is a power of two. */
struct redis_ring {
	struct redis_pending *slots;
	size_t size;
	size_t head;
	size_t count;
	size_t granted; /* the first so many are within the window */
};

struct redis {
	const struct target *target;
	struct redis *router;    /* of the cluster whose node this is: never a router itself */
	struct reader *reader;   /* reads replicas; NULL: primaries */
	bool reads_only;         /* a reader, or one of its nodes */
	bool settled;            /* which of the two it is, is known */
	struct cluster *cluster; /* routes to the nodes; NULL: this session is the only one */
	const volatile int *cancel;
	struct redis_grace grace; /* between *cancel and the end of every wait */
	uint64_t haste_ms;        /* the most that is waited; 0: the target's timeout */
	uint64_t cancelled_ms;    /* when *cancel was seen first; 0: not */
	struct redis_limits limits;
	struct redis_counts counts;

	struct transport *transport; /* NULL: not connected */
	struct resp *resp;
	struct setup_facts facts;
	struct outq out;
	struct redis_ring ring;
	size_t refused;     /* the first so many, of those that were sent, are held back */
	struct buf refusal; /* what the server said of them */
	uint64_t trip_ns;   /* the shortest answer to a command sent alone; UINT64_MAX: none */
	unsigned trips;     /* of which it is the shortest */
	size_t flying_commands; /* granted and not answered: what the window bounds */
	size_t flying_bytes;
	size_t flying_expect;

	uint64_t progress_ms; /* when bytes last moved, or waiting began */
	uint64_t give_up_ms;  /* broken: until when reconnecting is tried; 0: not broken */
	unsigned retries;
	uint64_t opened; /* connections so far */
	bool was_open;   /* a server that was there may be restarting: the schedule applies */
	bool demoted;    /* it said READONLY to what cannot go elsewhere */
	/* Of a cluster's node, see redis_link.h. */
	uint64_t ill_ms;    /* since when it has not answered a command; 0: it did */
	uint64_t failed_ms; /* when it was asked in vain last */
	uint64_t due_ms;    /* until then it is left alone */
	bool impatient;     /* BUSY and LOADING are answers like others */
	bool in_callback;
	const struct redis_pending *answering; /* inside a callback */
	bool abandoning; /* the callbacks hear REPLY_LOST: nothing new is taken */
	char *input;     /* RESP_FEED bytes */
	struct watch watch;
	bool readable; /* the descriptor may hold input */
	enum reply_error
	    put_off;        /* LOADING, BUSY, or a primary no more: to be asked again later */
	struct err fault;   /* why the connection broke last */
	struct err unheard; /* where errors go that the caller does not want */

	struct mem_arena call_arena; /* of the last redis_call */
	const struct reply *call_reply;
	bool version_asked;
};

/* Of a server that is no cluster's: chooses the one to read, and turns the session to it. */
int redis_reader_settle(struct redis *redis, struct err *err);
/* The one that was read is out of reach: connects to another, or to the primary. */
int redis_reader_choose_again(struct redis *redis, struct err *err);
/* 0, or -1 with err and redis->fault: a command of that name may write. */
int redis_reader_check(struct redis *redis, struct bytes name, struct err *err);
void redis_reader_free(struct reader *reader);

/* Between a cluster's router and its nodes' sessions; in redis.c. */

/* A session for one node, with the cancel flag and the limits of its router. */
struct redis *redis_new_node(const struct target *target, struct redis *router);
/* What poll said of the descriptor. */
void redis_heard(struct redis *redis, short events);
/* Sends what goes without waiting; a failure is found out by the next turn. From callbacks,
 * too. */
void redis_flush(struct redis *redis);
/* Queues without waiting; a command without words is raw bytes that redis_queue_raw gave. */
void redis_put(struct redis *redis, const struct redis_command *command, struct bytes raw);
/* Without progress, nothing is waited for longer; 0: for ever. */
uint64_t redis_timeout_ms(const struct redis *redis);
/* True when a block of commands is full and may go. */
bool redis_has_full_block(const struct redis *redis);
/* A turn that reads only where redis->readable says so; *moved when anything happened. */
int redis_advance(struct redis *redis, bool *moved, struct err *err);
/* Cancelled, and the grace is over: what is under way is to be given up; err says so. */
bool redis_is_cancelled(struct redis *redis, struct err *err);
/* A cluster's node that did not answer what it was asked last. */
bool redis_is_ill(const struct redis *redis);
/* For as long as the timeout, and `more_ms`: what it is asked now is lost. */
bool redis_is_out(const struct redis *redis, uint64_t more_ms);
/* What to do about a server's error; NULL: its own words are enough. */
const char *redis_remedy(enum reply_error kind);
/* Closes and answers everything with REPLY_LOST. */
void redis_give_up(struct redis *redis, const struct err *why);

#endif
