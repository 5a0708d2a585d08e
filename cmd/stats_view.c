#include "stats_view.h"

#include "app.h"

#include "base/clock.h"
#include "core/namespace.h"
#include "out/sink.h"

#include <string.h>

static struct out_value known(int64_t value)
{
	return value >= 0 ? out_int(value) : OUT_NONE;
}

static struct out_value text_or_none(const char *text)
{
	return text[0] ? out_str(text) : OUT_NONE;
}

static struct out_value share(uint64_t part, uint64_t whole)
{
	return whole ? out_real((double)part / (double)whole) : OUT_NONE;
}

static struct out_value ratio_of(int64_t hits, int64_t misses)
{
	return hits < 0 || misses < 0 ? OUT_NONE
				      : share((uint64_t)hits, (uint64_t)(hits + misses));
}

const char *stats_view_name(const struct stats *stats, size_t i)
{
	return i < nsset_count(stats->set) ? nsset_at(stats->set, i)->name : "(unclassified)";
}

/* --- the server --- */

#define FIELD(name_, unit_, metric_, help_)                                                    \
	{                                                                                      \
		.name = (name_), .title = (name_), .unit = (unit_), .metric = (metric_),       \
		.help = (help_)                                                                \
	}

static const struct out_column server_columns[] = {
    FIELD("target", OUT_PLAIN, NULL, NULL),
    FIELD("at_ms", OUT_PLAIN, NULL, NULL),
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
	const struct out_value values[] = {
	    out_str(show->target),
	    out_uint(stats->at_ms),
	    text_or_none(info->version),
	    text_or_none(info->role),
	    info->uptime_s >= 0 ? out_int(info->uptime_s * 1000) : OUT_NONE,
	    known(own < 0 || info->keys < own ? info->keys : info->keys - own),
	    known(own),
	    known(info->used_memory),
	    known(info->peak_memory),
	    known(info->max_memory),
	    text_or_none(info->policy),
	    info->fragmentation >= 0 ? out_real(info->fragmentation) : OUT_NONE,
	    known(info->hits),
	    known(info->misses),
	    ratio_of(info->hits, info->misses),
	    known(info->expired),
	    known(info->evicted),
	    known(info->ops_per_second),
	    known(info->clients),
	    known(info->blocked_clients),
	    known(info->connected_replicas),
	    info->replica_lag_s >= 0 ? out_int(info->replica_lag_s * 1000) : OUT_NONE,
	    out_uint(stats->own_lookups),
	};

	_Static_assert(sizeof values / sizeof values[0] ==
			   sizeof server_columns / sizeof server_columns[0],
		       "one value a column");
	for (size_t i = 0; i < sizeof server_columns / sizeof server_columns[0]; i++)
		sink_field(sink, &server_columns[i], values[i]);
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

static const char *end_code(enum traffic_end end)
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
	    t ? out_str(end_code(t->end)) : OUT_NONE,
	    seen ? out_uint(t->interval_us / 1000) : OUT_NONE,
	    seen ? out_uint(t->lines) : OUT_NONE,
	    seen ? out_uint(t->bytes) : OUT_NONE,
	    seen ? out_uint(t->probes) : OUT_NONE,
	    seen ? out_real(t->followed) : OUT_NONE,
	    seen ? out_uint(t->other_dbs) : OUT_NONE,
	    seen ? out_uint(t->latency_before_us) : OUT_NONE,
	    seen ? out_uint(t->latency_us) : OUT_NONE,
	    seen ? out_uint(t->latency_worst_us) : OUT_NONE,
	    ratio_of(stats->traffic_hits, stats->traffic_misses),
	};

	for (size_t i = 0; i < sizeof sample_columns / sizeof sample_columns[0]; i++)
		sink_field(sink, &sample_columns[i], values[i]);
}

/* --- namespaces --- */

enum {
	N_NAMESPACE,
	N_KEYS,
	N_SHARE,
	N_BYTES,
	N_BYTES_SHARE,
	N_TTL,
	N_READS,
	N_RATIO,
	N_LOW,
	N_HIGH,
	N_WRITES,
	N_DELETES,
	N_EXPIRED,
	N_READ_BYTES,
	N_SEEN,
	N_HITS,
	N_MISSES,
	N_AMBIGUOUS,
	N_UNCERTAIN,
	N_OWN_HITS,
	N_OWN_MISSES,
	N_OWN_SETS,
	N_OWN_INVALIDATED,
	N_OWN_ERRORS,
	N_TARGET,
	N_COUNT
};

