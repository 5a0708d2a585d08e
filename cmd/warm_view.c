#include "warm_view.h"

#include "core/namespace.h"
#include "core/warm.h"
#include "out/sink.h"

#include <stdio.h>

enum {
	C_NAMESPACE,
	C_REQUESTED,
	C_STORED,
	C_RENEWED,
	C_SKIPPED,
	C_ABSENT,
	C_FAILED,
	C_BYTES,
	C_ATTEMPTS,
	C_RETRIES,
	C_NOT_MODIFIED,
	C_P50,
	C_P99,
	C_ESTIMATED,
	C_COMPLETE,
	C_STOPPED_BY,
	C_COUNT
};

static const struct out_column columns[C_COUNT] = {
    [C_NAMESPACE] = {.name = "namespace",
		     .title = "NAMESPACE",
		     .flags = OUT_LABEL | OUT_SHRINK},
    [C_REQUESTED] = {.name = "requested",
		     .title = "ASKED",
		     .unit = OUT_COUNT,
		     .metric = "callcache_warm_requested",
		     .help = "Items the last warm was to fetch"},
    [C_STORED] = {.name = "stored",
		  .title = "STORED",
		  .unit = OUT_COUNT,
		  .metric = "callcache_warm_stored",
		  .help = "Items it stored",
		  .flags = OUT_MINOR},
    [C_RENEWED] = {.name = "renewed",
		   .title = "RENEWED",
		   .unit = OUT_COUNT,
		   .metric = "callcache_warm_renewed",
		   .help = "Items whose bytes were there: their TTL was renewed",
		   .flags = OUT_MINOR},
    [C_SKIPPED] = {.name = "skipped",
		   .title = "SKIPPED",
		   .unit = OUT_COUNT,
		   .metric = "callcache_warm_skipped",
		   .help = "Items it had no need or leave to store",
		   .flags = OUT_MINOR},
    [C_ABSENT] = {.name = "absent",
		  .title = "ABSENT",
		  .unit = OUT_COUNT,
		  .metric = "callcache_warm_absent",
		  .help = "Items the source has nothing for",
		  .flags = OUT_MINOR},
    [C_FAILED] = {.name = "failed",
		  .title = "FAILED",
		  .unit = OUT_COUNT,
		  .flags = OUT_WARN,
		  .metric = "callcache_warm_failed",
		  .help = "Items that failed"},
    [C_BYTES] = {.name = "bytes",
		 .title = "BYTES",
		 .unit = OUT_SIZE,
		 .metric = "callcache_warm_bytes",
		 .help = "Bytes it stored",
		 .flags = OUT_MINOR},
    [C_ATTEMPTS] = {.name = "source_requests",
		    .title = "REQUESTS",
		    .unit = OUT_COUNT,
		    .flags = OUT_DETAIL},
    [C_RETRIES] = {.name = "retries",
		   .title = "RETRIES",
		   .unit = OUT_COUNT,
		   .flags = OUT_DETAIL},
    [C_NOT_MODIFIED] = {.name = "not_modified",
			.title = "304",
			.unit = OUT_COUNT,
			.flags = OUT_DETAIL},
    [C_P50] = {.name = "source_p50_us", .title = "P50", .unit = OUT_US, .flags = OUT_DETAIL},
    [C_P99] = {.name = "source_p99_us", .title = "P99", .unit = OUT_US, .flags = OUT_MINOR},
    [C_ESTIMATED] = {.name = "estimated_bytes",
		     .title = "ESTIMATED",
		     .unit = OUT_SIZE,
		     .flags = OUT_DETAIL},
    [C_COMPLETE] = {.name = "complete", .title = "COMPLETE", .flags = OUT_DETAIL},
    [C_STOPPED_BY] = {.name = "stopped_by", .title = "STOPPED BY", .flags = OUT_DETAIL},
};
static const struct out_table table = {
    .name = "namespaces", .columns = columns, .column_count = C_COUNT, .primary = true};

void warm_view_begin(struct sink *sink)
{
	sink_table_begin(sink, &table);
}

static struct out_value quantile(const struct warm_report *report, double share)
{
	return report->source_us.total ? out_uint(histogram_quantile(&report->source_us, share))
				       : OUT_NONE;
}

void warm_view_row(struct sink *sink, const struct warm_report *report)
{
	sink_row(sink,
		 (struct out_value[C_COUNT]){
		     [C_NAMESPACE] = out_str(report->ns ? report->ns->name : NULL),
		     [C_REQUESTED] = out_uint(report->requested),
		     [C_STORED] = out_uint(report->stored),
		     [C_RENEWED] = out_uint(report->renewed),
		     [C_SKIPPED] = out_uint(report->skipped),
		     [C_ABSENT] = out_uint(report->absent),
		     [C_FAILED] = out_uint(report->failed),
		     [C_BYTES] = out_uint(report->bytes),
		     [C_ATTEMPTS] = out_uint(report->attempts),
		     [C_RETRIES] = out_uint(report->retries),
		     [C_NOT_MODIFIED] = out_uint(report->not_modified),
		     [C_P50] = quantile(report, 0.5),
		     [C_P99] = quantile(report, 0.99),
		     [C_ESTIMATED] = report->estimated ? out_uint(report->estimated) : OUT_NONE,
		     [C_COMPLETE] = out_bool(report->end == WARM_END_COMPLETE),
		     [C_STOPPED_BY] = out_str(warm_end_name(report->end)),
		 });
}

