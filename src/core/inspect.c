#include "core/inspect.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/namespace.h"

#include <stdlib.h>

#define TTL_HISTOGRAM_BITS 6 /* within 1.6 %: 30 KB a namespace */
#define PROGRESS_EVERY 4096

/* A TTL read just after it was set may exceed its policy by the server's clock granularity. */
#define POLICY_SLACK_MS 1000

struct walk {
	const struct nsset *set;
	struct inspect_overview *overview;
	inspect_progress_fn *progress;
	void *ctx;
	uint64_t seen;
	uint64_t now_ms;
};

static void fold_ttl(struct inspect_group *group, int64_t ttl_ms, uint64_t limit_ms)
{
	if (ttl_ms == SCAN_TTL_NONE) {
		group->no_ttl++;
		return;
	}
	histogram_add(&group->ttl_ms, (uint64_t)ttl_ms);
	group->expiring_10s += ttl_ms <= 10000;
	group->expiring_60s += ttl_ms <= 60000;
	if (limit_ms && (uint64_t)ttl_ms > limit_ms + POLICY_SLACK_MS)
		group->over_policy++;
}

static void fold_bytes(struct inspect_group *group, const struct scan_key *key)
{
	if (key->bytes < 0)
		return;
	group->bytes += (uint64_t)key->bytes;
	if ((uint64_t)key->bytes <= group->largest)
		return;
	group->largest = (uint64_t)key->bytes;
	buf_clear(&group->largest_key);
	buf_add(&group->largest_key, key->key);
}

static bool fold(void *ctx, const struct scan_key *key)
{
	struct walk *walk = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = nsset_classify(walk->set, key->key, values);
	struct inspect_group *group =
	    &walk->overview->groups[ns ? ns->index : walk->overview->count - 1];

	group->keys++;
	fold_bytes(group, key);
	fold_ttl(group, key->ttl_ms, ns ? ns_ttl_limit_ms(ns, values, walk->now_ms) : 0);
	if (walk->progress && ++walk->seen % PROGRESS_EVERY == 0)
		walk->progress(walk->ctx, walk->seen);
	return true;
}

int inspect_overview(struct redis *redis, const struct nsset *set,
		     inspect_progress_fn *progress, void *ctx,
		     struct inspect_overview *ret_overview, struct err *err)
{
	struct walk walk = {
	    .set = set, .overview = ret_overview, .progress = progress, .ctx = ctx};
	struct scan_options options = {
	    .probes = SCAN_TTL | SCAN_BYTES, .fn = fold, .ctx = &walk};

	walk.now_ms = clock_wall_ms();
	ret_overview->count = nsset_count(set) + 1;
	ret_overview->groups = mem_zalloc(ret_overview->count, sizeof *ret_overview->groups);
	for (size_t i = 0; i < ret_overview->count; i++) {
		ret_overview->groups[i].ns = i < nsset_count(set) ? nsset_at(set, i) : NULL;
		histogram_init(&ret_overview->groups[i].ttl_ms, TTL_HISTOGRAM_BITS);
	}
	return scan_run(redis, &options, &ret_overview->scan, err);
}

void inspect_overview_release(struct inspect_overview *overview)
{
	for (size_t i = 0; i < overview->count; i++) {
		buf_release(&overview->groups[i].largest_key);
		histogram_release(&overview->groups[i].ttl_ms);
	}
	free(overview->groups);
	*overview = (struct inspect_overview){0};
}

int inspect_filter_init(struct inspect_filter *filter, const struct nsset *set,
			const struct ns *ns, const struct var *vars, size_t count,
			struct bytes match, struct err *err)
{
	struct var given[TEMPLATE_VARS_MAX];
	size_t given_count = 0;

	*filter = (struct inspect_filter){.set = set, .ns = ns};
	buf_add(&filter->glob, match);
	for (size_t i = 0; ns && i < count; i++) {
		int index = template_var_index(ns->key, vars[i].name);

		if (bytes_equal_str(vars[i].value, "*"))
			continue;
		given[given_count++] = vars[i];
		if (template_read_back(ns->key, (size_t)index, vars, count,
				       &filter->expected[index], err) != 0)
			return -1;
		if (filter->expected[index].len == 0)
			return err_set(err, ERR_USAGE,
				       "%.*s is empty: it would match every key of '%s'",
				       BYTES_ARG(vars[i].name), ns->name);
	}
	return ns && match.len == 0
		   ? template_glob(ns->key, given, given_count, &filter->glob, err)
		   : 0;
}

void inspect_filter_release(struct inspect_filter *filter)
{
	buf_release(&filter->glob);
	for (size_t i = 0; i < TEMPLATE_VARS_MAX; i++)
		buf_release(&filter->expected[i]);
}

bool inspect_filter_accepts(const struct inspect_filter *filter, struct bytes key,
			    const struct ns **ret_ns, struct bytes *ret_values)
{
	*ret_ns = nsset_classify(filter->set, key, ret_values);
	if (!filter->ns)
		return true;
	if (*ret_ns != filter->ns)
		return false;
	for (size_t i = 0; i < template_var_count(filter->ns->key); i++)
		if (filter->expected[i].len &&
		    !bytes_equal(buf_bytes(&filter->expected[i]), ret_values[i]))
			return false;
	return true;
}
