/*
 * A sample from a server that keeps a hash table for each slot, as Redis from
 * 7.4 and Valkey from 8 do in a cluster, whatever server the tests run on: here
 * the server is played, and its tables are of every size and state.
 */
#include "client.h"
#include "fake.h"

#include "core/estimate.h"
#include "core/sample.h"
#include "core/sample_tables.h"
#include "wire/reply.h"
#include "wire/slot.h"

#include <math.h>
#include <netinet/tcp.h>

#define KEYS 3000
#define BIG 1000 /* of them in one slot */
#define NAME 24

/*
 * One slot's table: 2^bits buckets, or, while it is being resized, also 2^to, to
 * which the buckets below `moved` have gone. A key is in the bucket that the low
 * bits of its hash name (Redis dict.c; Valkey hashtable.c).
 */
struct table {
	unsigned bits;
	unsigned to;
	uint64_t moved;
	uint32_t keys[KEYS / 2];
	size_t count;
};

static struct table tables[SLOT_COUNT];
static uint16_t filled[SLOT_COUNT]; /* slots with keys, in order */
static size_t filled_count;
static char names[KEYS][NAME];
static uint64_t hashes[KEYS];
static uint64_t state = 20261121;

/* --- the server's SCAN (kvstore.c, kvstoreScan; dict.c, dictScan) --- */

struct page {
	uint64_t cursor;
	uint32_t keys[KEYS];
	size_t count;
};

static void emit(const struct table *table, bool target, uint64_t bucket, struct page *page)
{
	uint64_t old = ((uint64_t)1 << table->bits) - 1;
	uint64_t mask = target ? ((uint64_t)1 << table->to) - 1 : old;

	for (size_t i = 0; i < table->count; i++) {
		uint64_t hash = hashes[table->keys[i]];

		if (((hash & old) < table->moved) == target && (hash & mask) == bucket)
			page->keys[page->count++] = table->keys[i];
	}
}

static uint64_t next_cursor(uint64_t cursor, uint64_t mask)
{
	uint64_t way = buckets_way(cursor | ~mask) + 1;

	return buckets_way(way);
}

static uint64_t scan_table(const struct table *table, uint64_t cursor, struct page *page)
{
	uint64_t old = ((uint64_t)1 << table->bits) - 1;
	uint64_t new = ((uint64_t)1 << table->to) - 1;
	bool grows = table->to > table->bits;
	uint64_t small = grows ? old : new;
	uint64_t large = grows ? new : old;

	if (table->to == table->bits) {
		emit(table, false, cursor & old, page);
		return next_cursor(cursor, old);
	}
	emit(table, !grows, cursor & small, page);
	do {
		emit(table, grows, cursor & large, page);
		cursor = next_cursor(cursor, large);
	} while (cursor & (small ^ large));
	return cursor;
}

/* SCAN cursor COUNT 1 */
static void scan(uint64_t cursor, struct page *page)
{
	page->count = 0;
	for (int i = 0; i <= 10 && page->count == 0; i++) {
		unsigned slot = cursor % SLOT_COUNT;
		uint64_t next = 0;

		if (tables[slot].count)
			next = scan_table(&tables[slot], cursor / SLOT_COUNT, page);
		if (next == 0) {
			do
				slot++;
			while (slot < SLOT_COUNT && tables[slot].count == 0);
			if (slot == SLOT_COUNT) {
				page->cursor = 0;
				return;
			}
		}
		cursor = page->cursor = next * SLOT_COUNT + slot;
	}
}

/* --- its keys --- */

/* A third of them in one slot, two thirds of the rest in slots of 25, the others alone. */
static void fill_tables(void)
{
	for (uint32_t key = 0; key < KEYS; key++) {
		if (key < BIG)
			snprintf(names[key], NAME, "%u:{big}", key);
		else if (key < KEYS * 7 / 9)
			snprintf(names[key], NAME, "%u:{t%u}", key, key / 25);
		else
			snprintf(names[key], NAME, "%u", key);
		hashes[key] = buckets_random(&state);
		struct table *table = &tables[slot_of(bytes_of(names[key]))];
		table->keys[table->count++] = key;
	}
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		if (tables[slot].count)
			filled[filled_count++] = (uint16_t)slot;
}

