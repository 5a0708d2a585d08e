#include "stats_view.h"

#include "app.h"

#include "base/clock.h"
#include "core/namespace.h"
#include "out/sink.h"
#include "wire/sentinel.h"

#include <string.h>

struct out_value stats_view_known(int64_t value)
{
	return value >= 0 ? out_int(value) : OUT_NONE;
}

static struct out_value text_or_none(const char *text)
{
	return text[0] ? out_str(text) : OUT_NONE;
}

struct out_value stats_view_share(uint64_t part, uint64_t whole)
{
	return whole ? out_real((double)part / (double)whole) : OUT_NONE;
}

struct out_value stats_view_ratio(int64_t hits, int64_t misses)
{
	return hits < 0 || misses < 0
		   ? OUT_NONE
		   : stats_view_share((uint64_t)hits, (uint64_t)(hits + misses));
}

const char *stats_view_name(const struct stats *stats, size_t i)
{
	return i < nsset_count(stats->set) ? nsset_at(stats->set, i)->name : "(unclassified)";
}

/* --- the server --- */

static const struct out_column server_columns[] = {
    FIELD("target", OUT_PLAIN, NULL, NULL),
    FIELD("sentinel", OUT_PLAIN, NULL, NULL),
    FIELD("sentinel_master", OUT_PLAIN, NULL, NULL),
    FIELD("at_ms", OUT_PLAIN, NULL, NULL),
    FIELD("complete", OUT_PLAIN, "callcache_complete",
	  "Whether every server answered and nothing was broken off"),
    FIELD("server", OUT_PLAIN, NULL, NULL),
    FIELD("version", OUT_PLAIN, NULL, NULL),
    FIELD("role", OUT_PLAIN, NULL, NULL),
    FIELD("uptime_ms", OUT_MS, "callcache_server_uptime_seconds",
	  "Time since the server started"),
    FIELD("keys", OUT_COUNT, "callcache_server_keys",
	  "Keys of the selected database, the program's own left out where they were counted"),
    FIELD("own_keys", OUT_COUNT, NULL, NULL),
    FIELD("used_memory_bytes", OUT_SIZE, "callcache_server_memory_bytes",
	  "Memory the server uses"),
    FIELD("peak_memory_bytes", OUT_SIZE, "callcache_server_memory_peak_bytes",
	  "The most memory the server has used"),
    FIELD("max_memory_bytes", OUT_SIZE, "callcache_server_memory_max_bytes",
	  "maxmemory, 0 without a limit"),
    FIELD("policy", OUT_PLAIN, NULL, NULL),
    FIELD("fragmentation", OUT_PLAIN, "callcache_server_memory_fragmentation_ratio",
	  "Memory taken from the system by memory used"),
    FIELD("hits", OUT_COUNT, "callcache_server_hits_total",
	  "Lookups that found a key, of all clients since the server started"),
    FIELD("misses", OUT_COUNT, "callcache_server_misses_total", "Lookups that found no key"),
    FIELD("hit_ratio", OUT_PERCENT, NULL, NULL),
    FIELD("expired", OUT_COUNT, "callcache_server_expired_total", "Keys whose time was up"),
    FIELD("evicted", OUT_COUNT, "callcache_server_evicted_total",
	  "Keys dropped for want of memory"),
    FIELD("ops_per_second", OUT_RATE, "callcache_server_operations_per_second",
	  "Commands a second, as the server samples them"),
    FIELD("clients", OUT_COUNT, "callcache_server_clients",
	  "Connected clients, this one included"),
    FIELD("blocked_clients", OUT_COUNT, "callcache_server_blocked_clients",
	  "Clients that wait in a blocking command"),
    FIELD("replicas", OUT_COUNT, "callcache_server_replicas", "Connected replicas"),
    FIELD("replica_lag_ms", OUT_MS, "callcache_server_replica_lag_seconds",
	  "Since the slowest replica heard of its primary"),
    FIELD("own_lookups", OUT_COUNT, NULL, NULL),
};

static void put_server(struct sink *sink, const struct stats *stats,
		       const struct stats_show *show)
{
	const struct server_info *info = &stats->info;
	int64_t own = stats->scanned ? (int64_t)stats->overview.scan.own : -1;
	struct buf place = {0};
	const char *master = show->sentinel ? sentinel_told(show->sentinel, &place) : NULL;
	const struct out_value values[] = {
	    out_str(show->target),
	    place.len ? out_text(buf_bytes(&place)) : OUT_NONE,
	    master ? out_str(master) : OUT_NONE,
	    out_uint(stats->at_ms),
	    out_bool(stats->complete),
	    text_or_none(info->name),
	    text_or_none(info->version),
	    text_or_none(info->role),
	    info->uptime_s >= 0 ? out_int(info->uptime_s * 1000) : OUT_NONE,
	    stats_view_known(own < 0 || info->keys < own ? info->keys : info->keys - own),
	    stats_view_known(own),
	    stats_view_known(info->used_memory),
	    stats_view_known(info->peak_memory),
	    stats_view_known(info->max_memory),
	    text_or_none(info->policy),
	    info->fragmentation >= 0 ? out_real(info->fragmentation) : OUT_NONE,
	    stats_view_known(info->hits),
	    stats_view_known(info->misses),
	    stats_view_ratio(info->hits, info->misses),
	    stats_view_known(info->expired),
	    stats_view_known(info->evicted),
	    stats_view_known(info->ops_per_second),
	    stats_view_known(info->clients),
	    stats_view_known(info->blocked_clients),
	    stats_view_known(info->connected_replicas),
	    info->replica_lag_s >= 0 ? out_int(info->replica_lag_s * 1000) : OUT_NONE,
	    out_uint(stats->own_lookups),
	};

	_Static_assert(sizeof values / sizeof values[0] ==
			   sizeof server_columns / sizeof server_columns[0],
		       "one value a column");
	for (size_t i = 0; i < sizeof server_columns / sizeof server_columns[0]; i++)
		sink_field(sink, &server_columns[i], values[i]);
	buf_release(&place);
}

