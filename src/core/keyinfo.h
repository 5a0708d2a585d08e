#ifndef CORE_KEYINFO_H
#define CORE_KEYINFO_H

#include "base/bytes.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct redis;

/* One element of a collection, or a string's single value. */
struct keyinfo_item {
	struct bytes name; /* hash field, sorted-set score, stream id, list index; empty for
			      sets and strings */
	struct bytes value;
};

/* Everything there is to know about one key. Numbers are -1 when not known. */
struct keyinfo {
	bool exists;
	char type[16]; /* as TYPE says */
	char encoding[32];
	int64_t ttl_ms;    /* -1: lives for ever; -3: this user may not ask */
	int64_t bytes;     /* MEMORY USAGE */
	int64_t length;    /* STRLEN, HLEN, SCARD, … */
	int64_t idle_s;    /* since the last access, read before the value */
	int64_t frequency; /* under an LFU policy */
	struct keyinfo_item *items;
	size_t item_count;
	bool cut; /* the value is longer than what items hold */
	struct mem_arena arena;
};

struct keyinfo_limits {
	size_t value_bytes; /* of a string, and of each element */
	size_t items;       /* of a collection */
};

/*
 * What TYPE, PTTL, OBJECT, MEMORY and the length commands say, then the value
 * within limits, a page at a time (a string's beginning is all that is asked
 * of the server). Commands that the user may not run leave -1. Release in
 * either case.
 */
int keyinfo_read(struct redis *redis, struct bytes key, const struct keyinfo_limits *limits,
		 struct keyinfo *ret_info, struct err *err);
void keyinfo_release(struct keyinfo *info);

/* False ends the walk. value is cut at the limit (cut says so); both live inside the call. */
typedef bool keyinfo_item_fn(void *ctx, struct bytes name, struct bytes value, bool cut);
/*
 * The elements of a collection that info was read of, at most limits->items
 * (0: all), in pages that no server notices: HSCAN, SSCAN, LRANGE, ZRANGE and
 * XRANGE, shorter ones where elements are large. An element of a hash or set
 * that changes meanwhile may come twice. fn must not use redis.
 */
int keyinfo_walk(struct redis *redis, struct bytes key, const struct keyinfo *info,
		 const struct keyinfo_limits *limits, keyinfo_item_fn *fn, void *ctx,
		 struct err *err);

#endif
