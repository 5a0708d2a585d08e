#include "core/sample.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/buckets.h"
#include "core/namespace.h"
#include "core/scan_slots.h"
#include "wire/redis.h"
#include "wire/slot.h"

#include <stdio.h>
#include <stdlib.h>

/* Buckets a round: the server takes well under 1 ms for what it reads of them at once. */
#define ROUND 256
/* Tries to learn the size: that all of them miss its highest bit has a chance of 2^-64. */
#define PROBES 64
#define KEYS_LEAST 512 /* of fewer no sample is taken */
#define BITS_MOST 44   /* of a cursor that can be a place in a table */
#define RESTARTS 5

struct draw;

/* One server's part: the same share of its buckets as of every other's. */
struct node {
	struct draw *draw;
	struct redis *redis;
	struct buckets table; /* in the order in which they are drawn */
	uint64_t keys;        /* DBSIZE, 0: not allowed to ask */
	uint64_t buckets;     /* to draw */
	uint64_t drawn;       /* of these */
	uint64_t found;       /* keys in them */
	size_t due;           /* buckets of this round */
	size_t answered;      /* of these */
	uint64_t cursors[ROUND];
	unsigned bits_seen; /* of the cursors that came back in this round */
	struct mem_arena arena;
	struct scan_key *list; /* of this round */
	size_t key_count;
	size_t key_room;
	size_t at; /* the key whose probe is answered next */
	unsigned left;
	uint64_t reconnects;
	struct scan_slots slots;
};

struct draw {
	struct redis *redis;
	const struct sample_options *options;
	struct sample_result *result;
	struct node *nodes;
	size_t count;
	uint64_t random;
	bool unordered; /* a key came that no table per slot would have given */
	bool resized;
	bool stopped;
	struct err err;
};

static int submit_scan(struct node *node, uint64_t cursor, redis_reply_fn *fn, struct err *err)
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
					      .ctx = node};

	return redis_submit(node->redis, &command, err);
}

/* The cursor that came back; keys in reply->items[1]. */
static int read_cursor(struct node *node, const struct reply *reply, uint64_t *ret_cursor)
{
	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    reply->items[1]->type != REPLY_ARRAY ||
	    num_parse_u64(reply->items[0]->text, 0, UINT64_MAX, ret_cursor) != 0) {
		if (!err_is_set(&node->draw->err))
			redis_fail(node->redis, reply, "SCAN", (struct bytes){NULL, 0},
				   &node->draw->err);
		return -1;
	}
	if (buckets_bits(*ret_cursor) > node->bits_seen)
		node->bits_seen = buckets_bits(*ret_cursor);
	return 0;
}

static void on_size(void *ctx, const struct reply *reply)
{
	struct node *node = ctx;
	uint64_t cursor = 0;

	read_cursor(node, reply, &cursor);
}

/*
 * Servers with a table for each slot (Redis from 7.4, Valkey from 8, in a
 * cluster) have the slot in a cursor's lowest 14 bits and go on with the next:
 * no key is of a lower one. Where there is one table, half of them are.
 */
static void on_order(void *ctx, const struct reply *reply)
{
	struct node *node = ctx;
	uint64_t slot = node->cursors[node->answered++] % SLOT_COUNT;
	uint64_t cursor = 0;

	if (read_cursor(node, reply, &cursor) != 0)
		return;
	for (size_t i = 0; i < reply->items[1]->count; i++)
		if (slot_of(reply->items[1]->items[i]->text) < slot)
			node->draw->unordered = true;
}

static void take_key(struct node *node, struct bytes key)
{
	const struct sample_options *options = node->draw->options;
	struct scan_result *scan = &node->draw->result->scan;

	node->found++;
	if (ns_is_own_key(key)) {
		scan->own++;
		return;
	}
	if (node->key_count == node->key_room) {
		node->key_room = node->key_room ? node->key_room * 2 : ROUND;
		node->list = mem_resize(node->list, node->key_room, sizeof *node->list);
	}
	node->list[node->key_count++] =
	    (struct scan_key){.key = mem_arena_bytes(&node->arena, key),
			      .asked = options->probes & ~scan->denied,
			      .lenient = true,
			      .ttl_ms = scan->denied & SCAN_TTL ? SCAN_TTL_UNKNOWN : 0,
			      .bytes = -1,
			      .idle_s = -1,
			      .freq = -1,
			      .type = -1};
}

static void on_bucket(void *ctx, const struct reply *reply)
{
	struct node *node = ctx;
	uint64_t bucket = node->cursors[node->answered++];
	uint64_t cursor = 0;

	if (read_cursor(node, reply, &cursor) != 0 ||
	    cursor != buckets_behind(&node->table, bucket))
		return;
	for (size_t i = 0; i < reply->items[1]->count; i++)
		take_key(node, reply->items[1]->items[i]->text);
}

static void yield(struct draw *draw, const struct scan_key *key)
{
	struct scan_result *scan = &draw->result->scan;

	if (draw->stopped)
		return;
	if (key->ttl_ms == SCAN_TTL_GONE) {
		scan->gone++;
		return;
	}
	scan->keys++;
	scan->forbidden += key->forbidden;
	draw->stopped = !draw->options->fn(draw->options->ctx, key);
}

