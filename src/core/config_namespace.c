#include "core/config_private.h"

#include <cjson/cJSON.h>

#define AT(member) offsetof(struct conf_ns, member)

/* ttl: "5m", 300, "none", {"min": "1m", "max": "15m"}, or {"day": "date", "plus": "48h"}. */
#define TTL_MAX_MS (UINT64_C(366) * 24 * 3600 * 1000)
static const struct config_field adaptive_fields[] = {
    {.name = "min",
     .help = "of a value nothing is known of yet, and of one that changes often",
     .kind = &config_kind_duration,
     .offset = AT(ns.ttl_min_ms),
     .flags = CONFIG_REQUIRED,
     .min = 1,
     .max = TTL_MAX_MS},
    {.name = "max",
     .help = "of one that refreshes always find unchanged",
     .kind = &config_kind_duration,
     .offset = AT(ns.ttl_ms),
     .flags = CONFIG_REQUIRED,
     .min = 1,
     .max = TTL_MAX_MS},
};
static const struct config_object adaptive_object = {
    .what = "ttl", .fields = adaptive_fields, .count = 2, .size = sizeof(struct conf_ns)};
static const struct config_field day_fields[] = {
    {.name = "day",
     .help = "the variable that names the day (2025-03-26, UTC)",
     .kind = &config_kind_string,
     .offset = AT(ttl_day),
     .flags = CONFIG_REQUIRED},
    {.name = "plus",
     .help = "how long keys live after the day's end",
     .kind = &config_kind_duration,
     .offset = AT(ns.ttl_ms)},
};
static const struct config_object day_object = {
    .what = "ttl", .fields = day_fields, .count = 2, .size = sizeof(struct conf_ns)};
static const struct config_field fixed_field = {
    .name = "ttl", .kind = &config_kind_duration, .min = 1};

static void read_ttl(struct config_reader *reader, const struct json_node *node,
		     const struct config_field *field, void *place)
{
	struct conf_ns *conf = place;

	(void)field;
	if (node->type == JSON_OBJECT) {
		bool day = json_tree_get(node, "day") != NULL;

		conf->ns.ttl_kind = day ? NS_TTL_DAY : NS_TTL_ADAPTIVE;
		config_field_read(reader, node, day ? &day_object : &adaptive_object, conf);
		return;
	}
	if (node->type == JSON_STRING && bytes_equal_str(node->text, "none"))
		return;
	config_kind_duration.read(reader, node, &fixed_field, &conf->ns.ttl_ms);
}

static cJSON *show_ttl(const struct config_field *field, const void *place)
{
	const struct conf_ns *conf = place;

	(void)field;
	if (conf->ns.ttl_kind == NS_TTL_DAY)
		return config_field_show(&day_object, conf);
	if (conf->ns.ttl_kind == NS_TTL_ADAPTIVE)
		return config_field_show(&adaptive_object, conf);
	return conf->ns.ttl_ms ? config_kind_duration.show(&fixed_field, &conf->ns.ttl_ms)
			       : cJSON_CreateString("none");
}

static cJSON *schema_ttl(const struct config_field *field)
{
	cJSON *schema = cJSON_CreateObject();
	cJSON *choices = cJSON_AddArrayToObject(schema, "anyOf");

	(void)field;
	cJSON_AddItemToArray(choices, config_kind_schema_types("string", "number"));
	cJSON_AddItemToArray(choices, config_field_schema(&adaptive_object));
	cJSON_AddItemToArray(choices, config_field_schema(&day_object));
	return schema;
}

static const struct config_kind ttl_kind = {read_ttl, show_ttl, schema_ttl};

/* compress: "gzip", or {"codec": "gzip", "min": "1KiB"}. */
static const struct config_field codec_field = {
    .name = "compress", .kind = &config_kind_choice, .detail = codec_stored_names};
static const struct config_field compress_fields[] = {
    {.name = "codec",
     .help = "how values are packed",
     .kind = &config_kind_choice,
     .offset = offsetof(struct codec_policy, kind),
     .detail = codec_stored_names,
     .flags = CONFIG_REQUIRED},
    {.name = "min",
     .help = "values of fewer bytes stay plain",
     .kind = &config_kind_size,
     .offset = offsetof(struct codec_policy, min),
     .max = CODEC_LIMIT},
};
static const struct config_object compress_object = {.what = "compress",
						     .fields = compress_fields,
						     .count = 2,
						     .size = sizeof(struct codec_policy)};

static void read_compress(struct config_reader *reader, const struct json_node *node,
			  const struct config_field *field, void *place)
{
	struct codec_policy *policy = place;

	(void)field;
	if (node->type == JSON_OBJECT)
		config_field_read(reader, node, &compress_object, policy);
	else
		config_kind_choice.read(reader, node, &codec_field, &policy->kind);
}

