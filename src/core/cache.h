#ifndef CORE_CACHE_H
#define CORE_CACHE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/template.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fetcher;
struct ns;
struct nsset;
struct redis;

/* A read-through question. */
struct cache_query {
	const struct nsset *set;
	const struct ns *ns;
	const struct var *vars;
	size_t var_count;
	struct redis *redis; /* NULL: the cache is switched off */
	struct fetcher *fetcher;
	bool no_fetch; /* only what is cached */
	bool no_store; /* a fetched value is not stored */
	bool refresh;  /* go to the source even when it is cached */
};

enum cache_result {
	CACHE_HIT,
	CACHE_FETCHED, /* a miss, answered by the source */
	CACHE_ABSENT,  /* neither cached nor at the source (no_fetch: not cached) */
};

struct cache_answer {
	enum cache_result result;
	struct buf key;
	struct buf value; /* the exact bytes */
	int64_t ttl_ms;   /* remaining, or as stored; -1: lives for ever; -2: not stored */
	bool stored;
	bool overtaken; /* not stored: the key was invalidated, or fetched by somebody else,
			   meanwhile */
	bool stale;     /* a hit within its grace: older than its TTL */
	struct err source_error; /* why it is served all the same; none: nobody asked */
	bool degraded;           /* Redis failed, the source answered */
	struct err redis_error;  /* why, when degraded or not stored */
	uint64_t redis_us;
	uint64_t source_us;
	unsigned attempts;
};

/*
 * Redis, else the source, stored on the way back. A value within its
 * namespace's grace is asked for at the source, and served stale when that
 * fails. A failing Redis never fails
 * the read while there is a source. 0, or -1: ERR_USAGE (vars), ERR_SOURCE, or
 * ERR_REDIS when there is nothing else to ask. Release in either case.
 */
int cache_get(const struct cache_query *query, struct cache_answer *ret_answer,
	      struct err *err);
void cache_answer_release(struct cache_answer *answer);

#endif