/* --- the sample --- */

static const struct out_column sample_columns[] = {
    FIELD("sample_end", OUT_PLAIN, NULL, NULL),
    FIELD("sample_interval_ms", OUT_MS, "callcache_sample_interval_seconds",
	  "How long the traffic was watched"),
    FIELD("sample_lines", OUT_COUNT, "callcache_sample_commands", "Commands that were seen"),
    FIELD("sample_bytes", OUT_SIZE, "callcache_sample_bytes", "Bytes read from MONITOR"),
    FIELD("sample_probes", OUT_COUNT, NULL, NULL),
    FIELD("sample_followed_share", OUT_PERCENT, NULL, NULL),
    FIELD("sample_other_dbs", OUT_COUNT, NULL, NULL),
    FIELD("sample_latency_before_us", OUT_US, "callcache_sample_latency_before_seconds",
	  "Median answer time before the sample"),
    FIELD("sample_latency_us", OUT_US, "callcache_sample_latency_seconds",
	  "Median answer time during the sample"),
    FIELD("sample_latency_worst_us", OUT_US, NULL, NULL),
    FIELD("sample_server_hit_ratio", OUT_PERCENT, "callcache_sample_server_hit_ratio",
	  "Hit ratio of the whole server meanwhile, by its own counters"),
};

const char *stats_view_end_code(enum traffic_end end)
{
	static const char *const codes[] = {
	    [TRAFFIC_WHOLE] = "whole",         [TRAFFIC_INTERRUPTED] = "interrupted",
	    [TRAFFIC_LINES] = "lines",         [TRAFFIC_BYTES] = "bytes",
	    [TRAFFIC_LATENCY] = "latency",     [TRAFFIC_BACKLOG] = "backlog",
	    [TRAFFIC_SUSPENDED] = "suspended", [TRAFFIC_STUCK] = "stuck",
	    [TRAFFIC_LOST] = "lost",           [TRAFFIC_DENIED] = "denied",
	};
	return codes[end];
}

static void put_sample(struct sink *sink, const struct stats *stats)
{
	const struct traffic *t = stats->traffic;
	bool seen = t && t->end != TRAFFIC_DENIED;
	const struct out_value values[] = {
	    t ? out_str(stats_view_end_code(t->end)) : OUT_NONE,
	    seen ? out_uint(t->interval_us / 1000) : OUT_NONE,
	    seen ? out_uint(t->lines) : OUT_NONE,
	    seen ? out_uint(t->bytes) : OUT_NONE,
	    seen ? out_uint(t->probes) : OUT_NONE,
	    seen ? out_real(t->followed) : OUT_NONE,
	    seen ? out_uint(t->other_dbs) : OUT_NONE,
	    seen ? out_uint(t->latency_before_us) : OUT_NONE,
	    seen ? out_uint(t->latency_us) : OUT_NONE,
	    seen ? out_uint(t->latency_worst_us) : OUT_NONE,
	    stats_view_ratio(stats->traffic_hits, stats->traffic_misses),
	};

	for (size_t i = 0; i < sizeof sample_columns / sizeof sample_columns[0]; i++)
		sink_field(sink, &sample_columns[i], values[i]);
}

/* --- the document --- */

static void put_findings(struct sink *sink, const struct findings *findings)
{
	static const struct out_column columns[] = {{.name = "code", .title = "CODE"},
						    {.name = "namespace", .title = "NAMESPACE"},
						    {.name = "node", .title = "NODE"},
						    {.name = "text", .title = "FINDING"},
						    {.name = "remedy", .title = "REMEDY"}};
	static const struct out_table table = {
	    .name = "findings", .columns = columns, .column_count = 5};
	static const struct out_column count =
	    FIELD("findings_count", OUT_COUNT, "callcache_findings",
		  "What the figures say that an operator should look at");

	sink_field(sink, &count, out_uint(findings->count));
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		sink_row(sink, (struct out_value[]){
				   out_str(finding->code), out_str(finding->ns),
				   out_str(finding->node), out_text(buf_bytes(&finding->text)),
				   out_str(finding->remedy)});
	}
	sink_table_end(sink);
}

void stats_view_document(struct sink *sink, const struct stats *stats,
			 const struct findings *findings, const struct stats_show *show)
{
	static const struct out_column done = {
	    .name = "completed_ms",
	    .title = "completed_ms",
	    .unit = OUT_MS,
	    .metric = "callcache_completion_timestamp_seconds",
	    .help = "When these figures were complete, in seconds since 1970"};

	put_server(sink, stats, show);
	put_sample(sink, stats);
	stats_view_nodes(sink, stats);
	stats_view_namespaces(sink, stats);
	stats_view_operations(sink, stats, show);
	if (stats->traffic)
		stats_view_tops(sink, stats, show);
	stats_view_origins(sink, stats);
	put_findings(sink, findings);
	sink_field(sink, &done, out_uint(clock_wall_ms()));
}
