#ifndef CORE_WITNESS_H
#define CORE_WITNESS_H

#include "core/keylist.h"

#include <stddef.h>
#include <stdint.h>

struct err;
struct redis;

/*
 * Who writes to some keys meanwhile, as MONITOR tells it. The server buffers
 * without limit for a MONITOR client that does not read, so a process of its own
 * reads it (of each primary of a cluster), and dies with its parent.
 */
struct witness;

struct witness_writer {
	char client[96];  /* as MONITOR has it: "127.0.0.1:60866", "unix:/run/redis.sock" */
	char command[32]; /* "SET" */
};

/*
 * Watches every server of the session for commands that may make one of the
 * keys, until witness_end. Borrows keys. -1: it may not (ERR_REDIS), or cannot.
 */
int witness_begin(struct redis *redis, const struct keylist *keys, struct witness **ret_witness,
		  struct err *err);
/* Everything that the servers did until now was seen. -1: not, or not all of it: err. */
int witness_end(struct witness *witness, struct redis *redis, struct err *err);
/* The last writer of the key at index of the list; NULL: none was seen. */
const struct witness_writer *witness_of(const struct witness *witness, uint64_t index);
/* NULL is nothing. */
void witness_free(struct witness *witness);

#endif
