#include "stats_view.h"

#include "core/namespace.h"
#include "out/sink.h"

/* --- the servers of a cluster --- */

enum {
	S_NODE,
	S_REPLICA,
	S_UP,
	S_ERROR,
	S_KEYS,
	S_MEMORY,
	S_MAX_MEMORY,
	S_FRAGMENTATION,
	S_SERVER_HITS,
	S_SERVER_MISSES,
	S_HIT_RATIO,
	S_EVICTED,
	S_OPS,
	S_CLIENTS,
	S_REPLICAS,
	S_LAG,
	S_END,
	S_LINES,
	S_LATENCY,
	S_COUNT
};

static const struct out_column node_columns[S_COUNT] = {
    [S_NODE] = {.name = "node", .title = "node", .flags = OUT_LABEL},
    [S_REPLICA] = FIELD("replica", OUT_PLAIN, NULL, NULL),
    [S_UP] = FIELD("reachable", OUT_PLAIN, "callcache_node_up",
		   "Whether the primary of the cluster answered"),
    [S_ERROR] = FIELD("error", OUT_PLAIN, NULL, NULL),
    [S_KEYS] = FIELD("keys", OUT_COUNT, "callcache_node_keys",
		     "Keys of a primary, the program's own included"),
    [S_MEMORY] = FIELD("used_memory_bytes", OUT_SIZE, "callcache_node_memory_bytes",
		       "Memory a primary uses"),
    [S_MAX_MEMORY] = FIELD("max_memory_bytes", OUT_SIZE, "callcache_node_memory_max_bytes",
			   "A primary's maxmemory, 0 without a limit"),
    [S_FRAGMENTATION] =
	FIELD("fragmentation", OUT_PLAIN, "callcache_node_memory_fragmentation_ratio",
	      "Memory a primary takes from the system by memory used"),
    [S_SERVER_HITS] = FIELD("hits", OUT_COUNT, "callcache_node_hits_total",
			    "Lookups that found a key on a primary"),
    [S_SERVER_MISSES] = FIELD("misses", OUT_COUNT, "callcache_node_misses_total",
			      "Lookups that found no key on a primary"),
    [S_HIT_RATIO] = FIELD("hit_ratio", OUT_PERCENT, NULL, NULL),
    [S_EVICTED] = FIELD("evicted", OUT_COUNT, "callcache_node_evicted_total",
			"Keys a primary dropped for want of memory"),
    [S_OPS] = FIELD("ops_per_second", OUT_RATE, "callcache_node_operations_per_second",
		    "Commands a second of a primary, as it samples them"),
    [S_CLIENTS] =
	FIELD("clients", OUT_COUNT, "callcache_node_clients", "Clients connected to a primary"),
    [S_REPLICAS] = FIELD("replicas", OUT_COUNT, "callcache_node_replicas",
			 "Replicas connected to a primary"),
    [S_LAG] = FIELD("replica_lag_ms", OUT_MS, "callcache_node_replica_lag_seconds",
		    "Since a primary's slowest replica heard of it"),
    [S_END] = FIELD("sample_end", OUT_PLAIN, NULL, NULL),
    [S_LINES] = FIELD("sample_lines", OUT_COUNT, NULL, NULL),
    [S_LATENCY] = FIELD("sample_latency_us", OUT_US, NULL, NULL),
};
static const struct out_table node_table = {
    .name = "nodes", .columns = node_columns, .column_count = S_COUNT};

