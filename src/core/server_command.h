#ifndef CORE_SERVER_COMMAND_H
#define CORE_SERVER_COMMAND_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

struct err;
struct redis;

/* What the server says of one of its commands (COMMAND INFO, else ACL CAT). */
struct server_command {
	bool told;      /* false: this user may not ask; then it is dangerous and writes */
	bool known;     /* the server has it */
	bool dangerous; /* in its category @dangerous, and more than a report (INFO) */
	bool writes;    /* may change data, or anything else but what one connection sees */
	bool reads;     /* changes nothing: it may be sent again after a reconnect */
};

/* For the command line argv, its subcommand included ("CONFIG SET"). -1: Redis is unreachable.
 */
int server_command_ask(struct redis *redis, const struct bytes *argv, size_t argc,
		       struct server_command *ret_command, struct err *err);

#endif
