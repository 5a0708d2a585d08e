#include "inspect_overview_view.h"

#include "base/buf.h"
#include "base/num.h"
#include "core/estimate.h"
#include "core/inspect.h"
#include "core/namespace.h"
#include "core/shape.h"
#include "inspect_group_view.h"

#include <math.h>
#include <string.h>

#define SHAPES_TOLD 15 /* to people; programs get SHAPES_MOST */
#define SHAPES_MOST 200

enum {
	O_NAMESPACE,
	O_KEYS,
	O_BYTES,
	O_LARGEST,
	O_LARGEST_KEY,
	O_NO_TTL,
	O_OVER,
	O_WRONG,
	O_WRONG_ERROR,
	O_WRONG_LOW,
	O_WRONG_HIGH,
	O_TYPES,
	O_SOON_10,
	O_SOON_60,
	O_SHARE_10,
	O_SHARE_60,
	O_WORST_IN,
	O_WORST_KEYS,
	O_TTL_MEDIAN,
	O_TTLS,
	O_TTL_MIN,
	O_TTL_MAX,
	O_COUNT
};

static const struct out_column overview_columns[O_COUNT] = {
    [O_NAMESPACE] = {.name = "namespace",
		     .title = "NAMESPACE",
		     .flags = OUT_LABEL | OUT_SHRINK},
    [O_KEYS] = {.name = "keys",
		.title = "KEYS",
		.unit = OUT_COUNT,
		.metric = "callcache_keys",
		.help = "Keys of a namespace"},
    [O_BYTES] = {.name = "bytes",
		 .title = "BYTES",
		 .unit = OUT_SIZE,
		 .metric = "callcache_bytes",
		 .help = "Memory of a namespace's keys as MEMORY USAGE says"},
    [O_LARGEST] = {.name = "largest_bytes",
		   .title = "LARGEST",
		   .unit = OUT_SIZE,
		   .flags = OUT_DETAIL},
    [O_LARGEST_KEY] = {.name = "largest_key", .title = "LARGEST KEY", .flags = OUT_DETAIL},
    [O_NO_TTL] = {.name = "no_ttl",
		  .title = "NO TTL",
		  .unit = OUT_COUNT,
		  .flags = OUT_WARN | OUT_MINOR,
		  .metric = "callcache_keys_without_ttl",
		  .help = "Keys that live for ever"},
    [O_OVER] = {.name = "over_policy",
		.title = "OVER",
		.unit = OUT_COUNT,
		.flags = OUT_WARN | OUT_MINOR,
		.metric = "callcache_keys_over_policy",
		.help = "Keys that live longer than declared"},
    [O_WRONG] = {.name = "wrong_type",
		 .title = "WRONG TYPE",
		 .unit = OUT_COUNT,
		 .flags = OUT_WARN | OUT_MINOR,
		 .metric = "callcache_keys_of_wrong_type",
		 .help = "Keys of another type than declared, of many estimated"},
    [O_WRONG_ERROR] = {.name = "wrong_type_error",
		       .title = "+/-",
		       .unit = OUT_PERCENT,
		       .flags = OUT_DETAIL},
    [O_WRONG_LOW] = {.name = "wrong_type_low",
		     .title = "LOW",
		     .unit = OUT_COUNT,
		     .flags = OUT_DETAIL},
    [O_WRONG_HIGH] = {.name = "wrong_type_high",
		      .title = "HIGH",
		      .unit = OUT_COUNT,
		      .flags = OUT_DETAIL},
    [O_TYPES] = {.name = "types_checked",
		 .title = "TYPES",
		 .unit = OUT_COUNT,
		 .flags = OUT_DETAIL},
    [O_SOON_10] = {.name = "expiring_10s",
		   .title = "<10 S",
		   .unit = OUT_COUNT,
		   .flags = OUT_DETAIL},
    [O_SOON_60] = {.name = "expiring_60s",
		   .title = "<60 S",
		   .unit = OUT_COUNT,
		   .flags = OUT_DETAIL},
    [O_SHARE_10] = {.name = "expiring_10s_share",
		    .title = "<10 S",
		    .unit = OUT_PERCENT,
		    .flags = OUT_DETAIL},
    [O_SHARE_60] = {.name = "expiring_60s_share",
		    .title = "<60 S",
		    .unit = OUT_PERCENT,
		    .flags = OUT_MINOR},
    [O_WORST_IN] = {.name = "worst_second_in_s",
		    .title = "WORST IN",
		    .unit = OUT_COUNT,
		    .flags = OUT_DETAIL},
    [O_WORST_KEYS] = {.name = "worst_second_keys",
		      .title = "WORST SECOND",
		      .unit = OUT_COUNT,
		      .flags = OUT_DETAIL},
    [O_TTL_MEDIAN] = {.name = "ttl_median_ms",
		      .title = "MEDIAN",
		      .unit = OUT_MS,
		      .flags = OUT_MINOR},
    [O_TTLS] = {.name = "ttl_histogram", .title = "TTL 1s..7d", .flags = OUT_MINOR},
    [O_TTL_MIN] = {.name = "ttl_min_ms", .title = "MIN", .unit = OUT_MS, .flags = OUT_MINOR},
    [O_TTL_MAX] = {.name = "ttl_max_ms", .title = "MAX", .unit = OUT_MS, .flags = OUT_MINOR},
};

