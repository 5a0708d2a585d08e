#include "core/stats.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "wire/redis.h"

#include <stdlib.h>

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

/* --- the server --- */

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

static int look_at_slowlog(struct stats *stats, struct redis *redis, struct err *err)
{
	const struct reply *reply = NULL;

	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "SLOWLOG", "GET", "3",
			     NULL) != 0)
		return -1;
	if (reply->type != REPLY_ARRAY) {
		stats->denied |= STATS_NO_SLOWLOG;
		return 0;
	}
	for (size_t i = 0; i < reply->count && stats->slow_count < STATS_SLOW; i++) {
		const struct reply *entry = reply->items[i];

		if (entry->type == REPLY_ARRAY && entry->count >= 4)
			read_slow(&stats->slow[stats->slow_count++], entry);
	}
	return 0;
}

/* --- the sample --- */

static int look_at_traffic(struct stats *stats, struct redis *redis,
			   const struct stats_want *want, struct err *err)
{
	struct server_info after;

	stats->traffic = traffic_new(stats->set);
	if (!stats->traffic)
		return err_set(err, ERR_REDIS, "sample: no shared memory");
	if (traffic_run(stats->set, redis_target(redis), want->sample, want->cancel,
			stats->traffic, err) != 0)
		return -1;
	const struct traffic *traffic = stats->traffic;
	if (traffic->end == TRAFFIC_DENIED)
		stats->denied |= STATS_NO_MONITOR;
	if (traffic->end == TRAFFIC_DENIED || traffic->end == TRAFFIC_INTERRUPTED)
		return 0;
	if (server_info(redis, &after, err) != 0)
		return -1;
	if (after.hits >= 0 && stats->info.hits >= 0) {
		stats->traffic_hits =
		    take_off(after.hits - stats->info.hits, traffic->probe_hits);
		stats->traffic_misses =
		    take_off(after.misses - stats->info.misses, traffic->probe_misses);
	}
	stats->own_lookups += traffic->probe_hits + traffic->probe_misses;
	after.hits = take_off(after.hits, traffic->probe_hits);
	after.misses = take_off(after.misses, traffic->probe_misses);
	stats->info = after;
	return 0;
}

/* --- the walk --- */

static int look_at_keys(struct stats *stats, struct redis *redis, const struct stats_want *want,
			struct err *err)
{
	int status = inspect_overview(redis, stats->set, want->progress, want->ctx,
				      &stats->overview, err);

	stats->scanned = stats->overview.scan.complete;
	if (stats->overview.scan.denied & SCAN_BYTES)
		stats->denied |= STATS_NO_MEMORY;
	return status;
}

/*
 * Whatever looks keys up comes behind the server's figures, so that those are
 * not touched by it; the sample comes first, because only its own questions can
 * be told from its traffic.
 */
int stats_gather(const struct nsset *set, struct redis *redis, const struct stats_want *want,
		 struct stats *ret_stats, struct err *err)
{
	struct stats *stats = ret_stats;
	bool denied = false;

	stats_init(stats, set);
	if (server_info(redis, &stats->info, err) != 0)
		return -1;
	if (stats->info.denied)
		stats->denied |= STATS_NO_INFO;
	if (want->sample && look_at_traffic(stats, redis, want, err) != 0)
		return -1;
	if (want->cancel && *want->cancel)
		return 0;
	if (look_at_slowlog(stats, redis, err) != 0 ||
	    tally_read(set, redis, stats->own, &denied, err) != 0)
		return -1;
	if (denied)
		stats->denied |= STATS_NO_COUNTERS;
	return want->scan ? look_at_keys(stats, redis, want, err) : 0;
}
