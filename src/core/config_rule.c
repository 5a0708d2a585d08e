#include "core/config_events.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* Templates of events are compiled here to be checked; they are kept for nothing yet. */
static void check_template(struct config_reader *reader, const struct json_node *node)
{
	config_kind_template(reader, node, TEMPLATE_EVENT);
}

static cJSON *schema_any(const struct config_field *field)
{
	(void)field;
	return cJSON_CreateObject();
}

static cJSON *schema_object(const struct config_field *field)
{
	(void)field;
	return config_kind_schema_type("object");
}

static cJSON *schema_string(const struct config_field *field)
{
	(void)field;
	return config_kind_schema_type("string");
}

static cJSON *schema_strings(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("array");

	cJSON_AddItemToObject(schema, "items", schema_string(field));
	return schema;
}

static void read_template(struct config_reader *reader, const struct json_node *node,
			  const struct config_field *field, void *place)
{
	(void)field;
	(void)place;
	check_template(reader, node);
}

const struct config_kind config_rule_template = {read_template, NULL, schema_string};

static void check_pointer(struct config_reader *reader, const struct json_node *node,
			  struct bytes text, bool is_name)
{
	if (json_pointer_valid(text))
		return;
	if (is_name)
		config_field_name_error(reader, node, "'%.*s' is not a JSON pointer",
					CONFIG_SHOWN(text));
	else
		config_field_error(reader, node, "'%.*s' is not a JSON pointer",
				   CONFIG_SHOWN(text));
}

/* A pointer, or { pointer: [values] }. */
static void read_if(struct config_reader *reader, const struct json_node *node,
		    const struct config_field *field, void *place)
{
	(void)field;
	(void)place;
	if (node->type == JSON_STRING) {
		check_pointer(reader, node, node->text, false);
		return;
	}
	if (!config_field_expect(reader, node, JSON_OBJECT))
		return;
	for (const struct json_node *member = node->child; member; member = member->next) {
		check_pointer(reader, member, member->name, true);
		if (config_field_expect(reader, member, JSON_ARRAY) && member->count == 0)
			config_field_error(reader, member,
					   "no value: such a rule never does anything");
		for (const struct json_node *value = member->child; value; value = value->next)
			if (value->type == JSON_ARRAY || value->type == JSON_OBJECT)
				config_field_error(reader, value, "expected a value, not %s",
						   config_field_type(value->type));
	}
}

const struct config_kind config_rule_if = {read_if, NULL, schema_any};

static void read_names(struct config_reader *reader, const struct json_node *node,
		       const struct config_field *field, void *place)
{
	(void)field;
	(void)place;
	if (!config_field_expect(reader, node, JSON_ARRAY))
		return;
	if (node->count == 0)
		config_field_error(reader, node, "no field: such a rule never does anything");
	for (const struct json_node *name = node->child; name; name = name->next)
		config_field_expect(reader, name, JSON_STRING);
}

const struct config_kind config_rule_names = {read_names, NULL, schema_strings};

/* { var: template, "*" for all, or the possible values }. */
static void read_vars(struct config_reader *reader, const struct json_node *node,
		      const struct config_field *field, void *place)
{
	(void)field;
	(void)place;
	if (!config_field_expect(reader, node, JSON_OBJECT))
		return;
	for (const struct json_node *member = node->child; member; member = member->next) {
		if (member->type != JSON_ARRAY) {
			check_template(reader, member);
			continue;
		}
		if (member->count == 0)
			config_field_error(reader, member,
					   "no value: such a rule never does anything");
		for (const struct json_node *value = member->child; value; value = value->next)
			config_field_expect(reader, value, JSON_STRING);
	}
}

const struct config_kind config_rule_vars = {read_vars, NULL, schema_object};

static void check_values(struct config_reader *reader, const struct json_node *node)
{
	if (node->type == JSON_STRING)
		check_template(reader, node);
	for (const struct json_node *child = node->child; child; child = child->next)
		check_values(reader, child);
}

static void read_values(struct config_reader *reader, const struct json_node *node,
			const struct config_field *field, void *place)
{
	(void)field;
	(void)place;
	if (config_field_expect(reader, node, JSON_OBJECT))
		check_values(reader, node);
}

/* A tree as it stands, references resolved; numbers keep their digits. */
static cJSON *show_node(const struct json_node *node)
{
	char *text = NULL;
	cJSON *shown = NULL;

	switch (node->type) {
	case JSON_STRING:
		return config_kind_show_bytes(node->text);
	case JSON_ARRAY:
		shown = cJSON_CreateArray();
		for (const struct json_node *child = node->child; child; child = child->next)
			cJSON_AddItemToArray(shown, show_node(child));
		return shown;
	case JSON_OBJECT:
		shown = cJSON_CreateObject();
		for (const struct json_node *child = node->child; child; child = child->next) {
			text = mem_bytesdup(child->name);
			cJSON_AddItemToObject(shown, text, show_node(child));
			free(text);
		}
		return shown;
	default:
		text = mem_bytesdup(node->raw);
		shown = cJSON_CreateRaw(text);
		free(text);
		return shown;
	}
}

static cJSON *show_values(const struct config_field *field, const void *place)
{
	const struct conf_tree *tree = place;

	(void)field;
	return tree->node ? show_node(tree->node) : NULL;
}

const struct config_kind config_rule_values = {read_values, show_values, schema_object};

/* { "callVolume.byHour.{/endTime|hour}": 1 or a template }. */
static void read_by(struct config_reader *reader, const struct json_node *node,
		    const struct config_field *field, void *place)
{
	(void)field;
	(void)place;
	if (!config_field_expect(reader, node, JSON_OBJECT))
		return;
	if (node->count == 0)
		config_field_error(reader, node, "nothing to count");
	for (const struct json_node *member = node->child; member; member = member->next) {
		struct json_node name = {
		    .type = JSON_STRING, .text = member->name, .offset = member->name_offset};

		check_template(reader, &name);
		if (member->type != JSON_NUMBER)
			check_template(reader, member);
	}
}

const struct config_kind config_rule_by = {read_by, NULL, schema_object};

static void read_sets(struct config_reader *reader, const struct json_node *node,
		      const struct config_field *field, void *place)
{
	(void)field;
	*(struct conf_tree *)place = (struct conf_tree){reader->doc, node};
	if (!config_field_expect(reader, node, JSON_OBJECT))
		return;
	for (const struct json_node *set = node->child; set; set = set->next) {
		struct json_node name = {
		    .type = JSON_STRING, .text = set->name, .offset = set->name_offset};
		size_t len = config_field_push(reader, set->name);

		config_kind_template(reader, &name, TEMPLATE_KEY);
		if (config_field_expect(reader, set, JSON_ARRAY) && set->count == 0)
			config_field_error(reader, set, "an empty set");
		for (const struct json_node *item = set->child; item; item = item->next)
			config_field_expect(reader, item, JSON_STRING);
		config_field_pop(reader, len);
	}
}

static cJSON *schema_sets(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("object");

	cJSON_AddItemToObject(schema, "additionalProperties", schema_strings(field));
	return schema;
}

const struct config_kind config_sets_kind = {read_sets, show_values, schema_sets};
