#include "core/sample.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/namespace.h"
#include "wire/redis.h"

#include <stdio.h>
#include <stdlib.h>

/* Buckets a round: the server takes well under 1 ms for what it reads of them at once. */
#define ROUND 256
/* Tries to learn the size: that all of them miss its highest bit has a chance of 2^-64. */
#define PROBES 64
#define BITS_LEAST 9
#define RESTARTS 5

struct draw {
	struct redis *redis;
	const struct sample_options *options;
	struct sample_result *result;
	uint64_t factors[3]; /* of the order in which buckets are drawn */
	uint64_t offset;
	struct mem_arena arena;
	struct scan_key *keys; /* of this round */
	size_t key_count;
	size_t key_room;
	size_t answered; /* scans of this round */
	size_t at;       /* the key whose probe is answered next */
	unsigned left;
	uint64_t cursors[ROUND];
	unsigned bits_seen; /* of the cursors that came back in this round */
	bool resized;
	bool stopped;
	struct err err;
};

static uint64_t next_random(uint64_t *state)
{
	/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A permutation of the numbers below 2^bits: no bucket is drawn twice. */
static uint64_t bucket_at(const struct draw *draw, uint64_t i)
{
	unsigned bits = draw->result->bits;
	uint64_t mask = ((uint64_t)1 << bits) - 1;
	uint64_t x = (i + draw->offset) & mask;

	for (size_t k = 0; k < 3; k++) {
		x = (x * draw->factors[k]) & mask;
		x ^= x >> (bits / 2);
	}
	return x;
}

/* Where SCAN goes on behind this bucket: the number plus one, read from its high bits down. */
static uint64_t cursor_behind(uint64_t bucket, unsigned bits)
{
	uint64_t bit = (uint64_t)1 << (bits - 1);

	while (bit && bucket & bit) {
		bucket &= ~bit;
		bit >>= 1;
	}
	return bucket | bit;
}

static unsigned bits_of(uint64_t number)
{
	return number ? 64 - (unsigned)__builtin_clzll(number) : 0;
}

static int submit_scan(struct draw *draw, uint64_t cursor, redis_reply_fn *fn, struct err *err)
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
					      .ctx = draw};

	return redis_submit(draw->redis, &command, err);
}

/* The cursor that came back; keys in reply->items[1]. */
static int read_cursor(struct draw *draw, const struct reply *reply, uint64_t *ret_cursor)
{
	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    reply->items[1]->type != REPLY_ARRAY ||
	    num_parse_u64(reply->items[0]->text, 0, UINT64_MAX, ret_cursor) != 0) {
		if (!err_is_set(&draw->err))
			redis_fail(draw->redis, reply, "SCAN", (struct bytes){NULL, 0},
				   &draw->err);
		return -1;
	}
	if (bits_of(*ret_cursor) > draw->bits_seen)
		draw->bits_seen = bits_of(*ret_cursor);
	return 0;
}

static void on_size(void *ctx, const struct reply *reply)
{
	struct draw *draw = ctx;
	uint64_t cursor = 0;

	read_cursor(draw, reply, &cursor);
}

static void take_key(struct draw *draw, struct bytes key)
{
	if (ns_is_own_key(key)) {
		draw->result->scan.own++;
		return;
	}
	if (draw->key_count == draw->key_room) {
		draw->key_room = draw->key_room ? draw->key_room * 2 : ROUND;
		draw->keys = mem_resize(draw->keys, draw->key_room, sizeof *draw->keys);
	}
	draw->keys[draw->key_count++] = (struct scan_key){
	    .key = mem_arena_bytes(&draw->arena, key),
	    .asked = draw->options->probes & ~draw->result->scan.denied,
	    .lenient = true,
	    .ttl_ms = draw->result->scan.denied & SCAN_TTL ? SCAN_TTL_UNKNOWN : 0,
	    .bytes = -1,
	    .idle_s = -1,
	    .freq = -1,
	    .type = -1};
}

