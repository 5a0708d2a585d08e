#include "core/selection_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/inspect.h"
#include "core/namespace.h"
#include "core/scan_slots.h"
#include "wire/redis.h"

#include <stdlib.h>

#define PAGE "512"

struct page {
	struct mem_arena arena;
	struct bytes *keys;
	size_t count;
	size_t at;
};

/* A node's keys: one page is read while the next one comes. */
struct cached_node {
	struct cached *cached;
	struct redis *redis;
	uint64_t reconnects; /* at the start */
	struct scan_slots slots;
	struct buf cursor;
	struct page pages[2];
	size_t turn; /* the page that is read */
	bool asked;
	bool filled; /* the other page */
	bool last;   /* no page follows the one that came last */
	size_t under_way;
};

/* The namespace's keys that are there, of all nodes at once. */
struct cached {
	struct selection selection;
	struct inspect_filter filter;
	struct redis *redis;
	struct cached_node *nodes; /* NULL: not begun */
	size_t count;
	size_t turn;  /* the node whose page is read */
	bool checked; /* the nodes were asked for their slots in the end */
	struct err err;
};

/* --- pages --- */

static int read_page(struct cached_node *node, const struct reply *reply, struct err *err)
{
	struct page *page = &node->pages[1 - node->turn];

	if (reply->type == REPLY_LOST)
		return redis_unreached(node->redis, reply, err);
	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    reply->items[1]->type != REPLY_ARRAY)
		return redis_fail(node->redis, reply, "SCAN", (struct bytes){NULL, 0}, err);
	if (redis_counts(node->redis)->reconnects != node->reconnects)
		return err_set(err, ERR_REDIS,
			       "the connection broke in the middle of the walk over the cached "
			       "keys: the server may have been restarted, which makes its "
			       "cursor worthless; run it again");
	const struct reply *list = reply->items[1];
	buf_clear(&node->cursor);
	buf_add(&node->cursor, reply->items[0]->text);
	node->last = bytes_equal_str(reply->items[0]->text, "0");
	mem_arena_clear(&page->arena);
	page->keys = mem_arena_alloc(&page->arena, list->count * sizeof *page->keys);
	page->count = list->count;
	page->at = 0;
	for (size_t i = 0; i < list->count; i++)
		page->keys[i] = mem_arena_bytes(&page->arena, list->items[i]->text);
	return 0;
}

static void on_page(void *ctx, const struct reply *reply)
{
	struct cached_node *node = ctx;
	struct err unheard = {0};
	struct err *err = &node->cached->err;

	node->under_way--;
	node->asked = false;
	node->filled = read_page(node, reply, err_is_set(err) ? &unheard : err) == 0;
}

static void on_slots(void *ctx, const struct reply *reply)
{
	struct cached_node *node = ctx;

	node->under_way--;
	scan_slots_told(&node->slots, reply);
}

static int ask(struct cached_node *node, const struct bytes *argv, size_t argc,
	       redis_reply_fn *fn, struct err *err)
{
	const struct redis_command command = {.argv = argv,
					      .argc = argc,
					      .flags = REDIS_IDEMPOTENT | REDIS_NO_WAIT,
					      .fn = fn,
					      .ctx = node};

	node->under_way++;
	return redis_submit(node->redis, &command, err);
}

static int ask_page(struct cached_node *node, struct err *err)
{
	const struct bytes argv[] = {BYTES("SCAN"),  buf_bytes(&node->cursor),
				     BYTES("MATCH"), buf_bytes(&node->cached->filter.glob),
				     BYTES("COUNT"), BYTES(PAGE)};

	node->asked = true;
	return ask(node, argv, 6, on_page, err);
}

static int ask_slots(struct cached_node *node, struct err *err)
{
	const struct bytes argv[] = {BYTES("CLUSTER"), BYTES("NODES")};

	if (!redis_is_cluster(node->cached->redis))
		return 0;
	return ask(node, argv, 2, on_slots, err);
}

static int begin(struct cached *cached, struct err *err)
{
	cached->count = redis_nodes(cached->redis, err);
	if (cached->count == 0)
		return -1;
	cached->nodes = mem_zalloc(cached->count, sizeof *cached->nodes);
	for (size_t i = 0; i < cached->count; i++) {
		struct cached_node *node = &cached->nodes[i];

		node->cached = cached;
		node->redis = redis_node(cached->redis, i);
		node->reconnects = redis_counts(node->redis)->reconnects;
		buf_add_str(&node->cursor, "0");
	}
	for (size_t i = 0; i < cached->count; i++)
		if (ask_slots(&cached->nodes[i], err) != 0 ||
		    ask_page(&cached->nodes[i], err) != 0)
			return -1;
	return 0;
}

