#ifndef CORE_STORE_H
#define CORE_STORE_H

#include "base/bytes.h"
#include "wire/redis.h"

#include <stdint.h>

struct err;
struct ns;

#define STORE_TTL_NONE 0 /* the key lives for ever */
#define STORE_TTL_DO_NOT                                                                       \
	(-1) /* the answer must not be kept (no-store, max-age=0, a day that is over) */

/*
 * The life of a value of ns stored now, in ms: its TTL (or the answer's
 * max-age where the namespace says so; max_age_s -1: none given), less a
 * random part of the jitter, so that a promise of "at most" stays true. Where
 * the TTL follows volatility it is the shortest: that of a value nothing is known of.
 */
int64_t store_ttl_ms(const struct ns *ns, const struct bytes *values, int64_t max_age_s,
		     uint64_t now_ms);
/* ttl_ms less a random part of the jitter. */
int64_t store_jitter(const struct ns *ns, int64_t ttl_ms);
/* Queues SET key value [PX ttl]; fn gets +OK or the error. */
int store_submit(struct redis *redis, struct bytes key, struct bytes value, int64_t ttl_ms,
		 redis_reply_fn *fn, void *ctx, struct err *err);

#endif
