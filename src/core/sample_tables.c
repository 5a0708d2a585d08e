#include "core/sample_tables.h"

#include "base/mem.h"
#include "wire/reply.h"
#include "wire/slot.h"

#include <stdlib.h>

#define SLOT_BITS 14
_Static_assert(SLOT_COUNT == 1 << SLOT_BITS, "a cursor's low bits hold any slot");

void sample_tables_clear(struct sample_tables *tables, bool by_slot)
{
	tables->by_slot = by_slot;
	tables->count = 0;
	tables->places = 0;
}

void sample_tables_release(struct sample_tables *tables)
{
	free(tables->list);
}

void sample_tables_add(struct sample_tables *tables, uint16_t slot, unsigned bits)
{
	if (tables->count == tables->room) {
		tables->room = tables->room ? tables->room * 2 : 1;
		tables->list = mem_resize(tables->list, tables->room, sizeof *tables->list);
	}
	tables->list[tables->count++] =
	    (struct sample_table){.first = tables->places, .slot = slot, .bits = (uint8_t)bits};
	tables->places += (uint64_t)1 << bits;
}

/* --- drawing --- */

void sample_tables_shuffle(struct sample_tables *tables, uint64_t *random)
{
	uint64_t last = tables->places ? tables->places - 1 : 0;

	buckets_shuffle(&tables->order, buckets_bits(last), random);
	tables->next = 0;
}

static const struct sample_table *table_of(const struct sample_tables *tables, uint64_t place)
{
	size_t low = 0;

	for (size_t high = tables->count; high - low > 1;) {
		size_t middle = low + (high - low) / 2;

		if (tables->list[middle].first <= place)
			low = middle;
		else
			high = middle;
	}
	return &tables->list[low];
}

struct sample_place sample_tables_draw(struct sample_tables *tables)
{
	uint64_t place;

	do /* the order is of the next power of two */
		place = buckets_at(&tables->order, tables->next++);
	while (place >= tables->places);
	const struct sample_table *table = table_of(tables, place);
	uint64_t number = place - table->first;
	uint64_t length = table->bits ? (uint64_t)1 << (64 - table->bits) : 0;

	return (struct sample_place){
	    .cursor = tables->by_slot ? number << SLOT_BITS | table->slot : number,
	    .end = buckets_way(number) + length,
	    .slot = table->slot};
}

/* --- what a SCAN brought --- */

static bool are_of_slot(const struct reply *keys, unsigned slot)
{
	for (size_t i = 0; i < keys->count; i++)
		if (slot_of(keys->items[i]->text) != slot)
			return false;
	return true;
}

enum sample_where sample_tables_where(const struct sample_tables *tables,
				      const struct sample_place *place, uint64_t cursor,
				      const struct reply *keys)
{
	uint64_t way = buckets_way(cursor);

	uint64_t from =
	    buckets_way(tables->by_slot ? place->cursor >> SLOT_BITS : place->cursor);

	if (tables->by_slot) {
		if (!are_of_slot(keys, place->slot))
			return SAMPLE_BEYOND;
		bool is_over = cursor == 0 || cursor % SLOT_COUNT != place->slot;
		way = is_over ? 0 : buckets_way(cursor >> SLOT_BITS);
	}
	if (way == place->end)
		return SAMPLE_LAST;
	/* the end of the table, 0, is behind every other way */
	bool is_inside = way - 1 < place->end - 1 && way > from;
	return is_inside ? SAMPLE_INSIDE : SAMPLE_BEYOND;
}

bool sample_is_one_table(uint64_t asked, uint64_t cursor, const struct reply *keys)
{
	if (keys->count == 0)
		return false;
	unsigned slot = slot_of(keys->items[0]->text);
	uint64_t next = cursor % SLOT_COUNT;
	bool goes_on = cursor == 0 || next == slot ||
		       (next > slot && cursor < SLOT_COUNT); /* at the next slot's beginning */

	return slot < asked % SLOT_COUNT || !are_of_slot(keys, slot) || !goes_on;
}

int sample_slot_bits(uint16_t slot, uint64_t cursor, const struct reply *keys)
{
	if (cursor && cursor % SLOT_COUNT == slot)
		return (int)buckets_bits(cursor >> SLOT_BITS);
	/* All of its table, however many buckets, was walked over by this one SCAN. */
	return keys->count && slot_of(keys->items[0]->text) == slot ? 0 : -1;
}