static void put_node(struct sink *sink, const struct stats_node *node)
{
	const struct server_info *info = &node->info;
	const struct traffic *t = node->traffic;
	bool seen = t && t->end != TRAFFIC_DENIED;
	const struct out_value row[S_COUNT] = {
	    [S_NODE] = out_text(buf_bytes(&node->name)),
	    [S_REPLICA] = out_bool(node->is_replica),
	    [S_UP] = out_bool(!err_is_set(&node->err)),
	    [S_ERROR] = err_is_set(&node->err) ? out_str(node->err.text) : OUT_NONE,
	    [S_KEYS] = stats_view_known(info->keys),
	    [S_MEMORY] = stats_view_known(info->used_memory),
	    [S_MAX_MEMORY] = stats_view_known(info->max_memory),
	    [S_FRAGMENTATION] =
		info->fragmentation >= 0 ? out_real(info->fragmentation) : OUT_NONE,
	    [S_SERVER_HITS] = stats_view_known(info->hits),
	    [S_SERVER_MISSES] = stats_view_known(info->misses),
	    [S_HIT_RATIO] = stats_view_ratio(info->hits, info->misses),
	    [S_EVICTED] = stats_view_known(info->evicted),
	    [S_OPS] = stats_view_known(info->ops_per_second),
	    [S_CLIENTS] = stats_view_known(info->clients),
	    [S_REPLICAS] = stats_view_known(info->connected_replicas),
	    [S_LAG] = info->replica_lag_s >= 0 ? out_int(info->replica_lag_s * 1000) : OUT_NONE,
	    [S_END] = t ? out_str(stats_view_end_code(t->end)) : OUT_NONE,
	    [S_LINES] = seen ? out_uint(t->lines) : OUT_NONE,
	    [S_LATENCY] = seen ? out_uint(t->latency_us) : OUT_NONE,
	};

	sink_row(sink, row);
}

void stats_view_nodes(struct sink *sink, const struct stats *stats)
{
	sink_table_begin(sink, &node_table);
	for (size_t i = 0; (stats->cluster || stats->replicas) && i < stats->node_count; i++)
		put_node(sink, &stats->nodes[i]);
	sink_table_end(sink);
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
	row[N_SHARE] =
	    group ? stats_view_share(group->keys, stats->overview.scan.keys) : OUT_NONE;
	row[N_BYTES] = sized ? out_uint(group->bytes) : OUT_NONE;
	row[N_BYTES_SHARE] = sized ? stats_view_share(group->bytes, all_bytes) : OUT_NONE;
	row[N_TTL] = group && group->ttl_ms.total
			 ? out_uint(histogram_quantile(&group->ttl_ms, 0.5))
			 : OUT_NONE;
}

static void fill_traffic(struct out_value *row, const struct stats *stats, size_t i)
{
	const struct traffic *t = stats->traffic;

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
	if (t->interval_us == 0)
		return;
	row[N_READS] = out_real(f->rates.reads);
	row[N_WRITES] = out_real(f->rates.writes);
	row[N_DELETES] = out_real(f->rates.deletes);
	if (t->notifications)
		row[N_EXPIRED] = out_real(f->rates.expired);
	if (f->rates.bytes_known)
		row[N_READ_BYTES] = out_real(f->rates.read_bytes);
}

static void fill_own(struct out_value *row, const struct stats *stats, size_t i)
{
	const struct tally_figures *own = &stats->own[i];
	uint64_t errors = own->counts[TALLY_GET_ERROR] + own->counts[TALLY_SET_ERROR] +
			  own->counts[TALLY_INVALIDATE_ERROR] + own->counts[TALLY_FETCH_ERROR];

	row[N_OWN_HITS] = own->known ? out_uint(own->counts[TALLY_GET_HIT]) : OUT_NONE;
	row[N_OWN_MISSES] = own->known ? out_uint(own->counts[TALLY_GET_MISS]) : OUT_NONE;
	row[N_OWN_SETS] = own->known ? out_uint(own->counts[TALLY_SET]) : OUT_NONE;
	row[N_OWN_INVALIDATED] =
	    own->known ? out_uint(own->counts[TALLY_INVALIDATED]) : OUT_NONE;
	row[N_OWN_ERRORS] = own->known ? out_uint(errors) : OUT_NONE;
}

void stats_view_namespaces(struct sink *sink, const struct stats *stats)
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