/* Turns to the page that came meanwhile, and asks for the one behind it. */
static int turn_page(struct cached_node *node, struct err *err)
{
	node->filled = false;
	node->turn = 1 - node->turn;
	return node->last ? 0 : ask_page(node, err);
}

/* The next key of any node; 0: none yet, or no more; -1: err. */
static int next_key(struct cached *cached, struct bytes *ret_key, struct err *err)
{
	for (size_t i = 0; i < cached->count; i++) {
		struct cached_node *node = &cached->nodes[cached->turn];
		struct page *page = &node->pages[node->turn];

		if (page->at == page->count && node->filled) {
			if (turn_page(node, err) != 0)
				return -1;
			page = &node->pages[node->turn];
		}
		if (page->at < page->count) {
			*ret_key = page->keys[page->at++];
			return 1;
		}
		cached->turn = (cached->turn + 1) % cached->count;
	}
	return 0;
}

static bool is_waiting(const struct cached *cached)
{
	for (size_t i = 0; i < cached->count; i++)
		if (cached->nodes[i].under_way > 0 || cached->nodes[i].filled)
			return true;
	return false;
}

/* Where slots moved meanwhile, keys may have been missed. */
static enum selection_status end(struct cached *cached, struct err *err)
{
	for (size_t i = 0; i < cached->count && !cached->checked; i++)
		if (ask_slots(&cached->nodes[i], err) != 0)
			return SELECTION_FAILED;
	cached->checked = true;
	if (is_waiting(cached))
		return SELECTION_WAIT;
	for (size_t i = 0; i < cached->count; i++) {
		if (!scan_slots_moved(&cached->nodes[i].slots))
			continue;
		err_set(err, ERR_ITEM,
			"slots moved between the cluster's nodes during the walk over the "
			"cached keys: some may have been missed; run it again when the "
			"resharding is over");
		return SELECTION_FAILED;
	}
	return SELECTION_END;
}

/* --- items --- */

/* The vars of a key that is the namespace's. */
static bool read_key(struct cached *cached, struct bytes key, struct var *ret_vars,
		     size_t *ret_count)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	if (!inspect_filter_accepts(&cached->filter, key, &ns, values))
		return false;
	*ret_count = template_var_count(ns->key);
	for (size_t i = 0; i < *ret_count; i++)
		ret_vars[i] = (struct var){bytes_of(template_var_name(ns->key, i)), values[i]};
	return true;
}

static enum selection_status cached_next(struct selection *selection, struct var *ret_vars,
					 size_t *ret_count, struct err *err)
{
	struct cached *cached = (struct cached *)selection;

	struct bytes key;
	int found = 0;

	if (!cached->nodes && begin(cached, err) != 0)
		return SELECTION_FAILED;
	while (!err_is_set(&cached->err) && (found = next_key(cached, &key, err)) > 0)
		if (read_key(cached, key, ret_vars, ret_count))
			return SELECTION_ITEM;
	if (err_is_set(&cached->err))
		*err = cached->err;
	if (err_is_set(&cached->err) || found < 0)
		return SELECTION_FAILED;
	return is_waiting(cached) ? SELECTION_WAIT : end(cached, err);
}

static void cached_free(struct selection *selection)
{
	struct cached *cached = (struct cached *)selection;

	if (is_waiting(cached)) /* nothing under way may answer into what ends here */
		redis_drain(cached->redis, 0, NULL);
	for (size_t i = 0; i < cached->count; i++) {
		struct cached_node *node = &cached->nodes[i];

		scan_slots_release(&node->slots);
		buf_release(&node->cursor);
		mem_arena_release(&node->pages[0].arena);
		mem_arena_release(&node->pages[1].arena);
	}
	free(cached->nodes);
	inspect_filter_release(&cached->filter);
	free(cached);
}

int selection_from_cache(const struct nsset *set, const struct ns *ns, struct redis *redis,
			 struct selection **ret_selection, struct err *err)
{
	struct cached *cached = mem_zalloc(1, sizeof *cached);

	cached->selection =
	    (struct selection){.ns = ns, .fd = -1, .next = cached_next, .free = cached_free};
	cached->redis = redis;
	if (inspect_filter_init(&cached->filter, set, ns, NULL, 0, (struct bytes){NULL, 0},
				err) != 0) {
		cached_free(&cached->selection);
		return -1;
	}
	*ret_selection = &cached->selection;
	return 0;
}