static void settle(struct node *node)
{
	while (node->left == 0 && node->at < node->key_count) {
		yield(node->draw, &node->list[node->at]);
		if (++node->at < node->key_count)
			node->left = node->list[node->at].asked;
	}
}

static void on_probe(void *ctx, const struct reply *reply)
{
	struct node *node = ctx;
	struct draw *draw = node->draw;
	struct err unheard = {0};

	scan_take(node->redis, (enum scan_probe)(node->left & -node->left), reply,
		  &node->list[node->at], &draw->result->scan,
		  err_is_set(&draw->err) ? &unheard : &draw->err);
	node->left &= node->left - 1;
	settle(node);
}

/* Waits for all that is under way. */
static int drain(struct draw *draw, struct err *err)
{
	if (redis_drain(draw->redis, 0, err) != 0)
		return -1;
	if (!err_is_set(&draw->err))
		return 0;
	*err = draw->err;
	return -1;
}

static int probe_keys(struct node *node, struct err *err)
{
	const struct redis_command how = {.fn = on_probe, .ctx = node};

	node->at = 0;
	node->left = node->key_count ? node->list[0].asked : 0;
	for (size_t i = 0; i < node->key_count; i++)
		for (unsigned left = node->list[i].asked; left; left &= left - 1)
			if (scan_ask(node->redis, (enum scan_probe)(left & -left),
				     node->list[i].key, &how, err) != 0)
				return -1;
	settle(node);
	return 0;
}

/* --- a round, of all nodes at once --- */

/* The node's next buckets; with them as many SCANs as tell that its table kept its size. */
static int ask_buckets(struct node *node, struct err *err)
{
	uint64_t left = node->buckets - node->drawn;

	mem_arena_clear(&node->arena);
	node->key_count = node->answered = 0;
	node->bits_seen = 0;
	node->due = left < ROUND ? (size_t)left : ROUND;
	for (size_t i = 0; i < node->due; i++) {
		node->cursors[i] = buckets_at(&node->table, node->drawn + i);
		if (submit_scan(node, node->cursors[i], on_bucket, err) != 0)
			return -1;
	}
	for (size_t i = node->due; node->due && i < PROBES; i++)
		if (submit_scan(node, buckets_random(&node->draw->random) >> 16, on_size,
				err) != 0)
			return -1;
	return 0;
}

static bool is_as_before(const struct node *node)
{
	return node->due == 0 || (node->bits_seen == node->table.bits &&
				  redis_counts(node->redis)->reconnects == node->reconnects);
}

static int draw_round(struct draw *draw, struct err *err)
{
	for (size_t i = 0; i < draw->count; i++)
		if (ask_buckets(&draw->nodes[i], err) != 0)
			return -1;
	if (drain(draw, err) != 0)
		return -1;
	for (size_t i = 0; i < draw->count; i++)
		draw->resized = draw->resized || !is_as_before(&draw->nodes[i]);
	if (draw->resized)
		return 0;
	for (size_t i = 0; i < draw->count; i++) {
		struct node *node = &draw->nodes[i];

		node->drawn += node->due;
		draw->result->buckets += node->due;
		if (node->due && probe_keys(node, err) != 0)
			return -1;
	}
	return drain(draw, err);
}

/* --- how many buckets and keys there are --- */

static void on_keys(void *ctx, const struct reply *reply)
{
	struct node *node = ctx;

	node->keys =
	    reply->type == REPLY_INTEGER && reply->integer > 0 ? (uint64_t)reply->integer : 0;
}

