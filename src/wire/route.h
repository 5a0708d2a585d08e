#ifndef WIRE_ROUTE_H
#define WIRE_ROUTE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/* Where in a cluster a command belongs. */
enum route {
	ROUTE_KEY,   /* to the primary of its first key's slot */
	ROUTE_ANY,   /* it names no key: any primary will do */
	ROUTE_EVERY, /* what it changes is each primary's own (SCRIPT LOAD) */
};

/*
 * The place of a command and, for ROUTE_KEY, its first key. Key positions:
 * redis.io/docs/latest/develop/reference/key-specs; a command not listed there
 * as an exception has its key first.
 */
enum route route_of(const struct bytes *argv, size_t argc, struct bytes *ret_key);

/* True for a command that changes no key, of those that this program reads with. */
bool route_is_read(struct bytes name);

#endif
