#include "core/config_field.h"

#include "base/mem.h"
#include "base/text.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_error(struct config_reader *reader, size_t offset, const char *format,
		      va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof text, format, args);
	config_report_add(reader->report, CONFIG_ERROR, reader->doc, offset,
			  buf_str(&reader->path), "%s", text);
}

void config_field_error(struct config_reader *reader, const struct json_node *node,
			const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(reader, node->offset, format, args);
	va_end(args);
}

void config_field_name_error(struct config_reader *reader, const struct json_node *node,
			     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(reader, node->name_offset, format, args);
	va_end(args);
}

size_t config_field_push(struct config_reader *reader, struct bytes name)
{
	size_t len = reader->path.len;

	buf_add_char(&reader->path, '/');
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '~')
			buf_add_str(&reader->path, "~0");
		else if (name.ptr[i] == '/')
			buf_add_str(&reader->path, "~1");
		else
			buf_add_char(&reader->path, name.ptr[i]);
	}
	return len;
}

void config_field_pop(struct config_reader *reader, size_t len)
{
	reader->path.len = len;
	if (reader->path.ptr)
		reader->path.ptr[len] = '\0';
}

const char *config_field_type(enum json_type type)
{
	switch (type) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_NUMBER:
		return "a number";
	default:
		return json_type_name(type);
	}
}

bool config_field_expect(struct config_reader *reader, const struct json_node *node,
			 enum json_type type)
{
	bool boolean = type == JSON_TRUE && node->type == JSON_FALSE;

	if (node->type == type || boolean)
		return true;
	config_field_error(reader, node, "expected %s, not %s",
			   type == JSON_TRUE ? "true or false" : config_field_type(type),
			   config_field_type(node->type));
	return false;
}

const char *config_field_hint(struct config_reader *reader, struct bytes name,
			      const char *const *candidates, size_t count)
{
	const char *near = text_nearest(name, candidates, count);

	return near ? mem_arena_printf(&reader->report->arena, "; did you mean '%s'?", near)
		    : "";
}

static const struct config_field *find_field(const struct config_object *object,
					     struct bytes name)
{
	for (size_t i = 0; i < object->count; i++)
		if (bytes_equal_str(name, object->fields[i].name))
			return &object->fields[i];
	return NULL;
}

static void unknown_field(struct config_reader *reader, const struct json_node *member,
			  const struct config_object *object)
{
	const char **names = mem_zalloc(object->count, sizeof *names);
	struct buf known = {0};

	for (size_t i = 0; i < object->count; i++) {
		names[i] = object->fields[i].name;
		buf_printf(&known, "%s%s", i ? ", " : "", names[i]);
	}
	const char *hint = config_field_hint(reader, member->name, names, object->count);
	if (*hint)
		config_field_name_error(reader, member, "unknown field '%.*s' of %s%s",
					CONFIG_SHOWN(member->name), object->what, hint);
	else
		config_field_name_error(
		    reader, member, "unknown field '%.*s' of %s (it has %s)",
		    CONFIG_SHOWN(member->name), object->what, buf_str(&known));
	buf_release(&known);
	free(names);
}

/* What place is shows only when all is read: then, which fields do not belong to it. */
static void check_fit(struct config_reader *reader, const struct json_node *node,
		      const struct config_object *object, const void *place)
{
	for (const struct json_node *member = node->child; member; member = member->next) {
		const struct config_field *field = find_field(object, member->name);
		const char *misfit = field ? object->misfit(field, place) : NULL;

		if (misfit)
			config_field_name_error(reader, member, "'%s' %s", field->name, misfit);
	}
}

static bool is_fit(const struct config_object *object, const struct config_field *field,
		   const void *place)
{
	return !object->misfit || !object->misfit(field, place);
}

void config_field_read(struct config_reader *reader, const struct json_node *node,
		       const struct config_object *object, void *place)
{
	if (!config_field_expect(reader, node, JSON_OBJECT))
		return;
	for (const struct json_node *member = node->child; member; member = member->next) {
		const struct config_field *field = find_field(object, member->name);
		size_t len = config_field_push(reader, member->name);

		if (field)
			field->kind->read(reader, member, field, (char *)place + field->offset);
		else
			unknown_field(reader, member, object);
		config_field_pop(reader, len);
	}
	if (object->misfit)
		check_fit(reader, node, object, place);
	for (size_t i = 0; i < object->count; i++) {
		const struct config_field *field = &object->fields[i];

		if ((field->flags & CONFIG_REQUIRED) && is_fit(object, field, place) &&
		    !json_tree_get(node, field->name))
			config_field_error(reader, node, "%s needs '%s': %s", object->what,
					   field->name, field->help);
	}
}

cJSON *config_field_show(const struct config_object *object, const void *place)
{
	cJSON *shown = cJSON_CreateObject();

	for (size_t i = 0; i < object->count; i++) {
		const struct config_field *field = &object->fields[i];
		cJSON *value =
		    field->kind->show && is_fit(object, field, place)
			? field->kind->show(field, (const char *)place + field->offset)
			: NULL;

		if (value)
			cJSON_AddItemToObjectCS(shown, field->name, value);
	}
	return shown;
}

cJSON *config_field_schema(const struct config_object *object)
{
	cJSON *schema = cJSON_CreateObject();
	cJSON *required = cJSON_CreateArray();

	cJSON_AddStringToObject(schema, "type", "object");
	cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
	for (size_t i = 0; i < object->count; i++) {
		const struct config_field *field = &object->fields[i];
		cJSON *property = field->kind->schema(field);

		cJSON_AddStringToObject(property, "description", field->help);
		cJSON_AddItemToObjectCS(properties, field->name, property);
		if ((field->flags & CONFIG_REQUIRED) && !object->misfit)
			cJSON_AddItemToArray(required, cJSON_CreateString(field->name));
	}
	cJSON_AddBoolToObject(schema, "additionalProperties", 0);
	if (cJSON_GetArraySize(required))
		cJSON_AddItemToObject(schema, "required", required);
	else
		cJSON_Delete(required);
	return schema;
}