static struct out_value share_of(uint64_t part, uint64_t whole)
{
	return whole ? out_real((double)part / (double)whole) : OUT_NONE;
}

static struct out_value known(bool is_known, uint64_t count)
{
	return is_known ? out_uint(count) : OUT_NONE;
}

/* Where only some keys were asked for their type: of all, with bounds. */
static struct estimate wrong_of(const struct inspect_overview *overview,
				const struct inspect_group *group)
{
	uint64_t all = overview->types_sampled ? group->keys : group->types_checked;

	return estimate_count(group->wrong_type, group->types_checked, all);
}

static struct out_value rounded(bool known, double value)
{
	return known ? out_int((int64_t)llround(value)) : OUT_NONE;
}

static void overview_row(struct sink *sink, const struct inspect_overview *overview,
			 const struct inspect_group *group)
{
	bool bytes_known = !(overview->scan.denied & SCAN_BYTES);
	bool ttls_known = !(overview->scan.denied & SCAN_TTL);
	bool types_known = !(overview->scan.denied & SCAN_TYPE);
	struct estimate wrong = wrong_of(overview, group);
	bool guessed = types_known && wrong.value > 0 && wrong.high > wrong.low;
	struct buf bands = {0};
	unsigned second = 0;
	uint32_t worst = inspect_group_worst(group, &second);

	sink_row(
	    sink,
	    (struct out_value[O_COUNT]){
		[O_NAMESPACE] = out_str(inspect_view_name(group)),
		[O_KEYS] = out_uint(group->keys),
		[O_BYTES] = known(bytes_known, group->bytes),
		[O_LARGEST] = group->largest ? out_uint(group->largest) : OUT_NONE,
		[O_LARGEST_KEY] =
		    group->largest ? out_text(buf_bytes(&group->largest_key)) : OUT_NONE,
		[O_NO_TTL] = known(ttls_known, group->no_ttl),
		[O_OVER] = known(ttls_known, group->over_policy),
		[O_WRONG] = rounded(types_known, wrong.value),
		[O_WRONG_ERROR] =
		    guessed ? out_real((wrong.high - wrong.low) / 2 / wrong.value) : OUT_NONE,
		[O_WRONG_LOW] = rounded(types_known, wrong.low),
		[O_WRONG_HIGH] = rounded(types_known, wrong.high),
		[O_TYPES] = out_uint(group->types_checked),
		[O_SOON_10] = known(ttls_known, group->expiring_10s),
		[O_SOON_60] = known(ttls_known, group->expiring_60s),
		[O_SHARE_10] = share_of(group->expiring_10s, ttls_known ? group->keys : 0),
		[O_SHARE_60] = share_of(group->expiring_60s, ttls_known ? group->keys : 0),
		[O_WORST_IN] = worst ? out_uint(second) : OUT_NONE,
		[O_WORST_KEYS] = known(ttls_known, worst),
		[O_TTL_MEDIAN] = inspect_view_quantile(group, 0.5),
		[O_TTLS] = inspect_view_bands(sink, group, &bands),
		[O_TTL_MIN] = inspect_view_quantile(group, 0),
		[O_TTL_MAX] = inspect_view_quantile(group, 1),
	    });
	buf_release(&bands);
}

/* --- the fields --- */

static void field(struct sink *sink, const char *name, const char *title, enum out_unit unit,
		  unsigned flags, struct out_value value)
{
	const struct out_column column = {
	    .name = name, .title = title, .unit = unit, .flags = flags};

	sink_field(sink, &column, value);
}

