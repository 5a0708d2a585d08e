#include "stats_view.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "out/sink.h"
#include "out/spark.h"

#include <stdlib.h>

#define SPARK_WIDTH 16
/* Columns of a terminal that hold the own counters beside other figures, and beside nothing. */
#define OWN_BESIDE 130
#define OWN_ALONE 60

/* In thousandths, so that ratios and rates below 1 have a height; what is not known has none.
 */
void stats_page_spark(struct buf *line, const char *name, const double *values, size_t count)
{
	size_t shown = count < SPARK_WIDTH ? count : SPARK_WIDTH;
	uint64_t heights[SPARK_WIDTH];

	for (size_t i = 0; i < shown; i++) {
		double value = values[count - shown + i] * 1000;

		heights[i] = value > 0 ? (uint64_t)value : 0;
	}
	buf_add_str(line, name);
	out_spark(line, heights, shown, false);
}

/* --- namespaces: the columns that have figures --- */

enum part { PART_SAMPLE = 1, PART_SCAN = 2, PART_OWN = 4, PART_TARGET = 8, PART_SPARK = 16 };

enum {
	P_NAMESPACE,
	P_READS,
	P_SPARK,
	P_RATIO,
	P_INTERVAL,
	P_TARGET,
	P_WRITES,
	P_BYTES_READ,
	P_KEYS,
	P_BYTES,
	P_TTL,
	P_HITS,
	P_MISSES,
	P_SETS,
	P_DROPPED,
	P_COUNT
};

static const struct {
	unsigned part;
	struct out_column column;
} page_columns[P_COUNT] = {
    [P_NAMESPACE] = {0, {.name = "ns", .title = "NAMESPACE", .flags = OUT_SHRINK}},
    [P_READS] = {PART_SAMPLE, {.name = "r", .title = "READS", .unit = OUT_RATE}},
    [P_SPARK] = {PART_SPARK, {.name = "sp", .title = "", .flags = OUT_MINOR}},
    [P_RATIO] = {PART_SAMPLE, {.name = "h", .title = "HIT RATIO", .unit = OUT_PERCENT}},
    [P_INTERVAL] = {PART_SAMPLE, {.name = "i", .title = "95 %", .flags = OUT_MINOR}},
    [P_TARGET] = {PART_TARGET,
		  {.name = "t", .title = "TARGET", .unit = OUT_PERCENT, .flags = OUT_MINOR}},
    [P_WRITES] = {PART_SAMPLE,
		  {.name = "w", .title = "WRITES", .unit = OUT_RATE, .flags = OUT_MINOR}},
    [P_BYTES_READ] = {PART_SAMPLE,
		      {.name = "b", .title = "READ/S", .unit = OUT_SIZE, .flags = OUT_MINOR}},
    [P_KEYS] = {PART_SCAN, {.name = "k", .title = "KEYS", .unit = OUT_COUNT}},
    [P_BYTES] = {PART_SCAN, {.name = "m", .title = "BYTES", .unit = OUT_SIZE}},
    [P_TTL] = {PART_SCAN,
	       {.name = "l", .title = "MEDIAN TTL", .unit = OUT_MS, .flags = OUT_MINOR}},
    [P_HITS] = {PART_OWN,
		{.name = "oh", .title = "OWN HITS", .unit = OUT_COUNT, .flags = OUT_MINOR}},
    [P_MISSES] = {PART_OWN,
		  {.name = "om", .title = "MISSES", .unit = OUT_COUNT, .flags = OUT_MINOR}},
    [P_SETS] = {PART_OWN,
		{.name = "os", .title = "SETS", .unit = OUT_COUNT, .flags = OUT_MINOR}},
    [P_DROPPED] = {PART_OWN,
		   {.name = "od", .title = "DROPPED", .unit = OUT_COUNT, .flags = OUT_MINOR}},
};

struct weighed {
	size_t index;
	double reads;
	uint64_t keys;
	uint64_t own;
	bool target;
};

static int compare(const void *a, const void *b)
{
	const struct weighed *left = a;
	const struct weighed *right = b;

	if (left->reads != right->reads)
		return left->reads < right->reads ? 1 : -1;
	if (left->keys != right->keys)
		return left->keys < right->keys ? 1 : -1;
	if (left->own != right->own)
		return left->own < right->own ? 1 : -1;
	return (left->index > right->index) - (left->index < right->index);
}

uint64_t stats_page_own(const struct tally_figures *own)
{
	uint64_t sum = 0;

	for (size_t what = 0; what < TALLY_WHATS; what++)
		sum += own->counts[what];
	return sum;
}

