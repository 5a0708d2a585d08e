#include "core/invalidate_private.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/inspect_filter.h"
#include "core/namespace.h"
#include "core/resume.h"
#include "core/scan.h"
#include "wire/slot.h"
#include "wire/redis.h"

#include <stdlib.h>

#define RESTARTS 3 /* of a walk that the connection broke under */
/* Named keys that are looked at in one go: over a long link more. */
#define NAMED_PAGE 256
#define NAMED_PAGE_FAR 8192

int invalidate_refuse(const struct invalidate_target *target, struct err *err)
{
	return err_set(err, ERR_REFUSED,
		       "more than %llu keys would be dropped; narrow it, or raise the limit "
		       "with --max-keys N",
		       (unsigned long long)target->max_keys);
}

unsigned invalidate_probes(const struct invalidate_target *target)
{
	const struct invalidate_condition *only = &target->only;

	return only->ttl_below_ms || only->ttl_above_ms || only->older_ms ? SCAN_TTL : 0;
}

/*
 * A TTL says how old a key is where the namespace gives all its keys the same.
 * Jitter only shortens, so without the full jitter a key looks older than it
 * is: it counts as older only when it is in any case.
 */
static bool is_older(const struct ns *ns, int64_t ttl_ms, uint64_t older_ms,
		     uint64_t *unknown_age)
{
	if (!ns || ns->ttl_kind != NS_TTL_FIXED || ns->ttl_ms == 0 || ttl_ms < 0) {
		(*unknown_age)++;
		return false;
	}
	double least = (double)ns->ttl_ms * (1 - ns->jitter) + (double)ns->grace_ms;
	return least - (double)ttl_ms > (double)older_ms;
}

static bool has_tag(struct bytes key, struct bytes tag)
{
	struct bytes own = slot_tag(key);

	return own.len < key.len && bytes_equal(own, tag);
}

bool invalidate_accepts(const struct invalidate_target *target, const struct scan_key *key,
			uint64_t *unknown_age)
{
	const struct invalidate_condition *only = &target->only;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	if (target->filter) {
		if (!inspect_filter_accepts(target->filter, key->key, &ns, values))
			return false;
	} else if (only->older_ms) {
		ns = nsset_classify(target->set, key->key, NULL);
	}
	if (only->tag.len && !has_tag(key->key, only->tag))
		return false;
	if (only->ttl_below_ms &&
	    (key->ttl_ms < 0 || (uint64_t)key->ttl_ms >= only->ttl_below_ms))
		return false;
	if (only->ttl_above_ms && key->ttl_ms >= 0 &&
	    (uint64_t)key->ttl_ms <= only->ttl_above_ms)
		return false;
	return only->older_ms == 0 || is_older(ns, key->ttl_ms, only->older_ms, unknown_age);
}

struct planning {
	struct redis *redis;
	const struct invalidate_target *target;
	struct invalidate_plan *plan;
	bool over;
	struct err no_grace;
	unsigned restarts;
	/* named keys that are being looked at */
	struct named {
		struct planning *planning;
		struct scan_key key;
	} * page;
	size_t count;
	struct err err;
};

static void list_key(struct invalidate_plan *plan, struct bytes key)
{
	if (plan->listed && !keylist_add(&plan->list, key)) {
		plan->listed = false;
		keylist_release(&plan->list);
	}
}

static void check_grace(struct planning *planning, struct bytes key)
{
	if (planning->target->graced && !err_is_set(&planning->no_grace) &&
	    invalidate_grace_ms(planning->target->set, key) == 0)
		err_set(&planning->no_grace, ERR_USAGE,
			"--soft: '%.*s' is of no namespace with a grace: say with --in how "
			"long it may live",
			key.len < 100 ? (int)key.len : 100, key.ptr);
}

static void plan_key(struct planning *planning, const struct scan_key *key)
{
	struct invalidate_plan *plan = planning->plan;

	plan->keys++;
	if (key->bytes >= 0)
		plan->bytes += (uint64_t)key->bytes;
	if (key->ttl_ms == SCAN_TTL_NONE)
		plan->without_ttl++;
	else if (key->ttl_ms > plan->longest_ttl_ms)
		plan->longest_ttl_ms = key->ttl_ms;
	if (plan->sample_count < INVALIDATE_SAMPLES)
		buf_add(&plan->samples[plan->sample_count++], key->key);
	planning->over = plan->keys > planning->target->max_keys;
	check_grace(planning, key->key);
}

uint64_t invalidate_grace_ms(const struct nsset *set, struct bytes key)
{
	const struct ns *ns = nsset_classify(set, key, NULL);

	return ns ? ns->grace_ms : 0;
}

static bool on_found(void *ctx, const struct scan_key *key)
{
	struct planning *planning = ctx;

	if (!invalidate_accepts(planning->target, key, &planning->plan->unknown_age))
		return true;
	plan_key(planning, key);
	list_key(planning->plan, key->key);
	return !planning->over && !err_is_set(&planning->no_grace);
}

uint64_t invalidate_start(const struct invalidate_target *target, const struct redis *node)
{
	return target->resume ? resume_start(target->resume, node) : 0;
}

static uint64_t on_start(void *ctx, const struct redis *node)
{
	const struct planning *planning = ctx;

	/* what broke the walk before may have spoilt the cursor */
	return planning->restarts ? 0 : invalidate_start(planning->target, node);
}

static void plan_init(struct invalidate_plan *plan)
{
	*plan = (struct invalidate_plan){.list.limit = INVALIDATE_LIST_MAX, .listed = true};
}

