#ifndef CORE_DISCOVER_PRIVATE_H
#define CORE_DISCOVER_PRIVATE_H

#include "core/discover.h"

/*
 * The families that shapes come to: those that differ only in the digits of a
 * word (shard0, shard1, …) or in what follows a path's first '/' are one.
 * *ret_family_of is malloc'd: the family of each shape, -1 for one too many.
 */
void discover_join(const struct shapes *shapes, struct discover *discover,
		   long **ret_family_of);
/* Names them, and compiles their templates; of two that the classifier could not tell apart the
 * smaller one gets a problem. */
void discover_name(struct discover *discover);
/* Reads the sampled values of every family. */
int discover_sample(struct redis *redis, struct discover *discover, struct err *err);
/* Which families lead to which. */
int discover_relate(struct redis *redis, struct discover *discover, struct err *err);

#endif
