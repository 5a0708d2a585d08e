#include "core/scan.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/namespace.h"
#include "core/scan_pace.h"
#include "wire/redis.h"

#include <stdio.h>

/* Probe answers are small; this only bounds the pages' own replies. */
#define PAGES 2
/* Commands that a server reads at once are answered before it turns to another client. */
#define GENTLE_PAGE 32
#define GENTLE_COMMANDS 64

struct page {
	struct scan *scan;
	struct mem_arena arena;
	struct scan_key *keys;
	size_t count;
	size_t at;     /* the key whose probe is answered next */
	unsigned left; /* its probes without answer */
	uint64_t next; /* the cursor behind it */
	bool told;     /* page_fn knows */
};

struct scan {
	struct redis *redis;
	const struct scan_options *options;
	struct scan_result *result; /* of this node */
	struct scan_result *sum;    /* of all nodes; what the caller looks at meanwhile */
	struct scan_pace pace;
	struct scan_table table;
	uint64_t reconnects; /* at the start */
	struct page pages[PAGES];
	size_t turn; /* index of the page that the next SCAN fills */
	uint64_t cursor;
	bool asked;     /* a SCAN is under way */
	bool stopped;   /* fn said so */
	struct err err; /* what a callback met */
};

static void yield(struct scan *scan, const struct scan_key *key)
{
	struct scan_result *result = scan->result;

	if (scan->stopped || err_is_set(&scan->err)) /* what was not answered is not known */
		return;
	if (key->ttl_ms == SCAN_TTL_GONE) {
		result->gone++;
		return;
	}
	if (!scan->options->own || !ns_is_own_key(key->key))
		result->keys++;
	if (!scan->options->fn(scan->options->ctx, key))
		scan->stopped = true;
}

/* --- probes --- */

int scan_ask(struct redis *redis, enum scan_probe probe, struct bytes key,
	     const struct redis_command *how, struct err *err)
{
	struct redis_command command = *how;
	struct bytes argv[3] = {BYTES("PTTL"), key};

	command.argv = argv;
	command.argc = 2;
	command.flags = REDIS_IDEMPOTENT;
	if (probe == SCAN_TYPE) {
		argv[0] = BYTES("TYPE");
	} else if (probe != SCAN_TTL) {
		argv[0] = probe == SCAN_BYTES ? BYTES("MEMORY") : BYTES("OBJECT");
		argv[1] = probe == SCAN_BYTES  ? BYTES("USAGE")
			  : probe == SCAN_IDLE ? BYTES("IDLETIME")
					       : BYTES("FREQ");
		argv[2] = key;
		command.argc = 3;
	}
	return redis_submit(redis, &command, err);
}

static int type_of(struct bytes name)
{
	for (int i = 0; i < NS_ANY; i++)
		if (bytes_equal_str(name, ns_type_names[i]))
			return i;
	return NS_ANY;
}

int scan_take(const struct redis *redis, enum scan_probe probe, const struct reply *reply,
	      struct scan_key *key, struct scan_result *result, struct err *err)
{
	static const char *const commands[] = {"OBJECT IDLETIME", "OBJECT FREQ", "PTTL", "TYPE",
					       "MEMORY USAGE"};
	int64_t number = reply->type == REPLY_INTEGER ? reply->integer : -1;

	/* who may not ask does without, but not without the TTL: it is what all this is about
	 */
	switch (reply_error_kind(reply)) {
	case REPLY_ERR_MOVED:
	case REPLY_ERR_ASK:
	case REPLY_ERR_TRYAGAIN: /* to another node of the cluster, which is walked too */
		key->ttl_ms = SCAN_TTL_GONE;
		return 0;
	default:
		break;
	}
	if (reply->type == REPLY_LOST || (reply->type == REPLY_ERROR && probe == SCAN_TTL))
		return redis_fail(redis, reply, commands[__builtin_ctz(probe)], key->key, err);
	if (reply->type == REPLY_ERROR) {
		result->denied |= probe;
		return 0;
	}
	result->hits += probe != SCAN_BYTES && reply->type != REPLY_NIL;
	switch (probe) {
	case SCAN_IDLE:
		key->idle_s = number;
		break;
	case SCAN_FREQ:
		key->freq = number;
		break;
	case SCAN_TTL:
		key->ttl_ms = number;
		result->hits -= number == SCAN_TTL_GONE;
		break;
	case SCAN_TYPE:
		key->type = type_of(reply->text);
		if (bytes_equal_str(reply->text, "none"))
			key->ttl_ms = SCAN_TTL_GONE;
		break;
	case SCAN_BYTES:
		key->bytes = number;
		break;
	}
	return 0;
}

