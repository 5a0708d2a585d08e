#ifndef WIRE_REDIS_H
#define WIRE_REDIS_H

#include "base/bytes.h"
#include "wire/reply.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct target;

/*
 * A pipelined session with one server, or with a Redis Cluster when that server
 * is a node of one (cluster.h: commands go to the node of their first key, and
 * only those of one slot are answered in order). With one server: connects on first use,
 * authenticates, selects the db, names itself, reconnects (min(retries × 50 ms, 1000 ms),
 * bounded by the timeout), and bounds what is under way in commands, sent
 * bytes and expected reply bytes. One thread, no globals.
 *
 * Whenever a call here returns -1, everything that was under way has been
 * answered with REPLY_LOST and the connection is closed; err names the server.
 * The next use opens a new one.
 */
struct redis;

/*
 * Called once per command, in order. reply lives only inside the call. May
 * submit (that queues without waiting; the window still bounds what is sent),
 * but must not drain, call or free the session. While a session is given up,
 * a submit from a callback returns -1.
 */
typedef void redis_reply_fn(void *ctx, const struct reply *reply);

enum redis_flags {
	/*
	 * May be sent again after a reconnect (reads, and writes whose repetition
	 * changes nothing). Others come back as REPLY_LOST when the connection breaks
	 * after any byte of them was sent.
	 */
	REDIS_IDEMPOTENT = 1,
	/*
	 * Belongs to what this connection holds (WATCH, MULTI): lost when it breaks, or is
	 * closed already (connect first), and never sent on the next one. Not from a callback.
	 */
	REDIS_BOUND = 2,
	/*
	 * Of a cluster: when its node is out of reach, its REPLY_LOST is all that is said, and
	 * no call here fails for it.
	 */
	REDIS_ALONE = 8,
	/* Queued without waiting for room, as from a callback: the caller bounds how many. */
	REDIS_NO_WAIT = 4,
};

struct redis_command {
	const struct bytes *argv; /* copied (or adopted) by the submit */
	size_t argc;
	size_t expect; /* reply bytes to expect, for the window; 0: small */
	size_t weight; /* commands of the window that it counts for; 0: one */
	unsigned flags;
	redis_reply_fn *fn; /* may be NULL: the reply is dropped */
	void *ctx;
};

/* Nothing longer is read in one piece: memory is some times that. What a server holds may have
 * 512 MiB; GETRANGE reads it in parts. */
#define REDIS_VALUE_MAX ((size_t)64 * 1024 * 1024)

struct redis_limits {
	size_t commands; /* under way at once */
	/* Over a long link, where a round trip outlasts such a window, it grows with the trip.
	 */
	bool stretch;
	/*
	 * A server that begins to answer is done with all that it read at once: the next
	 * window goes with the first answer to the one before, and the server need not wait
	 * until the rest has been heard. So two windows are under way at most.
	 */
	bool in_turns;
	unsigned watch_us; /* at most so long an answer is watched for, before sleeping: the
			      server need not wake who is awake */
	size_t sent_bytes;
	size_t reply_bytes; /* expected */
	size_t max_bulk;    /* a single reply longer than this is refused: the session is broken
			       with ERR_REDIS */
};

/* Figures since redis_new. */
struct redis_counts {
	uint64_t commands;
	uint64_t replies;
	uint64_t bytes_sent;
	uint64_t bytes_received;
	uint64_t reconnects;
};

/*
 * Borrows target. *cancel (may be NULL) turning non-zero ends every wait with ERR_INTERRUPTED.
 * No connection yet.
 */
struct redis *redis_new(const struct target *target, const volatile int *cancel);
/* The same with this very server, also when it is a node of a cluster: a redirection is an
 * error. */
