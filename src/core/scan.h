#ifndef CORE_SCAN_H
#define CORE_SCAN_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct redis;

/* What is asked about every key that SCAN yields. */
enum scan_probe {
	SCAN_TTL = 1,   /* PTTL */
	SCAN_BYTES = 2, /* MEMORY USAGE, default samples */
};

#define SCAN_TTL_NONE (-1) /* the key lives for ever */
#define SCAN_TTL_GONE (-2) /* the key vanished between SCAN and probe */

struct scan_key {
	struct bytes key; /* valid inside the callback */
	int64_t ttl_ms;   /* or SCAN_TTL_NONE, SCAN_TTL_GONE; 0 when not asked */
	int64_t bytes;    /* -1: not asked, not allowed, or gone */
};

/* false ends the scan early (the rest of the page is dropped). */
typedef bool scan_key_fn(void *ctx, const struct scan_key *key);

struct scan_options {
	struct bytes match; /* glob; empty: every key */
	unsigned probes;
	size_t page; /* SCAN's COUNT; 0: 512 */
	bool own;    /* yield the keys that are ccache's own, too */
	scan_key_fn *fn;
	void *ctx;
};

struct scan_result {
	uint64_t keys;     /* yielded, keys that are ccache's own left out */
	uint64_t own;      /* sidecars and the like, left out */
	uint64_t gone;     /* vanished before their probe (not yielded) */
	bool complete;     /* the cursor came back to 0 and fn never stopped it */
	bool bytes_denied; /* this user may not run MEMORY USAGE */
	bool resized; /* the table may have been resized meanwhile: keys may have come twice */
};

/*
 * Walks the keyspace of the session's db: the probes of one page travel with
 * the SCAN of the next, so a page costs one round trip. Never KEYS. Memory is
 * two pages. What was seen so far is in *ret_result on failure too.
 */
int scan_run(struct redis *redis, const struct scan_options *options,
	     struct scan_result *ret_result, struct err *err);

#endif
