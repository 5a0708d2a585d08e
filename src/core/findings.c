#include "core/findings.h"

#include "base/num.h"
#include "core/namespace.h"
#include "core/stats.h"

#include <inttypes.h>

#define NEAR_LIMIT 0.9
#define FRAGMENTED 1.5
#define FRAGMENTED_FROM ((int64_t)64 * 1024 * 1024) /* below it the ratio means little */
#define BIG_VALUE ((uint64_t)32 * 1024)             /* mean bytes of a namespace's keys */
#define DOMINATES 0.8
#define DOMINATES_FROM ((uint64_t)16 * 1024 * 1024)
#define LAG_S 10
#define READS_ENOUGH 30 /* to speak of a ratio */

static struct finding *add(struct findings *findings, const char *code, const struct ns *ns,
			   const char *remedy)
{
	struct finding *finding = &findings->items[findings->count];

	if (findings->count == FINDINGS_MAX)
		return NULL;
	findings->count++;
	*finding = (struct finding){.code = code, .ns = ns ? ns->name : NULL, .remedy = remedy};
	return finding;
}

static void say_percent(struct buf *buf, double share)
{
	buf_printf(buf, "%.1f %%", share * 100);
}

/* --- the server --- */

static void on_memory(const struct stats_node *node, struct findings *findings)
{
	const struct server_info *info = &node->info;
	struct finding *finding = NULL;

	if (info->max_memory <= 0 || info->used_memory < 0)
		return;
	double used = (double)info->used_memory / (double)info->max_memory;
	if (used >= NEAR_LIMIT)
		finding =
		    add(findings, used >= 1 ? "memory-over-limit" : "memory-near-limit", NULL,
			bytes_equal_str(bytes_of(info->policy), "noeviction")
			    ? "raise maxmemory or drop what is not needed: with "
			      "noeviction writes fail next"
			    : "raise maxmemory, shorten TTLs or compress: keys are "
			      "evicted next");
	if (!finding)
		return;
	num_format_size(&finding->text, (uint64_t)info->used_memory);
	buf_add_str(&finding->text, " are in use of ");
	num_format_size(&finding->text, (uint64_t)info->max_memory);
	buf_add_str(&finding->text, " (");
	say_percent(&finding->text, used);
	buf_add_str(&finding->text, ")");
}

static void on_fragmentation(const struct stats_node *node, struct findings *findings)
{
	const struct server_info *info = &node->info;
	struct finding *finding = NULL;

	if (info->fragmentation >= FRAGMENTED && info->used_memory >= FRAGMENTED_FROM)
		finding = add(findings, "fragmentation", NULL,
			      "CONFIG SET activedefrag yes, or restart the server off-peak");
	if (finding)
		buf_printf(&finding->text,
			   "the server takes %.2f times the memory that it uses",
			   info->fragmentation);
}

static void on_lag(const struct stats_node *node, struct findings *findings)
{
	const struct server_info *info = &node->info;
	struct finding *finding = NULL;

	if (info->replica_lag_s >= LAG_S)
		finding = add(findings, "replica-lag", NULL,
			      "look at the network and at the replica's load: what it serves "
			      "is old");
	if (finding)
		buf_printf(&finding->text,
			   "a replica has heard nothing of its primary for %" PRId64 " s",
			   info->replica_lag_s);
}

/* Evictions hit whoever is at hand while keys that never end stay for good. */
static void on_evictions(const struct stats *stats, struct findings *findings)
{
	const struct server_info *info = &stats->info;
	bool named = false;

	if (info->evicted <= 0)
		return;
	for (size_t i = 0; stats->scanned && i < stats->overview.count; i++) {
		const struct inspect_group *group = &stats->overview.groups[i];

		if (group->no_ttl == 0)
			continue;
		struct finding *finding =
		    add(findings, "evictions-no-ttl", group->ns,
			"give these keys a TTL, or raise maxmemory: what is evicted meanwhile "
			"has to be fetched again");
		if (!finding)
			return;
		named = true;
		num_format_count(&finding->text, info->evicted);
		buf_add_str(&finding->text, " keys were evicted while ");
		num_format_count(&finding->text, (int64_t)group->no_ttl);
		buf_add_str(&finding->text, " keys live for ever");
	}
	struct finding *finding =
	    named ? NULL
		  : add(findings, "evictions", NULL,
			"raise maxmemory or shorten TTLs; --scan shows which namespace holds "
			"keys for ever");
	if (!finding)
		return;
	num_format_count(&finding->text, info->evicted);
	buf_add_str(&finding->text, " keys were evicted since the server started");
}

/* --- namespaces, from a walk --- */

