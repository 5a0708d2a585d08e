#include "core/config_private.h"

#include <cjson/cJSON.h>

/* args: { "phone": "{phone|digits}" } */
static void read_arg(struct config_reader *reader, const struct json_node *member,
		     struct conf_arg *arg)
{
	*arg = (struct conf_arg){
	    .place = {.doc = reader->doc,
		      .node = member,
		      .path = mem_arena_bytes(reader->arena, buf_bytes(&reader->path)).ptr,
		      .name = mem_arena_bytes(reader->arena, member->name).ptr}};
	arg->value = config_kind_template(reader, member, TEMPLATE_KEY);
}

static void read_args(struct config_reader *reader, const struct json_node *node,
		      const struct config_field *field, void *place)
{
	struct config_items *items = place;

	(void)field;
	if (!config_field_expect(reader, node, JSON_OBJECT))
		return;
	struct conf_arg *args = mem_arena_alloc(reader->arena, node->count * sizeof *args);
	for (const struct json_node *member = node->child; member; member = member->next) {
		size_t len = config_field_push(reader, member->name);

		read_arg(reader, member, &args[items->count++]);
		config_field_pop(reader, len);
	}
	items->list = args;
}

static cJSON *show_args(const struct config_field *field, const void *place)
{
	const struct config_items *items = place;
	const struct conf_arg *args = items->list;

	(void)field;
	if (items->count == 0)
		return NULL;
	cJSON *shown = cJSON_CreateObject();
	for (size_t i = 0; i < items->count; i++)
		if (args[i].value)
			cJSON_AddItemToObject(
			    shown, args[i].place.name,
			    config_kind_show_bytes(template_text(args[i].value)));
	return shown;
}

static cJSON *schema_args(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("object");

	(void)field;
	cJSON_AddItemToObject(schema, "additionalProperties",
			      config_kind_schema_type("string"));
	return schema;
}

const struct config_kind config_args_kind = {read_args, show_args, schema_args};
