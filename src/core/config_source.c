#include "core/config_private.h"

#include "base/num.h"

#include <cjson/cJSON.h>
#include <string.h>

#define STATUSES_MAX 64
#define AT(member) offsetof(struct conf_source, member)

/* "200/s", "600/m", 50 → requests per second; -1. */
static int parse_rate(struct bytes text, double *ret_rate)
{
	size_t slash = bytes_index(text, '/');
	struct bytes unit = bytes_sub(text, slash + 1, text.len);
	double per = 1;
	double number;

	if (bytes_equal_str(unit, "m") || bytes_equal_str(unit, "min"))
		per = 60;
	else if (slash < text.len && !bytes_equal_str(unit, "s"))
		return -1;
	if (num_parse_real(bytes_sub(text, 0, slash), 0.001, 1e6, &number))
		return -1;
	*ret_rate = number / per;
	return 0;
}

static void read_rate(struct config_reader *reader, const struct json_node *node,
		      const struct config_field *field, void *place)
{
	double rate;

	(void)field;
	if (node->type != JSON_NUMBER && !config_field_expect(reader, node, JSON_STRING))
		return;
	if (parse_rate(node->text, &rate))
		config_field_error(
		    reader, node,
		    "'%.*s' is not a rate (\"200/s\", \"600/m\", or a number per second)",
		    CONFIG_SHOWN(node->text));
	else
		*(double *)place = rate;
}

static cJSON *show_rate(const struct config_field *field, const void *place)
{
	double rate = *(const double *)place;

	(void)field;
	return rate > 0 ? cJSON_CreateNumber(rate) : NULL;
}

static cJSON *schema_rate(const struct config_field *field)
{
	(void)field;
	return config_kind_schema_types("string", "number");
}

static const struct config_kind rate_kind = {read_rate, show_rate, schema_rate};

static const struct config_field concurrency_fields[] = {
    {.name = "initial",
     .help = "requests under way at once, at first",
     .kind = &config_kind_unsigned,
     .offset = AT(def.concurrency),
     .min = 1,
     .max = 4096},
    {.name = "max",
     .help = "as many as it may grow to while the source keeps up",
     .kind = &config_kind_unsigned,
     .offset = AT(def.concurrency_max),
     .min = 1,
     .max = 4096},
};
static const struct config_object concurrency_object = {.what = "concurrency",
							.fields = concurrency_fields,
							.count = 2,
							.size = sizeof(struct conf_source)};

static void read_concurrency(struct config_reader *reader, const struct json_node *node,
			     const struct config_field *field, void *place)
{
	struct conf_source *source = place;

	(void)field;
	if (node->type == JSON_OBJECT) {
		config_field_read(reader, node, &concurrency_object, source);
		if (source->def.concurrency_max &&
		    source->def.concurrency_max < source->def.concurrency)
			config_field_error(reader, node, "max %u is less than initial %u",
					   source->def.concurrency_max,
					   source->def.concurrency);
	} else {
		config_kind_unsigned.read(reader, node, &concurrency_fields[0],
					  &source->def.concurrency);
	}
}

static cJSON *show_concurrency(const struct config_field *field, const void *place)
{
	const struct conf_source *source = place;

	(void)field;
	return source->def.concurrency_max ? config_field_show(&concurrency_object, source)
					   : cJSON_CreateNumber(source->def.concurrency);
}

static cJSON *schema_concurrency(const struct config_field *field)
{
	cJSON *schema = cJSON_CreateObject();
	cJSON *choices = cJSON_AddArrayToObject(schema, "anyOf");

	(void)field;
	cJSON_AddItemToArray(choices, config_kind_unsigned.schema(&concurrency_fields[0]));
	cJSON_AddItemToArray(choices, config_field_schema(&concurrency_object));
	return schema;
}

static const struct config_kind concurrency_kind = {read_concurrency, show_concurrency,
						    schema_concurrency};

static void read_statuses(struct config_reader *reader, const struct json_node *node,
			  const struct config_field *field, void *place)
{
	struct conf_source *source = place;
	uint64_t status;
	size_t count = 0;

	(void)field;
	if (!config_field_expect(reader, node, JSON_ARRAY))
		return;
	if (node->count > STATUSES_MAX) {
		config_field_error(reader, node, "more than %d statuses", STATUSES_MAX);
		return;
	}
	uint16_t *statuses = mem_arena_alloc(reader->arena, node->count * sizeof *statuses);
	for (const struct json_node *item = node->child; item; item = item->next) {
		if (item->type != JSON_NUMBER || num_parse_u64(item->text, 400, 599, &status))
			config_field_error(reader, item,
					   "a status to try again is a number from 400 to 599");
		else
			statuses[count++] = (uint16_t)status;
	}
	source->def.retry.statuses = statuses;
	source->def.retry.status_count = count;
}

static cJSON *show_statuses(const struct config_field *field, const void *place)
{
	const struct conf_source *source = place;
	cJSON *shown = cJSON_CreateArray();

	(void)field;
	for (size_t i = 0; i < source->def.retry.status_count; i++)
		cJSON_AddItemToArray(shown, cJSON_CreateNumber(source->def.retry.statuses[i]));
	return shown;
}

static cJSON *schema_statuses(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("array");

	(void)field;
	cJSON_AddItemToObject(schema, "items", config_kind_schema_type("integer"));
	return schema;
}

static const struct config_kind statuses_kind = {read_statuses, show_statuses, schema_statuses};