static void on_bucket(void *ctx, const struct reply *reply)
{
	struct draw *draw = ctx;
	uint64_t bucket = draw->cursors[draw->answered++];
	uint64_t cursor = 0;

	if (read_cursor(draw, reply, &cursor) != 0 ||
	    cursor != cursor_behind(bucket, draw->result->bits))
		return;
	for (size_t i = 0; i < reply->items[1]->count; i++)
		take_key(draw, reply->items[1]->items[i]->text);
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

static void settle(struct draw *draw)
{
	while (draw->left == 0 && draw->at < draw->key_count) {
		yield(draw, &draw->keys[draw->at]);
		if (++draw->at < draw->key_count)
			draw->left = draw->keys[draw->at].asked;
	}
}

static void on_probe(void *ctx, const struct reply *reply)
{
	struct draw *draw = ctx;
	struct err unheard = {0};

	scan_take(draw->redis, (enum scan_probe)(draw->left & -draw->left), reply,
		  &draw->keys[draw->at], &draw->result->scan,
		  err_is_set(&draw->err) ? &unheard : &draw->err);
	draw->left &= draw->left - 1;
	settle(draw);
}

/* Waits for all that is under way. */
static int drain(struct draw *draw, struct err *err)
{
	return redis_settle(draw->redis, &draw->err, err);
}

static int probe_keys(struct draw *draw, struct err *err)
{
	const struct redis_command how = {.fn = on_probe, .ctx = draw};

	draw->at = 0;
	draw->left = draw->key_count ? draw->keys[0].asked : 0;
	for (size_t i = 0; i < draw->key_count; i++)
		for (unsigned left = draw->keys[i].asked; left; left &= left - 1)
			if (scan_ask(draw->redis, (enum scan_probe)(left & -left),
				     draw->keys[i].key, &how, err) != 0)
				return -1;
	settle(draw);
	return drain(draw, err);
}

static int draw_round(struct draw *draw, uint64_t first, struct err *err)
{
	uint64_t reconnects = redis_counts(draw->redis)->reconnects;

	mem_arena_clear(&draw->arena);
	draw->key_count = draw->answered = 0;
	draw->bits_seen = 0;
	for (size_t i = 0; i < ROUND; i++) {
		draw->cursors[i] = bucket_at(draw, first + i);
		if (submit_scan(draw, draw->cursors[i], on_bucket, err) != 0)
			return -1;
	}
	if (drain(draw, err) != 0)
		return -1;
	draw->resized = draw->bits_seen != draw->result->bits ||
			redis_counts(draw->redis)->reconnects != reconnects;
	return draw->resized ? 0 : probe_keys(draw, err);
}

/* Learns how many buckets and keys there are. */
static int measure(struct draw *draw, uint64_t *random, struct err *err)
{
	const struct reply *reply = NULL;
	struct bytes size = BYTES("DBSIZE");

	draw->bits_seen = 0;
	for (size_t i = 0; i < PROBES; i++)
		if (submit_scan(draw, next_random(random) >> 16, on_size, err) != 0)
			return -1;
	if (drain(draw, err) != 0 ||
	    redis_call(draw->redis, &size, 1, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	draw->result->bits = draw->bits_seen;
	if (reply->type == REPLY_INTEGER)
		draw->result->scan.expected = (uint64_t)reply->integer;
	for (size_t i = 0; i < 3; i++)
		draw->factors[i] = next_random(random) | 1;
	draw->offset = next_random(random);
	return 0;
}

/* How many buckets hold about the keys that are wanted; 0: too large a part of all. */
static uint64_t buckets_for(const struct draw *draw)
{
	const struct sample_result *result = draw->result;
	uint64_t all = (uint64_t)1 << result->bits;
	double load = result->scan.expected ? (double)result->scan.expected / (double)all : 1;
	double wanted = (double)draw->options->keys / load;

	if (result->bits < BITS_LEAST || wanted > (double)all / 2)
		return 0;
	return ((uint64_t)wanted / ROUND + 1) * ROUND;
}

static int draw_all(struct draw *draw, uint64_t *random, struct err *err)
{
	struct sample_result *result = draw->result;

	if (measure(draw, random, err) != 0)
		return -1;
	uint64_t buckets = buckets_for(draw);
	result->too_small = buckets == 0;
	while (result->buckets < buckets && !draw->resized && !draw->stopped) {
		if (draw_round(draw, result->buckets, err) != 0)
			return -1;
		result->buckets += ROUND;
	}
	return 0;
}

int sample_run(struct redis *redis, const struct sample_options *options,
	       struct sample_result *ret_result, struct err *err)
{
	struct draw draw = {.redis = redis, .options = options, .result = ret_result};
	uint64_t random = options->seed;
	struct err ignored = {0};
	int status = 0;
	int restarts = 0;
	size_t nodes = redis_nodes(redis, err);

	*ret_result = (struct sample_result){0};
	if (nodes == 0)
		return -1;
	if (nodes > 1)
		return err_set(err, ERR_USAGE,
			       "--sample draws from one server, and this is a cluster with %zu "
			       "primaries: leave it out",
			       nodes);
	do {
		if (draw.resized)
			options->restart(options->ctx);
		draw.resized = false;
		*ret_result = (struct sample_result){0};
		status = draw_all(&draw, &random, err);
	} while (status == 0 && draw.resized && ++restarts <= RESTARTS);
	if (status == 0 && draw.resized)
		status =
		    err_set(err, ERR_REDIS,
			    "the server resized its table %d times meanwhile: no sample is "
			    "fair; leave --sample out",
			    restarts);
	if (status != 0)
		redis_drain(redis, 0, &ignored);
	ret_result->scan.complete = status == 0 && !draw.stopped;
	uint64_t drawn = ret_result->scan.keys + ret_result->scan.own + ret_result->scan.gone;
	ret_result->total = ret_result->scan.expected;
	if (!ret_result->total && ret_result->buckets)
		ret_result->total =
		    (uint64_t)((double)drawn * (double)((uint64_t)1 << ret_result->bits) /
			       (double)ret_result->buckets);
	free(draw.keys);
	mem_arena_release(&draw.arena);
	return status;
}
