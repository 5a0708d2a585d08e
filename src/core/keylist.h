#ifndef CORE_KEYLIST_H
#define CORE_KEYLIST_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Key names, packed, in the order of adding. Zero-initialise, release. */
struct keylist {
	struct keylist_block *first, *last;
	uint64_t count;
	size_t bytes; /* of memory */
	size_t limit; /* memory that it may take; 0: any */
};

/* Adds a copy. False when that would go over the limit: the list is as before. */
bool keylist_add(struct keylist *list, struct bytes key);
/*
 * Adds the names that a file ("-": standard input) holds, one behind each
 * separator ('\n' or '\0'), byte for byte. ERR_REFUSED: the list would hold more
 * than max; ERR_USAGE: it cannot be read.
 */
int keylist_read(struct keylist *list, const char *path, char separator, uint64_t max,
		 struct err *err);
void keylist_release(struct keylist *list);

/* A walk: zero-initialise. The list may grow meanwhile. */
struct keylist_walk {
	const struct keylist_block *block;
	size_t offset;
};
bool keylist_next(const struct keylist *list, struct keylist_walk *walk, struct bytes *ret_key);

#endif
