#include "core/scan_private.h"

#include "base/buf.h"
#include "base/num.h"
#include "base/priority.h"
#include "core/namespace.h"

#include <stdio.h>
#include <stdlib.h>

/* Keys between two looks at the number of keys. */
#define SIZE_EVERY 256

static void set_window(struct scan_walk *walk)
{
	struct redis_limits limits = walk->limits;

	if (!walk->scan->options->gentle)
		return;
	limits.commands = scan_pace_window(&walk->pace);
	limits.in_turns = true;
	limits.stretch = false; /* this window is paced */
	limits.watch_us = SCAN_PACE_WATCH_US;
	if (!scan_pace_is_far(&walk->pace)) { /* two windows may be under way */
		limits.sent_bytes /= 2;
		limits.reply_bytes /= 2;
	}
	redis_set_limits(walk->redis, &limits);
}

/* --- what comes back --- */

/* The next key of the page that waits for answers. */
static void settle(struct scan_page *page)
{
	while (page->left == 0 && page->at < page->count)
		if (++page->at < page->count)
			page->left = page->keys[page->at].asked;
}

static void on_probe(void *ctx, const struct reply *reply)
{
	struct scan_page *page = ctx;
	struct scan_walk *walk = page->walk;
	enum scan_probe probe = (enum scan_probe)(page->left & -page->left);
	struct err unheard = {0};

	walk->under_way--;
	walk->result.lost = walk->result.lost || reply->type == REPLY_LOST;
	scan_take(walk->redis, probe, reply, &page->keys[page->at], &walk->result,
		  err_is_set(&walk->err) ? &unheard : &walk->err);
	walk->scan->sum->denied |= walk->result.denied;
	walk->scan->sum->down = walk->scan->sum->down || walk->result.down;
	page->left &= page->left - 1;
	settle(page);
}

static void fill_page(struct scan_walk *walk, struct scan_page *page, const struct reply *list)
{
	const struct scan_options *options = walk->scan->options;
	size_t bytes = 0;

	mem_arena_clear(&page->arena);
	page->keys = mem_arena_alloc(&page->arena, list->count * sizeof *page->keys);
	page->count = page->at = 0;
	page->next = walk->cursor;
	for (size_t i = 0; i < list->count; i++) {
		struct bytes key = list->items[i]->text;

		bytes += key.len;
		if (ns_is_own_key(key)) {
			walk->result.own++;
			if (!options->own)
				continue;
		}
		struct scan_key *kept = &page->keys[page->count++];
		*kept = (struct scan_key){.key = mem_arena_bytes(&page->arena, key),
					  .asked = options->probes,
					  .lenient = options->lenient,
					  .scan = walk->scan,
					  .bytes = -1,
					  .idle_s = -1,
					  .freq = -1,
					  .type = -1};
		if (options->probes_of)
			kept->asked = options->probes_of(options->ctx, kept);
		if (kept->asked & walk->scan->sum->denied & SCAN_TTL)
			kept->ttl_ms = SCAN_TTL_UNKNOWN;
		kept->asked &= ~walk->scan->sum->denied;
	}
	page->left = page->count ? page->keys[0].asked : 0;
	settle(page);
	scan_pace_answered(&walk->pace, list->count, bytes);
	set_window(walk);
}

static int read_cursor(struct scan_walk *walk, const struct reply *reply, struct err *err)
{
	if (reply->type == REPLY_LOST)
		return redis_unreached(walk->redis, reply, err);
	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    reply->items[1]->type != REPLY_ARRAY ||
	    num_parse_u64(reply->items[0]->text, 0, UINT64_MAX, &walk->cursor) != 0)
		return redis_fail(walk->redis, reply, "SCAN", (struct bytes){NULL, 0}, err);
	walk->result.broken = redis_counts(walk->redis)->reconnects != walk->reconnects;
	return walk->result.broken ? scan_broke(walk->redis, err) : 0;
}

static void know_table(struct scan_walk *walk)
{
	const struct redis_server server = redis_server(walk->redis);

	if (walk->table.pages == 0)
		scan_table_of(&walk->table, &server);
}

