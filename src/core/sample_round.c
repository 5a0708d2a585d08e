#include "core/sample_private.h"

#include "base/num.h"
#include "core/namespace.h"

#include <stdio.h>
#include <stdlib.h>

int sample_scan(struct sample_node *node, uint64_t cursor, redis_reply_fn *fn, void *ctx,
		struct err *err)
{
	char text[24];
	const struct bytes argv[] = {
	    BYTES("SCAN"),
	    {text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)cursor)},
	    BYTES("COUNT"),
	    BYTES("1")};
	const struct redis_command command = {.argv = argv,
					      .argc = 4,
					      .flags = REDIS_IDEMPOTENT,
					      .expect = 256,
					      .fn = fn,
					      .ctx = ctx};

	return redis_submit(node->redis, &command, err);
}

int sample_heard(struct sample_node *node, const struct reply *reply, uint64_t *ret_cursor,
		 const struct reply **ret_keys)
{
	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    reply->items[1]->type != REPLY_ARRAY ||
	    num_parse_u64(reply->items[0]->text, 0, UINT64_MAX, ret_cursor) != 0) {
		if (!err_is_set(&node->run->err))
			redis_fail(node->redis, reply, "SCAN", (struct bytes){NULL, 0},
				   &node->run->err);
		return -1;
	}
	*ret_keys = reply->items[1];
	if (buckets_bits(*ret_cursor) > node->bits_seen)
		node->bits_seen = buckets_bits(*ret_cursor);
	return 0;
}

int sample_drain(struct sampling *run, struct err *err)
{
	if (redis_drain(run->redis, 0, err) != 0)
		return -1;
	if (!err_is_set(&run->err))
		return 0;
	*err = run->err;
	return -1;
}

/* --- places --- */

static void take_key(struct sample_node *node, struct bytes key, uint32_t lot)
{
	const struct sample_options *options = node->run->options;
	const struct scan_result *scan = &node->run->result->scan;
	bool own = ns_is_own_key(key);

	if (node->count == node->room) {
		node->room = node->room ? node->room * 2 : SAMPLE_ROUND;
		node->list = mem_resize(node->list, node->room, sizeof *node->list);
	}
	node->list[node->count++] = (struct sample_drawn){
	    .key = {.key = mem_arena_bytes(&node->arena, key),
		    .asked = own ? 0 : options->probes & ~scan->denied,
		    .lenient = true,
		    .ttl_ms = scan->denied & SCAN_TTL ? SCAN_TTL_UNKNOWN : 0,
		    .bytes = -1,
		    .idle_s = -1,
		    .freq = -1,
		    .type = -1},
	    .lot = lot,
	    .own = own};
}

static void on_bucket(void *ctx, const struct reply *reply)
{
	struct sample_open *open = ctx;
	struct sample_node *node = open->node;
	const struct reply *keys = NULL;
	uint64_t cursor = 0;
	struct err *err = &node->run->err;

	if (sample_heard(node, reply, &cursor, &keys) != 0)
		return;
	enum sample_where where =
	    sample_tables_where(&node->tables, &open->place, cursor, keys);
	if (where == SAMPLE_BEYOND)
		return;
	for (size_t i = 0; i < keys->count; i++)
		take_key(node, keys->items[i]->text, (uint32_t)(open - node->open));
	if (where == SAMPLE_LAST || err_is_set(err))
		return;
	open->place.cursor = cursor;
	sample_scan(node, cursor, on_bucket, open, err);
}

static void on_size(void *ctx, const struct reply *reply)
{
	const struct reply *keys = NULL;
	uint64_t cursor = 0;

	sample_heard(ctx, reply, &cursor, &keys);
}

/* The node's next places; of one table with as many SCANs as tell that it kept its size. */
static int ask_places(struct sample_node *node, struct err *err)
{
	uint64_t left = node->wanted - node->done;

	mem_arena_clear(&node->arena);
	node->count = 0;
	node->bits_seen = 0;
	node->due = left < SAMPLE_ROUND ? (size_t)left : SAMPLE_ROUND;
	for (size_t i = 0; i < node->due; i++) {
		struct sample_open *open = &node->open[i];

		*open = (struct sample_open){node, sample_tables_draw(&node->tables)};
		if (sample_scan(node, open->place.cursor, on_bucket, open, err) != 0)
			return -1;
	}
	if (node->tables.by_slot)
		return 0;
	for (size_t i = node->due; node->due && i < SAMPLE_PROBES; i++)
		if (sample_scan(node, buckets_random(&node->run->random) >> 16, on_size, node,
				err) != 0)
			return -1;
	return 0;
}