static const struct out_column namespace_columns[N_COUNT] = {
    [N_NAMESPACE] = {.name = "namespace", .title = "NAMESPACE", .flags = OUT_LABEL},
    [N_KEYS] = FIELD("keys", OUT_COUNT, "callcache_keys", "Keys of a namespace, by a scan"),
    [N_SHARE] = FIELD("keys_share", OUT_PERCENT, NULL, NULL),
    [N_BYTES] = FIELD("bytes", OUT_SIZE, "callcache_bytes",
		      "Memory of a namespace's keys as MEMORY USAGE says, by a scan"),
    [N_BYTES_SHARE] = FIELD("bytes_share", OUT_PERCENT, NULL, NULL),
    [N_TTL] = FIELD("ttl_median_ms", OUT_MS, "callcache_ttl_median_seconds",
		    "Median remaining life of a namespace's keys, by a scan"),
    [N_READS] = FIELD("reads_per_second", OUT_PLAIN, "callcache_sampled_reads_per_second",
		      "Reads of a namespace's keys in the sample"),
    [N_RATIO] = FIELD("hit_ratio", OUT_PERCENT, "callcache_sampled_hit_ratio",
		      "Share of the reads that found their key, in the sample"),
    [N_LOW] = FIELD("hit_ratio_low", OUT_PERCENT, "callcache_sampled_hit_ratio_low",
		    "Lower bound of the hit ratio (95 %)"),
    [N_HIGH] = FIELD("hit_ratio_high", OUT_PERCENT, "callcache_sampled_hit_ratio_high",
		     "Upper bound of the hit ratio (95 %)"),
    [N_WRITES] = FIELD("writes_per_second", OUT_PLAIN, "callcache_sampled_writes_per_second",
		       "Writes of a namespace's keys in the sample"),
    [N_DELETES] = FIELD("deletes_per_second", OUT_PLAIN, "callcache_sampled_deletes_per_second",
			"Deletes of a namespace's keys in the sample"),
    [N_EXPIRED] = FIELD("expired_per_second", OUT_PLAIN, "callcache_sampled_expired_per_second",
			"Expiries of a namespace's keys in the sample, by notifications"),
    [N_READ_BYTES] =
	FIELD("read_bytes_per_second", OUT_SIZE, "callcache_sampled_read_bytes_per_second",
	      "Bytes of a namespace's texts read in the sample"),
    [N_SEEN] = FIELD("sampled_reads", OUT_COUNT, NULL, NULL),
    [N_HITS] = FIELD("sampled_hits", OUT_COUNT, NULL, NULL),
    [N_MISSES] = FIELD("sampled_misses", OUT_COUNT, NULL, NULL),
    [N_AMBIGUOUS] = FIELD("ambiguous", OUT_COUNT, NULL, NULL),
    [N_UNCERTAIN] = FIELD("uncertain", OUT_COUNT, NULL, NULL),
    [N_OWN_HITS] = FIELD("own_hits", OUT_COUNT, NULL, NULL),
    [N_OWN_MISSES] = FIELD("own_misses", OUT_COUNT, NULL, NULL),
    [N_OWN_SETS] = FIELD("own_sets", OUT_COUNT, NULL, NULL),
    [N_OWN_INVALIDATED] = FIELD("own_invalidations", OUT_COUNT, NULL, NULL),
    [N_OWN_ERRORS] = FIELD("own_errors", OUT_COUNT, NULL, NULL),
    [N_TARGET] = FIELD("target_hit_ratio", OUT_PERCENT, "callcache_target_hit_ratio",
		       "The hit ratio that the configuration aims at"),
};
static const struct out_table namespace_table = {.name = "namespaces",
						 .columns = namespace_columns,
						 .column_count = N_COUNT,
						 .primary = true};

static void fill_keys(struct out_value *row, const struct stats *stats, size_t i,
		      uint64_t all_bytes)
{
	const struct inspect_group *group = stats->scanned ? &stats->overview.groups[i] : NULL;
	bool sized = group && !(stats->denied & STATS_NO_MEMORY);

	row[N_KEYS] = group ? out_uint(group->keys) : OUT_NONE;
	row[N_SHARE] = group ? share(group->keys, stats->overview.scan.keys) : OUT_NONE;
	row[N_BYTES] = sized ? out_uint(group->bytes) : OUT_NONE;
	row[N_BYTES_SHARE] = sized ? share(group->bytes, all_bytes) : OUT_NONE;
	row[N_TTL] = group && group->ttl_ms.total
			 ? out_uint(histogram_quantile(&group->ttl_ms, 0.5))
			 : OUT_NONE;
}

