#include "core/scan_table.h"

#include "wire/redis.h"
#include "wire/slot.h"

/* A Valkey that is told to pass for Redis says that it is this one
 * (extended-redis-compatibility).
 */
#define MAY_BE_VALKEY 70204

void scan_table_of(struct scan_table *table, const struct redis_server *server)
{
	bool unsure = server->version == 0 || server->version == MAY_BE_VALKEY;

	table->by_slot = server->cluster && server->version >= (server->valkey ? 80000 : 70400);
	table->by_seven = server->valkey ? server->version >= 80100 : unsure;
}

static unsigned bits_of(uint64_t number)
{
	return number ? 64 - (unsigned)__builtin_clzll(number) : 0;
}

/* Bits of the least table that holds so many keys. */
static unsigned bits_for(const struct scan_table *table, uint64_t keys)
{
	uint64_t buckets = table->by_seven ? keys / 7 + (keys % 7 != 0) : keys;

	return buckets > 1 ? bits_of(buckets - 1) : 0;
}

static bool keeps_its_size(const struct scan_table *table)
{
	if (table->unknown || table->bits > 60 || table->keys_max == 0)
		return false;
	uint64_t least = ((uint64_t)1 << table->bits) / (table->by_seven ? 1 : 6);
	bool may_shrink = table->keys_min < least;
	bool may_grow = bits_for(table, table->keys_min) != bits_for(table, table->keys_max);
	return !may_shrink && !may_grow;
}

static void note_bits(struct scan_table *table, uint64_t cursor)
{
	if (bits_of(cursor) > table->bits)
		table->bits = bits_of(cursor);
}

static void leave_slot(struct scan_table *table)
{
	if (table->inside && !keeps_its_size(table))
		table->changed = true;
	table->inside = false;
	table->bits = 0;
	table->keys_min = UINT64_MAX;
	table->keys_max = 0;
}

void scan_table_cursor(struct scan_table *table, uint64_t cursor)
{
	unsigned slot = (unsigned)(cursor % SLOT_COUNT);
	uint64_t bucket = cursor / SLOT_COUNT;

	table->pages++;
	if (!table->by_slot) {
		note_bits(table, cursor);
		return;
	}
	if (bucket == 0 || slot != table->slot)
		leave_slot(table);
	table->slot = slot;
	table->inside = bucket != 0;
	note_bits(table, bucket);
}

void scan_table_keys(struct scan_table *table, int64_t keys)
{
	if (keys < 0) {
		table->unknown = true;
		return;
	}
	if ((uint64_t)keys < table->keys_min)
		table->keys_min = (uint64_t)keys;
	if ((uint64_t)keys > table->keys_max)
		table->keys_max = (uint64_t)keys;
}

bool scan_table_is_steady(const struct scan_table *table)
{
	if (table->pages <= 1) /* one command sees one moment */
		return true;
	if (table->by_slot)
		return !table->changed && !table->inside;
	return keeps_its_size(table);
}
