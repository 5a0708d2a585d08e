#include "core/top.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/inspect_filter.h"
#include "core/template.h"
#include "wire/redis.h"

#include <stdlib.h>

const char *const top_by_names[] = {"bytes", "idle", "freq", "ttl", "expiry", NULL};

static const enum scan_probe probes[] = {[TOP_BYTES] = SCAN_BYTES,
					 [TOP_IDLE] = SCAN_IDLE,
					 [TOP_FREQ] = SCAN_FREQ,
					 [TOP_TTL] = SCAN_TTL,
					 [TOP_EXPIRY] = SCAN_TTL};

struct ranking {
	struct redis *redis;
	const struct inspect_filter *filter;
	enum top_by by;
	size_t limit;
	struct top *top; /* while it grows a heap, the last rank at the root */
	unsigned left;   /* probes of the first ones */
	size_t at;
	struct err err;
};

/* False: the key is not ranked. */
static bool rank_of(const struct ranking *ranking, const struct scan_key *key,
		    int64_t *ret_rank)
{
	switch (ranking->by) {
	case TOP_BYTES:
		*ret_rank = key->bytes;
		break;
	case TOP_IDLE:
		*ret_rank = key->idle_s;
		break;
	case TOP_FREQ:
		*ret_rank = key->freq;
		break;
	case TOP_TTL:
		*ret_rank = key->ttl_ms == SCAN_TTL_NONE ? INT64_MAX : key->ttl_ms;
		break;
	case TOP_EXPIRY:
		*ret_rank = -key->ttl_ms;
		return key->ttl_ms >= 0;
	}
	return *ret_rank >= 0;
}

/* By rank, then by key, so that the list is the same each time. */
static int compare(const struct top_key *a, const struct top_key *b)
{
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1;
	return bytes_compare(a->key.key, b->key.key);
}

static int compare_sort(const void *a, const void *b)
{
	return compare(a, b);
}

static void swap(struct top_key *a, struct top_key *b)
{
	struct top_key kept = *a;

	*a = *b;
	*b = kept;
}

static void sift_up(struct top_key *keys, size_t i)
{
	for (; i > 0 && compare(&keys[i], &keys[(i - 1) / 2]) > 0; i = (i - 1) / 2)
		swap(&keys[i], &keys[(i - 1) / 2]);
}

static void sift_down(struct top_key *keys, size_t count)
{
	for (size_t i = 0;;) {
		size_t last = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
			if (compare(&keys[child], &keys[last]) > 0)
				last = child;
		if (last == i)
			return;
		swap(&keys[i], &keys[last]);
		i = last;
	}
}

static void drop(struct top_key *key)
{
	free((char *)key->key.key.ptr);
}

static void keep(struct ranking *ranking, const struct top_key *key)
{
	struct top *top = ranking->top;
	struct top_key kept = *key;

	kept.key.key.ptr = mem_bytesdup(key->key.key);
	if (top->count == ranking->limit) {
		drop(&top->keys[0]);
		top->keys[0] = kept;
		sift_down(top->keys, top->count);
		return;
	}
	if ((top->count & (top->count - 1)) == 0)
		top->keys =
		    mem_resize(top->keys, top->count ? top->count * 2 : 1, sizeof *top->keys);
	top->keys[top->count] = kept;
	sift_up(top->keys, top->count++);
}

static unsigned choose_probe(void *ctx, struct scan_key *key)
{
	const struct ranking *ranking = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	key->tag = inspect_filter_accepts(ranking->filter, key->key, &ns, values);
	return key->tag ? probes[ranking->by] : 0;
}

static bool on_key(void *ctx, const struct scan_key *key)
{
	struct ranking *ranking = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];
	struct top_key candidate = {.key = *key};

	if (!key->tag)
		return true;
	if (ranking->top->scan.denied)
		return false;
	if (!rank_of(ranking, key, &candidate.rank))
		return true;
	ranking->top->matched++;
	if (ranking->top->count == ranking->limit &&
	    compare(&candidate, &ranking->top->keys[0]) >= 0)
		return true;
	inspect_filter_accepts(ranking->filter, key->key, &candidate.ns, values);
	keep(ranking, &candidate);
	return true;
}

