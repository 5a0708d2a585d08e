#ifndef WIRE_TAP_H
#define WIRE_TAP_H

#include "base/bytes.h"

#include <stddef.h>

struct err;
struct target;

/*
 * A connection of its own whose bytes are read as they come, for what is no
 * answer to a command: the endless lines of MONITOR, the messages of a
 * subscription. Set up like a session's (login, db, name), never opened again.
 */
struct tap;

/* 0, or -1 with ERR_REDIS, ERR_INTERRUPTED; the err names the server. */
int tap_open(const struct target *target, const volatile int *cancel, struct tap **ret_tap,
	     struct err *err);
void tap_close(struct tap *tap);
/* Sends one command; waits until the socket took it. */
int tap_send(struct tap *tap, const struct bytes *argv, size_t argc, struct err *err);
/* What has come, at most size bytes, without waiting: *ret_len 0 when nothing. -1: the
 * connection is gone. */
int tap_read(struct tap *tap, char *data, size_t size, size_t *ret_len, struct err *err);
/* To poll for POLLIN, after a read that gave nothing. */
int tap_fd(const struct tap *tap);

#endif