static const struct config_field retry_fields[] = {
    {.name = "max",
     .help = "further attempts after the first",
     .kind = &config_kind_unsigned,
     .offset = AT(def.retry.max),
     .max = 100},
    {.name = "base",
     .help = "wait before the first of them",
     .kind = &config_kind_duration,
     .offset = AT(def.retry.base_ms),
     .min = 1,
     .max = 600000},
    {.name = "cap",
     .help = "longest wait, also for Retry-After",
     .kind = &config_kind_duration,
     .offset = AT(def.retry.cap_ms),
     .min = 1,
     .max = 3600000},
    {.name = "on", .help = "HTTP statuses that are tried again", .kind = &statuses_kind},
};
static const struct config_object retry_object = {
    .what = "retry", .fields = retry_fields, .count = 4, .size = sizeof(struct conf_source)};

static void init(void *place)
{
	static const uint16_t statuses[] = {408, 429, 500, 502, 503, 504};
	struct conf_source *source = place;

	source->def = (struct source_def){
	    .timeout_ms = 10000,
	    .connect_ms = 5000,
	    .max_body = 16 << 20,
	    .concurrency = 16,
	    .retry = {.max = 3,
		      .base_ms = 100,
		      .cap_ms = 10000,
		      .statuses = statuses,
		      .status_count = sizeof statuses / sizeof *statuses},
	    .max_redirects = 5,
	};
}

static const struct config_field file_fields[] = {
    {.name = "root",
     .help = "an absolute path; no file outside it is ever read",
     .kind = &config_kind_root,
     .offset = AT(def),
     .flags = CONFIG_REQUIRED},
};
static const struct config_object file_object = {
    .what = "file", .fields = file_fields, .count = 1, .size = sizeof(struct conf_source)};

enum { HTTP = 1 << SOURCE_HTTP, FILES = 1 << SOURCE_FILE, COMMAND = 1 << SOURCE_COMMAND };

static const char *misfit(const struct config_field *field, const void *place)
{
	static const char *const texts[] = {
	    [SOURCE_HTTP] = "goes with 'command' only",
	    [SOURCE_FILE] = "does not go with 'file'",
	    [SOURCE_COMMAND] = "does not go with 'command'",
	};
	const struct conf_source *source = place;

	return field->actions & 1U << source->def.kind ? NULL : texts[source->def.kind];
}

static const struct config_field fields[] = {
    {.name = "base_url",
     .help = "http:// or https:// URL that paths are put behind (or 'file', or 'command')",
     .kind = &config_kind_base_url,
     .offset = AT(def.base_url),
     .flags = CONFIG_REQUIRED,
     .actions = HTTP},
    {.name = "file",
     .help = "instead of base_url: {root}, the directory that paths are put behind",
     .kind = &config_kind_object,
     .detail = &file_object,
     .actions = FILES},
    {.name = "command",
     .help = "instead of base_url: the program and its arguments; \"{name}\" is a variable",
     .kind = &config_kind_argv,
     .offset = AT(def),
     .actions = COMMAND},
    {.name = "batch",
     .help = "requests that one process of the command answers, as lines of JSON",
     .kind = &config_kind_unsigned,
     .offset = AT(def.batch),
     .min = 1,
     .max = 100000,
     .flags = CONFIG_UNSET,
     .actions = COMMAND},
    {.name = "env",
     .help = "what the command's environment holds besides ours; \"{name}\" is a variable",
     .kind = &config_kind_env,
     .offset = AT(def),
     .actions = COMMAND},
    {.name = "headers",
     .help = "request headers; one with an empty value is not sent",
     .kind = &config_kind_headers,
     .offset = AT(def),
     .actions = HTTP},
    {.name = "timeout",
     .help = "longest time of one attempt, or until a command's next answer",
     .kind = &config_kind_duration,
     .offset = AT(def.timeout_ms),
     .min = 1,
     .max = 3600000,
     .actions = HTTP | COMMAND},
    {.name = "connect_timeout",
     .help = "longest time to connect",
     .kind = &config_kind_duration,
     .offset = AT(def.connect_ms),
     .min = 1,
     .max = 3600000,
     .actions = HTTP},
    {.name = "max_body",
     .help = "largest body, after decoding",
     .kind = &config_kind_size,
     .offset = AT(def.max_body),
     .min = 1,
     .max = UINT64_C(512) << 20,
     .actions = HTTP | FILES | COMMAND},
    {.name = "rate",
     .help = "requests per second at most, \"200/s\"",
     .kind = &rate_kind,
     .offset = AT(def.rate),
     .actions = HTTP},
    {.name = "concurrency",
     .help = "requests, or processes, under way at once: a number or {initial, max}",
     .kind = &concurrency_kind,
     .actions = HTTP | COMMAND},
    {.name = "retry",
     .help = "when and how failed requests are tried again",
     .kind = &config_kind_object,
     .detail = &retry_object,
     .actions = HTTP},
    {.name = "max_redirects",
     .help = "redirects followed, only within the origin",
     .kind = &config_kind_unsigned,
     .offset = AT(def.max_redirects),
     .max = 50,
     .actions = HTTP},
    {.name = "cacert",
     .help = "PEM file of the authorities that are trusted instead of the system's",
     .kind = &config_kind_string,
     .offset = AT(def.cacert),
     .actions = HTTP},
    {.name = "insecure",
     .help = "do not verify certificate and name",
     .kind = &config_kind_bool,
     .offset = AT(def.insecure),
     .flags = CONFIG_UNSET,
     .actions = HTTP},
};

const struct config_object config_source_object = {.what = "a source",
						   .fields = fields,
						   .count = sizeof fields / sizeof *fields,
						   .size = sizeof(struct conf_source),
						   .init = init,
						   .misfit = misfit};
