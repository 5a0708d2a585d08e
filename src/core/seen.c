#include "core/seen.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "core/namespace.h"
#include "wire/redis.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
	TOLD_MOST = 200,
	KEPT_MOST = 2000, /* values remembered of one look */
	LOOKS = 8,        /* remembered, the oldest is forgotten */
	FRESH_MS = 15000, /* a complete look is good for so long */
	PAGE = 1000,      /* SCAN's COUNT */
};

/* A walk over the keys that match a glob, and what it found so far. */
struct look {
	struct buf glob;
	const struct ns *ns; /* NULL: whole keys */
	size_t index;
	char **values;
	size_t *lens;
	size_t count;
	struct buf cursor;
	bool complete;
	uint64_t at_ms; /* of the last use */
	uint64_t begun_ms;
};

struct seen {
	const struct nsset *set;
	struct look looks[LOOKS];
	struct look *current; /* whose page is under way; NULL: the answer is dropped */
	bool waiting;
};

struct seen *seen_new(const struct nsset *set)
{
	struct seen *seen = mem_zalloc(1, sizeof *seen);

	seen->set = set;
	return seen;
}

static void forget(struct look *look)
{
	for (size_t i = 0; i < look->count; i++)
		free(look->values[i]);
	free(look->values);
	free(look->lens);
	buf_release(&look->glob);
	buf_release(&look->cursor);
	*look = (struct look){0};
}

void seen_free(struct seen *seen)
{
	for (size_t i = 0; seen && i < LOOKS; i++)
		forget(&seen->looks[i]);
	free(seen);
}

static void keep(struct look *look, struct bytes value)
{
	for (size_t i = 0; i < look->count; i++)
		if (bytes_equal((struct bytes){look->values[i], look->lens[i]}, value))
			return;
	if (look->count == KEPT_MOST)
		return;
	look->values = mem_resize(look->values, look->count + 1, sizeof *look->values);
	look->lens = mem_resize(look->lens, look->count + 1, sizeof *look->lens);
	look->values[look->count] = mem_bytesdup(value);
	look->lens[look->count++] = value.len;
}

static void take_key(const struct seen *seen, struct look *look, struct bytes key)
{
	struct bytes values[TEMPLATE_VARS_MAX];

	if (ns_is_own_key(key))
		return;
	if (!look->ns)
		keep(look, key);
	else if (nsset_classify(seen->set, key, values) == look->ns)
		keep(look, values[look->index]);
}

static void on_page(void *ctx, const struct reply *reply)
{
	struct seen *seen = ctx;
	struct look *look = seen->current;

	seen->waiting = false;
	seen->current = NULL;
	if (!look || reply->type != REPLY_ARRAY || reply->count != 2)
		return;
	buf_clear(&look->cursor);
	buf_add(&look->cursor, reply->items[0]->text);
	look->complete = bytes_equal_str(reply->items[0]->text, "0");
	for (size_t i = 0; i < reply->items[1]->count; i++)
		take_key(seen, look, reply->items[1]->items[i]->text);
}

static int ask(struct seen *seen, struct redis *redis, struct look *look)
{
	const struct bytes argv[] = {
	    BYTES("SCAN"),  look->cursor.len ? buf_bytes(&look->cursor) : BYTES("0"),
	    BYTES("MATCH"), buf_bytes(&look->glob),
	    BYTES("COUNT"), BYTES("1000")};

	seen->waiting = true;
	seen->current = look;
	return redis_ask(redis, argv, sizeof argv / sizeof argv[0], (size_t)PAGE * 64, on_page,
			 seen, NULL);
}

/* Until an answer may be there, the user types on, or the time is up. */
static void wait_a_little(struct redis *redis, const struct seen_bounds *bounds, int left_ms)
{
	struct redis_wait wait;
	struct pollfd fds[2];

	redis_wait(redis, &wait);
	fds[0] = (struct pollfd){.fd = wait.fd, .events = wait.events};
	fds[1] = (struct pollfd){.fd = bounds->fd, .events = POLLIN};
	poll(fds, 2, left_ms);
}

static void walk(struct seen *seen, struct redis *redis, const struct seen_bounds *bounds,
		 struct look *look)
{
	uint64_t deadline_ms = clock_mono_ms() + bounds->budget_ms;

	while (!look->complete && look->count < KEPT_MOST && redis_is_connected(redis)) {
		int left_ms = clock_until_ms(deadline_ms);

		if (left_ms <= 0 || (bounds->enough && bounds->enough(NULL)))
			break;
		if (!seen->waiting && ask(seen, redis, look) != 0)
			break;
		if (!redis_is_connected(redis)) /* the server had closed it meanwhile */
			break;
		if (redis_turn(redis, NULL) != 0)
			break;
		if (seen->waiting)
			wait_a_little(redis, bounds, left_ms);
	}
}

static bool is_same(const struct look *look, struct bytes glob, const struct ns *ns,
		    size_t index)
{
	return look->at_ms && look->ns == ns && look->index == index &&
	       bytes_equal(buf_bytes(&look->glob), glob);
}

/* The look for this glob: the one that began before, or the oldest made anew. */
static struct look *look_for(struct seen *seen, struct bytes glob, const struct ns *ns,
			     size_t index)
{
	uint64_t now_ms = clock_mono_ms();
	struct look *oldest = &seen->looks[0];
	struct look *found = NULL;

	for (size_t i = 0; i < LOOKS; i++) {
		struct look *look = &seen->looks[i];

		if (is_same(look, glob, ns, index))
			found = look;
		if (look->at_ms < oldest->at_ms)
			oldest = look;
	}
	if (found && found->complete && now_ms - found->begun_ms > FRESH_MS) {
		oldest = found;
		found = NULL;
	}
	if (!found) {
		if (seen->current == oldest)
			seen->current = NULL;
		forget(oldest);
		buf_add(&oldest->glob, glob);
		oldest->ns = ns;
		oldest->index = index;
		oldest->begun_ms = now_ms;
		found = oldest;
	}
	found->at_ms = now_ms;
	return found;
}

static void tell(const struct look *look, struct bytes prefix, seen_fn *fn, void *ctx)
{
	size_t told = 0;

	for (size_t i = 0; i < look->count && told < TOLD_MOST; i++) {
		struct bytes value = {look->values[i], look->lens[i]};

		if (bytes_starts_with(value, prefix)) {
			fn(ctx, value);
			told++;
		}
	}
}

void seen_values(struct seen *seen, struct redis *redis, const struct seen_bounds *bounds,
		 const struct ns *ns, const struct var *vars, size_t count, size_t index,
		 struct bytes prefix, seen_fn *fn, void *ctx)
{
	struct buf glob = {0};

	if (template_glob(ns->key, vars, count, &glob, NULL) == 0) {
		struct look *look = look_for(seen, buf_bytes(&glob), ns, index);

		if (redis)
			walk(seen, redis, bounds, look);
		tell(look, prefix, fn, ctx);
	}
	buf_release(&glob);
}

void seen_keys(struct seen *seen, struct redis *redis, const struct seen_bounds *bounds,
	       struct bytes prefix, seen_fn *fn, void *ctx)
{
	struct buf glob = {0};

	text_glob_escape(&glob, prefix);
	buf_add_char(&glob, '*');
	struct look *look = look_for(seen, buf_bytes(&glob), NULL, 0);
	if (redis)
		walk(seen, redis, bounds, look);
	tell(look, prefix, fn, ctx);
	buf_release(&glob);
}
