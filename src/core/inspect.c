#include "core/inspect.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "core/sample.h"
#include "core/shape.h"

#include <stdlib.h>

#define PROGRESS_EVERY 4096

/*
 * TYPE costs the server a fifth more: of many keys only some are asked. SCAN's
 * order is that of the keys' hashes, so every 16th are a fair sample.
 */
#define TYPES_ALL_BELOW 100000
#define TYPES_FIRST 256
#define TYPES_STRIDE 16

struct walk {
	const struct nsset *set;
	const struct inspect_filter *filter; /* NULL: every key */
	bool lenient;
	struct inspect_overview *overview;
	inspect_progress_fn *progress;
	void *ctx;
	uint64_t seen;
	uint64_t *met; /* keys of each group whose probes were chosen */
	uint64_t wall_ms;
	uint64_t start_ms;
	uint64_t since_ms;
	struct lot_part *lot; /* of a sample: what the present lot has, by group */
	size_t lot_parts;
};

struct lot_part {
	uint32_t group;
	uint64_t keys;
	uint64_t bytes;
};

static bool wants_type(struct walk *walk, size_t index)
{
	uint64_t met = walk->met[index]++;

	if (walk->filter || walk->overview->scan.expected <= TYPES_ALL_BELOW ||
	    met < TYPES_FIRST || met % TYPES_STRIDE == 0)
		return true;
	walk->overview->types_sampled = true;
	return false;
}

#define TAG_OTHER UINT32_MAX

static unsigned choose_probes(void *ctx, struct scan_key *key)
{
	struct walk *walk = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	key->tag = TAG_OTHER;
	if (!walk->filter)
		ns = nsset_classify(walk->set, key->key, values);
	else if (!inspect_filter_accepts(walk->filter, key->key, &ns, values))
		return 0;
	key->tag = (uint32_t)(ns ? ns->index : walk->overview->count - 1);
	/* what nothing declares has no wrong type, but its shape tells which it is */
	return SCAN_TTL | SCAN_BYTES | (wants_type(walk, key->tag) ? SCAN_TYPE : 0);
}

static uint64_t limit_of(const struct walk *walk, const struct ns *ns, struct bytes key)
{
	struct bytes values[TEMPLATE_VARS_MAX];

	if (!ns)
		return 0;
	if (ns->ttl_kind == NS_TTL_DAY) /* only there the vars matter */
		nsset_classify(walk->set, key, values);
	return ns_ttl_limit_ms(ns, values, walk->wall_ms);
}

static bool fold(void *ctx, const struct scan_key *key)
{
	struct walk *walk = ctx;

	if (key->tag == TAG_OTHER)
		return true;
	struct inspect_group *group = &walk->overview->groups[key->tag];

	if (walk->seen++ % 64 == 0)
		walk->since_ms = clock_mono_ms() - walk->start_ms;
	inspect_group_add(group, key, limit_of(walk, group->ns, key->key), walk->since_ms);
	if (!group->ns)
		shapes_add(walk->overview->shapes, &(struct shape_key){.key = key->key,
								       .ttl_ms = key->ttl_ms,
								       .bytes = key->bytes,
								       .type = key->type});
	if (walk->progress && walk->seen % PROGRESS_EVERY == 0)
		walk->progress(walk->ctx, walk->seen);
	return true;
}

static void begin(struct walk *walk)
{
	struct inspect_overview *overview = walk->overview;

	*overview = (struct inspect_overview){.count = nsset_count(walk->set) + 1};
	overview->groups = mem_zalloc(overview->count, sizeof *overview->groups);
	for (size_t i = 0; i < overview->count; i++)
		inspect_group_init(&overview->groups[i],
				   i + 1 < overview->count ? nsset_at(walk->set, i) : NULL);
	overview->shapes = shapes_new();
	walk->met = mem_zalloc(overview->count, sizeof *walk->met);
	walk->lot = mem_zalloc(overview->count, sizeof *walk->lot);
	walk->lot_parts = 0;
	walk->wall_ms = clock_wall_ms();
	walk->start_ms = clock_mono_ms();
}

static void end(struct walk *walk)
{
	shapes_finish(walk->overview->shapes);
	free(walk->met);
	free(walk->lot);
}

