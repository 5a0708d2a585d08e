#include "core/config_private.h"

#include "base/num.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

/* empty: ["404", "[]", "null"]: a status, or what the body is. */
static void read_empty(struct config_reader *reader, const struct json_node *node,
		       const struct config_field *field, void *place)
{
	struct conf_step *step = place;

	(void)field;
	if (!config_field_expect(reader, node, JSON_ARRAY))
		return;
	step->empty = mem_arena_alloc(reader->arena, node->count * sizeof *step->empty);
	for (const struct json_node *item = node->child; item; item = item->next) {
		struct source_empty *empty = &step->empty[step->empty_count];
		uint64_t status = 0;

		if (item->type != JSON_NUMBER &&
		    !config_field_expect(reader, item, JSON_STRING))
			continue;
		if (item->text.len == 3 && num_parse_u64(item->text, 100, 599, &status) == 0)
			*empty = (struct source_empty){.status = (uint16_t)status};
		else
			*empty = (struct source_empty){
			    .text = mem_arena_bytes(reader->arena, item->text)};
		step->empty_count++;
	}
}

static cJSON *show_empty(const struct config_field *field, const void *place)
{
	const struct conf_step *step = place;

	(void)field;
	if (step->empty_count == 0)
		return NULL;
	cJSON *shown = cJSON_CreateArray();
	for (size_t i = 0; i < step->empty_count; i++) {
		char status[8];

		snprintf(status, sizeof status, "%u", step->empty[i].status);
		cJSON_AddItemToArray(shown, step->empty[i].status
						? cJSON_CreateString(status)
						: config_kind_show_bytes(step->empty[i].text));
	}
	return shown;
}

static cJSON *schema_empty(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("array");

	(void)field;
	cJSON_AddItemToObject(schema, "items", config_kind_schema_types("string", "integer"));
	return schema;
}

static const struct config_kind empty_kind = {read_empty, show_empty, schema_empty};

#define STEP(member) offsetof(struct conf_step, member)
#define USE_FIELD(required)                                                                    \
	{                                                                                      \
		.name = "use", .help = "the source that is asked",                             \
		.kind = &config_kind_string, .offset = STEP(use), .flags = (required)          \
	}
#define GET_FIELD                                                                              \
	{                                                                                      \
		.name = "get",                                                                 \
		.help = "path behind the source's base_url or root, a template",               \
		.kind = &config_kind_url, .offset = STEP(get)                                  \
	}
#define ARGS_FIELD                                                                             \
	{                                                                                      \
		.name = "args",                                                                \
		.help = "what a command is asked with, templates; else every variable",        \
		.kind = &config_args_kind, .offset = STEP(args)                                \
	}
#define BODY_FIELD                                                                             \
	{                                                                                      \
		.name = "body", .help = "JSON pointer of the part that is stored",             \
		.kind = &config_kind_pointer, .offset = STEP(body)                             \
	}

static const struct config_field keep_in_fields[] = {
    USE_FIELD(CONFIG_REQUIRED),
    GET_FIELD,
    ARGS_FIELD,
    {.name = "items",
     .help = "JSON pointer of the array of ids",
     .kind = &config_kind_pointer,
     .offset = STEP(body)},
};
static const struct config_object keep_in_object = {
    .what = "in", .fields = keep_in_fields, .count = 4, .size = sizeof(struct conf_step)};

static const struct config_field keep_fields[] = {
    {.name = "item",
     .help = "JSON pointer of the id within an element",
     .kind = &config_kind_pointer,
     .offset = offsetof(struct conf_keep, item),
     .flags = CONFIG_REQUIRED},
    {.name = "in",
     .help = "the answer that holds the ids to keep",
     .kind = &config_kind_object_new,
     .offset = offsetof(struct conf_keep, in),
     .detail = &keep_in_object,
     .flags = CONFIG_REQUIRED},
};
static const struct config_object keep_object = {
    .what = "keep_only", .fields = keep_fields, .count = 2, .size = sizeof(struct conf_keep)};

static const struct config_field link_fields[] = {USE_FIELD(CONFIG_REQUIRED), GET_FIELD,
						  ARGS_FIELD, BODY_FIELD};
static const struct config_object chain_object = {.what = "a step of chain",
						  .fields = link_fields,
						  .count = 4,
						  .size = sizeof(struct conf_step)};