static int measure(struct node *node, struct err *err)
{
	const struct bytes size = BYTES("DBSIZE");
	uint64_t *random = &node->draw->random;

	node->bits_seen = 0;
	node->drawn = node->found = 0;
	node->answered = 0;
	node->reconnects = redis_counts(node->redis)->reconnects;
	for (size_t i = 0; i < PROBES; i++) {
		node->cursors[i] = buckets_random(random) >> 16;
		if (submit_scan(node, node->cursors[i], on_order, err) != 0)
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

static int measure_all(struct draw *draw, struct err *err)
{
	for (size_t i = 0; i < draw->count; i++)
		if (measure(&draw->nodes[i], err) != 0)
			return -1;
	if (drain(draw, err) != 0)
		return -1;
	for (size_t i = 0; i < draw->count; i++) {
		struct node *node = &draw->nodes[i];

		if (node->bits_seen > BITS_MOST)
			return err_set(
			    err, ERR_USAGE,
			    "--sample draws from a server's table, and this server's "
			    "cursors are no places in one: leave it out");
		buckets_shuffle(&node->table, node->bits_seen, &draw->random);
		draw->result->scan.expected += node->keys;
	}
	return 0;
}

/* Every key of every node has the same chance: that its bucket is drawn. */
static void share_out(struct draw *draw)
{
	struct sample_result *result = draw->result;
	double all = 0;

	for (size_t i = 0; i < draw->count; i++)
		all += draw->nodes[i].table.bits
			   ? (double)((uint64_t)1 << draw->nodes[i].table.bits)
			   : 0;
	double keys = result->scan.expected ? (double)result->scan.expected : all;
	double share = (double)draw->options->keys / keys;

	result->too_small = keys < KEYS_LEAST || all < KEYS_LEAST || share > 0.5;
	for (size_t i = 0; i < draw->count; i++) {
		struct node *node = &draw->nodes[i];
		double buckets = share * (double)((uint64_t)1 << node->table.bits);
		double chance = (double)(buckets_random(&draw->random) >> 11) * 0x1p-53;

		node->buckets = result->too_small || node->table.bits == 0
				    ? 0
				    : (uint64_t)(buckets + chance); /* on average as many */
	}
}

static bool is_drawn(const struct draw *draw)
{
	for (size_t i = 0; i < draw->count; i++)
		if (draw->nodes[i].drawn < draw->nodes[i].buckets)
			return false;
	return true;
}

static int draw_all(struct draw *draw, struct err *err)
{
	if (measure_all(draw, err) != 0)
		return -1;
	share_out(draw);
	if (!draw->result->too_small && !draw->unordered && redis_is_cluster(draw->redis))
		return err_set(err, ERR_USAGE,
			       "--sample draws from a server's table, and this cluster's "
			       "servers have one for each slot: leave it out");
	while (!is_drawn(draw) && !draw->resized && !draw->stopped)
		if (draw_round(draw, err) != 0)
			return -1;
	return 0;
}

/* --- slots that move from node to node meanwhile --- */

static void on_slots(void *ctx, const struct reply *reply)
{
	scan_slots_told(&((struct node *)ctx)->slots, reply);
}

static int ask_slots(struct draw *draw, struct err *err)
{
	const struct bytes argv[] = {BYTES("CLUSTER"), BYTES("NODES")};

	if (!redis_is_cluster(draw->redis))
		return 0;
	for (size_t i = 0; i < draw->count; i++)
		if (redis_submit(draw->nodes[i].redis,
				 &(struct redis_command){.argv = argv,
							 .argc = 2,
							 .flags = REDIS_IDEMPOTENT,
							 .fn = on_slots,
							 .ctx = &draw->nodes[i]},
				 err) != 0)
			return -1;
	return drain(draw, err);
}

static int check_slots(struct draw *draw, struct err *err)
{
	if (ask_slots(draw, err) != 0)
		return -1;
	for (size_t i = 0; i < draw->count; i++)
		if (scan_slots_moved(&draw->nodes[i].slots))
			return err_set(err, ERR_ITEM,
				       "slots moved between the cluster's nodes meanwhile: no "
				       "sample is fair; run it again when the resharding is "
				       "over");
	return 0;
}

/* --- all of it --- */

static int draw_until_fair(struct draw *draw, struct err *err)
{
	int restarts = 0;

	if (ask_slots(draw, err) != 0)
		return -1;
	do {
		if (draw->resized)
			draw->options->restart(draw->options->ctx);
		draw->resized = false;
		*draw->result = (struct sample_result){0};
		if (draw_all(draw, err) != 0)
			return -1;
	} while (draw->resized && ++restarts <= RESTARTS);
	if (draw->resized)
		return err_set(err, ERR_REDIS,
			       "the server resized its table %d times meanwhile: no sample is "
			       "fair; leave --sample out",
			       restarts);
	return check_slots(draw, err);
}

/* What DBSIZE says, else what the drawn buckets tell of all. */
static uint64_t total_of(const struct draw *draw)
{
	double total = 0;

	for (size_t i = 0; i < draw->count; i++) {
		const struct node *node = &draw->nodes[i];

		if (node->keys || !node->drawn)
			total += (double)node->keys;
		else
			total += (double)node->found *
				 (double)((uint64_t)1 << node->table.bits) /
				 (double)node->drawn;
	}
	return (uint64_t)total;
}

static void release(struct draw *draw)
{
	for (size_t i = 0; i < draw->count; i++) {
		free(draw->nodes[i].list);
		mem_arena_release(&draw->nodes[i].arena);
		scan_slots_release(&draw->nodes[i].slots);
	}
	free(draw->nodes);
}

int sample_run(struct redis *redis, const struct sample_options *options,
	       struct sample_result *ret_result, struct err *err)
{
	struct draw draw = {
	    .redis = redis, .options = options, .result = ret_result, .random = options->seed};
	struct err ignored = {0};

	*ret_result = (struct sample_result){0};
	draw.count = redis_nodes(redis, err);
	if (draw.count == 0)
		return -1;
	draw.nodes = mem_zalloc(draw.count, sizeof *draw.nodes);
	for (size_t i = 0; i < draw.count; i++) {
		draw.nodes[i].draw = &draw;
		draw.nodes[i].redis = redis_node(redis, i);
	}
	int status = draw_until_fair(&draw, err);
	if (status != 0)
		redis_drain(redis, 0, &ignored);
	ret_result->scan.complete = status == 0 && !draw.stopped;
	ret_result->total = total_of(&draw);
	release(&draw);
	return status;
}