static void add_walk(struct sink *sink, const struct inspect_overview *overview)
{
	const struct scan_result *scan = &overview->scan;
	bool people = sink_format(sink) == OUT_TABLE;
	struct buf text = {0};

	field(sink, "keys", "Keys", OUT_COUNT, 0, out_uint(scan->keys));
	if (scan->own || !people)
		field(sink, "own_keys", "ccache's own", OUT_COUNT, 0, out_uint(scan->own));
	if (!people) {
		field(sink, "complete", "Complete", OUT_PLAIN, 0, out_bool(scan->complete));
		field(sink, "exact", "Exact", OUT_PLAIN, 0,
		      out_bool(scan->complete && !scan->resized));
		field(sink, "gone_keys", "Gone", OUT_COUNT, 0, out_uint(scan->gone));
		field(sink, "forbidden_keys", "Forbidden", OUT_COUNT, 0,
		      out_uint(scan->forbidden));
		field(sink, "types_sampled", "Types sampled", OUT_PLAIN, 0,
		      out_bool(overview->types_sampled));
		field(sink, "probe_hits", "Hits", OUT_COUNT, 0, out_uint(scan->hits));
		return;
	}
	if (!scan->complete) {
		num_format_count(&text, (int64_t)(scan->keys + scan->own));
		buf_add_str(&text, " of about ");
		num_format_count(&text, (int64_t)scan->expected);
		field(sink, "partial", "Partial", OUT_PLAIN, OUT_WARN, out_str(buf_str(&text)));
	} else if (scan->resized) {
		field(sink, "exact", "Exact", OUT_PLAIN, 0,
		      out_str("no: the table may have been resized"));
	}
	if (scan->hits)
		field(sink, "probe_hits", "Hits caused", OUT_COUNT, 0, out_uint(scan->hits));
	buf_release(&text);
}

static void add_cliff(struct sink *sink, const struct inspect_overview *overview)
{
	struct inspect_group sum;
	struct buf text = {0};
	unsigned second = 0;

	inspect_overview_sum(overview, &sum);
	uint32_t worst = inspect_group_worst(&sum, &second);
	bool people = sink_format(sink) == OUT_TABLE;
	bool ttls_known = !(overview->scan.denied & SCAN_TTL);
	if (!people || sum.ttl_ms.total) {
		field(sink, "expiring_10s", "Expiring in 10 s", OUT_COUNT, 0,
		      known(ttls_known, sum.expiring_10s));
		field(sink, "expiring_60s", "Expiring in 60 s", OUT_COUNT, 0,
		      known(ttls_known, sum.expiring_60s));
	}
	if (!people) {
		field(sink, "worst_second_in_s", "", OUT_COUNT, 0,
		      worst ? out_uint(second) : OUT_NONE);
		field(sink, "worst_second_keys", "", OUT_COUNT, 0, known(ttls_known, worst));
	} else if (worst) {
		num_format_count(&text, worst);
		buf_add_str(&text, worst == 1 ? " key, in " : " keys, in ");
		num_format_duration_ms(&text, (int64_t)second * 1000);
		field(sink, "worst_second", "Worst second", OUT_PLAIN, 0,
		      out_str(buf_str(&text)));
	}
	buf_release(&text);
	inspect_group_release(&sum);
}

/* --- what nothing declares --- */