/* Those with anything to show, the busiest first; parts of the table that have figures. */
static size_t weigh(const struct stats_page *page, struct weighed *rows, unsigned *ret_parts)
{
	const struct stats *stats = page->stats;
	size_t count = 0;

	for (size_t i = 0; i <= nsset_count(stats->set); i++) {
		struct weighed row = {.index = i, .own = stats_page_own(&stats->own[i])};
		const struct traffic_rates *rates =
		    stats->traffic ? &stats->traffic->figures[i].rates : NULL;

		if (rates)
			row.reads = rates->reads + rates->writes / 1e6;
		if (stats->scanned)
			row.keys = stats->overview.groups[i].keys;
		row.target =
		    i < nsset_count(stats->set) && nsset_at(stats->set, i)->target_hit_rate > 0;
		if (row.reads <= 0 && row.keys == 0 && row.own == 0)
			continue;
		*ret_parts |= (row.reads > 0 ? PART_SAMPLE : 0) | (row.keys ? PART_SCAN : 0) |
			      (row.own ? PART_OWN : 0) | (row.target ? PART_TARGET : 0);
		rows[count++] = row;
	}
	if ((*ret_parts & PART_SAMPLE) && page->history)
		*ret_parts |= PART_SPARK;
	qsort(rows, count, sizeof *rows, compare);
	return count;
}

static void fill_sampled(struct out_value *all, const struct stats_page *page, size_t i,
			 struct buf *interval)
{
	const struct traffic *traffic = page->stats->traffic;

	if (!traffic || traffic->interval_us == 0)
		return;
	const struct traffic_rates *rates = &traffic->figures[i].rates;
	struct traffic_ratio ratio = traffic_ratio(&traffic->figures[i]);
	all[P_READS] = out_real(rates->reads);
	all[P_WRITES] = out_real(rates->writes);
	if (rates->bytes_known)
		all[P_BYTES_READ] = out_real(rates->read_bytes);
	if (!ratio.known)
		return;
	all[P_RATIO] = out_real(ratio.ratio);
	buf_printf(interval, "%.1f-%.1f", ratio.low * 100, ratio.high * 100);
	all[P_INTERVAL] = out_text(buf_bytes(interval));
}

static void print_row(struct sink *sink, const struct stats_page *page, unsigned parts,
		      size_t i)
{
	const struct stats *stats = page->stats;
	const struct ns *ns = i < nsset_count(stats->set) ? nsset_at(stats->set, i) : NULL;
	struct out_value all[P_COUNT] = {[P_NAMESPACE] = out_str(stats_view_name(stats, i))};
	struct out_value shown[P_COUNT];
	struct buf interval = {0}, spark = {0};
	size_t count = 0;

	fill_sampled(all, page, i, &interval);
	if (parts & PART_SPARK) {
		stats_page_spark(&spark, "", page->history->reads[i], page->history->count);
		all[P_SPARK] = out_text(buf_bytes(&spark));
	}
	if (ns && ns->target_hit_rate > 0)
		all[P_TARGET] = out_real(ns->target_hit_rate);
	if (stats->scanned) {
		const struct inspect_group *group = &stats->overview.groups[i];

		all[P_KEYS] = out_uint(group->keys);
		if (!(stats->denied & STATS_NO_MEMORY))
			all[P_BYTES] = out_uint(group->bytes);
		if (group->ttl_ms.total)
			all[P_TTL] = out_uint(histogram_quantile(&group->ttl_ms, 0.5));
	}
	all[P_HITS] = out_uint(stats->own[i].counts[TALLY_GET_HIT]);
	all[P_MISSES] = out_uint(stats->own[i].counts[TALLY_GET_MISS]);
	all[P_SETS] = out_uint(stats->own[i].counts[TALLY_SET]);
	all[P_DROPPED] = out_uint(stats->own[i].counts[TALLY_INVALIDATED]);
	for (size_t at = 0; at < P_COUNT; at++)
		if (!page_columns[at].part || (page_columns[at].part & parts))
			shown[count++] = all[at];
	sink_row(sink, shown);
	buf_release(&interval);
	buf_release(&spark);
}

/* Rows of a table with the columns of parts; 0 of most: all. Returns how many were left out. */
static size_t print_table(struct sink *sink, const struct stats_page *page,
			  const struct weighed *rows, size_t count, unsigned parts, size_t most)
{
	struct out_column columns[P_COUNT];
	struct out_table table = {.name = "namespaces", .columns = columns, .primary = true};
	size_t shown = most && count > most ? most - 1 : count;

	for (size_t at = 0; at < P_COUNT; at++)
		if (!page_columns[at].part || (page_columns[at].part & parts))
			columns[table.column_count++] = page_columns[at].column;
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < shown; i++)
		print_row(sink, page, parts, rows[i].index);
	sink_table_end(sink);
	return count - shown;
}

