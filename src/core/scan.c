#include "core/scan.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/namespace.h"
#include "wire/redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_DEFAULT 512
/* MEMORY USAGE and PTTL answers are small; this only bounds the pages' own replies. */
#define PAGES 2

struct page {
	struct scan *scan;
	struct mem_arena arena;
	struct scan_key *keys;
	size_t count;
	size_t answered; /* probe replies so far */
	bool busy;       /* probes under way */
};

struct scan {
	struct redis *redis;
	const struct scan_options *options;
	struct scan_result *result;
	unsigned probes; /* per key */
	struct page pages[PAGES];
	size_t turn; /* index of the page that the next SCAN fills */
	char cursor[24];
	bool asked;     /* a SCAN is under way */
	bool stopped;   /* fn said so */
	struct err err; /* what a callback met */
};

static void yield(struct scan *scan, const struct scan_key *key)
{
	struct scan_result *result = scan->result;

	if (scan->stopped)
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

static void finish_page(struct page *page)
{
	for (size_t i = 0; i < page->count; i++)
		yield(page->scan, &page->keys[i]);
	page->busy = false;
}

static void on_probe(void *ctx, const struct reply *reply)
{
	struct page *page = ctx;
	struct scan *scan = page->scan;
	struct scan_key *key = &page->keys[page->answered / scan->probes];
	bool is_ttl = (scan->options->probes & SCAN_TTL) && page->answered % scan->probes == 0;

	page->answered++;
	if (is_ttl && reply->type == REPLY_INTEGER) {
		key->ttl_ms = reply->integer;
	} else if (is_ttl) {
		if (!err_is_set(&scan->err))
			redis_fail(scan->redis, reply, "PTTL", key->key, &scan->err);
	} else if (reply->type == REPLY_INTEGER) {
		key->bytes = reply->integer;
	} else if (reply_error_kind(reply) == REPLY_ERR_LOST) {
		if (!err_is_set(&scan->err))
			redis_fail(scan->redis, reply, "MEMORY USAGE", key->key, &scan->err);
	} else if (reply->type == REPLY_ERROR) {
		scan->result->bytes_denied = true;
	}
	if (page->answered == page->count * scan->probes)
		finish_page(page);
}

static int probe(struct page *page, struct bytes key, struct err *err)
{
	struct scan *scan = page->scan;
	struct bytes ttl[] = {BYTES("PTTL"), key};
	struct bytes bytes[] = {BYTES("MEMORY"), BYTES("USAGE"), key};
	struct redis_command command = {.flags = REDIS_IDEMPOTENT, .fn = on_probe, .ctx = page};

	if (scan->options->probes & SCAN_TTL) {
		command.argv = ttl;
		command.argc = 2;
		if (redis_submit(scan->redis, &command, err) != 0)
			return -1;
	}
	if (scan->options->probes & SCAN_BYTES) {
		command.argv = bytes;
		command.argc = 3;
		if (redis_submit(scan->redis, &command, err) != 0)
			return -1;
	}
	return 0;
}

static void fill_page(struct page *page, const struct reply *list)
{
	mem_arena_clear(&page->arena);
	page->keys = mem_arena_alloc(&page->arena, list->count * sizeof *page->keys);
	page->count = 0;
	page->answered = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct bytes key = list->items[i]->text;

		if (ns_is_own_key(key)) {
			page->scan->result->own++;
			if (!page->scan->options->own)
				continue;
		}
		page->keys[page->count++] =
		    (struct scan_key){.key = mem_arena_bytes(&page->arena, key), .bytes = -1};
	}
}

static void on_page(void *ctx, const struct reply *reply)
{
	struct scan *scan = ctx;
	struct page *page = &scan->pages[scan->turn];

	scan->asked = false;
	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    reply->items[1]->type != REPLY_ARRAY ||
	    reply->items[0]->text.len >= sizeof scan->cursor) {
		if (!err_is_set(&scan->err))
			redis_fail(scan->redis, reply, "SCAN", (struct bytes){NULL, 0},
				   &scan->err);
		return;
	}
	memcpy(scan->cursor, reply->items[0]->text.ptr, reply->items[0]->text.len);
	scan->cursor[reply->items[0]->text.len] = '\0';
	fill_page(page, reply->items[1]);
	page->busy = true;
}

static int ask_page(struct scan *scan, struct err *err)
{
	char count[24];
	size_t page = scan->options->page ? scan->options->page : PAGE_DEFAULT;
	struct bytes argv[6] = {
	    BYTES("SCAN"), bytes_of(scan->cursor), BYTES("COUNT"), {count, 0}};
	struct redis_command command = {
	    .argv = argv, .argc = 4, .flags = REDIS_IDEMPOTENT, .fn = on_page, .ctx = scan};

	argv[3].len = (size_t)snprintf(count, sizeof count, "%zu", page);
	if (scan->options->match.len) {
		argv[4] = BYTES("MATCH");
		argv[5] = scan->options->match;
		command.argc = 6;
	}
	command.expect = page * 64;
	scan->asked = true;
	return redis_submit(scan->redis, &command, err);
}

/* The page that a SCAN just filled: its probes, behind the SCAN of the next page. */
static int advance(struct scan *scan, bool *ret_more, struct err *err)
{
	struct page *page = &scan->pages[scan->turn];
	bool last = strcmp(scan->cursor, "0") == 0;

	*ret_more = !last && !scan->stopped;
	scan->turn = (scan->turn + 1) % PAGES;
	if (*ret_more && ask_page(scan, err) != 0)
		return -1;
	if (page->count == 0 || scan->probes == 0) {
		finish_page(page);
		return 0;
	}
	for (size_t i = 0; i < page->count; i++)
		if (probe(page, page->keys[i].key, err) != 0)
			return -1;
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

int scan_run(struct redis *redis, const struct scan_options *options,
	     struct scan_result *ret_result, struct err *err)
{
	struct scan scan = {
	    .redis = redis, .options = options, .result = ret_result, .cursor = "0"};

	*ret_result = (struct scan_result){0};
	scan.probes =
	    (options->probes & SCAN_TTL ? 1u : 0u) + (options->probes & SCAN_BYTES ? 1u : 0u);
	for (size_t i = 0; i < PAGES; i++)
		scan.pages[i].scan = &scan;
	struct err ignored = {0};
	int status = walk(&scan, err);

	if (status != 0) /* nothing under way may answer into what ends here */
		redis_drain(redis, 0, &ignored);
	ret_result->complete = status == 0 && !scan.stopped;
	for (size_t i = 0; i < PAGES; i++)
		mem_arena_release(&scan.pages[i].arena);
	return status;
}