static cJSON *show_compress(const struct config_field *field, const void *place)
{
	const struct codec_policy *policy = place;

	(void)field;
	if (policy->kind == CODEC_NONE)
		return NULL;
	return policy->min ? config_field_show(&compress_object, policy)
			   : config_kind_choice.show(&codec_field, &policy->kind);
}

static cJSON *schema_compress(const struct config_field *field)
{
	cJSON *schema = cJSON_CreateObject();
	cJSON *choices = cJSON_AddArrayToObject(schema, "anyOf");

	(void)field;
	cJSON_AddItemToArray(choices, config_kind_choice.schema(&codec_field));
	cJSON_AddItemToArray(choices, config_field_schema(&compress_object));
	return schema;
}

static const struct config_kind compress_kind = {read_compress, show_compress, schema_compress};

static const struct config_field target_fields[] = {
    {.name = "hit_rate",
     .help = "share of reads that should be hits, 0.8",
     .kind = &config_kind_ratio,
     .offset = AT(ns.target_hit_rate),
     .max = 100},
};
static const struct config_object target_object = {
    .what = "target", .fields = target_fields, .count = 1, .size = sizeof(struct conf_ns)};

static const char *const ttl_from_names[] = {"ttl", "cache-control", NULL};

static const struct config_field fields[] = {
    {.name = "summary",
     .help = "what the keys hold, for people",
     .kind = &config_kind_string,
     .offset = AT(ns.summary)},
    {.name = "key",
     .help = "template of its keys: call:logs:{subaccountId}",
     .kind = &config_kind_key,
     .offset = AT(ns.key),
     .flags = CONFIG_REQUIRED},
    {.name = "type",
     .help = "Redis type of its values",
     .kind = &config_kind_choice,
     .offset = AT(ns.type),
     .detail = ns_type_names},
    {.name = "ttl",
     .help = "how long keys live: \"5m\", 300 (seconds), \"none\", {\"min\": \"1m\", \"max\": "
	     "\"15m\"} by how often they change, or {\"day\": var, \"plus\": \"48h\"}",
     .kind = &ttl_kind,
     .flags = CONFIG_REQUIRED},
    {.name = "ttl_from",
     .help = "\"cache-control\": the answer's max-age, ttl where it says none",
     .kind = &config_kind_choice,
     .offset = AT(ttl_from),
     .detail = ttl_from_names,
     .flags = CONFIG_UNSET},
    {.name = "jitter",
     .help = "share of the TTL taken off at random, \"10%\"",
     .kind = &config_kind_ratio,
     .offset = AT(ns.jitter),
     .max = 50},
    {.name = "grace",
     .help = "how much longer a value is kept, for reads whose source fails (default 0)",
     .kind = &config_kind_duration,
     .offset = AT(ns.grace_ms)},
    {.name = "negative",
     .help = "how long \"nothing there\" is remembered beside the key, never in it",
     .kind = &config_kind_duration,
     .offset = AT(ns.negative_ms)},
    {.name = "json",
     .help = "values are checked to be strict JSON (the default)",
     .kind = &config_kind_bool,
     .offset = AT(json)},
    {.name = "compress",
     .help = "values are stored packed, for readers that know: \"gzip\", \"zstd\", or "
	     "{\"codec\": \"zstd\", \"min\": \"1KiB\"}",
     .kind = &compress_kind,
     .offset = AT(ns.compress)},
    {.name = "source",
     .help = "where a value comes from",
     .kind = &config_kind_object_new,
     .offset = AT(source),
     .detail = &config_step_source},
    {.name = "list",
     .help = "where the ids come from",
     .kind = &config_kind_object_new,
     .offset = AT(list),
     .detail = &config_step_list},
    {.name = "target",
     .help = "what the cache should achieve",
     .kind = &config_kind_object,
     .detail = &target_object},
    {.name = "index_of",
     .help = "its values are a variable of that namespace",
     .kind = &config_kind_string,
     .offset = AT(index_of)},
    {.name = "holds",
     .help = "with index_of: which variable",
     .kind = &config_kind_string,
     .offset = AT(ns.holds)},
    {.name = "members_of",
     .help = "its members are a variable of that namespace",
     .kind = &config_kind_string,
     .offset = AT(members_of)},
    {.name = "member",
     .help = "with members_of: which variable",
     .kind = &config_kind_string,
     .offset = AT(ns.member)},
};

static void init(void *place)
{
	struct conf_ns *conf = place;

	conf->ns.summary = "";
	conf->ns.type = NS_ANY;
	conf->json = true;
}

const struct config_object config_namespace_object = {.what = "a namespace",
						      .fields = fields,
						      .count = sizeof fields / sizeof *fields,
						      .size = sizeof(struct conf_ns),
						      .init = init};
