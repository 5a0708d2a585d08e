#ifndef CORE_ROOM_H
#define CORE_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct redis;

/*
 * Whether a server with a maxmemory has room for what a run stores: looked at
 * once a second, from the first hundreds of values on. Never on a server
 * without a limit, or one that does not say.
 */
struct room {
	struct redis *redis;
	bool is_limited;
	int64_t used; /* bytes, at the start */
	int64_t evicted;
	uint64_t look_ms; /* not before */
	bool has_looked;
};

/* How far a run is. */
struct room_progress {
	uint64_t stored;
	double share; /* of the whole, 0..1; 0: unknown */
};

struct ns;
struct nsset;

/*
 * What a value of the namespace takes: the mean MEMORY USAGE of a few of its
 * keys, found among the first thousands of the keyspace. 0: none was found, or
 * this user may not ask.
 */
uint64_t room_value_size(struct redis *redis, const struct nsset *set, const struct ns *ns);
/* Bytes that are left of the server's maxmemory; -1: no limit, or it does not say. */
int64_t room_left(struct redis *redis);

void room_init(struct room *room, struct redis *redis);
/*
 * 0, or -1: ERR_REFUSED when the rest, if it takes as much as what was stored
 * so far, does not fit; ERR_REDIS when the server evicts because of the run. A
 * session that is lost shows at the next write.
 */
int room_check(struct room *room, const struct room_progress *progress, uint64_t now_ms,
	       struct err *err);

#endif
