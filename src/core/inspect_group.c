#include "core/inspect_group.h"

#include "base/mem.h"
#include "core/namespace.h"
#include "core/scan.h"

#include <stdlib.h>

#define TTL_HISTOGRAM_BITS 6 /* within 1.6 %: 30 KB a namespace */

/* A TTL read just after it was set may exceed its policy by the server's clock granularity. */
#define POLICY_SLACK_MS 1000

#define MINUTE UINT64_C(60000)
#define HOUR (60 * MINUTE)

const uint64_t inspect_bands_ms[INSPECT_BANDS] = {
    1000, 10000, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 168 * HOUR, UINT64_MAX};

void inspect_group_init(struct inspect_group *group, const struct ns *ns)
{
	*group = (struct inspect_group){.ns = ns};
	histogram_init(&group->ttl_ms, TTL_HISTOGRAM_BITS);
	group->seconds = mem_zalloc(INSPECT_SECONDS, sizeof *group->seconds);
}

void inspect_group_release(struct inspect_group *group)
{
	buf_release(&group->largest_key);
	histogram_release(&group->ttl_ms);
	free(group->seconds);
	group->seconds = NULL;
}

static void add_ttl(struct inspect_group *group, int64_t ttl_ms, uint64_t limit_ms,
		    uint64_t since_ms)
{
	if (ttl_ms == SCAN_TTL_NONE) {
		group->no_ttl++;
		return;
	}
	histogram_add(&group->ttl_ms, (uint64_t)ttl_ms);
	group->expiring_10s += ttl_ms <= 10000;
	group->expiring_60s += ttl_ms <= 60000;
	if (limit_ms && (uint64_t)ttl_ms > limit_ms + POLICY_SLACK_MS)
		group->over_policy++;
	uint64_t second = (since_ms + (uint64_t)ttl_ms) / 1000;
	if (second < INSPECT_SECONDS)
		group->seconds[second]++;
}

static void note_largest(struct inspect_group *group, uint64_t bytes, struct bytes key)
{
	if (bytes <= group->largest)
		return;
	group->largest = bytes;
	buf_clear(&group->largest_key);
	buf_add(&group->largest_key, key);
}

void inspect_group_add(struct inspect_group *group, const struct scan_key *key,
		       uint64_t limit_ms, uint64_t since_ms)
{
	group->keys++;
	if (key->bytes >= 0) {
		group->bytes += (uint64_t)key->bytes;
		note_largest(group, (uint64_t)key->bytes, key->key);
	}
	if (key->asked & SCAN_TTL)
		add_ttl(group, key->ttl_ms, limit_ms, since_ms);
	if (key->type < 0)
		return;
	group->types_checked++;
	group->wrong_type +=
	    group->ns && group->ns->type != NS_ANY && key->type != (int)group->ns->type;
}

static void add_lot(struct inspect_lots *lots, double has, double keys)
{
	lots->squared += has * has;
	lots->crossed += has * keys;
}

void inspect_group_add_lot(struct inspect_group *group, uint64_t keys, uint64_t bytes,
			   uint64_t lot)
{
	add_lot(&group->key_lots, (double)keys, (double)lot);
	add_lot(&group->byte_lots, (double)bytes, (double)lot);
}

static void merge_lots(struct inspect_lots *lots, const struct inspect_lots *other)
{
	lots->squared += other->squared;
	lots->crossed += other->crossed;
}

void inspect_group_merge(struct inspect_group *group, const struct inspect_group *other)
{
	group->keys += other->keys;
	group->bytes += other->bytes;
	merge_lots(&group->key_lots, &other->key_lots);
	merge_lots(&group->byte_lots, &other->byte_lots);
	note_largest(group, other->largest, buf_bytes(&other->largest_key));
	group->no_ttl += other->no_ttl;
	group->over_policy += other->over_policy;
	group->types_checked += other->types_checked;
	group->wrong_type += other->wrong_type;
	group->expiring_10s += other->expiring_10s;
	group->expiring_60s += other->expiring_60s;
	histogram_merge(&group->ttl_ms, &other->ttl_ms);
	for (size_t i = 0; i < INSPECT_SECONDS; i++)
		group->seconds[i] += other->seconds[i];
}

void inspect_group_bands(const struct inspect_group *group, uint64_t *ret_keys)
{
	uint64_t before = 0;

	for (size_t i = 0; i < INSPECT_BANDS; i++) {
		uint64_t to = i + 1 < INSPECT_BANDS
				  ? histogram_count_to(&group->ttl_ms, inspect_bands_ms[i])
				  : group->ttl_ms.total;

		ret_keys[i] = to - before;
		before = to;
	}
}

uint32_t inspect_group_worst(const struct inspect_group *group, unsigned *ret_second)
{
	uint32_t most = 0;

	for (unsigned i = 0; i < INSPECT_SECONDS; i++) {
		if (group->seconds[i] > most) {
			most = group->seconds[i];
			*ret_second = i;
		}
	}
	return most;
}
