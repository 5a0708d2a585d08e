#include "core/store.h"

#include "core/namespace.h"

#include <stdlib.h>

#define SECOND_MS 1000
#define MAX_AGE_S (INT64_C(100) * 365 * 86400)

/*
 * A share of 0..1. splitmix64 (Steele, Lea, Flood 2014), seeded by the kernel:
 * keys must only not expire together, and a question to the kernel for each
 * costs as much as reading the row that is stored.
 */
static double random_share(void)
{
	static uint64_t state;

	while (state == 0)
		arc4random_buf(&state, sizeof state);
	uint64_t mixed = state += UINT64_C(0x9E3779B97F4A7C15);
	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
	return (double)(mixed >> 33) / (double)(UINT64_C(1) << 31);
}

int64_t store_ttl_ms(const struct ns *ns, const struct bytes *values, int64_t max_age_s,
		     uint64_t now_ms)
{
	int64_t ttl_ms = (int64_t)ns->ttl_ms;

	if (ns->ttl_kind == NS_TTL_CACHE_CONTROL && max_age_s >= 0)
		ttl_ms = max_age_s > MAX_AGE_S ? MAX_AGE_S * SECOND_MS : max_age_s * SECOND_MS;
	else if (ns->ttl_kind == NS_TTL_ADAPTIVE)
		ttl_ms = (int64_t)ns->ttl_min_ms;
	else if (ns->ttl_kind == NS_TTL_DAY)
		ttl_ms = (int64_t)ns_ttl_limit_ms(ns, values, now_ms);
	else if (ns->ttl_kind == NS_TTL_FIXED && ttl_ms == 0)
		return STORE_TTL_NONE;
	if (ttl_ms <= 0)
		return STORE_TTL_DO_NOT;
	return store_jitter(ns, ttl_ms) + (int64_t)ns->grace_ms;
}

int64_t store_jitter(const struct ns *ns, int64_t ttl_ms)
{
	ttl_ms -= (int64_t)((double)ttl_ms * ns->jitter * random_share());
	return ttl_ms > 0 ? ttl_ms : 1;
}

/* The decimal digits of number, at the end of room. */
static struct bytes digits_of(uint64_t number, char *room, size_t size)
{
	char *at = room + size;

	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	return (struct bytes){at, (size_t)(room + size - at)};
}

int store_submit(struct redis *redis, struct bytes key, struct bytes value, int64_t ttl_ms,
		 redis_reply_fn *fn, void *ctx, struct err *err)
{
	char ttl[24];
	const struct bytes argv[] = {BYTES("SET"), key, value, BYTES("PX"),
				     digits_of((uint64_t)ttl_ms, ttl, sizeof ttl)};
	struct redis_command command = {.argv = argv,
					.argc = ttl_ms == STORE_TTL_NONE ? 3 : 5,
					.flags = REDIS_ALONE,
					.fn = fn,
					.ctx = ctx};

	return redis_submit(redis, &command, err);
}
