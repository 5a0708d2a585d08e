#ifndef WIRE_REDIS_LINK_H
#define WIRE_REDIS_LINK_H

#include "wire/redis_private.h"

/* The connection of a session: opened, broken, given up. */

/*
 * Opens and sets up a connection; after a break, tries again and again within
 * the timeout. -1 with ERR_REDIS or ERR_INTERRUPTED.
 */
int redis_link_open(struct redis *redis, struct err *err);
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
