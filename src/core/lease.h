#ifndef CORE_LEASE_H
#define CORE_LEASE_H

#include <stdint.h>

struct err;
struct redis;

/*
 * At most one run of a job at a time: a key cc:l:NAME that holds token, host,
 * pid and start, with a TTL that the holder keeps renewing. A holder that
 * dies loses it when the TTL ends.
 */
struct lease;

#define LEASE_TTL_MS 30000

/*
 * ERR_LOCKED: another run holds it; the text names its host, pid and for how
 * long. Borrows redis.
 */
int lease_acquire(struct redis *redis, const char *name, struct lease **ret_lease,
		  struct err *err);
/*
 * Queues a renewal when a third of the TTL has passed since the last; never
 * waits. One that is gone before its time is taken again: a full cache evicts
 * what nobody reads. ERR_LOCKED: a renewal found another holder, or none could be
 * made for a whole TTL: stop writing. ERR_REDIS: the session is gone.
 */
int lease_beat(struct lease *lease, struct err *err);
/* Gives it back if it is still ours, and frees. NULL is nothing. */
void lease_release(struct lease *lease);

#endif
