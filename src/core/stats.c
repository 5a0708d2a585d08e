#include "core/stats.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "wire/redis.h"
#include "wire/target.h"

#include <stdlib.h>
#include <string.h>

#define SLOW_WORDS 4
#define SLOW_TEXT 200

void stats_init(struct stats *stats, const struct nsset *set)
{
	*stats = (struct stats){
	    .set = set, .at_ms = clock_wall_ms(), .traffic_hits = -1, .traffic_misses = -1};
	stats->own = mem_zalloc(nsset_count(set) + 1, sizeof *stats->own);
	server_info_clear(&stats->info);
}

void stats_release(struct stats *stats)
{
	for (size_t i = 0; i < stats->node_count; i++) {
		buf_release(&stats->nodes[i].name);
		traffic_free(stats->nodes[i].traffic);
	}
	free(stats->nodes);
	stats->nodes = NULL;
	stats->node_count = 0;
	free(stats->own);
	stats->own = NULL;
	for (size_t i = 0; i < stats->slow_count; i++)
		buf_release(&stats->slow[i].command);
	stats->slow_count = 0;
	inspect_overview_release(&stats->overview);
	traffic_free(stats->traffic);
	stats->traffic = NULL;
}

static int64_t take_off(int64_t all, uint64_t own)
{
	return all < 0 || (uint64_t)all < own ? all : all - (int64_t)own;
}

/* --- the servers --- */

static bool is_up(const struct stats_node *node)
{
	return !err_is_set(&node->err);
}

/* An answer that did not come because of Ctrl-C says nothing of the server. */
static void note_failure(struct stats *stats, struct stats_node *node, const struct err *why)
{
	stats->complete = false;
	if (why->kind != ERR_INTERRUPTED)
		node->err = *why;
}

/* Whom to ask, and the first answers. */
static int look_at_nodes(struct stats *stats, struct redis *redis, struct err *err)
{
	size_t count = redis_nodes(redis, err);
	bool any = false;

	stats->cluster = redis_is_cluster(redis);
	stats->replicas = redis_is_reader(redis);
	stats->nodes = mem_zalloc(count ? count : 1, sizeof *stats->nodes);
	for (size_t i = 0; i < count; i++) {
		struct stats_node *node = &stats->nodes[i];

		node->session = redis_node(redis, i);
		if (stats->replicas) {
			struct redis_place place;

			redis_place(redis, i, &place);
			node->is_replica = place.is_replica;
		}
		server_info_clear(&node->info);
		target_describe_place(redis_target(node->session), &node->name);
	}
	stats->node_count = count;
	for (size_t i = 0; i < count; i++) {
		struct stats_node *node = &stats->nodes[i];
		struct err why = {0};

		if (server_info(node->session, &node->info, &why) != 0) {
			note_failure(stats, node, &why);
			if (!any)
				err_set(err, why.kind, "%s", why.text);
			continue;
		}
		any = true;
		if (node->info.role[0]) /* it may have been promoted since it was chosen */
			node->is_replica =
			    stats->replicas && strcmp(node->info.role, "slave") == 0;
		if (node->info.denied)
			stats->denied |= STATS_NO_INFO;
	}
	return any ? 0 : -1;
}

static void sum_up(struct stats *stats)
{
	bool any = false;

	for (size_t i = 0; i < stats->node_count; i++) {
		const struct server_info *info = &stats->nodes[i].info;

		if (info->keys < 0 && info->uptime_s < 0)
			continue;
		if (any)
			server_info_add(&stats->info, info);
		else
			stats->info = *info;
		any = true;
	}
}

static void read_slow(struct stats_slow *slow, const struct reply *entry)
{
	const struct reply *words = entry->items[3];

	slow->at_s = entry->items[1]->integer;
	slow->duration_us = entry->items[2]->integer;
	for (size_t i = 0; i < words->count && i < SLOW_WORDS; i++) {
		if (i)
			buf_add_char(&slow->command, ' ');
		buf_add(&slow->command, bytes_sub(words->items[i]->text, 0, SLOW_TEXT));
	}
	if (words->count > SLOW_WORDS)
		buf_add_str(&slow->command, " ...");
}

/* The latest of all nodes stay. */
static void keep_slow(struct stats *stats, size_t node, const struct reply *entry)
{
	struct stats_slow slow = {.node = node};
	size_t at = stats->slow_count;

	read_slow(&slow, entry);
	while (at > 0 && stats->slow[at - 1].at_s < slow.at_s)
		at--;
	if (at == STATS_SLOW) {
		buf_release(&slow.command);
		return;
	}
	if (stats->slow_count == STATS_SLOW)
		buf_release(&stats->slow[--stats->slow_count].command);
	memmove(&stats->slow[at + 1], &stats->slow[at],
		(stats->slow_count - at) * sizeof stats->slow[0]);
	stats->slow[at] = slow;
	stats->slow_count++;
}

static void look_at_slowlog(struct stats *stats, size_t index)
{
	struct stats_node *node = &stats->nodes[index];
	const struct reply *reply = NULL;
	struct err why = {0};

	if (redis_call_words(node->session, REDIS_IDEMPOTENT, &reply, &why, "SLOWLOG", "GET",
			     "3", NULL) != 0) {
		note_failure(stats, node, &why);
		return;
	}
	if (reply->type != REPLY_ARRAY)
		stats->denied |= STATS_NO_SLOWLOG;
	for (size_t i = 0; reply->type == REPLY_ARRAY && i < reply->count; i++)
		if (reply->items[i]->type == REPLY_ARRAY && reply->items[i]->count >= 4)
			keep_slow(stats, index, reply->items[i]);
}

/* --- the sample --- */

