#ifndef WIRE_REPLICA_H
#define WIRE_REPLICA_H

#include "base/mem.h"
#include "wire/target.h"

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* Where replicas are said to be; ptr lives in the arena of whoever filled it. */
struct replica_places {
	struct replica_place {
		const char *host;
		uint16_t port;
	} * ptr;
	size_t count;
};

/* A server's word on its part in replication (redis.io/docs/latest/commands/role). */
struct replica_word {
	bool is_replica;
	bool is_linked;                 /* of a replica: its primary's stream arrives */
	int64_t offset;                 /* in that stream: sent so far, or applied */
	struct replica_place primary;   /* of a replica */
	struct replica_places replicas; /* of a primary: those that are in step */
};

/* More than that behind its primary, and a replica is not read. */
#define REPLICA_BEHIND_MAX (1024 * 1024)

/*
 * Asks target's server, on a connection of its own, within a second. Strings
 * in arena. -1 with ERR_REDIS or ERR_INTERRUPTED.
 */
int replica_look(const struct target *target, const volatile int *cancel,
		 struct mem_arena *arena, struct replica_word *ret_word, struct err *err);

/*
 * The first of count candidates that is read in primary's place: it answers, is
 * a replica, linked, and close behind. *ret_behind: so many bytes of the
 * stream, -1 when the primary did not say. Returns its index; count when none
 * is usable, then why (cleared first) says of each what is wrong. The caller
 * looks at *cancel.
 */
size_t replica_choose(const struct target *primary, const struct target *candidates,
		      size_t count, const volatile int *cancel, int64_t *ret_behind,
		      struct buf *why);

#endif