/* Tables `spare` bits larger than a key a bucket takes; every `every`th is being resized. */
static void size_tables(int spare, unsigned every)
{
	for (size_t i = 0; i < filled_count; i++) {
		struct table *table = &tables[filled[i]];
		int bits = (int)buckets_bits(table->count - 1) + spare + (int)(i % 3);

		table->bits = table->to = bits > 0 ? (unsigned)bits : 0;
		table->moved = 0;
		if (!every || i % every)
			continue;
		table->to = i % 2 || table->bits < 2 ? table->bits + 1 + (unsigned)(i % 3)
						     : table->bits - 2;
		table->moved = buckets_random(&state) % ((uint64_t)1 << table->bits);
	}
}

/* --- places, without a server --- */

static struct reply items[KEYS];
static const struct reply *item_list[KEYS];

static struct reply as_reply(const struct page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		items[i] = (struct reply){.type = REPLY_STRING,
					  .text = bytes_of(names[page->keys[i]])};
		item_list[i] = &items[i];
	}
	return (struct reply){.type = REPLY_ARRAY, .count = page->count, .items = item_list};
}

static void measure(struct sample_tables *measured)
{
	static struct page page;

	sample_tables_clear(measured, true);
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
		scan(slot, &page);
		struct reply keys = as_reply(&page);
		int bits = sample_slot_bits((uint16_t)slot, page.cursor, &keys);

		CHECK_INT(sample_is_one_table(slot, page.cursor, &keys), 0);
		CHECK_INT(bits >= 0, tables[slot].count > 0);
		if (bits < 0)
			continue;
		unsigned small =
		    tables[slot].bits < tables[slot].to ? tables[slot].bits : tables[slot].to;
		CHECK((unsigned)bits <= small);
		sample_tables_add(measured, (uint16_t)slot, (unsigned)bits);
	}
}

/* Draws every place, and counts how often each key comes. */
static void draw_all(struct sample_tables *measured, unsigned *came)
{
	static struct page page;

	sample_tables_shuffle(measured, &state);
	for (uint64_t i = 0; i < measured->places; i++) {
		struct sample_place place = sample_tables_draw(measured);
		enum sample_where where = SAMPLE_INSIDE;

		while (where == SAMPLE_INSIDE) {
			scan(place.cursor, &page);
			struct reply keys = as_reply(&page);

			where = sample_tables_where(measured, &place, page.cursor, &keys);
			for (size_t k = 0; where != SAMPLE_BEYOND && k < page.count; k++)
				came[page.keys[k]]++;
			place.cursor = page.cursor;
		}
	}
}

static void check_each_once(struct sample_tables *measured)
{
	unsigned came[KEYS] = {0};
	unsigned wrong = 0;

	draw_all(measured, came);
	for (size_t i = 0; i < KEYS; i++)
		wrong += came[i] != 1;
	CHECK_INT(wrong, 0);
}

TEST(all_places_together_have_every_key_once)
{
	static const int spares[] = {-4, -1, 1};
	struct sample_tables measured = {0};

	for (size_t i = 0; i < sizeof spares / sizeof *spares; i++) {
		for (unsigned every = 0; every < 4; every++) {
			size_tables(spares[i], every);
			measure(&measured);
			check_each_once(&measured);
		}
	}
	sample_tables_release(&measured);
}

/* Between the measuring and the drawing all tables grew, or shrank. */
TEST(nor_does_a_table_of_another_size_lose_keys)
{
	struct sample_tables measured = {0};

	size_tables(1, 0);
	measure(&measured);
	size_tables(3, 0);
	check_each_once(&measured);
	size_tables(-1, 0);
	check_each_once(&measured);
	sample_tables_release(&measured);
}

