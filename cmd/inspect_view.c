#include "inspect_view.h"

#include "base/clock.h"
#include "base/json.h"
#include "core/keyinfo.h"
#include "core/namespace.h"
#include "core/unpacked.h"
#include "out/sink.h"

/* A duration that may be -1 (for ever) or less (gone). */
static struct out_value ttl_value(int64_t ttl_ms)
{
	return ttl_ms >= 0 ? out_int(ttl_ms) : OUT_NONE;
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
