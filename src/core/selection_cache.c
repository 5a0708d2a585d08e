#include "core/selection_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/inspect.h"
#include "core/namespace.h"
#include "wire/redis.h"

#include <stdlib.h>

#define PAGE "512"

/* The namespace's keys that are there, a SCAN page at a time. */
struct cached {
	struct selection selection;
	struct inspect_filter filter;
	struct redis *redis;
	size_t node; /* of a cluster, whose SCAN this is */
	struct buf cursor;
	struct mem_arena arena; /* the page's keys */
	struct bytes *keys;
	size_t count;
	size_t at;
	bool last;
};

static int next_page(struct cached *cached, struct err *err)
{
	const struct bytes argv[] = {BYTES("SCAN"),  buf_bytes(&cached->cursor),
				     BYTES("MATCH"), buf_bytes(&cached->filter.glob),
				     BYTES("COUNT"), BYTES(PAGE)};
	const struct reply *reply = NULL;

	if (redis_nodes(cached->redis, err) == 0 ||
	    redis_call(redis_node(cached->redis, cached->node), argv, 6, REDIS_IDEMPOTENT,
		       &reply, err) != 0)
		return -1;
	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    reply->items[1]->type != REPLY_ARRAY)
		return redis_fail(cached->redis, reply, "SCAN", (struct bytes){NULL, 0}, err);
	const struct reply *list = reply->items[1];
	buf_clear(&cached->cursor);
	buf_add(&cached->cursor, reply->items[0]->text);
	if (bytes_equal_str(reply->items[0]->text, "0"))
		cached->last = ++cached->node == redis_nodes(cached->redis, err);
	mem_arena_clear(&cached->arena);
	cached->keys = mem_arena_alloc(&cached->arena, list->count * sizeof *cached->keys);
	cached->count = list->count;
	cached->at = 0;
	for (size_t i = 0; i < list->count; i++)
		cached->keys[i] = mem_arena_bytes(&cached->arena, list->items[i]->text);
	return 0;
}

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

	for (;;) {
		while (cached->at < cached->count)
			if (read_key(cached, cached->keys[cached->at++], ret_vars, ret_count))
				return SELECTION_ITEM;
		if (cached->last)
			return SELECTION_END;
		if (next_page(cached, err) != 0)
			return SELECTION_FAILED;
	}
}

static void cached_free(struct selection *selection)
{
	struct cached *cached = (struct cached *)selection;

	inspect_filter_release(&cached->filter);
	buf_release(&cached->cursor);
	mem_arena_release(&cached->arena);
	free(cached);
}

int selection_from_cache(const struct nsset *set, const struct ns *ns, struct redis *redis,
			 struct selection **ret_selection, struct err *err)
{
	struct cached *cached = mem_zalloc(1, sizeof *cached);

	cached->selection =
	    (struct selection){.ns = ns, .fd = -1, .next = cached_next, .free = cached_free};
	cached->redis = redis;
	buf_add_str(&cached->cursor, "0");
	if (inspect_filter_init(&cached->filter, set, ns, NULL, 0, (struct bytes){NULL, 0},
				err) != 0) {
		cached_free(&cached->selection);
		return -1;
	}
	*ret_selection = &cached->selection;
	return 0;
}
