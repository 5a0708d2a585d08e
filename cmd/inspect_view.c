#include "inspect_view.h"

#include "base/clock.h"
#include "base/json.h"
#include "core/inspect.h"
#include "core/keyinfo.h"
#include "core/namespace.h"
#include "core/unpacked.h"
#include "out/sink.h"

/* A duration that may be -1 (for ever) or less (gone). */
static struct out_value ttl_value(int64_t ttl_ms)
{
	return ttl_ms >= 0 ? out_int(ttl_ms) : OUT_NONE;
}

/* --- all namespaces --- */

enum {
	O_NAMESPACE,
	O_KEYS,
	O_BYTES,
	O_LARGEST,
	O_LARGEST_KEY,
	O_TTL_MIN,
	O_TTL_MEDIAN,
	O_TTL_MAX,
	O_NO_TTL,
	O_OVER,
	O_SOON_10,
	O_SOON_60,
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
    [O_TTL_MIN] = {.name = "ttl_min_ms",
		   .title = "TTL MIN",
		   .unit = OUT_MS,
		   .flags = OUT_MINOR},
    [O_TTL_MEDIAN] = {.name = "ttl_median_ms",
		      .title = "MEDIAN",
		      .unit = OUT_MS,
		      .flags = OUT_MINOR},
    [O_TTL_MAX] = {.name = "ttl_max_ms", .title = "MAX", .unit = OUT_MS, .flags = OUT_MINOR},
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
    [O_SOON_10] = {.name = "expiring_10s",
		   .title = "<10 S",
		   .unit = OUT_COUNT,
		   .flags = OUT_DETAIL},
    [O_SOON_60] = {.name = "expiring_60s",
		   .title = "<60 S",
		   .unit = OUT_COUNT,
		   .flags = OUT_MINOR},
};
static const struct out_table overview_table = {.name = "namespaces",
						.columns = overview_columns,
						.column_count = O_COUNT,
						.primary = true};

static void overview_row(struct sink *sink, const struct inspect_group *group, bool bytes_known)
{
	bool expires = group->ttl_ms.total > 0;

	sink_row(sink,
		 (struct out_value[O_COUNT]){
		     [O_NAMESPACE] = out_str(group->ns ? group->ns->name : "(unclassified)"),
		     [O_KEYS] = out_uint(group->keys),
		     [O_BYTES] = bytes_known ? out_uint(group->bytes) : OUT_NONE,
		     [O_LARGEST] = group->largest ? out_uint(group->largest) : OUT_NONE,
		     [O_LARGEST_KEY] =
			 group->largest ? out_text(buf_bytes(&group->largest_key)) : OUT_NONE,
		     [O_TTL_MIN] = expires ? out_uint(group->ttl_ms.min) : OUT_NONE,
		     [O_TTL_MEDIAN] =
			 expires ? out_uint(histogram_quantile(&group->ttl_ms, 0.5)) : OUT_NONE,
		     [O_TTL_MAX] = expires ? out_uint(group->ttl_ms.max) : OUT_NONE,
		     [O_NO_TTL] = out_uint(group->no_ttl),
		     [O_OVER] = out_uint(group->over_policy),
		     [O_SOON_10] = out_uint(group->expiring_10s),
		     [O_SOON_60] = out_uint(group->expiring_60s),
		 });
}

