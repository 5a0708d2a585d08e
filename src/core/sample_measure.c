#include "core/sample_private.h"

#include "wire/slot.h"

#include <stdlib.h>

#define BITS_MOST 44 /* of a cursor that can be a place in a table */

static void on_keys(void *ctx, const struct reply *reply)
{
	struct sample_node *node = ctx;

	node->keys =
	    reply->type == REPLY_INTEGER && reply->integer > 0 ? (uint64_t)reply->integer : 0;
}

static void on_probe(void *ctx, const struct reply *reply)
{
	struct sample_node *node = ctx;
	uint64_t asked = node->cursors[node->answered++];
	const struct reply *keys = NULL;
	uint64_t cursor = 0;

	if (sample_heard(node, reply, &cursor, &keys) == 0 &&
	    sample_is_one_table(asked, cursor, keys))
		node->one_table = true;
}

static int probe(struct sample_node *node, struct err *err)
{
	const struct bytes size = BYTES("DBSIZE");

	node->bits_seen = 0;
	node->answered = 0;
	node->done = node->found = 0;
	node->one_table = false;
	node->reconnects = redis_counts(node->redis)->reconnects;
	for (size_t i = 0; i < SAMPLE_PROBES; i++) {
		node->cursors[i] = buckets_random(&node->run->random) >> 16;
		if (sample_scan(node, node->cursors[i], on_probe, node, err) != 0)
			return -1;
	}
	return redis_submit(node->redis,
			    &(struct redis_command){.argv = &size,
						    .argc = 1,
						    .flags = REDIS_IDEMPOTENT,
						    .fn = on_keys,
						    .ctx = node},
			    err);
}

/* --- a table for each slot --- */

static void on_slot(void *ctx, const struct reply *reply)
{
	struct sample_node *node = ctx;
	uint16_t slot = node->own_slots[node->heard++];
	const struct reply *keys = NULL;
	uint64_t cursor = 0;

	if (sample_heard(node, reply, &cursor, &keys) != 0)
		return;
	int bits = sample_slot_bits(slot, cursor, keys);
	if (bits >= 0)
		sample_tables_add(&node->tables, slot, (unsigned)bits);
}

static int ask_slots(struct sample_node *node, bool *ret_all, struct err *err)
{
	size_t end = node->asked + SAMPLE_ROUND;

	if (end > node->own_count)
		end = node->own_count;
	*ret_all = *ret_all && end == node->own_count;
	for (; node->asked < end; node->asked++)
		if (sample_scan(node, node->own_slots[node->asked], on_slot, node, err) != 0)
			return -1;
	return 0;
}

static int measure_slots(struct sampling *run, struct err *err)
{
	for (bool all = false; !all;) {
		all = true;
		for (size_t i = 0; i < run->count; i++)
			if (run->nodes[i].tables.by_slot &&
			    ask_slots(&run->nodes[i], &all, err) != 0)
				return -1;
		if (sample_drain(run, err) != 0)
			return -1;
	}
	return 0;
}

static void begin_slots(struct sample_node *node)
{
	if (!node->own_slots) {
		node->own_slots = mem_zalloc(SLOT_COUNT, sizeof *node->own_slots);
		node->own_count = scan_slots_list(&node->slots, node->own_slots);
		node->own_slots =
		    mem_resize(node->own_slots, node->own_count + 1, sizeof *node->own_slots);
	}
	node->asked = node->heard = 0;
}

int sample_measure(struct sampling *run, struct err *err)
{
	for (size_t i = 0; i < run->count; i++)
		if (probe(&run->nodes[i], err) != 0)
			return -1;
	if (sample_drain(run, err) != 0)
		return -1;
	for (size_t i = 0; i < run->count; i++) {
		struct sample_node *node = &run->nodes[i];

		if (node->bits_seen > BITS_MOST)
			return err_set(
			    err, ERR_USAGE,
			    "--sample draws from a server's table, and this server's "
			    "cursors are no places in one: leave it out");
		sample_tables_clear(&node->tables,
				    redis_is_cluster(run->redis) && !node->one_table);
		if (node->tables.by_slot)
			begin_slots(node);
		else
			sample_tables_add(&node->tables, 0, node->bits_seen);
		run->result->scan.expected += node->keys;
	}
	if (measure_slots(run, err) != 0)
		return -1;
	for (size_t i = 0; i < run->count; i++)
		sample_tables_shuffle(&run->nodes[i].tables, &run->random);
	return 0;
}
