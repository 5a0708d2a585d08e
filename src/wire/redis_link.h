#ifndef WIRE_REDIS_LINK_H
#define WIRE_REDIS_LINK_H

#include "wire/redis_private.h"

/*
 * The connection of a session: opened, broken, given up.
 *
 * A cluster's node must not keep the others waiting, so nothing here waits for one that loads
 * its data or runs a script: its commands stay queued while it rests between two tries. One
 * that has not answered for as long as the timeout is out: what it is asked is lost at once,
 * but for one try now and then.
 */

/*
 * Opens and sets up a connection; after a break, tries again and again within
 * the timeout. -1 with ERR_REDIS or ERR_INTERRUPTED.
 */
int redis_link_open(struct redis *redis, struct err *err);
/* A node that is to be tried again later: it has put off what waits in the queue. */
bool redis_link_rests(const struct redis *redis);
/* A part of its rest. -1, failed, when cancelled. */
int redis_link_doze(struct redis *redis, struct err *err);
/*
 * A new use: a primary no more is left for the one that sentinels name by now; of a node that
 * nobody needed for long, what is known of its health is old.
 */
void redis_link_wake(struct redis *redis);
/* The connection is gone (why says how): requeues what may be sent again. */
void redis_link_broken(struct redis *redis, const struct err *why);
/* Closes, answers everything with REPLY_LOST, puts the server's name before err. Returns -1. */
int redis_link_fail(struct redis *redis, struct err *err);
void redis_link_close(struct redis *redis);
/*
 * Whether what can be sent now is progress: some of what was sent before is still on its way.
 * To a server that reads nothing the kernel takes a good deal more. (Of a unix socket: always
 * true.)
 */
bool redis_link_drains(const struct redis *redis);

#endif