static void on_page(void *ctx, const struct reply *reply)
{
	struct scan_walk *walk = ctx;
	struct err unheard = {0};

	walk->under_way--;
	walk->asked = false;
	walk->result.lost = walk->result.lost || reply->type == REPLY_LOST;
	if (read_cursor(walk, reply, err_is_set(&walk->err) ? &unheard : &walk->err) != 0)
		return;
	know_table(walk);
	scan_table_cursor(&walk->table, walk->cursor);
	fill_page(walk, &walk->pages[walk->filled++ % SCAN_PAGES], reply->items[1]);
}

static void on_keys(struct scan_table *table, const struct reply *reply)
{
	scan_table_keys(table, reply->type == REPLY_INTEGER ? reply->integer : -1);
}

static void on_slot_keys(void *ctx, const struct reply *reply)
{
	struct scan_walk *walk = ctx;

	walk->under_way--;
	on_keys(&walk->table, reply);
}

static void on_size(void *ctx, const struct reply *reply)
{
	struct scan_walk *walk = ctx;

	walk->under_way--;
	know_table(walk);
	if (!walk->table.by_slot)
		on_keys(&walk->table, reply);
	if (!walk->result.expected && reply->type == REPLY_INTEGER) {
		walk->result.expected = (uint64_t)reply->integer;
		walk->scan->sum->expected += walk->result.expected;
	}
}

static void on_slots(void *ctx, const struct reply *reply)
{
	struct scan_walk *walk = ctx;

	walk->under_way--;
	scan_slots_told(&walk->slots, reply);
}

static void on_primary(void *ctx, const struct reply *reply)
{
	struct scan_walk *walk = ctx;

	walk->under_way--;
	scan_slots_follows(&walk->slots, reply);
}

/* --- what is asked --- */

/* Queued without waiting for room: that would keep the other nodes waiting, too. */
static int ask(struct scan_walk *walk, const struct bytes *argv, size_t argc, size_t weight,
	       redis_reply_fn *fn, struct err *err)
{
	const struct redis_command command = {.argv = argv,
					      .argc = argc,
					      .weight = weight,
					      .flags = REDIS_IDEMPOTENT | REDIS_NO_WAIT,
					      .fn = fn,
					      .ctx = walk};

	walk->under_way++;
	return redis_submit(walk->redis, &command, err);
}

/* How many keys there are, now and then; before each page that begins amid a slot's table,
 * there. */
static int ask_size(struct scan_walk *walk, size_t page, struct err *err)
{
	const struct scan_table *table = &walk->table;
	bool due = walk->unsized == 0 && (table->by_slot || !table->unknown);
	char slot[8];
	const struct bytes size[] = {BYTES("DBSIZE")};
	const struct bytes count[] = {
	    BYTES("CLUSTER"),
	    BYTES("COUNTKEYSINSLOT"),
	    {slot, (size_t)snprintf(slot, sizeof slot, "%u", table->slot)}};

	walk->unsized = walk->unsized + page < SIZE_EVERY ? walk->unsized + page : 0;
	if (due && ask(walk, size, 1, 1, on_size, err) != 0)
		return -1;
	return table->inside && !table->unknown ? ask(walk, count, 3, 1, on_slot_keys, err) : 0;
}

static int ask_page(struct scan_walk *walk, struct err *err)
{
	const struct scan_options *options = walk->scan->options;
	char count[24];
	char cursor[24];
	size_t page = options->page ? options->page : walk->pace.count;
	struct bytes argv[6] = {BYTES("SCAN"), {cursor, 0}, BYTES("COUNT"), {count, 0}};

	argv[1].len =
	    (size_t)snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)walk->cursor);
	argv[3].len = (size_t)snprintf(count, sizeof count, "%zu", page);
	if (options->match.len) {
		argv[4] = BYTES("MATCH");
		argv[5] = options->match;
	}
	walk->asked = true;
	scan_pace_asked(&walk->pace);
	if (ask_size(walk, page, err) != 0)
		return -1;
	return ask(walk, argv, options->match.len ? 6 : 4, scan_pace_weight(page), on_page,
		   err);
}

