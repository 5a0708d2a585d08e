#ifndef CORE_KEYINFO_H
#define CORE_KEYINFO_H

#include "base/bytes.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct redis;

#define KEYINFO_REFUSED_MAX 8

/* Everything there is to know about one key. Numbers are -1 when not known. */
struct keyinfo {
	bool exists;
	char type[16]; /* as TYPE says; empty: not known */
	char encoding[32];
	int64_t ttl_ms;    /* -1: lives for ever; -3: this user may not ask */
	int64_t bytes;     /* MEMORY USAGE */
	int64_t length;    /* STRLEN, HLEN, SCARD, … */
	int64_t idle_s;    /* since the last access, read before the value */
	int64_t frequency; /* under an LFU policy */
	int64_t
	    field_ttls; /* of a hash: how many of the walked fields have a TTL of their own */
	int64_t field_ttl_min_ms; /* the nearest of them */
	bool has_value;           /* of a string: value is its beginning */
	struct bytes value;
	bool cut;                                 /* the value is longer than what was read */
	const char *refused[KEYINFO_REFUSED_MAX]; /* commands that this user may not run */
	size_t refused_count;
	struct mem_arena arena;
};

struct keyinfo_limits {
	size_t value_bytes; /* of a string, and of each element */
	size_t items;       /* of a collection; 0: all */
};

/*
 * What TYPE, PTTL, OBJECT, MEMORY and the length commands say, then the
 * beginning of a string's value. A command that the user may not run leaves
 * its figure unknown and is named in refused; without TYPE the length commands
 * tell the type, without GETRANGE a value that is known to be short enough (or
 * of which nothing is known) is read with GET. Fails when nothing can be told,
 * or the key is out of this user's reach. Release in either case.
 */
int keyinfo_read(struct redis *redis, struct bytes key, size_t value_bytes,
		 struct keyinfo *ret_info, struct err *err);
void keyinfo_release(struct keyinfo *info);
/*
 * A string's bytes, at most so many, in parts of KEYINFO_PART: each given to fn, which ends the
 * reading with false. ERR_ITEM when somebody wrote the key meanwhile; a user who may not WATCH,
 * and a replica, are not told that.
 */
#define KEYINFO_PART ((size_t)1024 * 1024)
typedef bool keyinfo_part_fn(void *ctx, struct bytes part);
int keyinfo_stream(struct redis *redis, struct bytes key, uint64_t max_bytes,
		   keyinfo_part_fn *fn, void *ctx, struct err *err);
/* Notes that this user may not run the command (a literal). */
void keyinfo_refuse(struct keyinfo *info, const char *command);

/* False ends the walk. value is cut at the limit (cut says so); both live inside the call. */
typedef bool keyinfo_item_fn(void *ctx, struct bytes name, struct bytes value, bool cut);
/*
 * The elements of a collection that info was read of, at most limits->items,
 * in pages that no server notices: HSCAN, SSCAN, LRANGE, ZRANGE and
 * XRANGE, shorter ones where elements are large. An element of a hash or set
 * that changes meanwhile may come twice. fn must not use redis. A user who may not read
 * them gets none; info names the command. Of a hash's fields their TTLs are asked too
 * where the server knows such (Redis 7.4, Valkey 9), into info->field_ttls.
 */
int keyinfo_walk(struct redis *redis, struct bytes key, struct keyinfo *info,
		 const struct keyinfo_limits *limits, keyinfo_item_fn *fn, void *ctx,
		 struct err *err);

#endif