static void print_own(struct sink *sink, const struct stats_page *page,
		      const struct weighed *rows, size_t count, size_t most)
{
	static const struct out_column columns[] = {
	    {.name = "ns", .title = "OWN", .flags = OUT_SHRINK},
	    {.name = "oh", .title = "HITS", .unit = OUT_COUNT},
	    {.name = "om", .title = "MISSES", .unit = OUT_COUNT},
	    {.name = "os", .title = "SETS", .unit = OUT_COUNT},
	    {.name = "od", .title = "DROP", .unit = OUT_COUNT, .flags = OUT_MINOR}};
	static const struct out_table table = {
	    .name = "own", .columns = columns, .column_count = 5, .primary = true};
	size_t own_rows = 0, shown = 0, left = 0;

	for (size_t i = 0; i < count; i++)
		own_rows += rows[i].own > 0;
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < count; i++) {
		const struct tally_figures *own = &page->stats->own[rows[i].index];

		if (rows[i].own == 0)
			continue;
		if (most && shown >= most - (own_rows > most)) {
			left++;
			continue;
		}
		shown++;
		sink_row(sink, (struct out_value[]){
				   out_str(stats_view_name(page->stats, rows[i].index)),
				   out_uint(own->counts[TALLY_GET_HIT]),
				   out_uint(own->counts[TALLY_GET_MISS]),
				   out_uint(own->counts[TALLY_SET]),
				   out_uint(own->counts[TALLY_INVALIDATED])});
	}
	sink_table_end(sink);
	if (left)
		sink_note(sink, "... and %zu more with own counters", left);
}

/* Of most lines (0: no limit) how many are the own counters' rows, beside count other rows. */
static size_t share_of_own(size_t count, size_t own, size_t most)
{
	size_t frame = 2; /* a blank line and the heading */

	if (!most || count + frame + own <= most)
		return own;
	return most >= 4 * frame ? (most - frame) / 3 : 0;
}

/* Both tables, one below the other. */
static void print_apart(struct sink *sink, const struct stats_page *page,
			const struct weighed *rows, size_t count, unsigned parts, size_t most)
{
	size_t own = 0;

	for (size_t i = 0; i < count; i++)
		own += rows[i].own > 0;
	size_t for_own = share_of_own(count, own, most);
	size_t rest = !most ? 0 : most - (for_own ? for_own + 2 : 1);
	size_t left = print_table(sink, page, rows, count, parts, rest);

	if (left)
		sink_note(sink, "... and %zu quieter namespaces", left);
	if (for_own)
		print_own(sink, page, rows, count, most ? for_own : 0);
	else
		sink_note(sink, "... and own counters: -o json");
}

void stats_page_namespaces(struct sink *sink, const struct stats_page *page, size_t most)
{
	struct weighed *rows = mem_zalloc(nsset_count(page->stats->set) + 1, sizeof *rows);
	unsigned parts = 0;
	size_t count = weigh(page, rows, &parts);
	bool own = (parts & PART_OWN) != 0;
	bool other = (parts & (PART_SAMPLE | PART_SCAN)) != 0;

	if (own && other && page->width && page->width < OWN_BESIDE) {
		print_apart(sink, page, rows, count, parts & ~(unsigned)PART_OWN, most);
	} else if (own && !other && page->width && page->width < OWN_ALONE) {
		print_own(sink, page, rows, count, most);
	} else if (count > 0) {
		size_t left = print_table(sink, page, rows, count, parts, most);

		if (left)
			sink_note(sink, "... and %zu quieter namespaces", left);
	} else {
		stats_page_text(
		    sink, page,
		    "nothing is known of the namespaces yet: --sample 5s watches the "
		    "traffic, --scan counts the keys");
	}
	free(rows);
}

/* --- the servers of a cluster --- */

void stats_page_nodes(struct sink *sink, const struct stats_page *page, size_t most)
{
	const struct stats *stats = page->stats;
	const struct out_column columns[] = {
	    {.name = "node",
	     .title = stats->replicas ? "NODE" : "PRIMARY",
	     .flags = OUT_SHRINK},
	    {.name = "k", .title = "KEYS", .unit = OUT_COUNT},
	    {.name = "m", .title = "MEMORY", .unit = OUT_SIZE},
	    {.name = "h", .title = "HIT RATIO", .unit = OUT_PERCENT, .flags = OUT_MINOR},
	    {.name = "o", .title = "COMMANDS", .unit = OUT_RATE},
	    {.name = "e", .title = "EVICTED", .unit = OUT_COUNT, .flags = OUT_MINOR},
	    {.name = "r", .title = "REPLICAS", .unit = OUT_COUNT, .flags = OUT_MINOR},
	    {.name = "l", .title = "LAG", .unit = OUT_MS, .flags = OUT_MINOR}};
	const struct out_table table = {.name = "nodes", .columns = columns, .column_count = 8};
	size_t shown = most && stats->node_count > most ? most - 1 : stats->node_count;

	sink_table_begin(sink, &table);
	for (size_t i = 0; i < shown; i++) {
		const struct server_info *info = &stats->nodes[i].info;

		sink_row(sink, (struct out_value[]){out_text(buf_bytes(&stats->nodes[i].name)),
						    stats_view_known(info->keys),
						    stats_view_known(info->used_memory),
						    stats_view_ratio(info->hits, info->misses),
						    stats_view_known(info->ops_per_second),
						    stats_view_known(info->evicted),
						    stats_view_known(info->connected_replicas),
						    info->replica_lag_s >= 0
							? out_int(info->replica_lag_s * 1000)
							: OUT_NONE});
	}
	sink_table_end(sink);
	if (shown < stats->node_count)
		sink_note(sink, "... and %zu more %s: -o json", stats->node_count - shown,
			  stats->replicas ? "nodes" : "primaries");
}