/* Of its slots the primary itself knows; a replica, whose keys it has. */
static int ask_slots(struct scan_walk *walk, struct err *err)
{
	static const struct bytes argv[] = {BYTES("CLUSTER"), BYTES("NODES")};
	const struct redis_command slots = {.argv = argv,
					    .argc = 2,
					    .flags = REDIS_IDEMPOTENT | REDIS_NO_WAIT,
					    .fn = on_slots,
					    .ctx = walk};

	if (!redis_is_cluster(walk->scan->redis))
		return 0;
	if (walk->primary == walk->redis)
		return ask(walk, argv, 2, 1, on_slots, err);
	if (!walk->slots.unknown) { /* one that was lost is not waited for again */
		walk->under_way++;
		redis_submit(walk->primary, &slots, NULL); /* on_slots hears it if it fails */
	}
	return ask(walk, argv, 2, 1, on_primary, err);
}

static int probe_page(struct scan_walk *walk, struct scan_page *page, struct err *err)
{
	const struct redis_command how = {.fn = on_probe, .ctx = page, .flags = REDIS_NO_WAIT};

	for (size_t i = 0; i < page->count; i++) {
		const struct scan_key *key = &page->keys[i];

		for (unsigned left = key->asked; left; left &= left - 1) {
			walk->under_way++;
			if (scan_ask(walk->redis, (enum scan_probe)(left & -left), key->key,
				     &how, err) != 0)
				return -1;
		}
	}
	return 0;
}

/* --- one node's turn --- */

static bool goes_on(const struct scan_walk *walk)
{
	return !walk->scan->stopped && !err_is_set(&walk->err);
}

static void yield(struct scan_walk *walk, const struct scan_key *key)
{
	const struct scan_options *options = walk->scan->options;

	if (key->ttl_ms == SCAN_TTL_GONE) {
		walk->result.gone++;
		return;
	}
	if (!options->own || !ns_is_own_key(key->key))
		walk->result.keys++;
	walk->result.forbidden += key->forbidden;
	if (!options->fn(options->ctx, key))
		walk->scan->stopped = true;
}

/* The pages whose probes are all answered. */
static void yield_pages(struct scan_walk *walk)
{
	const struct scan_options *options = walk->scan->options;

	while (walk->yielded < walk->probed && goes_on(walk)) {
		struct scan_page *page = &walk->pages[walk->yielded % SCAN_PAGES];

		if (page->at < page->count)
			return;
		for (size_t i = 0; i < page->count && goes_on(walk); i++)
			yield(walk, &page->keys[i]);
		if (options->page_fn && goes_on(walk))
			options->page_fn(options->ctx, walk->redis, page->next);
		walk->yielded++;
	}
}

static bool has_more(const struct scan_walk *walk)
{
	return walk->filled > 0 && walk->cursor != 0;
}

/* The page that a SCAN just filled: its probes, behind the SCAN of the next page. */
void scan_advance(struct scan_walk *walk)
{
	struct scan_page *page = &walk->pages[walk->probed % SCAN_PAGES];
	bool is_new = walk->probed < walk->filled;
	struct err *err = &walk->err;

	if (!goes_on(walk))
		return;
	walk->probed += is_new;
	if (!walk->asked && has_more(walk) && walk->filled - walk->yielded < SCAN_PAGES &&
	    ask_page(walk, err) != 0)
		return;
	if (is_new)
		probe_page(walk, page, err);
}

static bool is_over(const struct scan_walk *walk)
{
	if (walk->under_way > 0)
		return false;
	return !goes_on(walk) ||
	       (!walk->asked && walk->yielded == walk->filled && !has_more(walk));
}

/* --- all of them --- */

static bool serve(struct scan *scan)
{
	bool over = true;

	for (size_t i = 0; i < scan->count; i++) {
		struct scan_walk *walk = &scan->walks[i];

		yield_pages(walk);
		scan_advance(walk);
		yield_pages(walk); /* one without probes has nothing to wait for */
		over = over && is_over(walk);
	}
	return over;
}

/* Where slots moved meanwhile, keys may have been missed. */
static int check_slots(struct scan *scan, struct err *err)
{
	for (size_t i = 0; i < scan->count; i++)
		if (goes_on(&scan->walks[i]))
			ask_slots(&scan->walks[i], &scan->walks[i].err);
	if (redis_drain(scan->redis, 0, err) != 0)
		return -1;
	for (size_t i = 0; i < scan->count; i++) {
		struct scan_walk *walk = &scan->walks[i];

		walk->result.moved = goes_on(walk) && scan_slots_moved(&walk->slots);
		walk->result.resized = walk->result.resized || walk->slots.unknown;
	}
	return 0;
}