void warm_view_add(struct warm_report *sum, const struct warm_report *report)
{
	sum->requested += report->requested;
	sum->stored += report->stored;
	sum->renewed += report->renewed;
	sum->skipped += report->skipped;
	sum->absent += report->absent;
	sum->failed += report->failed;
	sum->bytes += report->bytes;
	sum->fetched += report->fetched;
	sum->not_modified += report->not_modified;
	sum->pruned += report->pruned;
	sum->attempts += report->attempts;
	sum->retries += report->retries;
	sum->estimated += report->estimated;
	if (sum->end == WARM_END_COMPLETE)
		sum->end = report->end;
	for (size_t i = 0; i < WARM_CAUSE_COUNT; i++)
		sum->causes[i] += report->causes[i];
	for (size_t i = 0; i < WARM_SKIP_COUNT; i++)
		sum->skips[i] += report->skips[i];
}

/* A run of counters of one kind: for programs all of them, for people those that say something.
 */
static void print_kinds(struct sink *sink, const char *prefix, const uint64_t *counts,
			unsigned from, unsigned to, const char *(*name_of)(unsigned),
			unsigned flags)
{
	static char names[2 * (WARM_CAUSE_COUNT + WARM_SKIP_COUNT)]
			 [32]; /* the sink borrows them */
	static unsigned next;

	for (unsigned i = from; i < to; i++) {
		char *name = names[next++ % (2 * (WARM_CAUSE_COUNT + WARM_SKIP_COUNT))];
		const struct out_column column = {
		    .name = name, .title = name, .unit = OUT_COUNT, .flags = flags};

		snprintf(name, sizeof names[0], "%s_%s", prefix, name_of(i));
		if (counts[i] || sink_format(sink) != OUT_TABLE)
			sink_field(sink, &column, out_uint(counts[i]));
	}
}

static const char *skip_name(unsigned skip)
{
	return warm_skip_names[skip];
}

void warm_view_end(struct sink *sink, const char *target, const struct warm_report *sum,
		   uint64_t took_ms)
{
	static const struct out_column sums[] = {
	    {.name = "target", .title = "Target", .flags = OUT_DETAIL},
	    {.name = "requested", .title = "Requested", .unit = OUT_COUNT},
	    {.name = "stored", .title = "Stored", .unit = OUT_COUNT},
	    {.name = "renewed", .title = "Renewed", .unit = OUT_COUNT},
	    {.name = "skipped", .title = "Skipped", .unit = OUT_COUNT},
	    {.name = "absent", .title = "Absent", .unit = OUT_COUNT},
	    {.name = "failed", .title = "Failed", .unit = OUT_COUNT, .flags = OUT_WARN},
	    {.name = "bytes", .title = "Bytes", .unit = OUT_SIZE},
	    {.name = "fetched", .title = "Fetched", .unit = OUT_COUNT, .flags = OUT_DETAIL},
	    {.name = "not_modified",
	     .title = "Not modified",
	     .unit = OUT_COUNT,
	     .flags = OUT_DETAIL},
	    {.name = "pruned", .title = "Pruned", .unit = OUT_COUNT, .flags = OUT_DETAIL},
	    {.name = "source_requests",
	     .title = "Requests",
	     .unit = OUT_COUNT,
	     .flags = OUT_DETAIL},
	    {.name = "retries", .title = "Retries", .unit = OUT_COUNT, .flags = OUT_DETAIL},
	    {.name = "duration_ms",
	     .title = "Took",
	     .unit = OUT_MS,
	     .metric = "callcache_warm_duration_seconds",
	     .help = "How long the last warm took"},
	    {.name = "items_per_second", .title = "Rate", .unit = OUT_RATE},
	    {.name = "complete",
	     .title = "Complete",
	     .flags = OUT_DETAIL,
	     .metric = "callcache_warm_complete",
	     .help = "1 when the last warm came to its end"},
	    {.name = "stopped_by", .title = "Stopped by", .flags = OUT_WARN},
	};
	const struct out_value values[] = {
	    out_str(target),
	    out_uint(sum->requested),
	    out_uint(sum->stored),
	    out_uint(sum->renewed),
	    out_uint(sum->skipped),
	    out_uint(sum->absent),
	    out_uint(sum->failed),
	    out_uint(sum->bytes),
	    out_uint(sum->fetched),
	    out_uint(sum->not_modified),
	    out_uint(sum->pruned),
	    out_uint(sum->attempts),
	    out_uint(sum->retries),
	    out_uint(took_ms),
	    out_real(took_ms ? (double)sum->requested * 1000 / (double)took_ms : 0),
	    out_bool(sum->end == WARM_END_COMPLETE),
	    out_str(warm_end_name(sum->end))};

	sink_table_end(sink);
	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
		if (values[i].type != OUT_T_NULL || sink_format(sink) != OUT_TABLE)
			sink_field(sink, &sums[i], values[i]);
	print_kinds(sink, "skipped", sum->skips, 0, WARM_SKIP_COUNT, skip_name, 0);
	print_kinds(sink, "failed", sum->causes, 1, WARM_CAUSE_COUNT, warm_cause_name,
		    OUT_WARN);
}
