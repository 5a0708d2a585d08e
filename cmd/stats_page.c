#include "stats_view.h"

#include "base/num.h"
#include "base/text.h"
#include "core/namespace.h"
#include "opt/opt.h"
#include "out/fit.h"
#include "out/sink.h"
#include "wire/sentinel.h"

#include <inttypes.h>
#include <time.h>

#define TEXT_WIDTH 79
#define ROWS_WANTED 8 /* of namespaces, before findings are left out */

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
static unsigned note_lines(struct sink *sink, struct bytes wrapped)
{
	unsigned count = 0;

	for (struct bytes left = wrapped; left.len > 0; count++) {
		size_t end = bytes_index(left, '\n');

		if (sink)
			sink_note(sink, "%.*s", (int)end, left.ptr);
		left = bytes_sub(left, end + 1, left.len);
	}
	return count;
}

static unsigned text_width(const struct stats_page *page)
{
	return page->width && page->width <= TEXT_WIDTH ? page->width - 1 : TEXT_WIDTH;
}

void stats_page_text(struct sink *sink, const struct stats_page *page, const char *text)
{
	struct buf wrapped = {0};

	opt_help_text(&wrapped, text, 2, text_width(page));
	note_lines(sink, buf_bytes(&wrapped));
	buf_release(&wrapped);
}

/* Returns the lines it took. */
static unsigned flush_line(struct sink *sink, const struct stats_page *page, struct buf *line)
{
	struct buf wrapped = {0};
	unsigned count = 1;

	if (page->width && out_fit_columns(buf_str(line)) > page->width) {
		opt_help_text(&wrapped, buf_str(line), 2, text_width(page));
		count = note_lines(sink, buf_bytes(&wrapped));
	} else {
		sink_note(sink, "%s", buf_str(line));
	}
	buf_clear(line);
	buf_release(&wrapped);
	return count;
}

static void print_extent(const struct stats *stats, struct buf *line)
{
	size_t down = 0;
	size_t replicas = 0;

	for (size_t i = 0; i < stats->node_count; i++) {
		down += err_is_set(&stats->nodes[i].err);
		replicas += stats->nodes[i].is_replica;
	}
	size_t primaries = stats->node_count - replicas;
	if (replicas)
		buf_printf(line, ", %zu replica%s", replicas, replicas == 1 ? "" : "s");
	if (primaries)
		buf_printf(line, ", %zu primar%s", primaries, primaries == 1 ? "y" : "ies");
	if (down)
		buf_printf(line, ", %zu OUT OF REACH", down);
}

static void add_sentinel(const struct sentinel *sentinel, struct buf *line)
{
	struct buf place = {0};
	const char *master = sentinel_told(sentinel, &place);

	buf_add_str(line, ", '");
	text_escape(line, bytes_of(master));
	buf_printf(line, "' of sentinel %s", buf_str(&place));
	buf_release(&place);
}

static unsigned print_identity(struct sink *sink, const struct stats_page *page,
			       struct buf *line)
{
	const struct server_info *info = &page->stats->info;
	time_t at = (time_t)(page->stats->at_ms / 1000);
	struct tm local;
	char clock[16] = "";

	if (localtime_r(&at, &local))
		strftime(clock, sizeof clock, "%H:%M:%S", &local);
	buf_printf(line, "Target   %s", page->show->target);
	if (page->show->sentinel)
		add_sentinel(page->show->sentinel, line);
	unsigned count = flush_line(sink, page, line);
	buf_printf(line, "%s ", clock);
	if (info->version[0])
		buf_printf(line, "%s %s %s", info->name, info->version, info->role);
	if (page->stats->cluster || page->stats->replicas)
		print_extent(page->stats, line);
	if (info->uptime_s >= 0) {
		buf_add_str(line, ", up ");
		num_format_duration_ms(line, info->uptime_s * 1000);
	}
	return count + flush_line(sink, page, line);
}

static unsigned print_memory(struct sink *sink, const struct stats_page *page, struct buf *line)
{
	const struct server_info *info = &page->stats->info;

	if (info->used_memory < 0)
		return 0;
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
	return flush_line(sink, page, line);
}

static unsigned print_traffic(struct sink *sink, const struct stats_page *page,
			      struct buf *line)
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
	return line->len ? flush_line(sink, page, line) : 0;
}

static unsigned print_keys(struct sink *sink, const struct stats_page *page, struct buf *line)
{
	const struct stats *stats = page->stats;
	const struct server_info *info = &stats->info;
	int64_t own = stats->scanned ? (int64_t)stats->overview.scan.own : 0;

	add_count(line, "Keys     ", info->keys > own ? info->keys - own : info->keys, "");
	if (own)
		add_count(line, " (and ", own, " of ccache)");
	else if (info->keys > 0 && !stats->scanned)
		buf_add_str(line, " (any cc:* included)");
	add_count(line, ", expired ", info->expired, "");
	add_count(line, ", evicted ", info->evicted, "");
	if (stats->slow_count > 0) {
		buf_add_str(line, ", slowest lately ");
		num_format_duration_ms(line, stats->slow[0].duration_us / 1000);
		buf_printf(line, " (%.*s)",
			   (int)bytes_index(buf_bytes(&stats->slow[0].command), ' '),
			   buf_str(&stats->slow[0].command));
	}
	return flush_line(sink, page, line);
}

