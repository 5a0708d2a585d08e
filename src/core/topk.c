#include "core/topk.h"

#include <string.h>

static void put(struct topk_item *item, struct bytes text, uint64_t hash)
{
	item->hash = hash;
	item->len = (uint32_t)text.len;
	memcpy(item->text, text.ptr, text.len < TOPK_TEXT ? text.len : TOPK_TEXT);
}

void topk_add(struct topk *topk, struct bytes text)
{
	uint64_t hash = bytes_hash(text);
	struct topk_item *least = &topk->items[0];

	for (size_t i = 0; i < TOPK_SIZE; i++) {
		struct topk_item *item = &topk->items[i];

		if (item->count > 0 && item->hash == hash) {
			item->count++;
			return;
		}
		if (item->count < least->count)
			least = item;
	}
	least->error = least->count;
	least->count++;
	put(least, text, hash);
}

static uint64_t certain(const struct topk_item *item)
{
	return item->count - item->error;
}

void topk_merge(struct topk *sum, const struct topk *part)
{
	for (size_t i = 0; i < TOPK_SIZE; i++) {
		const struct topk_item *item = &part->items[i];
		struct topk_item *at = &sum->items[0];

		for (size_t j = 0; j < TOPK_SIZE; j++) {
			struct topk_item *other = &sum->items[j];

			if (other->count > 0 && other->hash == item->hash) {
				at = other;
				break;
			}
			if (certain(other) < certain(at))
				at = other;
		}
		if (item->count == 0)
			continue;
		if (at->count > 0 && at->hash == item->hash) {
			at->count += item->count;
			at->error += item->error;
		} else if (certain(item) > certain(at)) {
			*at = *item;
		}
	}
}

size_t topk_best(const struct topk *topk, const struct topk_item **ret_items, size_t count)
{
	size_t found = 0;

	for (size_t i = 0; i < TOPK_SIZE; i++) {
		const struct topk_item *item = &topk->items[i];
		size_t at = found < count ? found : count;

		if (item->count == 0 || item->error > certain(item))
			continue;
		while (at > 0 && certain(ret_items[at - 1]) < certain(item))
			at--;
		if (at == count)
			continue;
		size_t moved = (found < count ? found : count - 1) - at;
		memmove(&ret_items[at + 1], &ret_items[at], moved * sizeof *ret_items);
		ret_items[at] = item;
		found += found < count;
	}
	return found;
}