static void read_chain(struct config_reader *reader, const struct json_node *node,
		       const struct config_field *field, void *place)
{
	(void)field;
	config_kind_read_array(reader, node, &chain_object, place);
	if (node->type == JSON_ARRAY && node->count == 0)
		config_field_error(reader, node, "an empty chain gives nothing");
}

static cJSON *show_chain(const struct config_field *field, const void *place)
{
	const struct config_items *items = place;
	const struct conf_step *steps = items->list;

	(void)field;
	if (items->count == 0)
		return NULL;
	cJSON *shown = cJSON_CreateArray();
	for (size_t i = 0; i < items->count; i++)
		cJSON_AddItemToArray(shown, config_field_show(&chain_object, &steps[i]));
	return shown;
}

static cJSON *schema_chain(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("array");

	(void)field;
	cJSON_AddItemToObject(schema, "items", config_field_schema(&chain_object));
	return schema;
}

static const struct config_kind chain_kind = {read_chain, show_chain, schema_chain};

static const struct config_field source_fields[] = {
    USE_FIELD(0),
    GET_FIELD,
    ARGS_FIELD,
    BODY_FIELD,
    {.name = "chain",
     .help = "instead of use and get: steps; the first answer that is not empty counts",
     .kind = &chain_kind,
     .offset = STEP(chain)},
    {.name = "empty",
     .help = "answers that mean \"nothing there\": statuses and bodies",
     .kind = &empty_kind},
    {.name = "keep_only",
     .help = "keep only the elements whose id another answer holds",
     .kind = &config_kind_object_new,
     .offset = STEP(keep),
     .detail = &keep_object},
};
const struct config_object config_step_source = {
    .what = "source", .fields = source_fields, .count = 7, .size = sizeof(struct conf_step)};

/* vars: { "subaccountId": "/id" } */
static void read_vars(struct config_reader *reader, const struct json_node *node,
		      const struct config_field *field, void *place)
{
	struct config_items *items = place;
	size_t i = 0;

	(void)field;
	if (!config_field_expect(reader, node, JSON_OBJECT))
		return;
	struct conf_list_var *vars = mem_arena_alloc(reader->arena, node->count * sizeof *vars);
	for (const struct json_node *member = node->child; member; member = member->next) {
		size_t len = config_field_push(reader, member->name);

		vars[i] = (struct conf_list_var){
		    .place = {.doc = reader->doc,
			      .node = member,
			      .path =
				  mem_arena_bytes(reader->arena, buf_bytes(&reader->path)).ptr,
			      .name = mem_arena_bytes(reader->arena, member->name).ptr}};
		config_kind_pointer.read(reader, member, NULL, &vars[i++].pointer);
		config_field_pop(reader, len);
	}
	*items = (struct config_items){vars, i};
}

static cJSON *show_vars(const struct config_field *field, const void *place)
{
	const struct config_items *items = place;
	const struct conf_list_var *vars = items->list;
	cJSON *shown = cJSON_CreateObject();

	(void)field;
	for (size_t i = 0; i < items->count; i++)
		cJSON_AddItemToObject(shown, vars[i].place.name,
				      config_kind_show_bytes(vars[i].pointer));
	return shown;
}

static cJSON *schema_vars(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("object");

	cJSON_AddItemToObject(schema, "additionalProperties",
			      config_kind_pointer.schema(field));
	return schema;
}

static const struct config_kind vars_kind = {read_vars, show_vars, schema_vars};

static const struct config_field list_fields[] = {
    USE_FIELD(CONFIG_REQUIRED),
    GET_FIELD,
    {.name = "items",
     .help = "JSON pointer of the array of items",
     .kind = &config_kind_pointer,
     .offset = STEP(body)},
    {.name = "vars",
     .help = "each variable of the key: its JSON pointer within an item",
     .kind = &vars_kind,
     .offset = STEP(vars),
     .flags = CONFIG_REQUIRED},
    {.name = "next",
     .help = "JSON pointer of the next page's {cursor}, or of a link to it",
     .kind = &config_kind_pointer,
     .offset = STEP(next)},
};
const struct config_object config_step_list = {
    .what = "list", .fields = list_fields, .count = 5, .size = sizeof(struct conf_step)};