/* --- the rest of the first ones' figures --- */

static void on_figure(void *ctx, const struct reply *reply)
{
	struct ranking *ranking = ctx;
	struct scan_key *key = &ranking->top->keys[ranking->at].key;
	struct err unheard = {0};

	scan_take(ranking->redis, (enum scan_probe)(ranking->left & -ranking->left), reply, key,
		  &ranking->top->scan, err_is_set(&ranking->err) ? &unheard : &ranking->err);
	ranking->left &= ranking->left - 1;
	if (ranking->left == 0 && ++ranking->at < ranking->top->count)
		ranking->left = (SCAN_TTL | SCAN_BYTES) & ~probes[ranking->by];
}

static int complete(struct ranking *ranking, struct err *err)
{
	const struct redis_command how = {.fn = on_figure, .ctx = ranking};
	unsigned missing = (SCAN_TTL | SCAN_BYTES) & ~probes[ranking->by];

	ranking->left = missing;
	for (size_t i = 0; i < ranking->top->count; i++)
		for (unsigned left = missing; left; left &= left - 1)
			if (scan_ask(ranking->redis, (enum scan_probe)(left & -left),
				     ranking->top->keys[i].key.key, &how, err) != 0)
				return -1;
	return redis_settle(ranking->redis, &ranking->err, err);
}

/* SCAN may have yielded a key twice, and some are gone by now. */
static void tidy(struct top *top)
{
	size_t kept = 0;

	for (size_t i = 0; i < top->count; i++) {
		bool again =
		    kept && bytes_equal(top->keys[kept - 1].key.key, top->keys[i].key.key);

		if (again || top->keys[i].key.ttl_ms == SCAN_TTL_GONE)
			drop(&top->keys[i]);
		else
			top->keys[kept++] = top->keys[i];
	}
	top->count = kept;
}

static int denied(const struct ranking *ranking, struct err *err)
{
	static const char *const reasons[] = {
	    [TOP_BYTES] = "this user may not run MEMORY USAGE: rank --by ttl",
	    [TOP_IDLE] = "the server does not tell how long keys are idle (an LFU "
			 "maxmemory-policy, or this user may not run OBJECT): rank --by freq",
	    [TOP_FREQ] =
		"the server does not count how often keys are used (its "
		"maxmemory-policy is not an LFU one, or this user may not run OBJECT): "
		"rank --by idle",
	    [TOP_TTL] = "this user may not run PTTL: rank --by bytes",
	    [TOP_EXPIRY] = "this user may not run PTTL: rank --by bytes",
	};

	return err_set(err, ERR_REDIS, "%s", reasons[ranking->by]);
}

int top_find(struct redis *redis, const struct inspect_filter *filter, enum top_by by,
	     size_t limit, struct top *ret_top, struct err *err)
{
	struct ranking ranking = {
	    .redis = redis, .filter = filter, .by = by, .limit = limit, .top = ret_top};
	struct scan_options options = {.match = buf_bytes(&filter->glob),
				       .gentle = true,
				       .lenient = true,
				       .probes_of = choose_probe,
				       .fn = on_key,
				       .ctx = &ranking};

	*ret_top = (struct top){0};
	int status = scan_run(redis, &options, &ret_top->scan, err);
	if (ret_top->count)
		qsort(ret_top->keys, ret_top->count, sizeof *ret_top->keys, compare_sort);
	if (status == 0 && (ret_top->scan.denied & probes[by]))
		status = denied(&ranking, err);
	if (status == 0)
		status = complete(&ranking, err);
	tidy(ret_top);
	return status;
}

void top_release(struct top *top)
{
	for (size_t i = 0; i < top->count; i++)
		drop(&top->keys[i]);
	free(top->keys);
	*top = (struct top){0};
}
