#include "core/config_kind.h"

#include "base/err.h"
#include "core/config_private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

static void fill(struct config_reader *reader, const struct json_node *node,
		 const struct config_object *object, void *place)
{
	if (object->init)
		object->init(place);
	config_field_read(reader, node, object, place);
}

static void *new_place(struct config_reader *reader, const struct config_object *object)
{
	void *place = mem_arena_alloc(reader->arena, object->size);

	memset(place, 0, object->size);
	return place;
}

static struct config_place place_of(struct config_reader *reader, const struct json_node *node)
{
	return (struct config_place){
	    .doc = reader->doc,
	    .node = node,
	    .path = mem_arena_bytes(reader->arena, buf_bytes(&reader->path)).ptr,
	    .name = mem_arena_bytes(reader->arena, node->name).ptr,
	};
}

static void read_object(struct config_reader *reader, const struct json_node *node,
			const struct config_field *field, void *place)
{
	fill(reader, node, field->detail, place);
}

static cJSON *show_object(const struct config_field *field, const void *place)
{
	cJSON *shown = config_field_show(field->detail, place);

	if (shown->child)
		return shown;
	cJSON_Delete(shown);
	return NULL;
}

static cJSON *schema_object(const struct config_field *field)
{
	return config_field_schema(field->detail);
}

const struct config_kind config_kind_object = {read_object, show_object, schema_object};

static void read_object_new(struct config_reader *reader, const struct json_node *node,
			    const struct config_field *field, void *place)
{
	const struct config_object *object = field->detail;
	void *made = new_place(reader, object);

	fill(reader, node, object, made);
	*(struct config_place *)made = place_of(reader, node);
	*(void **)place = made;
}

static cJSON *show_object_new(const struct config_field *field, const void *place)
{
	const void *made = *(const void *const *)place;

	return made ? config_field_show(field->detail, made) : NULL;
}

const struct config_kind config_kind_object_new = {read_object_new, show_object_new,
						   schema_object};

static void read_items(struct config_reader *reader, const struct json_node *node,
		       const struct config_object *object, struct config_items *items)
{
	char *at;
	size_t index = 0;

	items->list = mem_arena_alloc(reader->arena, node->count * object->size);
	memset(items->list, 0, node->count * object->size);
	at = items->list;
	for (const struct json_node *member = node->child; member; member = member->next) {
		char number[24];
		bool named = node->type == JSON_OBJECT;

		snprintf(number, sizeof number, "%zu", index++);
		size_t len = config_field_push(reader, named ? member->name : bytes_of(number));
		if (named && member->name.len == 0)
			config_field_name_error(reader, member, "a name may not be empty");
		fill(reader, member, object, at);
		*(struct config_place *)at = place_of(reader, member);
		config_field_pop(reader, len);
		at += object->size;
	}
	items->count = node->count;
}

void config_kind_read_array(struct config_reader *reader, const struct json_node *node,
			    const struct config_object *object, struct config_items *items)
{
	if (config_field_expect(reader, node, JSON_ARRAY))
		read_items(reader, node, object, items);
}

static void read_map(struct config_reader *reader, const struct json_node *node,
		     const struct config_field *field, void *place)
{
	if (config_field_expect(reader, node, JSON_OBJECT))
		read_items(reader, node, field->detail, place);
}

static cJSON *show_map(const struct config_field *field, const void *place)
{
	const struct config_object *object = field->detail;
	const struct config_items *items = place;
	const char *at = items->list;

	if (items->count == 0)
		return NULL;
	cJSON *shown = cJSON_CreateObject();
	for (size_t i = 0; i < items->count; i++, at += object->size)
		cJSON_AddItemToObject(shown,
				      ((const struct config_place *)(const void *)at)->name,
				      config_field_show(object, at));
	return shown;
}

static cJSON *schema_map(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("object");

	cJSON_AddItemToObject(schema, "additionalProperties",
			      config_field_schema(field->detail));
	return schema;
}

const struct config_kind config_kind_map = {read_map, show_map, schema_map};

static void keep_template(struct config *config, struct template *tmpl)
{
	config->templates = mem_resize(config->templates, config->template_count + 1,
				       sizeof *config->templates);
	config->templates[config->template_count++] = tmpl;
}

struct template *config_kind_template(struct config_reader *reader,
				      const struct json_node *node,
				      enum template_context context)
{
	struct template *tmpl = NULL;
	struct err err = {0};

	if (!config_field_expect(reader, node, JSON_STRING))
		return NULL;
	if (template_parse(node->text, context, &tmpl, &err)) {
		config_field_error(reader, node, "bad template: %s", err.text);
		return NULL;
	}
	keep_template(reader->config, tmpl);
	// cppcheck-suppress CastIntegerToAddressAtReturn ; it takes struct template for C++
	return tmpl;
}

static void read_key(struct config_reader *reader, const struct json_node *node,
		     const struct config_field *field, void *place)
{
	(void)field;
	*(struct template **)place = config_kind_template(reader, node, TEMPLATE_KEY);
}

static cJSON *show_template(const struct config_field *field, const void *place)
{
	const struct template *tmpl = *(struct template *const *)place;

	(void)field;
	return tmpl ? config_kind_show_bytes(template_text(tmpl)) : NULL;
}

static cJSON *schema_template(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("string");

	(void)field;
	cJSON_AddNumberToObject(schema, "minLength", 1);
	return schema;
}

const struct config_kind config_kind_key = {read_key, show_template, schema_template};

static void read_url(struct config_reader *reader, const struct json_node *node,
		     const struct config_field *field, void *place)
{
	(void)field;
	if (!config_field_expect(reader, node, JSON_STRING))
		return;
	if (node->text.len == 0 || node->text.ptr[0] != '/')
		config_field_error(reader, node,
				   "'%.*s' must begin with '/': it goes behind base_url",
				   CONFIG_SHOWN(node->text));
	else
		*(struct template **)place = config_kind_template(reader, node, TEMPLATE_URL);
}

const struct config_kind config_kind_url = {read_url, show_template, schema_template};
