#include "inspect_overview_view.h"

#include "base/buf.h"
#include "core/estimate.h"
#include "core/inspect.h"
#include "inspect_group_view.h"

#include <math.h>

enum {
	S_NAMESPACE,
	S_KEYS,
	S_KEYS_ERROR,
	S_KEYS_LOW,
	S_KEYS_HIGH,
	S_BYTES,
	S_BYTES_ERROR,
	S_BYTES_LOW,
	S_BYTES_HIGH,
	S_SAMPLED,
	S_NO_TTL,
	S_OVER,
	S_WRONG,
	S_SOON_10,
	S_SOON_60,
	S_TTL_MEDIAN,
	S_TTLS,
	S_COUNT
};

static const struct out_column sample_columns[S_COUNT] = {
    [S_NAMESPACE] = {.name = "namespace",
		     .title = "NAMESPACE",
		     .flags = OUT_LABEL | OUT_SHRINK},
    [S_KEYS] = {.name = "keys",
		.title = "KEYS ~",
		.unit = OUT_COUNT,
		.metric = "callcache_keys",
		.help = "Keys of a namespace, estimated"},
    [S_KEYS_ERROR] = {.name = "keys_error", .title = "+/-", .unit = OUT_PERCENT},
    [S_KEYS_LOW] = {.name = "keys_low", .title = "LOW", .unit = OUT_COUNT, .flags = OUT_DETAIL},
    [S_KEYS_HIGH] = {.name = "keys_high",
		     .title = "HIGH",
		     .unit = OUT_COUNT,
		     .flags = OUT_DETAIL},
    [S_BYTES] = {.name = "bytes",
		 .title = "BYTES ~",
		 .unit = OUT_SIZE,
		 .flags = OUT_MINOR,
		 .metric = "callcache_bytes",
		 .help = "Memory of a namespace's keys, estimated"},
    [S_BYTES_ERROR] = {.name = "bytes_error",
		       .title = "+/-",
		       .unit = OUT_PERCENT,
		       .flags = OUT_MINOR},
    [S_BYTES_LOW] = {.name = "bytes_low",
		     .title = "LOW",
		     .unit = OUT_SIZE,
		     .flags = OUT_DETAIL},
    [S_BYTES_HIGH] = {.name = "bytes_high",
		      .title = "HIGH",
		      .unit = OUT_SIZE,
		      .flags = OUT_DETAIL},
    [S_SAMPLED] = {.name = "sampled_keys",
		   .title = "SEEN",
		   .unit = OUT_COUNT,
		   .flags = OUT_MINOR},
    [S_NO_TTL] = {.name = "no_ttl",
		  .title = "NO TTL",
		  .unit = OUT_COUNT,
		  .flags = OUT_WARN | OUT_MINOR},
    [S_OVER] = {.name = "over_policy",
		.title = "OVER",
		.unit = OUT_COUNT,
		.flags = OUT_WARN | OUT_MINOR},
    [S_WRONG] = {.name = "wrong_type",
		 .title = "WRONG TYPE",
		 .unit = OUT_COUNT,
		 .flags = OUT_WARN | OUT_MINOR},
    [S_SOON_10] = {.name = "expiring_10s",
		   .title = "<10 S",
		   .unit = OUT_COUNT,
		   .flags = OUT_DETAIL},
    [S_SOON_60] = {.name = "expiring_60s",
		   .title = "<60 S",
		   .unit = OUT_COUNT,
		   .flags = OUT_MINOR},
    [S_TTL_MEDIAN] = {.name = "ttl_median_ms",
		      .title = "MEDIAN",
		      .unit = OUT_MS,
		      .flags = OUT_MINOR},
    [S_TTLS] = {.name = "ttl_histogram", .title = "TTL 1s..7d", .flags = OUT_MINOR},
};
static const struct out_table sample_table = {
    .name = "namespaces", .columns = sample_columns, .column_count = S_COUNT, .primary = true};

static struct out_value rounded(double value)
{
	return out_int((int64_t)llround(value));
}

static struct out_value bound(const struct estimate *estimate, double value)
{
	return estimate->bounded ? rounded(value) : OUT_NONE;
}

