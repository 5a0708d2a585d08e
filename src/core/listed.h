#ifndef CORE_LISTED_H
#define CORE_LISTED_H

#include "base/bytes.h"
#include "base/err.h"
#include "wire/redis.h"

#include <stdbool.h>

struct ns;
struct nsset;

/*
 * Sets that list the keys of a namespace (`members_of`): whoever stores such a
 * key adds it afterwards, whoever drops one takes it out before, so that a
 * crash in between leaves a finding of the audit, never a member without its
 * key.
 */

/* The first set behind `after` (NULL: of all) that lists keys of ns; NULL: no more. */
const struct ns *listed_next(const struct nsset *set, const struct ns *ns,
			     const struct ns *after);

/* A change under way. */
struct listed {
	struct redis *redis;
	redis_reply_fn *fn;
	void *ctx;
	bool *heard;    /* inside listed_add: that fn was called; else NULL */
	struct err err; /* why the set does not list the key now, when fn's reply does not say
			   it */
};

/*
 * Adds key, of ns, to the set `list` and renews that one's TTL; fn gets the
 * reply to the latter, and looks at listed->err too; it may free listed. 0, or -1 when fn
 * will not be called.
 */
int listed_add(struct redis *redis, const struct nsset *set, const struct ns *ns,
	       const struct ns *list, struct bytes key, struct listed *listed,
	       redis_reply_fn *fn, void *ctx, struct err *err);
/* Queues its removal; fn gets SREM's reply. */
int listed_remove(struct redis *redis, const struct nsset *set, const struct ns *ns,
		  const struct ns *list, struct bytes key, redis_reply_fn *fn, void *ctx,
		  struct err *err);

#endif
