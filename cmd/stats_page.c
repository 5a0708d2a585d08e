#include "stats_view.h"

#include "base/mem.h"
#include "base/num.h"
#include "core/namespace.h"
#include "opt/opt.h"
#include "out/fit.h"
#include "out/sink.h"
#include "out/spark.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define SPARK_WIDTH 16
#define TEXT_WIDTH 79

/* --- the server, in five lines --- */

static void add_count(struct buf *buf, const char *before, int64_t count, const char *behind)
{
	if (count < 0)
		return;
	buf_add_str(buf, before);
	num_format_count(buf, count);
	buf_add_str(buf, behind);
}

static void add_size(struct buf *buf, const char *before, int64_t bytes)
{
	if (bytes < 0)
		return;
	buf_add_str(buf, before);
	num_format_size(buf, (uint64_t)bytes);
}

/* Text in lines of at most width columns (40..100), the further ones indented. */
static void note_wrapped(struct sink *sink, const char *text, unsigned width)
{
	struct buf wrapped = {0};

	opt_help_text(&wrapped, text, 2, width);
	for (struct bytes left = buf_bytes(&wrapped); left.len > 0;) {
		size_t end = bytes_index(left, '\n');

		sink_note(sink, "%.*s", (int)end, left.ptr);
		left = bytes_sub(left, end + 1, left.len);
	}
	buf_release(&wrapped);
}

static unsigned text_width(const struct stats_page *page)
{
	return page->width && page->width <= TEXT_WIDTH ? page->width - 1 : TEXT_WIDTH;
}

static void flush_line(struct sink *sink, const struct stats_page *page, struct buf *line)
{
	if (page->width && out_fit_columns(buf_str(line)) > page->width)
		note_wrapped(sink, buf_str(line), text_width(page));
	else
		sink_note(sink, "%s", buf_str(line));
	buf_clear(line);
}

static void print_identity(struct sink *sink, const struct stats_page *page, struct buf *line)
{
	const struct server_info *info = &page->stats->info;
	time_t at = (time_t)(page->stats->at_ms / 1000);
	struct tm local;
	char clock[16] = "";

	if (localtime_r(&at, &local))
		strftime(clock, sizeof clock, "%H:%M:%S", &local);
	sink_note(sink, "Target   %s", page->show->target);
	buf_printf(line, "%s ", clock);
	if (info->version[0])
		buf_printf(line, "redis %s %s", info->version, info->role);
	if (info->uptime_s >= 0) {
		buf_add_str(line, ", up ");
		num_format_duration_ms(line, info->uptime_s * 1000);
	}
	flush_line(sink, page, line);
}

static void print_memory(struct sink *sink, const struct stats_page *page, struct buf *line)
{
	const struct server_info *info = &page->stats->info;

	if (info->used_memory < 0)
		return;
	add_size(line, "Memory   ", info->used_memory);
	if (info->max_memory > 0) {
		add_size(line, " of ", info->max_memory);
		buf_printf(line, " (%.1f %%), %s",
			   100 * (double)info->used_memory / (double)info->max_memory,
			   info->policy);
	} else if (info->max_memory == 0) {
		buf_add_str(line, ", no limit");
	}
	add_size(line, ", peak ", info->peak_memory);
	if (info->fragmentation >= 0)
		buf_printf(line, ", fragmentation %.2f", info->fragmentation);
	flush_line(sink, page, line);
}

static void print_traffic(struct sink *sink, const struct stats_page *page, struct buf *line)
{
	const struct server_info *info = &page->stats->info;

	add_count(line, "Traffic  ", info->ops_per_second, " commands/s");
	if (info->hits >= 0 && info->hits + info->misses > 0)
		buf_printf(line, ", hit ratio %.1f %% since the start",
			   100 * (double)info->hits / (double)(info->hits + info->misses));
	add_count(line, ", ", info->clients, info->clients == 1 ? " client" : " clients");
	if (info->connected_replicas > 0)
		add_count(line, ", replicas ", info->connected_replicas, "");
	if (info->replica_lag_s >= 0)
		add_count(line, ", lag ", info->replica_lag_s, " s");
	if (line->len)
		flush_line(sink, page, line);
}

static void print_keys(struct sink *sink, const struct stats_page *page, struct buf *line)
{
	const struct stats *stats = page->stats;
	const struct server_info *info = &stats->info;
	int64_t own = stats->scanned ? (int64_t)stats->overview.scan.own : 0;

	add_count(line, "Keys     ", info->keys > own ? info->keys - own : info->keys, "");
	if (own)
		add_count(line, " (and ", own, " of its own)");
	add_count(line, ", expired ", info->expired, "");
	add_count(line, ", evicted ", info->evicted, "");
	if (stats->slow_count > 0) {
		buf_add_str(line, ", slowest lately ");
		num_format_duration_ms(line, stats->slow[0].duration_us / 1000);
		buf_printf(line, " (%.*s)",
			   (int)bytes_index(buf_bytes(&stats->slow[0].command), ' '),
			   buf_str(&stats->slow[0].command));
	}
	flush_line(sink, page, line);
}

/* In thousandths, so that ratios and rates below 1 have a height; what is not known has none.
 */
static void add_spark(struct buf *line, const char *name, const double *values, size_t count)
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

static void print_history(struct sink *sink, const struct stats_page *page, struct buf *line)
{
	const struct stats_history *history = page->history;

	if (!history || history->count == 0)
		return;
	add_spark(line, "History  commands ", history->commands, history->count);
	add_spark(line, "  hit ratio ", history->ratio, history->count);
	add_spark(line, "  memory ", history->memory, history->count);
	flush_line(sink, page, line);
}

