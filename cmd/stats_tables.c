#include "stats_view.h"

#include "core/namespace.h"
#include "out/sink.h"

/* The program's own counters, one row a figure that is not 0. */
void stats_view_operations(struct sink *sink, const struct stats *stats,
			   const struct stats_show *show)
{
	struct out_column columns[] = {
	    {.name = "operation", .title = "OPERATION", .flags = OUT_LABEL},
	    {.name = "result", .title = "RESULT", .flags = OUT_LABEL},
	    {.name = "namespace", .title = "NAMESPACE", .flags = OUT_LABEL},
	    {.name = "count",
	     .title = "COUNT",
	     .unit = OUT_COUNT,
	     .metric =
		 show->app_names ? "cache_operations_total" : "callcache_operations_total",
	     .help = "What this program did, by its own counters"}};
	struct out_table table = {.name = "operations", .columns = columns, .column_count = 4};

	sink_table_begin(sink, &table);
	for (size_t i = 0; i <= nsset_count(stats->set); i++)
		for (size_t what = 0; what < TALLY_WHATS; what++)
			if (stats->own[i].counts[what])
				sink_row(sink, (struct out_value[]){
						   out_str(tally_operations[what]),
						   out_str(tally_results[what]),
						   out_str(stats_view_name(stats, i)),
						   out_uint(stats->own[i].counts[what])});
	sink_table_end(sink);
}

/* --- the busiest --- */

static void put_top(struct sink *sink, const struct stats *stats, const struct out_table *table,
		    size_t offset, unsigned top)
{
	const struct traffic *traffic = stats->traffic;
	const struct topk_item *best[TOPK_SIZE];
	double seconds = (double)traffic->interval_us / 1e6;

	sink_table_begin(sink, table);
	for (size_t i = 0; i < traffic->count; i++) {
		const struct topk *topk =
		    (const struct topk *)((const char *)&traffic->figures[i] + offset);
		size_t count = topk_best(topk, best, top < TOPK_SIZE ? top : TOPK_SIZE);

		for (size_t at = 0; at < count; at++) {
			const struct topk_item *item = best[at];
			struct bytes text = {item->text,
					     item->len < TOPK_TEXT ? item->len : TOPK_TEXT};

			sink_row(sink, (struct out_value[]){
					   out_str(stats_view_name(stats, i)), out_text(text),
					   out_uint(item->count - item->error),
					   seconds > 0
					       ? out_real((double)(item->count - item->error) /
							  seconds)
					       : OUT_NONE});
		}
	}
	sink_table_end(sink);
}

void stats_view_tops(struct sink *sink, const struct stats *stats,
		     const struct stats_show *show)
{
#define TOP_COLUMNS(what, heading)                                                             \
	{                                                                                      \
		{.name = "namespace", .title = "NAMESPACE"},                                   \
		    {.name = (what), .title = (heading), .flags = OUT_SHRINK},                 \
		    {.name = "count", .title = "COUNT", .unit = OUT_COUNT},                    \
		{                                                                              \
			.name = "per_second", .title = "RATE", .unit = OUT_RATE                \
		}                                                                              \
	}
	static const struct out_column commands[] = TOP_COLUMNS("command", "COMMAND");
	static const struct out_column clients[] = TOP_COLUMNS("client", "CLIENT");
	static const struct out_column keys[] = TOP_COLUMNS("key", "HOTTEST KEY");
	static const struct out_table tables[] = {
	    {.name = "top_commands", .columns = commands, .column_count = 4},
	    {.name = "top_clients", .columns = clients, .column_count = 4},
	    {.name = "top_keys", .columns = keys, .column_count = 4}};
	static const size_t offsets[] = {offsetof(struct traffic_figures, commands),
					 offsetof(struct traffic_figures, clients),
					 offsetof(struct traffic_figures, hot)};

	for (size_t i = 0; i < 3; i++)
		put_top(sink, stats, &tables[i], offsets[i], show->top);
}

/* --- where the figures come from --- */

static int64_t own_since(const struct stats *stats)
{
	int64_t since = 0;

	for (size_t i = 0; i <= nsset_count(stats->set); i++)
		if (stats->own[i].since_ms && (!since || stats->own[i].since_ms < since))
			since = stats->own[i].since_ms;
	return since;
}

static void put_origin(struct sink *sink, const char *origin, const char *fields,
		       int64_t since_ms, int64_t interval_ms)
{
	sink_row(sink,
		 (struct out_value[]){out_str(origin), out_str(fields),
				      since_ms > 0 ? out_int(since_ms) : OUT_NONE,
				      interval_ms >= 0 ? out_int(interval_ms) : OUT_NONE});
}

