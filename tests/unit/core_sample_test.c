/*
 * The sample is fair and the walk knows what it can promise, against a real
 * server and a real cluster. The server places keys at random, so figures are held against
 * bounds that chance exceeds less than once in 10^9 runs.
 */
#include "fleet.h"

#include "core/estimate.h"
#include "core/sample.h"

#include <math.h>

static struct server server;
static struct client client;
static struct redis *drawn_from;

static void say(const char *line)
{
	client_say(&client, line);
}

static void each(const char *format, unsigned first, unsigned count)
{
	char line[96];

	for (unsigned i = first; i < first + count; i++) {
		const struct bytes word = {line,
					   (size_t)snprintf(line, sizeof line, format, i)};
		struct bytes argv[4];
		size_t argc = 0;

		for (struct bytes rest = word; rest.len;) {
			argv[argc++] = bytes_sub(rest, 0, bytes_index(rest, ' '));
			rest = bytes_sub(rest, argv[argc - 1].len + 1, rest.len);
		}
		CHECK_INT(redis_submit(client.redis,
				       &(struct redis_command){.argv = argv, .argc = argc},
				       &client.err),
			  0);
	}
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
}

#define KEYS 4000
#define RUNS 60
#define LOT 2.5 /* the square root of a bucket's keys, as a key sees them */

#define TAGGED 1500

struct seen {
	uint32_t drawn[KEYS]; /* how often each key came, over all runs */
	uint64_t keys;        /* in this run */
	uint64_t of_kind;     /* every eighth key */
	unsigned restarts;
	/* of the keys below TAGGED, whole slots of which are alike */
	struct estimate_lots lots;
	struct estimate_kind tagged;
	double in_lot;
};

static bool on_key(void *ctx, const struct scan_key *key)
{
	struct seen *seen = ctx;
	unsigned number = (unsigned)strtoul(key->key.ptr + 4, NULL, 10);

	seen->drawn[number % KEYS]++;
	seen->keys++;
	seen->of_kind += number % 8 == 0;
	seen->in_lot += number < TAGGED;
	return true;
}

static void on_restart(void *ctx)
{
	struct seen *seen = ctx;

	seen->restarts++;
	seen->keys = seen->of_kind = 0;
}

static void on_lot(void *ctx, uint64_t keys)
{
	struct seen *seen = ctx;

	seen->lots.sampled += keys;
	seen->lots.squared += (double)(keys * keys);
	seen->tagged.seen += (uint64_t)seen->in_lot;
	seen->tagged.sum += seen->in_lot;
	seen->tagged.squared += seen->in_lot * seen->in_lot;
	seen->tagged.crossed += seen->in_lot * (double)keys;
	seen->in_lot = 0;
}

static int draw(struct seen *seen, uint64_t keys, uint64_t seed, struct sample_result *ret)
{
	struct sample_options options = {.keys = keys,
					 .seed = seed,
					 .fn = on_key,
					 .lot_fn = on_lot,
					 .restart = on_restart,
					 .ctx = seen};

	seen->keys = seen->of_kind = 0;
	seen->in_lot = 0;
	seen->lots = (struct estimate_lots){.total = KEYS};
	seen->tagged = (struct estimate_kind){0};
	return sample_run(drawn_from, &options, ret, &client.err);
}

/* Over all runs, as chance would have it if every key's was the same. */
static void check_chances(const struct seen *seen)
{
	double total = 0;
	double chi = 0;

	for (size_t i = 0; i < KEYS; i++)
		total += seen->drawn[i];
	double mean = total / KEYS;
	double share = mean / RUNS; /* of the runs that a key is in */
	for (size_t i = 0; i < KEYS; i++)
		chi += (seen->drawn[i] - mean) * (seen->drawn[i] - mean) /
		       (RUNS * share * (1 - share));
	printf("# mean %.2f, chi square %.0f of %d\n", mean, chi, KEYS);
	CHECK(mean > 3 && mean < 20);
	/* 6.5 standard deviations; keys that share a bucket (Valkey 8.1: up to 7) come together
	 */
	CHECK(chi < KEYS + 6.5 * LOT * sqrt(2.0 * KEYS));
}