static unsigned print_server(struct sink *sink, const struct stats_page *page)
{
	struct buf line = {0};

	print_identity(sink, page, &line);
	print_memory(sink, page, &line);
	print_keys(sink, page, &line);
	print_traffic(sink, page, &line);
	print_history(sink, page, &line);
	buf_release(&line);
	return page->history ? 6 : 5;
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

static uint64_t own_of(const struct tally_figures *own)
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
		struct weighed row = {.index = i, .own = own_of(&stats->own[i])};
		struct traffic_rates rates;

		if (stats->traffic && traffic_rates(stats->traffic, i, &rates))
			row.reads = rates.reads + rates.writes / 1e6;
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
	struct traffic_rates rates;

	if (!traffic || !traffic_rates(traffic, i, &rates))
		return;
	struct traffic_ratio ratio = traffic_ratio(&traffic->figures[i]);
	all[P_READS] = out_real(rates.reads);
	all[P_WRITES] = out_real(rates.writes);
	if (rates.bytes_known)
		all[P_BYTES_READ] = out_real(rates.read_bytes);
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
		add_spark(&spark, "", page->history->reads[i], page->history->count);
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

/* most: rows that fit; 0: all. */
static void print_namespaces(struct sink *sink, const struct stats_page *page, size_t most)
{
	struct weighed *rows = mem_zalloc(nsset_count(page->stats->set) + 1, sizeof *rows);
	struct out_column columns[P_COUNT];
	struct out_table table = {.name = "namespaces", .columns = columns, .primary = true};
	unsigned parts = 0;
	size_t count = weigh(page, rows, &parts);
	size_t shown = most && count > most ? most - 1 : count;

	for (size_t at = 0; at < P_COUNT; at++)
		if (!page_columns[at].part || (page_columns[at].part & parts))
			columns[table.column_count++] = page_columns[at].column;
	if (count > 0) {
		sink_table_begin(sink, &table);
		for (size_t i = 0; i < shown; i++)
			print_row(sink, page, parts, rows[i].index);
		sink_table_end(sink);
	}
	if (shown < count)
		sink_note(sink, "... and %zu quieter namespaces", count - shown);
	else if (count == 0)
		note_wrapped(sink,
			     "nothing is known of the namespaces yet: --sample 5s watches the "
			     "traffic, --scan counts the keys",
			     text_width(page));
	free(rows);
}

/* --- what stands below --- */

static void print_finding(struct sink *sink, const struct finding *finding, unsigned width)
{
	struct buf text = {0};

	buf_printf(&text, "! %s: ", finding->code);
	if (finding->ns)
		buf_printf(&text, "%s: ", finding->ns);
	buf_add(&text, buf_bytes(&finding->text));
	buf_printf(&text, "; %s", finding->remedy);
	note_wrapped(sink, buf_str(&text), width);
	buf_release(&text);
}

static void add_sample_origin(struct buf *text, const struct traffic *traffic)
{
	buf_add_str(text, "reads, hit ratio, writes: sampled for ");
	num_format_duration_ms(text, (int64_t)(traffic->interval_us / 1000));
	add_count(text, " (", (int64_t)traffic->lines, " commands");
	add_size(text, ", ", (int64_t)traffic->bytes);
	add_count(text, ", ", (int64_t)traffic->probes, " questions; ");
	buf_printf(text, "answers took %.2f ms before, %.2f ms during)",
		   (double)traffic->latency_before_us / 1000,
		   (double)traffic->latency_us / 1000);
	if (traffic->end != TRAFFIC_WHOLE)
		buf_printf(text, ", cut short: %s", traffic_end_text(traffic->end));
}

static void print_origins(struct sink *sink, const struct stats_page *page)
{
	const struct stats *stats = page->stats;
	struct buf text = {0};
	uint64_t own = 0;

	for (size_t i = 0; i <= nsset_count(stats->set); i++)
		own += own_of(&stats->own[i]);
	if (!(stats->denied & STATS_NO_INFO))
		buf_add_str(&text, "top: the server, all clients since its start");
	if (stats->own_lookups)
		add_count(&text, ", less ", (int64_t)stats->own_lookups,
			  " lookups of this run");
	if (stats->traffic && stats->traffic->end != TRAFFIC_DENIED) {
		buf_add_str(&text, text.len ? "; " : "");
		add_sample_origin(&text, stats->traffic);
	}
	if (stats->scanned)
		buf_add_str(&text, "; keys, bytes, TTL: a scan just now");
	if (own)
		buf_add_str(&text, "; own hits, misses, sets, dropped: counted by the "
				   "program itself");
	if (text.len)
		note_wrapped(sink, buf_str(&text), text_width(page));
	buf_release(&text);
}

void stats_page_print(struct sink *sink, const struct stats_page *page)
{
	const struct findings *findings = page->findings;
	unsigned used = print_server(sink, page) + 3 + 5; /* blank, heading, blank; origins */
	size_t shown = findings->count;

	if (page->height && shown > 2 && page->height < used + 3 * shown + 8)
		shown = 2;
	used += 3 * (unsigned)shown;
	print_namespaces(sink, page,
			 !page->height             ? 0
			 : page->height > used + 2 ? page->height - used
						   : 2);
	for (size_t i = 0; i < shown; i++)
		print_finding(sink, &findings->items[i], text_width(page));
	if (shown < findings->count)
		sink_note(sink, "! %zu more: -o json has them", findings->count - shown);
	print_origins(sink, page);
	if (page->show->top && page->stats->traffic)
		stats_view_tops(sink, page->stats, page->show);
}