static int walk_all(struct scan *scan, struct err *err)
{
	for (size_t i = 0; i < scan->count; i++) {
		struct scan_walk *walk = &scan->walks[i];
		bool skip = walk->cursor == SCAN_SKIP;

		if (!skip && ask_slots(walk, &walk->err) == 0)
			ask_page(walk, &walk->err);
	}
	while (!serve(scan))
		if (redis_step(scan->redis, err) != 0)
			return -1;
	return redis_is_cluster(scan->redis) ? check_slots(scan, err) : 0;
}

static void begin(struct scan *scan)
{
	const struct scan_options *options = scan->options;

	scan->walks = mem_zalloc(scan->count, sizeof *scan->walks);
	for (size_t i = 0; i < scan->count; i++) {
		struct scan_walk *walk = &scan->walks[i];

		walk->scan = scan;
		walk->redis = redis_node(scan->redis, i);
		walk->limits = redis_limits(walk->redis);
		walk->primary = redis_node_primary(scan->redis, i);
		walk->reconnects = redis_counts(walk->redis)->reconnects;
		walk->table.keys_min = UINT64_MAX;
		walk->cursor = options->start_fn ? options->start_fn(options->ctx, walk->redis)
						 : options->start;
		scan_pace_init(&walk->pace, options->gentle);
		set_window(walk);
		for (size_t page = 0; page < SCAN_PAGES; page++)
			walk->pages[page].walk = walk;
	}
}

static void add(struct scan_result *sum, const struct scan_walk *walk)
{
	const struct scan_result *part = &walk->result;

	sum->keys += part->keys;
	sum->own += part->own;
	sum->gone += part->gone;
	sum->forbidden += part->forbidden;
	sum->hits += part->hits;
	sum->complete = sum->complete && goes_on(walk);
	sum->broken = sum->broken || part->broken;
	sum->lost = sum->lost || part->lost;
	sum->moved = sum->moved || part->moved;
	sum->resized = sum->resized || part->resized || !scan_table_is_steady(&walk->table);
}

/* Every node that failed is named. */
static int end(struct scan *scan, int status, struct err *err)
{
	struct buf text = {0};
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < scan->count; i++) {
		struct scan_walk *walk = &scan->walks[i];

		add(scan->sum, walk);
		scan_slots_release(&walk->slots);
		for (size_t page = 0; page < SCAN_PAGES; page++)
			mem_arena_release(&walk->pages[page].arena);
		if (!err_is_set(&walk->err))
			continue;
		kind = kind ? kind : walk->err.kind;
		buf_printf(&text, "%s%s", text.len ? "; " : "", walk->err.text);
	}
	scan->sum->complete = scan->sum->complete && status == 0 && !scan->sum->moved;
	if (status == 0 && kind)
		status = err_set(err, kind, "%s", buf_str(&text));
	if (status == 0 && scan->sum->moved)
		status = err_set(err, ERR_ITEM,
				 "slots moved between the cluster's nodes during the walk: "
				 "keys may have been missed, or met twice; run it again when "
				 "the resharding is over");
	buf_release(&text);
	free(scan->walks);
	return status;
}

int scan_run(struct redis *redis, const struct scan_options *options,
	     struct scan_result *ret_result, struct err *err)
{
	const struct redis_limits before = redis_limits(redis);
	struct err ignored = {0};
	struct scan scan = {.redis = redis, .options = options, .sum = ret_result};
	struct priority priority = {0};

	*ret_result = (struct scan_result){0};
	scan.count = redis_nodes(redis, err);
	if (scan.count == 0)
		return -1;
	ret_result->complete = true;
	begin(&scan);
	/* On a host of the server's own, what is often awake must not push others aside. */
	if (options->gentle)
		priority_give_way(&priority);
	int status = walk_all(&scan, err);
	if (status != 0) /* nothing under way may answer into what ends here */
		redis_drain(redis, 0, &ignored);
	redis_set_limits(redis, &before);
	priority_restore(&priority);
	return end(&scan, status, err);
}

bool scan_may_repeat(const struct scan_result *result)
{
	return result->broken || result->lost || result->moved;
}
