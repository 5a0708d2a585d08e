#ifndef CORE_REFERRER_H
#define CORE_REFERRER_H

#include "base/buf.h"
#include "core/keylist.h"

#include <stddef.h>
#include <stdint.h>

struct err;
struct nsset;
struct redis;

/* Members of a set whose keys go. */
struct referrer_set {
	struct buf key;
	struct keylist members;
};

/* What refers to some keys. Zero-initialise, release. */
struct referrers {
	uint64_t indexes; /* keys that were added to the list */
	uint64_t members;
	struct referrer_set *sets;
	size_t set_count;
};

/*
 * What would dangle if the listed keys went: index keys that hold a var of one
 * (`index_of`; their own vars are read from members of its JSON value that are
 * called alike, and an index counts only while it holds that var), which are
 * added to the list, and members of sets (`members_of`). Values over 64 KiB
 * are not read. ERR_REDIS.
 */
int referrers_find(struct redis *redis, const struct nsset *set, struct keylist *list,
		   struct referrers *referrers, struct err *err);
void referrers_release(struct referrers *referrers);

#endif