static void add_delta(int64_t *sum, int64_t before, int64_t after, uint64_t own)
{
	if (before < 0 || after < before)
		return;
	*sum = (*sum < 0 ? 0 : *sum) + take_off(after - before, own);
}

/* What a node's own counters did meanwhile. */
static void look_again(struct stats *stats, struct stats_node *node)
{
	const struct traffic *traffic = node->traffic;
	struct server_info after;
	struct err why = {0};

	if (traffic->end == TRAFFIC_DENIED)
		return;
	if (server_info(node->session, &after, &why) != 0) {
		note_failure(stats, node, &why);
		return;
	}
	add_delta(&stats->traffic_hits, node->info.hits, after.hits, traffic->probe_hits);
	add_delta(&stats->traffic_misses, node->info.misses, after.misses,
		  traffic->probe_misses);
	stats->own_lookups += traffic->probe_hits + traffic->probe_misses;
	after.hits = take_off(after.hits, traffic->probe_hits);
	after.misses = take_off(after.misses, traffic->probe_misses);
	node->info = after;
}

static void add_sample(struct stats *stats, struct stats_node *node)
{
	const struct traffic *traffic = node->traffic;

	traffic_add(stats->traffic, traffic);
	if (traffic->end == TRAFFIC_DENIED)
		stats->denied |= STATS_NO_MONITOR;
	if (traffic->config_denied)
		stats->denied |= STATS_NO_CONFIG;
	if (traffic->subscribe_denied)
		stats->denied |= STATS_NO_EVENTS;
	if (traffic->end == TRAFFIC_INTERRUPTED || traffic->end == TRAFFIC_SUSPENDED ||
	    traffic->end == TRAFFIC_STUCK || traffic->end == TRAFFIC_LOST)
		stats->complete = false;
	look_again(stats, node);
}

static int look_at_traffic(struct stats *stats, const struct stats_want *want, struct err *err)
{
	struct traffic_job *jobs = mem_zalloc(stats->node_count, sizeof *jobs);
	struct traffic_options options = *want->sample;
	size_t count = 0;
	int status = 0;

	stats->traffic = traffic_new(stats->set);
	for (size_t i = 0; i < stats->node_count && status == 0; i++) {
		struct stats_node *node = &stats->nodes[i];

		if (!is_up(node))
			continue;
		node->traffic = traffic_new(stats->set);
		if (!node->traffic || !stats->traffic)
			status = err_set(err, ERR_REDIS, "sample: no shared memory");
		jobs[count++] = (struct traffic_job){.target = redis_target(node->session),
						     .traffic = node->traffic};
	}
	options.max_keys /= count ? count : 1;
	if (status == 0)
		status = traffic_run(stats->set, jobs, count, &options, want->cancel, err);
	for (size_t i = 0; i < stats->node_count && status == 0; i++)
		if (stats->nodes[i].traffic)
			add_sample(stats, &stats->nodes[i]);
	free(jobs);
	return status;
}

/* --- own counters --- */

static void look_at_counters(struct stats *stats, struct redis *redis)
{
	struct redis **lost = mem_zalloc(stats->node_count, sizeof *lost);
	size_t lost_count = 0;
	bool denied = false;

	for (size_t i = 0; i < stats->node_count; i++)
		if (!is_up(&stats->nodes[i]))
			lost[lost_count++] = stats->nodes[i].session;
	if (lost_count < stats->node_count &&
	    tally_read(stats->set, redis, lost, lost_count, stats->own, &denied,
		       &stats->own_err) != 0)
		stats->complete = false;
	if (stats->own_err.kind == ERR_INTERRUPTED)
		stats->own_err = (struct err){0};
	if (denied)
		stats->denied |= STATS_NO_COUNTERS;
	free(lost);
}

/* --- the walk --- */

static void look_at_keys(struct stats *stats, struct redis *redis,
			 const struct stats_want *want)
{
	inspect_overview(redis, stats->set, want->progress, want->ctx, &stats->overview,
			 &stats->scan_err);
	const struct scan_result *scan = &stats->overview.scan;
	stats->scanned = scan->complete || scan->keys + scan->own > 0;
	stats->complete = stats->complete && scan->complete;
	if (scan->denied & SCAN_BYTES)
		stats->denied |= STATS_NO_MEMORY;
	if (stats->scan_err.kind == ERR_INTERRUPTED)
		stats->scan_err = (struct err){0};
}

/* --- all of it --- */

#define LAST_ANSWERS_MS 1000 /* after Ctrl-C: for what tells the sample apart from the rest */

/*
 * Whatever looks keys up comes behind the server's figures, so that those are
 * not touched by it; the sample comes first, because only its own questions can
 * be told from its traffic.
 */
int stats_gather(const struct nsset *set, struct redis *redis, const struct stats_want *want,
		 struct stats *ret_stats, struct err *err)
{
	struct stats *stats = ret_stats;

	stats_init(stats, set);
	stats->complete = true;
	int status = look_at_nodes(stats, redis, err);
	struct redis_grace before =
	    redis_set_grace(redis, (struct redis_grace){LAST_ANSWERS_MS, LAST_ANSWERS_MS});
	if (status == 0 && want->sample)
		status = look_at_traffic(stats, want, err);
	for (size_t i = 0; i < stats->node_count && status == 0; i++)
		if (is_up(&stats->nodes[i]))
			look_at_slowlog(stats, i);
	if (status == 0)
		look_at_counters(stats, redis);
	redis_set_grace(redis, before);
	if (want->cancel && *want->cancel)
		stats->complete = false;
	else if (status == 0 && want->scan)
		look_at_keys(stats, redis, want);
	sum_up(stats);
	return status;
}