static void put_provenance(struct sink *sink, const struct stats *stats)
{
	static const struct out_column columns[] = {
	    {.name = "origin", .title = "FROM"},
	    {.name = "figures", .title = "FIGURES"},
	    {.name = "since_ms", .title = "SINCE", .unit = OUT_PLAIN},
	    {.name = "interval_ms", .title = "INTERVAL", .unit = OUT_MS}};
	static const struct out_table table = {
	    .name = "provenance", .columns = columns, .column_count = 4};
	const struct traffic *traffic = stats->traffic;
	int64_t up_ms = stats->info.uptime_s * 1000;

	sink_table_begin(sink, &table);
	if (!(stats->denied & STATS_NO_INFO))
		put_origin(sink, "server", "the top level, of all clients",
			   (int64_t)stats->at_ms - up_ms, up_ms);
	if (traffic && traffic->end != TRAFFIC_DENIED)
		put_origin(sink, "sampled",
			   "reads, writes, deletes, hit_ratio, ambiguous, uncertain, top_*",
			   (int64_t)traffic->started_ms,
			   (int64_t)(traffic->interval_us / 1000));
	if (!(stats->denied & STATS_NO_COUNTERS))
		put_origin(sink, "own counters", "own_*, operations: this program alone",
			   own_since(stats), -1);
	if (stats->scanned)
		put_origin(sink, "scan", "keys, bytes, ttl", (int64_t)stats->at_ms, -1);
	sink_table_end(sink);
}

static void put_missing(struct sink *sink, unsigned denied)
{
	static const struct out_column columns[] = {{.name = "command", .title = "MAY NOT RUN"},
						    {.name = "effect", .title = "WITHOUT IT"}};
	static const struct out_table table = {
	    .name = "denied", .columns = columns, .column_count = 2};

	sink_table_begin(sink, &table);
	for (unsigned bit = 1; bit < STATS_DENIED_END; bit <<= 1)
		if (denied & bit)
			sink_row(sink,
				 (struct out_value[]){out_str(stats_view_denied_command(bit)),
						      out_str(stats_view_denied_effect(bit))});
	sink_table_end(sink);
}

static void put_slow(struct sink *sink, const struct stats *stats)
{
	static const struct out_column columns[] = {
	    {.name = "at_ms", .title = "AT", .unit = OUT_PLAIN},
	    {.name = "duration_us", .title = "TOOK", .unit = OUT_US},
	    {.name = "node", .title = "NODE"},
	    {.name = "command", .title = "SLOW COMMAND", .flags = OUT_SHRINK}};
	static const struct out_table table = {
	    .name = "slowlog", .columns = columns, .column_count = 4};

	sink_table_begin(sink, &table);
	for (size_t i = 0; i < stats->slow_count; i++) {
		const struct stats_slow *slow = &stats->slow[i];

		sink_row(sink, (struct out_value[]){
				   out_int(slow->at_s * 1000), out_int(slow->duration_us),
				   stats->cluster
				       ? out_text(buf_bytes(&stats->nodes[slow->node].name))
				       : OUT_NONE,
				   out_text(buf_bytes(&slow->command))});
	}
	sink_table_end(sink);
}

void stats_view_origins(struct sink *sink, const struct stats *stats)
{
	put_provenance(sink, stats);
	put_missing(sink, stats->denied);
	put_slow(sink, stats);
}

const char *stats_view_denied_command(unsigned bit)
{
	switch (bit) {
	case STATS_NO_INFO:
		return "INFO";
	case STATS_NO_SLOWLOG:
		return "SLOWLOG";
	case STATS_NO_MEMORY:
		return "MEMORY USAGE";
	case STATS_NO_COUNTERS:
		return "HGETALL of cc:c:*";
	case STATS_NO_MONITOR:
		return "MONITOR";
	case STATS_NO_CONFIG:
		return "CONFIG GET";
	case STATS_NO_EVENTS:
		return "SUBSCRIBE to __keyevent@*";
	default:
		return "SCAN";
	}
}

const char *stats_view_denied_effect(unsigned bit)
{
	switch (bit) {
	case STATS_NO_INFO:
		return "no figures of the server but what can be counted";
	case STATS_NO_SLOWLOG:
		return "no slow commands";
	case STATS_NO_MEMORY:
		return "no sizes";
	case STATS_NO_COUNTERS:
		return "no own counters";
	case STATS_NO_MONITOR:
		return "no sample of the traffic";
	case STATS_NO_CONFIG:
	case STATS_NO_EVENTS:
		return "no expiries in the sample";
	default:
		return "no keys counted";
	}
}