static int plan_filter(struct planning *planning, struct err *err)
{
	struct scan_result result = {0};
	struct scan_options options = {.match = buf_bytes(&planning->target->filter->glob),
				       .start_fn = on_start,
				       .probes = SCAN_TTL | SCAN_BYTES,
				       .fn = on_found,
				       .ctx = planning};
	int status = scan_run(planning->redis, &options, &result, err);

	if (status != 0 && scan_may_repeat(&result) && planning->restarts++ < RESTARTS) {
		if (result.lost && redis_recover(planning->redis, err) != 0)
			return -1;
		invalidate_plan_release(planning->plan);
		plan_init(planning->plan);
		*err = (struct err){0};
		return plan_filter(planning, err);
	}
	if (status != 0 && result.moved) { /* the run walks again, and tells what is left */
		planning->plan->listed = false;
		keylist_release(&planning->plan->list);
		*err = (struct err){0};
		status = 0;
	}
	planning->plan->bytes_known = !(result.denied & SCAN_BYTES);
	return status;
}

static void on_ttl(void *ctx, const struct reply *reply)
{
	struct named *named = ctx;
	struct planning *planning = named->planning;

	if (reply->type == REPLY_INTEGER)
		named->key.ttl_ms = reply->integer;
	else if (!err_is_set(&planning->err))
		redis_fail(planning->redis, reply, "PTTL", named->key.key, &planning->err);
}

static void on_bytes(void *ctx, const struct reply *reply)
{
	struct named *named = ctx;

	named->key.bytes = reply->type == REPLY_INTEGER ? reply->integer : -1;
	if (reply->type == REPLY_ERROR)
		named->planning->plan->bytes_known = false;
}

static int ask_page(struct planning *planning, struct err *err)
{
	for (size_t i = 0; i < planning->count; i++) {
		struct named *named = &planning->page[i];
		const struct bytes ttl[] = {BYTES("PTTL"), named->key.key};
		const struct bytes bytes[] = {BYTES("MEMORY"), BYTES("USAGE"), named->key.key};
		struct redis_command command = {.argv = ttl,
						.argc = 2,
						.flags = REDIS_IDEMPOTENT,
						.fn = on_ttl,
						.ctx = named};

		if (redis_submit(planning->redis, &command, err) != 0)
			return -1;
		command.argv = bytes;
		command.argc = 3;
		command.fn = on_bytes;
		if (redis_submit(planning->redis, &command, err) != 0)
			return -1;
	}
	return redis_settle(planning->redis, &planning->err, err);
}

/* Absent ones stay on the list: they may be there when their turn comes, and are told. */
static int look_at_page(struct planning *planning, struct err *err)
{
	if (ask_page(planning, err) != 0)
		return -1;
	for (size_t i = 0; i < planning->count; i++) {
		const struct scan_key *key = &planning->page[i].key;

		if (key->ttl_ms == SCAN_TTL_GONE) {
			planning->plan->absent++;
			check_grace(planning, key->key);
		} else {
			if (!invalidate_accepts(planning->target, key,
						&planning->plan->unknown_age))
				continue;
			plan_key(planning, key);
		}
		list_key(planning->plan, key->key);
	}
	planning->count = 0;
	return 0;
}

static int look_at_named(struct planning *planning, struct err *err)
{
	struct keylist_walk walk = {0};
	struct bytes key;

	while (keylist_next(planning->target->named, &walk, &key)) {
		struct named *named = &planning->page[planning->count++];
		bool far = planning->count >= NAMED_PAGE && redis_is_far(planning->redis);

		*named = (struct named){.planning = planning};
		named->key.key = key;
		if (planning->count >= (far ? NAMED_PAGE_FAR : NAMED_PAGE) &&
		    look_at_page(planning, err) != 0)
			return -1;
	}
	return look_at_page(planning, err);
}

static int plan_named(struct planning *planning, struct err *err)
{
	planning->plan->bytes_known = true;
	planning->plan->list.limit = 0; /* they are in memory already */
	if (planning->target->named->count > planning->target->max_keys)
		return invalidate_refuse(planning->target, err);
	planning->page = mem_zalloc(NAMED_PAGE_FAR, sizeof *planning->page);
	int status = look_at_named(planning, err);
	free(planning->page);
	return status;
}

static int plan_related(struct planning *planning, struct err *err)
{
	struct invalidate_plan *plan = planning->plan;

	plan->list.limit = 0; /* a few more */
	if (referrers_find(planning->redis, planning->target->set, &plan->list,
			   &plan->referrers, err) != 0)
		return -1;
	plan->related = plan->referrers.indexes;
	plan->members = plan->referrers.members;
	plan->keys += plan->related;
	planning->over = plan->keys > planning->target->max_keys;
	return 0;
}

int invalidate_plan(struct redis *redis, const struct invalidate_target *target,
		    struct invalidate_plan *ret_plan, struct err *err)
{
	struct planning planning = {.redis = redis, .target = target, .plan = ret_plan};

	*ret_plan = (struct invalidate_plan){.list.limit = INVALIDATE_LIST_MAX, .listed = true};
	int status = target->filter ? plan_filter(&planning, err) : plan_named(&planning, err);
	if (status == 0 && err_is_set(&planning.no_grace)) {
		*err = planning.no_grace;
		return -1;
	}
	if (status == 0 && !planning.over && !target->graced && target->referrers &&
	    ret_plan->listed)
		status = plan_related(&planning, err);
	return status == 0 && planning.over ? invalidate_refuse(target, err) : status;
}

void invalidate_plan_release(struct invalidate_plan *plan)
{
	for (size_t i = 0; i < plan->sample_count; i++)
		buf_release(&plan->samples[i]);
	plan->sample_count = 0;
	keylist_release(&plan->list);
	referrers_release(&plan->referrers);
}
