#ifndef CORE_TOP_H
#define CORE_TOP_H

#include "base/bytes.h"
#include "core/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct inspect_filter;
struct ns;
struct redis;

/* By what keys are ranked. */
enum top_by {
	TOP_BYTES,
	TOP_IDLE,   /* longest without use */
	TOP_FREQ,   /* most used; under an LFU policy only */
	TOP_TTL,    /* longest life; those without TTL first */
	TOP_EXPIRY, /* shortest life; of those with a TTL */
};
extern const char *const top_by_names[]; /* NULL-terminated */

#define TOP_MAX 100000

/* One of the first keys; the key is owned by the list. */
struct top_key {
	int64_t rank;
	const struct ns *ns; /* NULL: none claims it */
	struct scan_key key;
};

struct top {
	struct top_key *keys; /* first rank first */
	size_t count;
	uint64_t matched; /* keys that were ranked */
	struct scan_result scan;
};

/*
 * The first `limit` (1..TOP_MAX) of the filter's keys. All are asked only for
 * what they are ranked by, the first ones for the rest, too. What was found so
 * far is in *ret_top on failure; release it in either case. ERR_REDIS when the
 * server does not tell what is ranked by.
 */
int top_find(struct redis *redis, const struct inspect_filter *filter, enum top_by by,
	     size_t limit, struct top *ret_top, struct err *err);
void top_release(struct top *top);

#endif