static unsigned print_history(struct sink *sink, const struct stats_page *page,
			      struct buf *line)
{
	const struct stats_history *history = page->history;

	if (!history || history->count == 0)
		return 0;
	stats_page_spark(line, "History  commands ", history->commands, history->count);
	stats_page_spark(line, "  hit ratio ", history->ratio, history->count);
	stats_page_spark(line, "  memory ", history->memory, history->count);
	return flush_line(sink, page, line);
}

/* Returns the lines it took, as do its parts. */
static unsigned print_server(struct sink *sink, const struct stats_page *page)
{
	struct buf line = {0};

	unsigned used = print_identity(sink, page, &line) + print_memory(sink, page, &line);
	used += print_keys(sink, page, &line);
	used += print_traffic(sink, page, &line);
	used += print_history(sink, page, &line);
	buf_release(&line);
	return used;
}

/* --- what stands below --- */

static void add_finding(struct buf *below, const struct stats_page *page,
			const struct finding *finding)
{
	struct buf text = {0};

	buf_printf(&text, "! %s: ", finding->code);
	if (finding->node)
		buf_printf(&text, "%s: ", finding->node);
	if (finding->ns)
		buf_printf(&text, "%s: ", finding->ns);
	buf_add(&text, buf_bytes(&finding->text));
	buf_printf(&text, "; %s", finding->remedy);
	opt_help_text(below, buf_str(&text), 2, text_width(page));
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

static void add_origins(struct buf *below, const struct stats_page *page)
{
	const struct stats *stats = page->stats;
	struct buf text = {0};
	uint64_t own = 0;

	for (size_t i = 0; i <= nsset_count(stats->set); i++)
		own += stats_page_own(&stats->own[i]);
	if (!(stats->denied & STATS_NO_INFO))
		buf_add_str(
		    &text,
		    stats->cluster
			? stats->replicas
			      ? "top: the sum of these nodes, all clients since their start"
			      : "top: the sum of the primaries, all clients since their start"
			: "top: the server, all clients since its start");
	if (stats->own_lookups)
		add_count(&text, ", less ", (int64_t)stats->own_lookups,
			  " lookups of this run");
	if (stats->traffic && stats->traffic->end != TRAFFIC_DENIED) {
		buf_add_str(&text, text.len ? "; " : "");
		add_sample_origin(&text, stats->traffic);
	}
	if (stats->scanned)
		buf_printf(&text, "; keys, bytes, TTL: a scan just now%s",
			   stats->overview.scan.complete ? "" : ", which broke off");
	if (own)
		buf_add_str(&text, "; own hits, misses, sets, dropped: counted by the "
				   "program itself");
	if (!stats->complete)
		buf_add_str(&text, "; PARTIAL: something did not answer or was broken off");
	if (text.len)
		opt_help_text(below, buf_str(&text), 2, text_width(page));
	buf_release(&text);
}

/* The servers of a cluster, in at most a quarter of the page; returns the lines it took. */
static unsigned print_nodes(struct sink *sink, const struct stats_page *page, unsigned used)
{
	size_t count = page->stats->node_count;
	size_t most = page->height / 4;

	if (page->height && page->height < used + ROWS_WANTED)
		return 0;
	stats_page_nodes(sink, page, page->height ? most : 0);
	return 2 + (unsigned)(most && count > most ? most : count);
}

#define DOWN_NAMED 2

/* Servers that did not answer. */
static void add_down(struct buf *below, const struct stats *stats)
{
	size_t down = 0;

	for (size_t i = 0; i < stats->node_count; i++)
		if (err_is_set(&stats->nodes[i].err) && ++down <= DOWN_NAMED)
			buf_printf(below, "! %s is out of reach\n",
				   buf_str(&stats->nodes[i].name));
	if (down > DOWN_NAMED)
		buf_printf(below, "! %zu more are out of reach: -o json names them\n",
			   down - DOWN_NAMED);
}

/* What stands below the tables, with so many of the findings. */
static void compose_below(struct buf *below, const struct stats_page *page, size_t shown)
{
	const struct findings *findings = page->findings;

	buf_clear(below);
	add_down(below, page->stats);
	for (size_t i = 0; i < shown; i++)
		add_finding(below, page, &findings->items[i]);
	if (shown < findings->count)
		buf_printf(below, "! %zu more: -o json has them\n", findings->count - shown);
	add_origins(below, page);
}

#define FRAME 4 /* lines: blank, heading, blank, and the one where the cursor stays */

void stats_page_print(struct sink *sink, const struct stats_page *page)
{
	unsigned used = print_server(sink, page) + FRAME;
	struct buf below = {0};

	compose_below(&below, page, page->findings->count);
	if (page->height && page->findings->count > 2 &&
	    used + note_lines(NULL, buf_bytes(&below)) + ROWS_WANTED > page->height)
		compose_below(&below, page, 2);
	used += note_lines(NULL, buf_bytes(&below));
	if (page->stats->cluster)
		used += print_nodes(sink, page, used);
	stats_page_namespaces(sink, page,
			      !page->height             ? 0
			      : page->height > used + 2 ? page->height - used
							: 2);
	note_lines(sink, buf_bytes(&below));
	if (page->show->top && page->stats->traffic)
		stats_view_tops(sink, page->stats, page->show);
	buf_release(&below);
}