/* Yields from page->at on what has no answer to wait for. */
static void settle(struct page *page)
{
	struct scan *scan = page->scan;

	while (page->left == 0 && page->at < page->count) {
		yield(page->scan, &page->keys[page->at]);
		if (++page->at < page->count)
			page->left = page->keys[page->at].asked;
	}
	if (page->at < page->count || page->told)
		return;
	page->told = true;
	if (scan->options->page_fn && !scan->stopped && !err_is_set(&scan->err))
		scan->options->page_fn(scan->options->ctx, page->next);
}

static void on_probe(void *ctx, const struct reply *reply)
{
	struct page *page = ctx;
	struct scan *scan = page->scan;
	enum scan_probe probe = (enum scan_probe)(page->left & -page->left);
	struct err unheard = {0};

	scan_take(scan->redis, probe, reply, &page->keys[page->at], scan->result,
		  err_is_set(&scan->err) ? &unheard : &scan->err);
	scan->sum->denied |= scan->result->denied;
	page->left &= page->left - 1;
	settle(page);
}

static int probe_page(struct page *page, struct err *err)
{
	struct scan *scan = page->scan;
	const struct redis_command how = {.fn = on_probe, .ctx = page};

	for (size_t i = 0; i < page->count; i++) {
		const struct scan_key *key = &page->keys[i];

		for (unsigned left = key->asked; left; left &= left - 1)
			if (scan_ask(scan->redis, (enum scan_probe)(left & -left), key->key,
				     &how, err) != 0)
				return -1;
	}
	return 0;
}

/* --- pages --- */

static void fill_page(struct page *page, const struct reply *list)
{
	struct scan *scan = page->scan;
	const struct scan_options *options = scan->options;
	size_t bytes = 0;

	mem_arena_clear(&page->arena);
	page->keys = mem_arena_alloc(&page->arena, list->count * sizeof *page->keys);
	page->count = page->at = 0;
	page->next = scan->cursor;
	page->told = false;
	for (size_t i = 0; i < list->count; i++) {
		struct bytes key = list->items[i]->text;

		bytes += key.len;
		if (ns_is_own_key(key)) {
			scan->result->own++;
			if (!options->own)
				continue;
		}
		struct scan_key *kept = &page->keys[page->count++];
		*kept = (struct scan_key){.key = mem_arena_bytes(&page->arena, key),
					  .asked = options->probes,
					  .bytes = -1,
					  .idle_s = -1,
					  .freq = -1,
					  .type = -1};
		if (options->probes_of)
			kept->asked = options->probes_of(options->ctx, kept);
		kept->asked &= ~scan->sum->denied;
	}
	page->left = page->count ? page->keys[0].asked : 0;
	scan_pace_answered(&scan->pace, list->count, bytes);
}

static int read_cursor(const struct scan *scan, const struct reply *reply, uint64_t *ret_cursor,
		       struct err *err)
{
	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    reply->items[1]->type != REPLY_ARRAY ||
	    num_parse_u64(reply->items[0]->text, 0, UINT64_MAX, ret_cursor) != 0)
		return redis_fail(scan->redis, reply, "SCAN", (struct bytes){NULL, 0}, err);
	scan->result->broken = redis_counts(scan->redis)->reconnects != scan->reconnects;
	if (scan->result->broken)
		return err_set(
		    err, ERR_REDIS,
		    "the connection broke in the middle of the walk: the server may "
		    "have been restarted, which makes its cursor worthless; run it again");
	return 0;
}

static void on_page(void *ctx, const struct reply *reply)
{
	struct scan *scan = ctx;
	struct err unheard = {0};

	scan->asked = false;
	if (read_cursor(scan, reply, &scan->cursor,
			err_is_set(&scan->err) ? &unheard : &scan->err) != 0)
		return;
	scan_table_cursor(&scan->table, scan->cursor);
	fill_page(&scan->pages[scan->turn], reply->items[1]);
}

static void on_size(void *ctx, const struct reply *reply)
{
	struct scan *scan = ctx;

	scan_table_keys(&scan->table, reply->type == REPLY_INTEGER ? reply->integer : -1);
	if (!scan->result->expected && reply->type == REPLY_INTEGER) {
		scan->result->expected = (uint64_t)reply->integer;
		scan->sum->expected += scan->result->expected;
	}
}

