#ifndef CORE_WITNESS_PRIVATE_H
#define CORE_WITNESS_PRIVATE_H

#include "core/witness.h"

#include "base/err.h"

struct target;

#define WITNESS_WRITERS 254
#define WITNESS_MARK 17

/* Between the processes; the reader writes, but for the mark. */
struct witness_sight {
	volatile enum {
		WITNESS_STARTING,
		WITNESS_WATCHING,
		WITNESS_DONE,
		WITNESS_BROKEN
	} state;
	struct err err;          /* of BROKEN */
	char mark[WITNESS_MARK]; /* the argument of the PING that ends it */
	size_t writer_count;
	struct witness_writer writers[WITNESS_WRITERS];
	unsigned char by[]; /* of each key its writer's number from 1; 0: none, 255: one of too
			       many */
};

/* The reader: until the mark, or the connection's end. */
void witness_read(const struct target *target, const struct keylist *keys,
		  struct witness_sight *sight);

#endif
