#ifndef CORE_INSPECT_GROUP_H
#define CORE_INSPECT_GROUP_H

#include "base/buf.h"
#include "core/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ns;
struct scan_key;

/* A figure of a sample's lots (core/estimate.h). */
struct inspect_lots {
	double squared; /* the sum of the squares of what each lot has of it */
	double crossed; /* the sum of what each lot has of it times the lot's keys */
};

#define INSPECT_SECONDS 3600 /* how far ahead the seconds are counted */
#define INSPECT_BANDS 9

/* Upper ends of the TTL histogram's bands in ms: 1s 10s 1m 10m 1h 6h 1d 7d, the last
 * UINT64_MAX. */
extern const uint64_t inspect_bands_ms[INSPECT_BANDS];

/* What is known of one namespace's keys after a walk. */
struct inspect_group {
	const struct ns *ns; /* NULL: the keys that no namespace claims */
	uint64_t keys;
	uint64_t bytes;   /* 0 when MEMORY USAGE is not allowed */
	uint64_t largest; /* bytes of the largest key */
	struct buf largest_key;
	struct inspect_lots key_lots;
	struct inspect_lots byte_lots;
	uint64_t no_ttl;      /* keys that live for ever */
	uint64_t over_policy; /* keys that live longer than their namespace allows */
	uint64_t types_checked;
	uint64_t wrong_type; /* of those */
	uint64_t expiring_10s;
	uint64_t expiring_60s;
	struct histogram ttl_ms; /* of the keys that expire */
	uint32_t
	    *seconds; /* INSPECT_SECONDS: keys that expire in each second after the start */
};

void inspect_group_init(struct inspect_group *group, const struct ns *ns);
void inspect_group_release(struct inspect_group *group);
/* limit_ms: what the policy allows, 0: no limit; since_ms: how long the walk has been going. */
void inspect_group_add(struct inspect_group *group, const struct scan_key *key,
		       uint64_t limit_ms, uint64_t since_ms);
/* Adds what another node's walk knows of the same namespace. */
void inspect_group_merge(struct inspect_group *group, const struct inspect_group *other);
/* Of a sample: it drew so many of the group's keys, with these bytes, in a lot of so many keys.
 */
void inspect_group_add_lot(struct inspect_group *group, uint64_t keys, uint64_t bytes,
			   uint64_t lot);
/* Keys whose TTL lies in each band. */
void inspect_group_bands(const struct inspect_group *group, uint64_t *ret_keys);
/* The second (from the start of the walk) in which most keys expire; 0 keys: none within the
 * hour. */
uint32_t inspect_group_worst(const struct inspect_group *group, unsigned *ret_second);

#endif