/*
 * A table that changes its size moves keys to other places: of a server's only
 * table that would touch all. Of thousands of small ones hardly one is between
 * two sizes just when it is drawn from.
 */
static bool is_as_before(const struct sample_node *node)
{
	if (node->due == 0)
		return true;
	if (redis_counts(node->redis)->reconnects != node->reconnects)
		return false;
	return node->tables.by_slot || node->bits_seen == node->tables.list[0].bits;
}

/* --- what is asked about their keys --- */

static void yield(struct sampling *run, const struct sample_drawn *drawn)
{
	struct scan_result *scan = &run->result->scan;

	if (drawn->own) {
		scan->own++;
		return;
	}
	if (drawn->key.ttl_ms == SCAN_TTL_GONE) {
		scan->gone++;
		return;
	}
	scan->keys++;
	scan->forbidden += drawn->key.forbidden;
	run->stopped = !run->options->fn(run->options->ctx, &drawn->key);
}

/* Which bucket of its only table a key is in, is by chance: there each is a lot of its own. */
static bool ends_lot(const struct sample_node *node)
{
	return !node->tables.by_slot || node->at + 1 == node->count ||
	       node->list[node->at + 1].lot != node->list[node->at].lot;
}

static void settle(struct sample_node *node)
{
	struct sampling *run = node->run;

	while (node->left == 0 && node->at < node->count) {
		if (!run->stopped) {
			yield(run, &node->list[node->at]);
			node->lot++;
			if (ends_lot(node)) {
				run->options->lot_fn(run->options->ctx, node->lot);
				node->lot = 0;
			}
		}
		if (++node->at < node->count)
			node->left = node->list[node->at].key.asked;
	}
}

static void on_probe(void *ctx, const struct reply *reply)
{
	struct sample_node *node = ctx;
	struct sampling *run = node->run;
	struct err unheard = {0};

	scan_take(node->redis, (enum scan_probe)(node->left & -node->left), reply,
		  &node->list[node->at].key, &run->result->scan,
		  err_is_set(&run->err) ? &unheard : &run->err);
	node->left &= node->left - 1;
	settle(node);
}

static int by_lot(const void *a, const void *b)
{
	uint32_t x = ((const struct sample_drawn *)a)->lot;
	uint32_t y = ((const struct sample_drawn *)b)->lot;

	return (x > y) - (x < y);
}

static int probe_keys(struct sample_node *node, struct err *err)
{
	const struct redis_command how = {.fn = on_probe, .ctx = node};

	if (node->tables.by_slot && node->count)
		qsort(node->list, node->count, sizeof *node->list, by_lot);
	node->at = 0;
	node->lot = 0;
	node->left = node->count ? node->list[0].key.asked : 0;
	for (size_t i = 0; i < node->count; i++)
		for (unsigned left = node->list[i].key.asked; left; left &= left - 1)
			if (scan_ask(node->redis, (enum scan_probe)(left & -left),
				     node->list[i].key.key, &how, err) != 0)
				return -1;
	settle(node);
	return 0;
}

/* --- a round --- */

int sample_round(struct sampling *run, struct err *err)
{
	for (size_t i = 0; i < run->count; i++)
		if (ask_places(&run->nodes[i], err) != 0)
			return -1;
	if (sample_drain(run, err) != 0)
		return -1;
	for (size_t i = 0; i < run->count; i++)
		run->resized = run->resized || !is_as_before(&run->nodes[i]);
	if (run->resized)
		return 0;
	for (size_t i = 0; i < run->count; i++) {
		struct sample_node *node = &run->nodes[i];

		node->done += node->due;
		node->found += node->count;
		run->result->places += node->due;
		if (node->due && probe_keys(node, err) != 0)
			return -1;
	}
	return sample_drain(run, err);
}