/*
 * An eighth of the buckets have a key, so a key's way to its predecessor is of
 * any length: what takes the first key behind a random place would draw some
 * ten times as often as others.
 */
TEST(every_key_has_the_same_chance_in_a_sparse_table)
{
	struct seen seen = {0};
	struct sample_result result = {0};

	each("SET key:%u x", 0, 20000);
	each("DEL key:%u", KEYS, 20000 - KEYS);
	for (unsigned run = 0; run < RUNS; run++) {
		CHECK_INT(draw(&seen, KEYS / 8, run, &result), 0);
		CHECK(!result.too_small);
		CHECK_INT(result.total, KEYS);
	}
	check_chances(&seen);
}

TEST(the_truth_lies_within_the_bounds)
{
	struct seen seen = {0};
	struct sample_result result = {0};

	for (unsigned run = 0; run < 20; run++) {
		CHECK_INT(draw(&seen, KEYS / 8, 1000 + run, &result), 0);
		struct estimate estimate =
		    estimate_count(seen.of_kind, seen.keys, result.total);
		double sigma = (estimate.high - estimate.low) / 2 / 1.96;

		CHECK(fabs(estimate.value - KEYS / 8.0) < 6.5 * sigma);
	}
}

TEST(no_bucket_is_drawn_twice)
{
	struct seen seen = {0};
	struct sample_result result = {0};

	CHECK_INT(draw(&seen, KEYS * 2 / 5, 7, &result), 0);
	CHECK(!result.too_small && seen.keys > 1000);
	for (size_t i = 0; i < KEYS; i++)
		CHECK(seen.drawn[i] <= 1);
}

TEST(a_sample_of_most_keys_is_refused)
{
	struct seen seen = {0};
	struct sample_result result = {0};

	CHECK_INT(draw(&seen, KEYS, 1, &result), 0);
	CHECK(result.too_small);
	CHECK_INT(seen.keys, 0);
}

/* 16385 keys: the table of 16384 buckets has just begun to move into one of 32768. */
TEST(a_table_that_is_being_resized)
{
	struct seen seen = {0};
	struct sample_result result = {0};

	say("CONFIG SET activerehashing no");
	say("FLUSHALL");
	each("SET key:%u x", 0, 16385);
	for (unsigned run = 0; run < 8; run++) {
		CHECK_INT(draw(&seen, 1000, run, &result), 0);
		CHECK(!result.too_small);
		CHECK_INT(result.total, 16385);
		CHECK(seen.keys > 700 && seen.keys < 1300);
		each("EXISTS key:%u", 0, 2000); /* each moves a bucket */
	}
	say("CONFIG SET activerehashing yes");
}

/* --- a cluster whose primaries are as unequal as can be --- */

static struct fleet fleet;
static struct client cluster;
static const size_t keys_of[FLEET_PRIMARIES] = {3460, 500, 40};

static size_t tag_of(size_t key)
{
	return key < TAGGED / 3 ? 0 : key < TAGGED / 2 ? key / 40 : key / 20;
}

/*
 * key:0, key:1, …, each with a suffix that leads it to the node that it is for:
 * of the first TAGGED, a third in one slot and the others in slots of 20 to 40
 * keys, the rest each in a slot of its own, nearly.
 */
static void fill_fleet(void)
{
	size_t key = 0;
	char name[64];

	for (size_t node = 0; node < FLEET_PRIMARIES; node++) {
		for (size_t i = 0; i < keys_of[node]; i++, key++) {
			size_t suffix = 0;

			do
				snprintf(name, sizeof name,
					 key < TAGGED ? "key:%zu:{%zu}" : "key:%zu:%zu", key,
					 key < TAGGED ? suffix++ + 1000 * tag_of(key)
						      : suffix++);
			while (fleet_owner(slot_of(bytes_of(name))) != node);
			CHECK_INT(fleet_say(&fleet, node, "SET %s x", name)->type,
				  REPLY_STATUS);
		}
	}
}