static int ask_page(struct scan *scan, struct err *err)
{
	char count[24];
	char cursor[24];
	size_t page = scan->options->page     ? scan->options->page
		      : scan->options->gentle ? GENTLE_PAGE
					      : scan->pace.count;
	struct bytes argv[6] = {BYTES("SCAN"), {cursor, 0}, BYTES("COUNT"), {count, 0}};
	struct bytes size = BYTES("DBSIZE");
	const struct redis_command dbsize = {
	    .argv = &size, .argc = 1, .flags = REDIS_IDEMPOTENT, .fn = on_size, .ctx = scan};
	struct redis_command command = {
	    .argv = argv, .argc = 4, .flags = REDIS_IDEMPOTENT, .fn = on_page, .ctx = scan};

	argv[1].len =
	    (size_t)snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)scan->cursor);
	argv[3].len = (size_t)snprintf(count, sizeof count, "%zu", page);
	if (scan->options->match.len) {
		argv[4] = BYTES("MATCH");
		argv[5] = scan->options->match;
		command.argc = 6;
	}
	command.expect = page * 64;
	scan->asked = true;
	scan_pace_asked(&scan->pace);
	if (!scan->table.unknown && redis_submit(scan->redis, &dbsize, err) != 0)
		return -1;
	return redis_submit(scan->redis, &command, err);
}

/* The page that a SCAN just filled: its probes, behind the SCAN of the next page. */
static int advance(struct scan *scan, bool *ret_more, struct err *err)
{
	struct page *page = &scan->pages[scan->turn];
	bool last = scan->cursor == 0;

	*ret_more = !last && !scan->stopped;
	scan->turn = (scan->turn + 1) % PAGES;
	if (*ret_more && ask_page(scan, err) != 0)
		return -1;
	if (probe_page(page, err) != 0)
		return -1;
	settle(page);
	return 0;
}

static int walk(struct scan *scan, struct err *err)
{
	bool more = true;

	if (ask_page(scan, err) != 0)
		return -1;
	while (more) {
		/* run until the SCAN's answer is in; its own probes may still be under way */
		while (scan->asked && !err_is_set(&scan->err))
			if (redis_drain(scan->redis, redis_outstanding(scan->redis) - 1, err) !=
			    0)
				return -1;
		if (err_is_set(&scan->err)) {
			*err = scan->err;
			return -1;
		}
		if (advance(scan, &more, err) != 0)
			return -1;
	}
	if (redis_drain(scan->redis, 0, err) != 0)
		return -1;
	if (err_is_set(&scan->err)) {
		*err = scan->err;
		return -1;
	}
	return 0;
}

static int walk_node(struct redis *redis, const struct scan_options *options,
		     struct scan_result *sum, struct scan_result *ret_result, struct err *err)
{
	struct scan scan = {
	    .redis = redis,
	    .options = options,
	    .result = ret_result,
	    .sum = sum,
	    .reconnects = redis_counts(redis)->reconnects,
	    .table = {.keys_min = UINT64_MAX},
	};

	*ret_result = (struct scan_result){0};
	scan.cursor = options->start;
	scan_pace_init(&scan.pace);
	for (size_t i = 0; i < PAGES; i++)
		scan.pages[i].scan = &scan;
	struct err ignored = {0};
	const struct redis_limits before = redis_limits(redis);
	struct redis_limits limits = before;
	if (options->gentle)
		limits.commands = GENTLE_COMMANDS;
	redis_set_limits(redis, &limits);
	int status = walk(&scan, err);

	if (status != 0) /* nothing under way may answer into what ends here */
		redis_drain(redis, 0, &ignored);
	redis_set_limits(redis, &before);
	ret_result->complete = status == 0 && !scan.stopped;
	ret_result->resized = !scan_table_is_steady(&scan.table);
	for (size_t i = 0; i < PAGES; i++)
		mem_arena_release(&scan.pages[i].arena);
	return status;
}

static void add(struct scan_result *sum, const struct scan_result *part)
{
	sum->keys += part->keys;
	sum->own += part->own;
	sum->gone += part->gone;
	sum->hits += part->hits;
	sum->denied |= part->denied;
	sum->complete = sum->complete && part->complete;
	sum->broken = sum->broken || part->broken;
	sum->resized = sum->resized || part->resized;
}

int scan_run(struct redis *redis, const struct scan_options *options,
	     struct scan_result *ret_result, struct err *err)
{
	size_t nodes = redis_nodes(redis, err);
	int status = nodes ? 0 : -1;
	bool stopped = false;

	*ret_result = (struct scan_result){.complete = nodes > 0};
	/* A node that fails leaves a hole, not the others unseen. */
	for (size_t i = 0; i < nodes && !stopped; i++) {
		struct scan_result part;
		struct err why = {0};
		int walked = walk_node(redis_node(redis, i), options, ret_result, &part, &why);

		add(ret_result, &part);
		stopped = walked == 0 ? !part.complete : why.kind == ERR_INTERRUPTED;
		if (walked != 0 && status == 0)
			status = err_set(err, why.kind, "%s", why.text);
	}
	return status;
}