struct redis *redis_new_plain(const struct target *target, const volatile int *cancel);
/*
 * The same, read-only, with replicas in place of the primaries: of a cluster one for each
 * primary, chosen as replica_choose does; behind sentinels and behind a plain server one
 * of those that they name. Where none is usable the primary is read; redis_place says
 * so. A replica that is named itself is read as it is. Chosen when first connected to,
 * and anew for a cluster's node that is lost. Anything but a read is refused, unsent.
 */
struct redis *redis_new_reader(const struct target *target, const volatile int *cancel);
/* Another session of redis_new or redis_new_reader, as this one was made. */
struct redis *redis_new_beside(const struct redis *redis, const volatile int *cancel);
/* Another cancel flag (NULL: none) from now on; returns the one before. */
const volatile int *redis_set_cancel(struct redis *redis, const volatile int *cancel);
/*
 * How long a silent server is waited for after *cancel turned non-zero (0, the default: not
 * at all), and how long in all while its answers come (0: until they are there). The times
 * begin anew with this call. Then what is under way is lost, with ERR_INTERRUPTED. A broken
 * connection is not opened again once *cancel is set.
 */
struct redis_grace {
	uint64_t silent_ms;
	uint64_t whole_ms;
};
/* For work that must hear the answers to what it sent before it stops. */
#define REDIS_GRACE ((struct redis_grace){.silent_ms = 1000, .whole_ms = 5000})
/* Returns the one before. */
struct redis_grace redis_set_grace(struct redis *redis, struct redis_grace grace);
/*
 * No wait without progress is longer than this from now on, whatever the target's timeout says
 * (0: only that counts). For work that is not worth waiting for at a server that is gone.
 */
void redis_set_haste(struct redis *redis, uint64_t haste_ms);
/* Commands under way are dropped; their callbacks do not run. */
void redis_free(struct redis *redis);
void redis_set_limits(struct redis *redis, const struct redis_limits *limits);
struct redis_limits redis_limits(const struct redis *redis);
const struct target *redis_target(const struct redis *redis);
const struct redis_counts *redis_counts(const struct redis *redis);

/*
 * Before a new use, with nothing under way: a connection that its server closed
 * meanwhile is left, and one attempt to open the next says whether there is a server.
 */
void redis_refresh(struct redis *redis);
/* Connects now if not connected. -1 with ERR_REDIS: unreachable, not a Redis, refused (AUTH,
 * SELECT), TLS. */
int redis_connect(struct redis *redis, struct err *err);
bool redis_is_connected(const struct redis *redis);

/*
 * Queues a command; it is sent when the window is full, at redis_drain or
 * redis_turn. Runs the session while a limit is reached; a command larger than
 * the window goes alone. fn is called exactly once: when this returns -1,
 * fn has heard REPLY_LOST (only not from inside a callback while the session is
 * being given up: then the command was not taken).
 */
int redis_submit(struct redis *redis, const struct redis_command *command, struct err *err);
/* The same of a question that may be asked again (REDIS_IDEMPOTENT) and has no other flags. */
int redis_ask(struct redis *redis, const struct bytes *argv, size_t argc, size_t expect,
	      redis_reply_fn *fn, void *ctx, struct err *err);
/* Runs until at most `outstanding` commands are under way. Here and elsewhere err may be NULL.
 */
int redis_drain(struct redis *redis, size_t outstanding, struct err *err);
/*
 * Drains, and then fails with the error that a callback kept meanwhile, if one
 * is set: the end of a batch whose callbacks note what went wrong.
 */
int redis_settle(struct redis *redis, const struct err *kept, struct err *err);
size_t redis_outstanding(const struct redis *redis);
/* Waits until something moved, if anything is under way, for who looks at more than a count. */
int redis_step(struct redis *redis, struct err *err);
/*
 * The same as redis_step, and what goes without waiting of another session; what that one does
 * ends the wait, too. When it fails, those know who are answered REPLY_LOST there.
 */
int redis_step_beside(struct redis *redis, struct redis *other, struct err *err);
/*
 * One command and its answer; drains what was queued before. A server's error
 * is returned as REPLY_ERROR with 0. *ret_reply lives until the next redis_call
 * on this session. flags as in redis_command.
 */