static uint64_t one_table_cursor(uint64_t cursor, struct page *page)
{
	static struct table all;

	all.count = 0;
	all.bits = all.to = 11;
	page->count = 0;
	for (uint32_t i = 0; i < KEYS / 2; i++)
		all.keys[all.count++] = i;
	do
		cursor = scan_table(&all, cursor, page);
	while (page->count == 0 && cursor);
	return cursor;
}

TEST(one_table_is_told_from_many)
{
	static struct page page;
	unsigned told = 0;

	for (unsigned i = 0; i < 64; i++) {
		uint64_t asked = buckets_random(&state) >> 16;
		page.cursor = one_table_cursor(asked, &page);
		struct reply keys = as_reply(&page);

		told += sample_is_one_table(asked, page.cursor, &keys);
		size_tables(0, 2);
		scan(asked, &page);
		keys = as_reply(&page);
		CHECK_INT(sample_is_one_table(asked, page.cursor, &keys), 0);
	}
	CHECK(told > 32);
}

/* --- a server --- */

static void say(int client, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(int client, const char *format, ...)
{
	static char text[KEYS * (NAME + 8)];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	fake_say(client, (struct bytes){text, (size_t)len});
}

static void answer_scan(int client, uint64_t cursor)
{
	static struct page page;
	struct buf text = {0};
	char digits[24];

	scan(cursor, &page);
	snprintf(digits, sizeof digits, "%llu", (unsigned long long)page.cursor);
	buf_printf(&text, "*2\r\n$%zu\r\n%s\r\n*%zu\r\n", strlen(digits), digits, page.count);
	for (size_t i = 0; i < page.count; i++)
		buf_printf(&text, "$%zu\r\n%s\r\n", strlen(names[page.keys[i]]),
			   names[page.keys[i]]);
	fake_say(client, buf_bytes(&text));
	buf_release(&text);
}

/* Of the slots that it serves it tells those with keys and the next one: the rest costs time.
 */
static void answer_nodes(int client)
{
	struct buf text = {0};

	buf_add_str(&text, "0123 127.0.0.1:1@2 myself,master - 0 0 1 connected");
	for (size_t i = 0; i < filled_count; i++) {
		buf_printf(&text, " %u", filled[i]);
		if (i + 1 < filled_count && filled[i + 1] > filled[i] + 1)
			buf_printf(&text, "-%u", filled[i] + 1);
	}
	buf_add_str(&text, "\n");
	say(client, "$%zu\r\n%s\r\n", text.len, buf_str(&text));
	buf_release(&text);
}

static void answer(int client, unsigned port, char words[8][64])
{
	if (strcmp(words[0], "HELLO") == 0)
		say(client,
		    "*6\r\n+version\r\n+9.1.2\r\n+server\r\n+valkey\r\n+mode\r\n+cluster\r\n");
	else if (strcmp(words[0], "SCAN") == 0)
		answer_scan(client, strtoull(words[1], NULL, 10));
	else if (strcmp(words[0], "DBSIZE") == 0)
		say(client, ":%d\r\n", KEYS);
	else if (strcmp(words[0], "CLUSTER") == 0 && strcmp(words[1], "SLOTS") == 0)
		say(client, "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%u\r\n",
		    port);
	else if (strcmp(words[0], "CLUSTER") == 0)
		answer_nodes(client);
	else if (strcmp(words[0], "PING") == 0)
		say(client, "+PONG\r\n");
	else
		say(client, "+OK\r\n");
}

static void serve(FILE *in, int client, unsigned port)
{
	char line[80];

	while (fgets(line, sizeof line, in)) {
		char words[8][64] = {{0}};
		long count = strtol(line + 1, NULL, 10);

		for (long i = 0; i < count && i < 8; i++)
			if (!fgets(line, sizeof line, in) || !fgets(words[i], 64, in))
				return;
		for (long i = 0; i < count && i < 8; i++)
			words[i][strcspn(words[i], "\r")] = 0;
		answer(client, port, words);
	}
}

static void start(struct fake *fake)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 8) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		abort();
	fake->port = ntohs(address.sin_port);
	fake->pid = fork();
	while (fake->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int client = accept(fd, NULL, NULL);

		if (client < 0 || fork() != 0) {
			close(client);
			continue;
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		serve(fdopen(client, "r"), client, fake->port);
		_exit(0);
	}
	close(fd);
}