static void add_shapes(struct sink *sink, const struct inspect_overview *overview)
{
	static const struct out_column columns[] = {
	    {.name = "shape", .title = "SHAPE", .flags = OUT_SHRINK},
	    {.name = "keys", .title = "KEYS", .unit = OUT_COUNT},
	    {.name = "bytes", .title = "BYTES", .unit = OUT_SIZE, .flags = OUT_MINOR},
	    {.name = "largest_bytes",
	     .title = "LARGEST",
	     .unit = OUT_SIZE,
	     .flags = OUT_DETAIL},
	    {.name = "no_ttl",
	     .title = "NO TTL",
	     .unit = OUT_COUNT,
	     .flags = OUT_WARN | OUT_MINOR},
	    {.name = "ttl_max_ms", .title = "TTL MAX", .unit = OUT_MS, .flags = OUT_MINOR},
	    {.name = "example", .title = "EXAMPLE", .flags = OUT_SHRINK | OUT_MINOR},
	};
	static const struct out_table table = {.name = "shapes",
					       .title = "Unclassified",
					       .columns = columns,
					       .column_count =
						   sizeof columns / sizeof *columns};
	const struct shapes *shapes = overview->shapes;
	bool bytes_known = !(overview->scan.denied & SCAN_BYTES);
	bool people = sink_format(sink) == OUT_TABLE;
	size_t most = people ? SHAPES_TOLD : SHAPES_MOST;
	size_t count = shapes_count(shapes);
	uint64_t rest = shapes_rest(shapes);

	for (size_t i = most; i < count; i++)
		rest += shapes_at(shapes, i)->keys;
	if (people && count == 0)
		return;
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < count && i < most; i++) {
		const struct shape_group *group = shapes_at(shapes, i);

		sink_row(sink,
			 (struct out_value[]){
			     out_text(group->pattern), out_uint(group->keys),
			     known(bytes_known, group->bytes),
			     known(bytes_known, group->largest),
			     known(!(overview->scan.denied & SCAN_TTL), group->no_ttl),
			     group->ttl_max_ms >= 0 ? out_int(group->ttl_max_ms) : OUT_NONE,
			     out_text(group->example)});
	}
	sink_table_end(sink);
	if (!people)
		field(sink, "other_shapes_keys", "", OUT_COUNT, 0, out_uint(rest));
	else if (rest)
		sink_note(sink, "%llu keys of other shapes", (unsigned long long)rest);
}

/*
 * People see a column of wrong types only where there are some; and on a
 * narrow terminal bytes make room for what warns.
 */
static void choose_columns(const struct sink *sink, const struct inspect_overview *overview,
			   struct out_column *columns)
{
	uint64_t wrong = 0;
	uint64_t bad = 0;

	memcpy(columns, overview_columns, sizeof overview_columns);
	if (sink_format(sink) != OUT_TABLE)
		return;
	for (size_t i = 0; i < overview->count; i++) {
		const struct inspect_group *group = &overview->groups[i];

		wrong += group->wrong_type;
		bad += group->wrong_type + group->no_ttl + group->over_policy;
	}
	columns[O_WRONG].flags |= wrong ? 0 : OUT_DETAIL;
	if (overview->types_sampled)
		columns[O_WRONG].title = "WRONG TYPE ~";
	columns[O_BYTES].flags |= bad ? OUT_MINOR : 0;
}

/* That the types are estimates, and between what bounds those lie that are not 0. */
static void note_types(struct sink *sink, const struct inspect_overview *overview)
{
	struct buf wrong = {0};

	for (size_t i = 0; i < overview->count; i++) {
		struct estimate of = wrong_of(overview, &overview->groups[i]);

		if (of.value <= 0)
			continue;
		buf_printf(&wrong, "%s%s ",
			   wrong.len ? ", " : " of them wrong, 19 times in 20: ",
			   inspect_view_name(&overview->groups[i]));
		num_format_count(&wrong, (int64_t)llround(of.low));
		if (of.low >= of.high) /* all were looked at */
			continue;
		buf_add_str(&wrong, " to ");
		num_format_count(&wrong, (int64_t)llround(of.high));
	}
	sink_note(sink, "Types of 1 key in 16:%s; --audit: of all.",
		  wrong.len ? buf_str(&wrong) : " none is wrong");
	buf_release(&wrong);
}

void inspect_view_overview(struct sink *sink, const char *target,
			   const struct inspect_overview *overview, const struct ns *only)
{
	struct out_column columns[O_COUNT];
	const struct out_table table = {
	    .name = "namespaces", .columns = columns, .column_count = O_COUNT, .primary = true};
	bool people = sink_format(sink) == OUT_TABLE;

	choose_columns(sink, overview, columns);
	field(sink, "target", "Target", OUT_PLAIN, 0, out_str(target));
	add_walk(sink, overview);
	add_cliff(sink, overview);
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < overview->count; i++) {
		const struct inspect_group *group = &overview->groups[i];

		/* for people: the namespaces that are there; for programs: all */
		if (only ? group->ns == only : group->keys || !people)
			overview_row(sink, overview, group);
	}
	sink_table_end(sink);
	if (only)
		inspect_view_band_table(sink, &overview->groups[only->index]);
	add_shapes(sink, overview);
	if (people && overview->types_sampled)
		note_types(sink, overview);
}