void inspect_view_overview(struct sink *sink, const char *target,
			   const struct inspect_overview *overview)
{
	static const struct out_column where = {.name = "target", .title = "Target"};
	static const struct out_column keys = {
	    .name = "keys", .title = "Keys", .unit = OUT_COUNT};
	static const struct out_column own = {
	    .name = "own_keys", .title = "ccache's own", .unit = OUT_COUNT};
	static const struct out_column complete = {.name = "complete", .title = "Complete"};
	const struct scan_result *scan = &overview->scan;

	sink_field(sink, &where, out_str(target));
	sink_field(sink, &keys, out_uint(scan->keys));
	if (scan->own || sink_format(sink) != OUT_TABLE)
		sink_field(sink, &own, out_uint(scan->own));
	if (!scan->complete || sink_format(sink) != OUT_TABLE)
		sink_field(sink, &complete, out_bool(scan->complete));
	sink_table_begin(sink, &overview_table);
	for (size_t i = 0; i < overview->count; i++) {
		const struct inspect_group *group = &overview->groups[i];

		/* for people: the namespaces that are there; for programs: all */
		if (group->keys || sink_format(sink) != OUT_TABLE)
			overview_row(sink, group, !(scan->denied & SCAN_BYTES));
	}
	sink_table_end(sink);
}

/* --- a list of keys --- */

enum { K_KEY, K_NAMESPACE, K_TTL, K_BYTES, K_COUNT };

static const struct out_column key_columns[K_COUNT] = {
    [K_KEY] = {.name = "key", .title = "KEY", .flags = OUT_SHRINK},
    [K_NAMESPACE] = {.name = "namespace", .title = "NAMESPACE", .flags = OUT_MINOR},
    [K_TTL] = {.name = "ttl_ms", .title = "TTL", .unit = OUT_MS},
    [K_BYTES] = {.name = "bytes", .title = "BYTES", .unit = OUT_SIZE},
};
static const struct out_table key_table = {
    .name = "keys", .columns = key_columns, .column_count = K_COUNT, .primary = true};

void inspect_view_keys_begin(struct sink *sink)
{
	sink_table_begin(sink, &key_table);
}

void inspect_view_key_row(struct sink *sink, const struct ns *ns, const struct scan_key *key)
{
	sink_row(sink, (struct out_value[K_COUNT]){
			   [K_KEY] = out_text(key->key),
			   [K_NAMESPACE] = ns ? out_str(ns->name) : OUT_NONE,
			   [K_TTL] = ttl_value(key->ttl_ms),
			   [K_BYTES] = key->bytes >= 0 ? out_int(key->bytes) : OUT_NONE,
		       });
}

void inspect_view_keys_end(struct sink *sink, uint64_t listed, bool complete)
{
	static const struct out_column count = {
	    .name = "listed", .title = "Listed", .unit = OUT_COUNT};
	static const struct out_column whole = {
	    .name = "complete", .title = "Complete", .flags = OUT_DETAIL};

	sink_table_end(sink);
	sink_field(sink, &count, out_uint(listed));
	sink_field(sink, &whole, out_bool(complete));
}

/* --- one key --- */

static void add(struct sink *sink, const char *name, const char *title, enum out_unit unit,
		struct out_value value)
{
	const struct out_column column = {.name = name, .title = title, .unit = unit};

	/* people need not see what is not known */
	if (value.type != OUT_T_NULL || sink_format(sink) != OUT_TABLE)
		sink_field(sink, &column, value);
}

static void add_figure(struct sink *sink, const char *name, const char *title,
		       enum out_unit unit, int64_t value)
{
	add(sink, name, title, unit, value >= 0 ? out_int(value) : OUT_NONE);
}

/* A string's value: for programs only, people get it pretty behind the fields. */
static void add_value(struct sink *sink, struct bytes value)
{
	static const struct out_column column = {
	    .name = "value", .title = "Value", .flags = OUT_DETAIL};
	struct json_error problem;
	bool json = json_check(value, JSON_STRICT, JSON_DEPTH_DATA, &problem) == 0;

	sink_field(sink, &column, json ? out_raw(value) : out_text(value));
}

static void add_items(struct sink *sink, const struct keyinfo *info)
{
	static const struct out_column columns[] = {
	    {.name = "name", .title = "NAME", .flags = OUT_SHRINK},
	    {.name = "value", .title = "VALUE", .flags = OUT_SHRINK},
	};
	static const struct out_table table = {
	    .name = "items", .columns = columns, .column_count = 2, .primary = true};

	sink_table_begin(sink, &table);
	for (size_t i = 0; i < info->item_count; i++)
		sink_row(sink, (struct out_value[]){info->items[i].name.len
							? out_text(info->items[i].name)
							: OUT_NONE,
						    out_text(info->items[i].value)});
	sink_table_end(sink);
}