static int walk_keys(struct redis *redis, struct walk *walk, struct err *err)
{
	struct scan_options options = {.gentle = true,
				       .lenient = walk->lenient,
				       .probes_of = choose_probes,
				       .fn = fold,
				       .ctx = walk};

	if (walk->filter)
		options.match = buf_bytes(&walk->filter->glob);
	return scan_run(redis, &options, &walk->overview->scan, err);
}

int inspect_overview_of(struct redis *redis, const struct nsset *set,
			const struct inspect_options *options,
			struct inspect_overview *ret_overview, struct err *err)
{
	struct walk walk = {.set = set,
			    .filter = options->filter,
			    .lenient = options->lenient,
			    .overview = ret_overview,
			    .progress = options->progress,
			    .ctx = options->ctx};

	begin(&walk);
	int status = walk_keys(redis, &walk, err);
	end(&walk);
	return status;
}

int inspect_overview(struct redis *redis, const struct nsset *set,
		     inspect_progress_fn *progress, void *ctx,
		     struct inspect_overview *ret_overview, struct err *err)
{
	const struct inspect_options options = {.progress = progress, .ctx = ctx};

	return inspect_overview_of(redis, set, &options, ret_overview, err);
}

/* --- a sample --- */

static void add_to_lot(struct walk *walk, const struct scan_key *key)
{
	size_t i = 0;

	while (i < walk->lot_parts && walk->lot[i].group != key->tag)
		i++;
	if (i == walk->lot_parts)
		walk->lot[walk->lot_parts++] = (struct lot_part){.group = key->tag};
	walk->lot[i].keys++;
	walk->lot[i].bytes += key->bytes > 0 ? (uint64_t)key->bytes : 0;
}

static void end_lot(void *ctx, uint64_t keys)
{
	struct walk *walk = ctx;

	for (size_t i = 0; i < walk->lot_parts; i++)
		inspect_group_add_lot(&walk->overview->groups[walk->lot[i].group],
				      walk->lot[i].keys, walk->lot[i].bytes, keys);
	walk->overview->lots_squared += (double)keys * (double)keys;
	walk->lot_parts = 0;
}

static bool fold_drawn(void *ctx, const struct scan_key *key)
{
	struct walk *walk = ctx;
	struct scan_key drawn = *key;

	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = nsset_classify(walk->set, key->key, values);

	drawn.tag = (uint32_t)(ns ? ns->index : walk->overview->count - 1);
	add_to_lot(walk, &drawn);
	return fold(walk, &drawn);
}

static void start_again(void *ctx)
{
	struct walk *walk = ctx;

	end(walk);
	inspect_overview_release(walk->overview);
	begin(walk);
}

int inspect_sample(struct redis *redis, const struct nsset *set, uint64_t keys, uint64_t seed,
		   struct inspect_overview *ret_overview, struct err *err)
{
	struct walk walk = {.set = set, .lenient = true, .overview = ret_overview};
	struct sample_options options = {.keys = keys,
					 .seed = seed,
					 .probes = SCAN_TTL | SCAN_TYPE | SCAN_BYTES,
					 .fn = fold_drawn,
					 .lot_fn = end_lot,
					 .restart = start_again,
					 .ctx = &walk};
	struct sample_result result = {0};

	begin(&walk);
	int status = sample_run(redis, &options, &result, err);
	if (status == 0 && result.too_small) {
		status = walk_keys(redis, &walk, err);
	} else {
		ret_overview->scan = result.scan;
		ret_overview->sampled = result.scan.keys + result.scan.own + result.scan.gone;
		ret_overview->total = result.total;
	}
	end(&walk);
	return status;
}

void inspect_overview_release(struct inspect_overview *overview)
{
	for (size_t i = 0; i < overview->count; i++)
		inspect_group_release(&overview->groups[i]);
	shapes_free(overview->shapes);
	free(overview->groups);
	*overview = (struct inspect_overview){0};
}

void inspect_overview_sum(const struct inspect_overview *overview,
			  struct inspect_group *ret_sum)
{
	inspect_group_init(ret_sum, NULL);
	for (size_t i = 0; i < overview->count; i++)
		inspect_group_merge(ret_sum, &overview->groups[i]);
}