TEST(every_key_of_unequal_primaries_has_the_same_chance)
{
	struct seen seen = {0};
	struct sample_result result = {0};
	unsigned held = 0;
	size_t key = 0;

	for (unsigned run = 0; run < RUNS; run++) {
		CHECK_INT(draw(&seen, KEYS / 8, run, &result), 0);
		CHECK(!result.too_small);
		CHECK_INT(result.total, KEYS);
		struct estimate estimate =
		    estimate_count(seen.of_kind, seen.keys, result.total);
		CHECK(fabs(estimate.value - KEYS / 8.0) <
		      6.5 * (estimate.high - estimate.low) / 2 / 1.96);
		CHECK_INT(seen.lots.sampled, seen.keys);
		estimate = estimate_count_of(&seen.lots, &seen.tagged);
		held += estimate.low <= TAGGED && TAGGED <= estimate.high;
	}
	check_chances(&seen);
	printf("# %u of %d bounds hold the slots that are alike\n", held, RUNS);
	CHECK(held >= 40); /* of 95 in 100, chance leaves fewer once in 10^9 runs */
	/* of each primary as many as its keys are, however few */
	for (size_t node = 0; node < FLEET_PRIMARIES; node++) {
		double expected = RUNS * (double)keys_of[node] / 8;
		double got = 0;

		for (size_t i = 0; i < keys_of[node]; i++, key++)
			got += seen.drawn[key];
		printf("# node %zu: %.0f of about %.0f\n", node, got, expected);
		CHECK(fabs(got - expected) < 6.5 * LOT * sqrt(expected));
	}
}

TEST(no_sample_while_slots_move)
{
	struct seen seen = {0};
	struct sample_result result = {0};

	fleet_announce_move(&fleet, 3, 0, 1);
	CHECK_INT(draw(&seen, KEYS / 8, 1, &result), -1);
	CHECK_INT(client.err.kind, ERR_ITEM);
	CHECK_HAS(client.err.text, "slots moved");
	CHECK(!result.scan.complete);
	client.err = (struct err){0};
	fleet_finish_move(&fleet, 3, 0, 1);
}

static void sample_a_fleet(void)
{
	char url[128];

	fleet_start(&fleet, false, "60000");
	fill_fleet();
	snprintf(url, sizeof url, "redis://127.0.0.1:%u", fleet.servers[0].port);
	client_open(&cluster, url);
	drawn_from = cluster.redis;
	RUN(every_key_of_unequal_primaries_has_the_same_chance);
	RUN(no_sample_while_slots_move);
	client_close(&cluster);
	fleet_stop(&fleet);
}

static bool count_key(void *ctx, const struct scan_key *key)
{
	(void)key;
	++*(uint64_t *)ctx;
	return true;
}

TEST(a_walk_over_a_steady_table_is_exact)
{
	uint64_t keys = 0;
	struct scan_options options = {
	    .probes = SCAN_TTL | SCAN_TYPE, .fn = count_key, .ctx = &keys};
	struct scan_result result = {0};

	say("FLUSHALL");
	each("SET key:%u x", 0, 10000);
	CHECK_INT(scan_run(client.redis, &options, &result, &client.err), 0);
	CHECK(result.complete && !result.resized);
	CHECK_INT(keys, 10000);
	CHECK_INT(result.expected, 10000);
	CHECK_INT(result.hits, 20000);
	each("DEL key:%u", 1500, 8500); /* less than a tenth, before the server's next look */
	keys = 0;
	CHECK_INT(scan_run(client.redis, &options, &result, &client.err), 0);
	CHECK(result.complete);
	CHECK(keys >= 1500);
}

int main(void)
{
	server_start(&server, false, NULL);
	client_unix(&client, &server, 0);
	drawn_from = client.redis;
	RUN(every_key_has_the_same_chance_in_a_sparse_table);
	RUN(the_truth_lies_within_the_bounds);
	RUN(no_bucket_is_drawn_twice);
	RUN(a_sample_of_most_keys_is_refused);
	RUN(a_table_that_is_being_resized);
	RUN(a_walk_over_a_steady_table_is_exact);
	sample_a_fleet();
	client_close(&client);
	server_stop(&server);
	CHECK_DONE();
}