static void add_namespace(struct sink *sink, const struct ns *ns, const struct bytes *vars)
{
	add(sink, "namespace", "Namespace", OUT_PLAIN, ns ? out_str(ns->name) : out_str(NULL));
	for (size_t i = 0; ns && i < template_var_count(ns->key); i++) {
		const char *name = template_var_name(ns->key, i);
		const struct out_column column = {.name = name, .title = name};

		if (sink_format(sink) == OUT_TABLE)
			sink_field(sink, &column, out_text(vars[i]));
	}
}

/* Of a packed string what it expands to; of one read in part that is not known. */
static void add_length(struct sink *sink, const struct keyinfo *info,
		       const struct unpacked *unpacked)
{
	static const struct unpacked none = {.codec = CODEC_NONE};
	bool string = unpacked != NULL;

	if (!string)
		unpacked = &none;
	bool packed = unpacked->codec != CODEC_NONE;
	bool expanded = packed && !unpacked->cut && !err_is_set(&unpacked->problem);

	add_figure(sink, "length", "Length", OUT_COUNT,
		   expanded ? (int64_t)unpacked->value.len
		   : packed ? -1
			    : info->length);
	if (packed || sink_format(sink) != OUT_TABLE)
		add_figure(sink, "stored_length", "Stored length", OUT_COUNT,
			   string ? info->length : -1);
	add(sink, "codec", "Codec", OUT_PLAIN,
	    packed ? out_str(codec_names[unpacked->codec]) : OUT_NONE);
	add(sink, "format", "Format", OUT_PLAIN,
	    unpacked->format ? out_str(unpacked->format) : OUT_NONE);
}

void inspect_view_key(struct sink *sink, const char *target, const struct ns *ns,
		      const struct bytes *vars, struct bytes key, const struct keyinfo *info,
		      const struct unpacked *unpacked)
{
	uint64_t limit = ns ? ns_ttl_limit_ms(ns, vars, clock_wall_ms()) : 0;

	add(sink, "key", "Key", OUT_PLAIN, out_text(key));
	add_namespace(sink, ns, vars);
	add(sink, "target", "Target", OUT_PLAIN, out_str(target));
	add(sink, "exists", "Exists", OUT_PLAIN, out_bool(info->exists));
	if (!info->exists)
		return;
	add(sink, "type", "Type", OUT_PLAIN, out_str(info->type));
	add(sink, "encoding", "Encoding", OUT_PLAIN,
	    info->encoding[0] ? out_str(info->encoding) : OUT_NONE);
	if (info->ttl_ms < 0 && sink_format(sink) == OUT_TABLE)
		add(sink, "ttl_ms", "TTL", OUT_PLAIN, out_str("none: it lives for ever"));
	else
		add(sink, "ttl_ms", "TTL", OUT_MS, ttl_value(info->ttl_ms));
	add(sink, "ttl_limit_ms", "TTL by policy", OUT_MS, limit ? out_uint(limit) : OUT_NONE);
	add_figure(sink, "bytes", "Memory", OUT_SIZE, info->bytes);
	add_length(sink, info, unpacked);
	if (sink_format(sink) == OUT_TABLE)
		add_figure(sink, "idle", "Idle", OUT_MS, info->idle_s * 1000);
	else
		add_figure(sink, "idle_s", "Idle", OUT_COUNT, info->idle_s);
	add_figure(sink, "frequency", "Frequency", OUT_COUNT, info->frequency);
	add(sink, "cut", "Cut", OUT_PLAIN,
	    info->cut || sink_format(sink) != OUT_TABLE ? out_bool(info->cut) : OUT_NONE);
	if (unpacked)
		add_value(sink, unpacked->value);
	else
		add_items(sink, info);
}
