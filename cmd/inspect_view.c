#include "inspect_view.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "core/audit.h"
#include "core/keyinfo.h"
#include "core/namespace.h"
#include "core/relation.h"
#include "core/unpacked.h"
#include "out/sink.h"
#include "out/spark.h"
#include "out/terminal.h"
#include "wire/slot.h"

#include <inttypes.h>
#include <string.h>

#define BAR_WIDTH 20

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

static const struct out_column item_columns[] = {
    {.name = "name", .title = "NAME", .flags = OUT_SHRINK},
    {.name = "value", .title = "VALUE", .flags = OUT_SHRINK},
};
static const struct out_table item_table = {
    .name = "items", .columns = item_columns, .column_count = 2, .primary = true};

void inspect_view_items_begin(struct sink *sink)
{
	sink_table_begin(sink, &item_table);
}

void inspect_view_item(struct sink *sink, struct bytes name, struct bytes value)
{
	sink_row(sink,
		 (struct out_value[]){name.len ? out_text(name) : OUT_NONE, out_text(value)});
}

void inspect_view_items_end(struct sink *sink)
{
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

/* What is left of the life that policy allows, as a bar. */
static void add_bar(struct sink *sink, const struct inspect_key_view *view, uint64_t limit_ms)
{
	double share = (double)view->info->ttl_ms / (double)limit_ms;
	struct buf text = {0};

	if (sink_format(sink) != OUT_TABLE || view->info->ttl_ms < 0 || !limit_ms)
		return;
	out_bar(&text, share, BAR_WIDTH, !view->terminal->utf8);
	buf_printf(&text, "%s%.0f %% of ", text.len ? " " : "", share * 100);
	num_format_duration_ms(&text, (int64_t)limit_ms);
	if (audit_is_over(view->info->ttl_ms, limit_ms))
		buf_add_str(&text, ", longer than its policy");
	add(sink, "ttl_left", "Left", OUT_PLAIN, out_text(buf_bytes(&text)));
	buf_release(&text);
}

static void add_ttl(struct sink *sink, const struct inspect_key_view *view)
{
	const struct keyinfo *info = view->info;
	uint64_t limit = view->ns ? ns_ttl_limit_ms(view->ns, view->vars, clock_wall_ms()) : 0;

	if (info->ttl_ms == -1 && sink_format(sink) == OUT_TABLE)
		add(sink, "ttl_ms", "TTL", OUT_PLAIN, out_str("none: it lives for ever"));
	else
		add(sink, "ttl_ms", "TTL", OUT_MS, ttl_value(info->ttl_ms));
	add(sink, "ttl_limit_ms", "TTL by policy", OUT_MS, limit ? out_uint(limit) : OUT_NONE);
	add_bar(sink, view, limit);
}

static const struct volatility *volatility_of(const struct inspect_key_view *view)
{
	for (size_t i = 0; i < view->relation_count; i++)
		if (view->relations[i].remembers)
			return &view->relations[i].volatility;
	return NULL;
}

/* For people: why it was given the life that it has. */
static void explain_ttl(struct sink *sink, const struct ns *ns, const struct volatility *known)
{
	struct buf text = {0};

	num_format_duration_ms(&text, (int64_t)(known ? known->ttl_ms : ns->ttl_min_ms));
	buf_add_str(&text, " of ");
	num_format_duration_ms(&text, (int64_t)ns->ttl_min_ms);
	buf_add_str(&text, " to ");
	num_format_duration_ms(&text, (int64_t)ns->ttl_ms);
	if (!known || known->refreshes == 0)
		buf_add_str(&text, ": not refreshed yet");
	else if (known->same)
		buf_printf(&text,
			   ": the last %" PRIu64 " of %" PRIu64 " refreshes found it unchanged",
			   known->same, known->refreshes);
	else
		buf_printf(&text, ": the last of %" PRIu64 " refreshes found it changed",
			   known->refreshes);
	add(sink, "ttl_why", "TTL chosen", OUT_PLAIN, out_text(buf_bytes(&text)));
	buf_release(&text);
}

static void add_volatility(struct sink *sink, const struct inspect_key_view *view)
{
	bool adaptive = view->ns && view->ns->ttl_kind == NS_TTL_ADAPTIVE;
	const struct volatility *known = adaptive ? volatility_of(view) : NULL;

	if (sink_format(sink) == OUT_TABLE) {
		if (adaptive)
			explain_ttl(sink, view->ns, known);
		return;
	}
	add(sink, "ttl_min_ms", "Least TTL", OUT_MS,
	    adaptive ? out_uint(view->ns->ttl_min_ms) : OUT_NONE);
	add(sink, "ttl_chosen_ms", "Chosen TTL", OUT_MS,
	    known ? out_uint(known->ttl_ms) : OUT_NONE);
	add(sink, "refreshes", "Refreshes", OUT_COUNT,
	    known ? out_uint(known->refreshes) : OUT_NONE);
	add(sink, "refreshes_same", "Same in a row", OUT_COUNT,
	    known ? out_uint(known->same) : OUT_NONE);
	add(sink, "refreshes_changed", "Changed", OUT_COUNT,
	    known ? out_uint(known->changes) : OUT_NONE);
}

static void add_type(struct sink *sink, const struct inspect_key_view *view)
{
	const struct ns *ns = view->ns;
	const char *type = view->info->type;
	struct buf text = {0};

	buf_add_str(&text, type);
	if (sink_format(sink) == OUT_TABLE && type[0] && ns && ns->type != NS_ANY &&
	    strcmp(type, ns_type_names[ns->type]) != 0)
		buf_printf(&text, ", not %s as declared", ns_type_names[ns->type]);
	add(sink, "type", "Type", OUT_PLAIN, text.len ? out_text(buf_bytes(&text)) : OUT_NONE);
	buf_release(&text);
}

void inspect_view_key(struct sink *sink, const struct inspect_key_view *view)
{
	const struct keyinfo *info = view->info;

	add(sink, "key", "Key", OUT_PLAIN, out_text(view->key));
	add_namespace(sink, view->ns, view->vars);
	add(sink, "target", "Target", OUT_PLAIN, out_str(view->target));
	add(sink, "exists", "Exists", OUT_PLAIN, out_bool(info->exists));
	if (!info->exists)
		return;
	add_type(sink, view);
	add(sink, "encoding", "Encoding", OUT_PLAIN,
	    info->encoding[0] ? out_str(info->encoding) : OUT_NONE);
	add_ttl(sink, view);
	add_volatility(sink, view);
	add_figure(sink, "bytes", "Memory", OUT_SIZE, info->bytes);
	add_length(sink, info, view->unpacked);
	if (sink_format(sink) == OUT_TABLE)
		add_figure(sink, "idle", "Idle", OUT_MS, info->idle_s * 1000);
	else
		add_figure(sink, "idle_s", "Idle", OUT_COUNT, info->idle_s);
	add_figure(sink, "frequency", "Frequency", OUT_COUNT, info->frequency);
	add_figure(sink, "slot", "Slot", OUT_PLAIN, (int64_t)slot_of(view->key));
	add(sink, "node", "Node", OUT_PLAIN, view->node.len ? out_text(view->node) : OUT_NONE);
}

/* --- what it has to do with others --- */

enum { R_RELATION, R_NAMESPACE, R_KEY, R_HOLDS, R_TTL, R_DETAIL, R_COLUMNS };

static const struct out_column relation_columns[R_COLUMNS] = {
    [R_RELATION] = {.name = "relation", .title = "RELATION"},
    [R_NAMESPACE] = {.name = "namespace", .title = "NAMESPACE"},
    [R_KEY] = {.name = "key", .title = "KEY", .flags = OUT_SHRINK},
    [R_HOLDS] = {.name = "holds", .title = "HOLDS"},
    [R_TTL] = {.name = "ttl_ms", .title = "TTL", .unit = OUT_MS, .flags = OUT_MINOR},
    [R_DETAIL] = {.name = "detail", .title = "DETAIL", .flags = OUT_SHRINK},
};
static const struct out_table relation_table = {
    .name = "relations", .columns = relation_columns, .column_count = R_COLUMNS};

static struct out_value text_of(const struct buf *text)
{
	return text->len ? out_text(buf_bytes(text)) : OUT_NONE;
}

static void add_relations(struct sink *sink, const struct inspect_key_view *view)
{
	if (view->relation_count == 0 && sink_format(sink) == OUT_TABLE)
		return;
	sink_table_begin(sink, &relation_table);
	for (size_t i = 0; i < view->relation_count; i++) {
		const struct relation *relation = &view->relations[i];

		sink_row(
		    sink,
		    (struct out_value[R_COLUMNS]){
			[R_RELATION] = out_str(relation_names[relation->kind]),
			[R_NAMESPACE] = relation->ns ? out_str(relation->ns->name) : OUT_NONE,
			[R_KEY] = text_of(&relation->key),
			[R_HOLDS] = relation->known ? out_bool(relation->holds) : OUT_NONE,
			[R_TTL] = ttl_value(relation->ttl_ms),
			[R_DETAIL] = text_of(&relation->detail),
		    });
	}
	sink_table_end(sink);
}

/* Of the fields that were walked, where the server knows TTLs of fields. */
static void add_field_ttls(struct sink *sink, const struct keyinfo *info)
{
	bool said =
	    info->field_ttls > 0 || (info->field_ttls == 0 && sink_format(sink) != OUT_TABLE);

	if (strcmp(info->type, "hash") != 0)
		return;
	add(sink, "fields_with_ttl",
	    info->cut ? "Of those read with a TTL" : "Fields with a TTL", OUT_COUNT,
	    said ? out_int(info->field_ttls) : OUT_NONE);
	add(sink, "field_ttl_min_ms", "Nearest field TTL", OUT_MS,
	    info->field_ttls > 0 ? out_int(info->field_ttl_min_ms) : OUT_NONE);
}

void inspect_view_key_end(struct sink *sink, const struct inspect_key_view *view)
{
	if (!view->info->exists)
		return;
	add_field_ttls(sink, view->info);
	add(sink, "cut", "Cut", OUT_PLAIN,
	    view->info->cut || sink_format(sink) != OUT_TABLE ? out_bool(view->info->cut)
							      : OUT_NONE);
	if (view->unpacked)
		add_value(sink, view->unpacked->value);
	else if (strcmp(view->info->type, "string") == 0)
		add(sink, "value", "Value", OUT_PLAIN, OUT_NONE);
	add_relations(sink, view);
}