int redis_call(struct redis *redis, const struct bytes *argv, size_t argc, unsigned flags,
	       const struct reply **ret_reply, struct err *err);
/* The same from a printf-less list of C strings, ended by NULL. */
int redis_call_words(struct redis *redis, unsigned flags, const struct reply **ret_reply,
		     struct err *err, ...);

/*
 * For a wait shared with other descriptors: what to poll for, and a turn
 * without waiting (writes, reads, calls back), except that it opens the
 * connection when there is none. Events are POLLIN/POLLOUT.
 */
struct redis_wait {
	int fd;
	short events;
	int timeout_ms; /* until the session wants a turn of its own; -1: none */
};
void redis_wait(struct redis *redis, struct redis_wait *ret_wait);
int redis_turn(struct redis *redis, struct err *err);

/*
 * Turns an error (or LOST) reply into the line that a user sees: server, code,
 * command, key, remedy. Returns -1. key may be empty.
 */
int redis_fail(const struct redis *redis, const struct reply *reply, const char *command,
	       struct bytes key, struct err *err);

/* The same for a REPLY_LOST of a read: who was out of reach, and why. */
int redis_unreached(const struct redis *redis, const struct reply *reply, struct err *err);

/*
 * The servers that hold the keys: a cluster's primaries, or just the one. A
 * walk over the keyspace asks each. redis_node's session is borrowed, plain (a
 * redirection is an error there), and served by redis_drain on either. Connects
 * if need be: 0 with err when that fails.
 */
size_t redis_nodes(struct redis *redis, struct err *err);
/* True when the session is connected, and with a Redis Cluster. */
bool redis_is_cluster(const struct redis *redis);
/*
 * Over a link whose round trips are this long, what waits for answers should ask for much at
 * once. Believed after a few trips: one alone may have been held up. Of a cluster: a node is.
 */
#define REDIS_LONG_TRIP_NS UINT64_C(5000000)
bool redis_is_far(struct redis *redis);
struct redis *redis_node(struct redis *redis, size_t index);
/* Whom a reader reads as node index. Texts live as long as the session stays connected. */
struct redis_place {
	const struct target *target;
	bool is_replica;
	const char *primary; /* of a replica: "127.0.0.1:7000", whose keys it has */
	int64_t behind;      /* bytes of its primary's stream that it lacked when it was
				chosen; -1: unknown */
	const char *why;     /* what there is to say of the choice: why no replica is read,
				what is wrong with the one that was named; or NULL */
};
/* True for a session of redis_new_reader. */
bool redis_is_reader(const struct redis *redis);
/* Of a reader that is connected, index below redis_nodes. */
void redis_place(struct redis *redis, size_t index, struct redis_place *ret_place);
/* The session of the primary whose keys node index has: itself, unless a cluster's replica. */
struct redis *redis_node_primary(struct redis *redis, size_t index);
/*
 * After a node was out of reach: waits, within the timeout, until every primary
 * answers, or another node stands in for it. A reader chooses anew whom it reads.
 * -1 with err, naming one that does not.
 */
int redis_recover(struct redis *redis, struct err *err);
/*
 * The session whose server holds key: for what cannot be routed command by
 * command, a transaction (WATCH, MULTI, EXEC). NULL with err.
 */
struct redis *redis_holder(struct redis *redis, struct bytes key, struct err *err);

/* Server version as 10000×major + 100×minor + patch (70015), from HELLO/INFO; 0 when it may not
 * be asked. */
uint32_t redis_version(struct redis *redis);
/* What HELLO said, without asking: all zero before the first connection, or where it may not be
 * asked. */
struct redis_server {
	uint32_t version; /* as above; of a Valkey its own */
	bool valkey;
	bool cluster;
};
struct redis_server redis_server(const struct redis *redis);

#endif