static void fill_traffic(struct out_value *row, const struct stats *stats, size_t i)
{
	const struct traffic *t = stats->traffic;
	struct traffic_rates rates;

	for (size_t at = N_READS; at <= N_UNCERTAIN; at++)
		row[at] = OUT_NONE;
	if (!t || t->end == TRAFFIC_DENIED)
		return;
	const struct traffic_figures *f = &t->figures[i];
	struct traffic_ratio ratio = traffic_ratio(f);
	row[N_SEEN] = out_uint(f->reads);
	row[N_HITS] = out_uint(f->hits);
	row[N_MISSES] = out_uint(f->misses);
	row[N_AMBIGUOUS] = out_uint(f->fills + f->ambiguous);
	row[N_UNCERTAIN] = out_uint(f->uncertain);
	if (ratio.known) {
		row[N_RATIO] = out_real(ratio.ratio);
		row[N_LOW] = out_real(ratio.low);
		row[N_HIGH] = out_real(ratio.high);
	}
	if (!traffic_rates(t, i, &rates))
		return;
	row[N_READS] = out_real(rates.reads);
	row[N_WRITES] = out_real(rates.writes);
	row[N_DELETES] = out_real(rates.deletes);
	if (t->notifications)
		row[N_EXPIRED] = out_real(rates.expired);
	if (rates.bytes_known)
		row[N_READ_BYTES] = out_real(rates.read_bytes);
}

static void fill_own(struct out_value *row, const struct stats *stats, size_t i)
{
	const struct tally_figures *own = &stats->own[i];
	bool known_here = !(stats->denied & STATS_NO_COUNTERS);
	uint64_t errors = own->counts[TALLY_GET_ERROR] + own->counts[TALLY_SET_ERROR] +
			  own->counts[TALLY_INVALIDATE_ERROR] + own->counts[TALLY_FETCH_ERROR];

	row[N_OWN_HITS] = known_here ? out_uint(own->counts[TALLY_GET_HIT]) : OUT_NONE;
	row[N_OWN_MISSES] = known_here ? out_uint(own->counts[TALLY_GET_MISS]) : OUT_NONE;
	row[N_OWN_SETS] = known_here ? out_uint(own->counts[TALLY_SET]) : OUT_NONE;
	row[N_OWN_INVALIDATED] =
	    known_here ? out_uint(own->counts[TALLY_INVALIDATED]) : OUT_NONE;
	row[N_OWN_ERRORS] = known_here ? out_uint(errors) : OUT_NONE;
}

static void put_namespaces(struct sink *sink, const struct stats *stats)
{
	size_t count = nsset_count(stats->set);
	uint64_t all_bytes = 0;

	for (size_t i = 0; stats->scanned && i < stats->overview.count; i++)
		all_bytes += stats->overview.groups[i].bytes;
	sink_table_begin(sink, &namespace_table);
	for (size_t i = 0; i <= count; i++) {
		const struct ns *ns = i < count ? nsset_at(stats->set, i) : NULL;
		struct out_value row[N_COUNT];

		row[N_NAMESPACE] = out_str(stats_view_name(stats, i));
		fill_keys(row, stats, i, all_bytes);
		fill_traffic(row, stats, i);
		fill_own(row, stats, i);
		row[N_TARGET] =
		    ns && ns->target_hit_rate > 0 ? out_real(ns->target_hit_rate) : OUT_NONE;
		sink_row(sink, row);
	}
	sink_table_end(sink);
}

/* --- the document --- */

static void put_findings(struct sink *sink, const struct findings *findings)
{
	static const struct out_column columns[] = {{.name = "code", .title = "CODE"},
						    {.name = "namespace", .title = "NAMESPACE"},
						    {.name = "text", .title = "FINDING"},
						    {.name = "remedy", .title = "REMEDY"}};
	static const struct out_table table = {
	    .name = "findings", .columns = columns, .column_count = 4};
	static const struct out_column count =
	    FIELD("findings_count", OUT_COUNT, "callcache_findings",
		  "What the figures say that an operator should look at");

	sink_field(sink, &count, out_uint(findings->count));
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		sink_row(sink,
			 (struct out_value[]){out_str(finding->code), out_str(finding->ns),
					      out_text(buf_bytes(&finding->text)),
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
	put_namespaces(sink, stats);
	stats_view_operations(sink, stats, show);
	if (stats->traffic)
		stats_view_tops(sink, stats, show);
	stats_view_origins(sink, stats);
	put_findings(sink, findings);
	sink_field(sink, &done, out_uint(clock_wall_ms()));
}