struct seen {
	unsigned came[KEYS];
	struct estimate_lots lots;
	struct estimate_kind big; /* of the slot that has a third of them */
	double in_lot;
};

static bool on_key(void *ctx, const struct scan_key *key)
{
	struct seen *seen = ctx;
	size_t number = strtoul(key->key.ptr, NULL, 10);

	seen->came[number % KEYS]++;
	seen->in_lot += number < BIG;
	return true;
}

static void on_lot(void *ctx, uint64_t keys)
{
	struct seen *seen = ctx;

	seen->lots.sampled += keys;
	seen->lots.squared += (double)(keys * keys);
	seen->big.seen += (uint64_t)seen->in_lot;
	seen->big.sum += seen->in_lot;
	seen->big.squared += seen->in_lot * seen->in_lot;
	seen->big.crossed += seen->in_lot * (double)keys;
	seen->in_lot = 0;
}

static void on_restart(void *ctx)
{
	(void)ctx;
	CHECK(!"restarted");
}

#define RUNS 60

TEST(every_key_has_the_same_chance)
{
	struct fake fake;
	struct client client;
	char url[64];
	struct seen seen = {0};
	double chi = 0;
	double mean = 0;
	unsigned held = 0;

	size_tables(-2, 3); /* four keys a bucket, a third of the tables being resized */
	start(&fake);
	snprintf(url, sizeof url, "redis://127.0.0.1:%u", fake.port);
	client_open(&client, url);
	for (unsigned run = 0; run < RUNS; run++) {
		struct sample_result result = {0};
		const struct sample_options options = {.keys = KEYS / 8,
						       .seed = run,
						       .fn = on_key,
						       .lot_fn = on_lot,
						       .restart = on_restart,
						       .ctx = &seen};

		seen.lots = (struct estimate_lots){.total = KEYS};
		seen.big = (struct estimate_kind){0};
		if (sample_run(client.redis, &options, &result, &client.err) != 0) {
			printf("# %s\n", client.err.text);
			CHECK(!"a sample");
			break;
		}
		CHECK(result.scan.complete && !result.too_small);
		CHECK_INT(result.total, KEYS);
		CHECK_INT(result.scan.keys, seen.lots.sampled);
		struct estimate estimate = estimate_count_of(&seen.lots, &seen.big);
		held += estimate.low <= BIG && BIG <= estimate.high;
	}
	for (size_t i = 0; i < KEYS; i++)
		mean += seen.came[i] / (double)KEYS;
	for (size_t i = 0; i < KEYS; i++)
		chi +=
		    (seen.came[i] - mean) * (seen.came[i] - mean) / (mean * (1 - mean / RUNS));
	printf("# mean %.2f, chi square %.0f of %d, %u of %d bounds hold\n", mean, chi, KEYS,
	       held, RUNS);
	CHECK(fabs(mean - RUNS / 8.0) < 1);
	/* 6.5 standard deviations; keys of a bucket, some five, come together */
	CHECK(chi < KEYS + 6.5 * 2.5 * sqrt(2.0 * KEYS));
	CHECK(held >= 40); /* of 95 in 100, chance leaves fewer once in 10^9 runs */
	client_close(&client);
	fake_stop(&fake);
}

int main(void)
{
	fill_tables();
	RUN(all_places_together_have_every_key_once);
	RUN(nor_does_a_table_of_another_size_lose_keys);
	RUN(one_table_is_told_from_many);
	RUN(every_key_has_the_same_chance);
	CHECK_DONE();
}
