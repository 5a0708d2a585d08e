#include "core/traffic_private.h"

#include "base/mem.h"

#include <stdlib.h>

#define SIZE_FIRST 1024

void traffic_keys_init(struct traffic_keys *keys, size_t max)
{
	*keys = (struct traffic_keys){.size = SIZE_FIRST, .max = max, .threshold = UINT64_MAX};
	keys->slots = mem_zalloc(keys->size, sizeof *keys->slots);
}

void traffic_keys_release(struct traffic_keys *keys)
{
	free(keys->slots);
	keys->slots = NULL;
}

/* FNV's low bits are its good ones; the threshold looks at the high ones. */
static uint64_t spread(uint64_t hash)
{
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	return hash ^ (hash >> 33);
}

bool traffic_keys_follows(const struct traffic_keys *keys, uint64_t hash)
{
	return spread(hash) <= keys->threshold;
}

static struct traffic_key *slot_of(const struct traffic_keys *keys, uint64_t hash)
{
	size_t at = (size_t)hash & (keys->size - 1);

	while (keys->slots[at].hash != 0 && keys->slots[at].hash != hash)
		at = (at + 1) & (keys->size - 1);
	return &keys->slots[at];
}

struct traffic_key *traffic_keys_find(const struct traffic_keys *keys, uint64_t hash)
{
	struct traffic_key *slot = slot_of(keys, hash);

	return slot->hash ? slot : NULL;
}

/* Into a table of size, those that are still followed. */
static void rebuild(struct traffic_keys *keys, size_t size)
{
	struct traffic_keys old = *keys;

	keys->size = size;
	keys->count = 0;
	keys->slots = mem_zalloc(size, sizeof *keys->slots);
	for (size_t i = 0; i < old.size; i++) {
		if (old.slots[i].hash == 0 || !traffic_keys_follows(keys, old.slots[i].hash))
			continue;
		*slot_of(keys, old.slots[i].hash) = old.slots[i];
		keys->count++;
	}
	free(old.slots);
}

void traffic_keys_halve(struct traffic_keys *keys)
{
	keys->threshold /= 2;
	rebuild(keys, keys->size);
}

struct traffic_key *traffic_keys_make(struct traffic_keys *keys, uint64_t hash)
{
	struct traffic_key *slot = slot_of(keys, hash);

	if (slot->hash)
		return slot;
	if (keys->count >= keys->max) {
		traffic_keys_halve(keys);
		if (!traffic_keys_follows(keys, hash))
			return NULL;
		slot = slot_of(keys, hash);
	} else if (keys->count * 2 >= keys->size) {
		rebuild(keys, keys->size * 2);
		slot = slot_of(keys, hash);
	}
	*slot = (struct traffic_key){.hash = hash, .expires_ms = LIFE_UNKNOWN, .last_hit = 2};
	keys->count++;
	return slot;
}

void traffic_keys_doubt(struct traffic_keys *keys)
{
	for (size_t i = 0; i < keys->size; i++)
		keys->slots[i].state = KEY_UNKNOWN;
}