/* Half the width between the bounds, as a share of the estimate. */
static struct out_value error_of(const struct estimate *estimate)
{
	if (!estimate->bounded || estimate->value <= 0)
		return OUT_NONE;
	return out_real((estimate->high - estimate->low) / 2 / estimate->value);
}

static struct out_value count_of(const struct inspect_overview *overview, uint64_t seen)
{
	return rounded(estimate_count(seen, overview->sampled, overview->total).value);
}

static struct out_value of_ttls(const struct inspect_overview *overview, uint64_t seen)
{
	return overview->scan.denied & SCAN_TTL ? OUT_NONE : count_of(overview, seen);
}

static void sample_row(struct sink *sink, const struct inspect_overview *overview,
		       const struct inspect_group *group)
{
	bool sized = !(overview->scan.denied & SCAN_BYTES);
	const struct estimate_lots lots = {overview->sampled, overview->total,
					   overview->lots_squared};
	const struct estimate_kind of_keys = {group->keys, (double)group->keys,
					      group->key_lots.squared, group->key_lots.crossed};
	const struct estimate_kind of_bytes = {group->keys, (double)group->bytes,
					       group->byte_lots.squared,
					       group->byte_lots.crossed};
	struct estimate keys = estimate_count_of(&lots, &of_keys);
	struct estimate bytes = estimate_sum_of(&lots, &of_bytes);
	struct buf bands = {0};

	sink_row(sink, (struct out_value[S_COUNT]){
			   [S_NAMESPACE] = out_str(inspect_view_name(group)),
			   [S_KEYS] = rounded(keys.value),
			   [S_KEYS_ERROR] = error_of(&keys),
			   [S_KEYS_LOW] = bound(&keys, keys.low),
			   [S_KEYS_HIGH] = bound(&keys, keys.high),
			   [S_BYTES] = sized ? rounded(bytes.value) : OUT_NONE,
			   [S_BYTES_ERROR] = sized ? error_of(&bytes) : OUT_NONE,
			   [S_BYTES_LOW] = sized ? bound(&bytes, bytes.low) : OUT_NONE,
			   [S_BYTES_HIGH] = sized ? bound(&bytes, bytes.high) : OUT_NONE,
			   [S_SAMPLED] = out_uint(group->keys),
			   [S_NO_TTL] = of_ttls(overview, group->no_ttl),
			   [S_OVER] = of_ttls(overview, group->over_policy),
			   [S_WRONG] = count_of(overview, group->wrong_type),
			   [S_SOON_10] = of_ttls(overview, group->expiring_10s),
			   [S_SOON_60] = of_ttls(overview, group->expiring_60s),
			   [S_TTL_MEDIAN] = inspect_view_quantile(group, 0.5),
			   [S_TTLS] = inspect_view_bands(sink, group, &bands),
		       });
	buf_release(&bands);
}

void inspect_view_sample(struct sink *sink, const char *target,
			 const struct inspect_overview *overview)
{
	static const struct out_column where = {.name = "target", .title = "Target"};
	static const struct out_column keys = {
	    .name = "keys", .title = "All keys", .unit = OUT_COUNT};
	static const struct out_column sampled = {
	    .name = "sampled_keys", .title = "Looked at", .unit = OUT_COUNT};
	static const struct out_column complete = {
	    .name = "complete", .title = "Complete", .flags = OUT_DETAIL};
	static const struct out_column hits = {
	    .name = "probe_hits", .title = "Hits caused", .unit = OUT_COUNT};

	sink_field(sink, &where, out_str(target));
	sink_field(sink, &keys, out_uint(overview->total));
	sink_field(sink, &sampled, out_uint(overview->sampled));
	sink_field(sink, &complete, out_bool(overview->scan.complete));
	sink_field(sink, &hits, out_uint(overview->scan.hits));
	sink_table_begin(sink, &sample_table);
	for (size_t i = 0; i < overview->count; i++)
		if (overview->groups[i].keys || sink_format(sink) != OUT_TABLE)
			sample_row(sink, overview, &overview->groups[i]);
	sink_table_end(sink);
	sink_note(sink, "Estimates; 19 in 20 lie within +/-.");
}