static void on_group(const struct stats *stats, const struct inspect_group *group,
		     uint64_t all_bytes, struct findings *findings)
{
	struct finding *finding = NULL;

	if (group->keys > 0 && group->bytes / group->keys >= BIG_VALUE && group->ns &&
	    group->ns->compress.kind == CODEC_NONE &&
	    (finding = add(findings, "big-values-uncompressed", group->ns,
			   "\"compress\" in the configuration, if its readers can expand"))) {
		num_format_size(&finding->text, group->bytes / group->keys);
		buf_add_str(&finding->text, " a key on average, stored as they are");
	}
	if (group->ns && group->bytes >= DOMINATES_FROM &&
	    (double)group->bytes >= DOMINATES * (double)all_bytes &&
	    (finding = add(findings, "namespace-dominates", group->ns,
			   "look at its TTL and its values: 'ccache inspect' lists them"))) {
		say_percent(&finding->text, (double)group->bytes / (double)all_bytes);
		buf_add_str(&finding->text, " of all bytes are its");
	}
	if (!group->ns && group->keys > 0 &&
	    (finding = add(findings, "keys-without-namespace", NULL,
			   "declare them; 'ccache inspect' groups them by shape"))) {
		num_format_count(&finding->text, (int64_t)group->keys);
		buf_add_str(&finding->text, " of ");
		num_format_count(&finding->text, (int64_t)stats->overview.scan.keys);
		buf_add_str(&finding->text, " keys belong to no namespace");
	}
}

static void on_groups(const struct stats *stats, struct findings *findings)
{
	uint64_t bytes = 0;

	if (!stats->scanned)
		return;
	for (size_t i = 0; i < stats->overview.count; i++)
		bytes += stats->overview.groups[i].bytes;
	for (size_t i = 0; i < stats->overview.count; i++)
		on_group(stats, &stats->overview.groups[i], bytes, findings);
}

/* --- namespaces, from observed traffic --- */

/* How long it takes until a key is read again, on average, as far as the sample can see. */
static double reread_ms(const struct traffic *traffic, const struct traffic_figures *figures)
{
	uint64_t reads = figures->hits + figures->misses + figures->fills + figures->ambiguous +
			 figures->uncertain;

	return reads
		   ? (double)traffic->interval_us / 1000 * (double)figures->keys / (double)reads
		   : 0;
}

static void on_ratio(const struct traffic *traffic, const struct ns *ns,
		     const struct traffic_figures *figures, struct findings *findings)
{
	struct traffic_ratio ratio = traffic_ratio(figures);
	double again_ms = reread_ms(traffic, figures);
	bool short_lived = ns->ttl_ms && (double)ns->ttl_ms < again_ms;
	struct finding *finding = NULL;

	if (!ratio.known || ns->target_hit_rate <= 0 || ratio.high >= ns->target_hit_rate ||
	    figures->hits + figures->misses < READS_ENOUGH)
		return;
	finding = add(findings, short_lived ? "ttl-below-reread" : "hit-ratio-under-target", ns,
		      short_lived ? "a longer TTL, or warm what is read: a key is gone before "
				    "it is read again"
				  : "warm it ahead of its readers, or look at what drops its "
				    "keys");
	if (!finding)
		return;
	buf_add_str(&finding->text, "hit ratio ");
	say_percent(&finding->text, ratio.ratio);
	buf_add_str(&finding->text, ", target ");
	say_percent(&finding->text, ns->target_hit_rate);
	if (!short_lived)
		return;
	buf_add_str(&finding->text, "; TTL ");
	num_format_duration_ms(&finding->text, (int64_t)ns->ttl_ms);
	buf_add_str(&finding->text, ", a key is read again after ");
	num_format_duration_ms(&finding->text, (int64_t)again_ms);
}

static void on_traffic(const struct stats *stats, struct findings *findings)
{
	const struct traffic *traffic = stats->traffic;
	uint64_t reads = 0;

	if (!traffic)
		return;
	for (size_t i = 0; i < traffic->count; i++)
		reads += traffic->figures[i].reads;
	for (size_t i = 0; i + 1 < traffic->count; i++)
		on_ratio(traffic, nsset_at(stats->set, i), &traffic->figures[i], findings);
	const struct traffic_figures *rest = &traffic->figures[traffic->count - 1];
	struct finding *finding = NULL;
	if (rest->reads > 0 && !stats->scanned)
		finding = add(findings, "keys-without-namespace", NULL,
			      "declare them; 'ccache inspect' groups them by shape");
	if (finding) {
		say_percent(&finding->text, (double)rest->reads / (double)reads);
		buf_add_str(&finding->text, " of the reads are of keys of no namespace");
	}
}

/* What is found of each server, with its name where there are several. */
static void on_nodes(const struct stats *stats,
		     void (*look)(const struct stats_node *node, struct findings *findings),
		     struct findings *findings)
{
	for (size_t i = 0; i < stats->node_count; i++) {
		size_t before = findings->count;

		look(&stats->nodes[i], findings);
		for (size_t at = before; at < findings->count && stats->cluster; at++)
			findings->items[at].node = buf_str(&stats->nodes[i].name);
	}
}

void findings_make(const struct stats *stats, struct findings *ret_findings)
{
	findings_release(ret_findings);
	on_nodes(stats, on_memory, ret_findings);
	on_nodes(stats, on_lag, ret_findings);
	on_traffic(stats, ret_findings);
	on_evictions(stats, ret_findings);
	on_groups(stats, ret_findings);
	on_nodes(stats, on_fragmentation, ret_findings);
}

void findings_release(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		buf_release(&findings->items[i].text);
	findings->count = 0;
}
