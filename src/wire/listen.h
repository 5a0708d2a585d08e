#ifndef WIRE_LISTEN_H
#define WIRE_LISTEN_H

#include "base/bytes.h"

#include <stdbool.h>

struct err;
struct target;

/* A subscription to one channel, on a connection of its own. */
struct listener;

/* message lives inside the call. */
typedef void listen_fn(void *ctx, struct bytes message);

/* Borrows target. Not connected yet. */
struct listener *listen_new(const struct target *target, struct bytes channel,
			    const volatile int *cancel, listen_fn *fn, void *ctx);
void listen_free(struct listener *listener);
/*
 * Connects and subscribes when it is not, waits at most wait_ms for a message
 * and calls back for all that came. 0; -1 with ERR_REDIS: the connection is
 * gone, a later call opens a new one. What was said meanwhile is lost.
 */
int listen_wait(struct listener *listener, int wait_ms, struct err *err);
/* The last failure was the server's no: trying again is of no use. */
bool listen_refused(const struct listener *listener);

#endif
