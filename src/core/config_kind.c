#include "core/config_kind.h"

#include "base/err.h"
#include "base/num.h"
#include "core/config_private.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define MASK "***"

/* "${" is written "$${", so that what is shown reads back as itself. */
cJSON *config_kind_show_bytes(struct bytes text)
{
	struct buf copy = {0};

	for (size_t i = 0; i < text.len; i++) {
		if (bytes_starts_with(bytes_sub(text, i, text.len), BYTES("${")))
			buf_add_char(&copy, '$');
		buf_add_char(&copy, text.ptr[i]);
	}
	cJSON *shown = cJSON_CreateString(buf_str(&copy));
	buf_release(&copy);
	return shown;
}

cJSON *config_kind_schema_type(const char *type)
{
	cJSON *schema = cJSON_CreateObject();

	cJSON_AddStringToObject(schema, "type", type);
	return schema;
}

cJSON *config_kind_schema_types(const char *first, const char *second)
{
	cJSON *schema = cJSON_CreateObject();
	cJSON *types = cJSON_AddArrayToObject(schema, "type");

	cJSON_AddItemToArray(types, cJSON_CreateString(first));
	cJSON_AddItemToArray(types, cJSON_CreateString(second));
	return schema;
}

static bool is_scalar_text(struct config_reader *reader, const struct json_node *node)
{
	if (node->type == JSON_NUMBER || node->type == JSON_STRING)
		return true;
	config_field_error(reader, node, "expected a string or a number, not %s",
			   config_field_type(node->type));
	return false;
}

static void read_string(struct config_reader *reader, const struct json_node *node,
			const struct config_field *field, void *place)
{
	if (!config_field_expect(reader, node, JSON_STRING))
		return;
	if (field->flags & CONFIG_SECRET)
		config_reference_warn(reader, node);
	*(const char **)place = mem_arena_bytes(reader->arena, node->text).ptr;
}

static cJSON *show_string(const struct config_field *field, const void *place)
{
	const char *text = *(const char *const *)place;

	if (!text)
		return NULL;
	return config_kind_show_bytes(bytes_of(field->flags & CONFIG_SECRET ? MASK : text));
}

static cJSON *schema_string(const struct config_field *field)
{
	(void)field;
	return config_kind_schema_type("string");
}

const struct config_kind config_kind_string = {read_string, show_string, schema_string};

static void read_nothing(struct config_reader *reader, const struct json_node *node,
			 const struct config_field *field, void *place)
{
	(void)field;
	(void)place;
	config_field_expect(reader, node, JSON_STRING);
}

const struct config_kind config_kind_schema_url = {read_nothing, NULL, schema_string};

static void read_bool(struct config_reader *reader, const struct json_node *node,
		      const struct config_field *field, void *place)
{
	(void)field;
	if (config_field_expect(reader, node, JSON_TRUE))
		*(bool *)place = node->type == JSON_TRUE;
}

static cJSON *show_bool(const struct config_field *field, const void *place)
{
	if ((field->flags & CONFIG_UNSET) && !*(const bool *)place)
		return NULL;
	return cJSON_CreateBool(*(const bool *)place);
}

static cJSON *schema_bool(const struct config_field *field)
{
	(void)field;
	return config_kind_schema_type("boolean");
}

const struct config_kind config_kind_bool = {read_bool, show_bool, schema_bool};

static void read_unsigned(struct config_reader *reader, const struct json_node *node,
			  const struct config_field *field, void *place)
{
	uint64_t value;

	if (!is_scalar_text(reader, node))
		return;
	if (num_parse_u64(node->text, field->min, field->max, &value))
		config_field_error(reader, node,
				   "'%.*s' is not a whole number from %llu to %llu",
				   CONFIG_SHOWN(node->text), (unsigned long long)field->min,
				   (unsigned long long)field->max);
	else
		*(unsigned *)place = (unsigned)value;
}

static cJSON *show_unsigned(const struct config_field *field, const void *place)
{
	unsigned value = *(const unsigned *)place;

	return (field->flags & CONFIG_UNSET) && !value ? NULL : cJSON_CreateNumber(value);
}

static cJSON *schema_unsigned(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_types("integer", "string");

	cJSON_AddNumberToObject(schema, "minimum", (double)field->min);
	cJSON_AddNumberToObject(schema, "maximum", (double)field->max);
	return schema;
}

const struct config_kind config_kind_unsigned = {read_unsigned, show_unsigned, schema_unsigned};

static void read_ratio(struct config_reader *reader, const struct json_node *node,
		       const struct config_field *field, void *place)
{
	double value;

	if (!is_scalar_text(reader, node))
		return;
	if (num_parse_ratio(node->text, &value) || value * 100 > (double)field->max)
		config_field_error(reader, node,
				   "'%.*s' is not a share from 0 to %llu%% (\"10%%\" or 0.1)",
				   CONFIG_SHOWN(node->text), (unsigned long long)field->max);
	else
		*(double *)place = value;
}

static cJSON *show_ratio(const struct config_field *field, const void *place)
{
	double value = *(const double *)place;

	(void)field;
	return value > 0 ? cJSON_CreateNumber(value) : NULL;
}

static cJSON *schema_text_or_number(const struct config_field *field)
{
	(void)field;
	return config_kind_schema_types("string", "number");
}

const struct config_kind config_kind_ratio = {read_ratio, show_ratio, schema_text_or_number};

static void read_duration(struct config_reader *reader, const struct json_node *node,
			  const struct config_field *field, void *place)
{
	uint64_t ms;
	struct buf low = {0};
	struct buf high = {0};

	if (!is_scalar_text(reader, node))
		return;
	if (num_parse_duration_ms(node->text, &ms)) {
		config_field_error(reader, node,
				   "'%.*s' is not a duration (\"250ms\", \"10s\", \"5m\", "
				   "\"1h30m\", or seconds)",
				   CONFIG_SHOWN(node->text));
	} else if (ms < field->min || (field->max && ms > field->max)) {
		num_format_duration_ms(&low, (int64_t)field->min);
		num_format_duration_ms(&high, (int64_t)field->max);
		if (field->max)
			config_field_error(reader, node, "'%.*s' is out of range: %s to %s",
					   CONFIG_SHOWN(node->text), buf_str(&low),
					   buf_str(&high));
		else
			config_field_error(reader, node, "'%.*s' is less than %s",
					   CONFIG_SHOWN(node->text), buf_str(&low));
	} else {
		*(uint64_t *)place = ms;
	}
	buf_release(&low);
	buf_release(&high);
}

/* Exactly, and readable again: "300s", "250ms". */
static cJSON *show_duration(const struct config_field *field, const void *place)
{
	uint64_t ms = *(const uint64_t *)place;
	struct buf text = {0};

	if ((field->flags & CONFIG_UNSET) && ms == 0)
		return NULL;
	if (ms % 1000)
		buf_printf(&text, "%llums", (unsigned long long)ms);
	else
		buf_printf(&text, "%llus", (unsigned long long)ms / 1000);
	cJSON *shown = cJSON_CreateString(buf_str(&text));
	buf_release(&text);
	return shown;
}

const struct config_kind config_kind_duration = {read_duration, show_duration,
						 schema_text_or_number};

static void read_size(struct config_reader *reader, const struct json_node *node,
		      const struct config_field *field, void *place)
{
	uint64_t bytes;

	if (!is_scalar_text(reader, node))
		return;
	if (num_parse_size(node->text, &bytes))
		config_field_error(reader, node,
				   "'%.*s' is not a size (\"64KiB\", \"16MiB\", or bytes)",
				   CONFIG_SHOWN(node->text));
	else if (bytes < field->min || bytes > field->max)
		config_field_error(reader, node, "'%.*s' is out of range: %llu to %llu bytes",
				   CONFIG_SHOWN(node->text), (unsigned long long)field->min,
				   (unsigned long long)field->max);
	else
		*(uint64_t *)place = bytes;
}

static cJSON *show_size(const struct config_field *field, const void *place)
{
	(void)field;
	return cJSON_CreateNumber((double)*(const uint64_t *)place);
}

const struct config_kind config_kind_size = {read_size, show_size, schema_text_or_number};

static void read_pointer(struct config_reader *reader, const struct json_node *node,
			 const struct config_field *field, void *place)
{
	(void)field;
	if (!config_field_expect(reader, node, JSON_STRING))
		return;
	if (!json_pointer_valid(node->text))
		config_field_error(
		    reader, node,
		    "'%.*s' is not a JSON pointer (\"/data\", \"\" for the whole)",
		    CONFIG_SHOWN(node->text));
	else
		*(struct bytes *)place = mem_arena_bytes(reader->arena, node->text);
}

static cJSON *show_pointer(const struct config_field *field, const void *place)
{
	struct bytes pointer = *(const struct bytes *)place;

	(void)field;
	return pointer.ptr ? config_kind_show_bytes(pointer) : NULL;
}

static cJSON *schema_pointer(const struct config_field *field)
{
	cJSON *schema = schema_string(field);

	cJSON_AddStringToObject(schema, "pattern", "^(/([^~/]|~[01])*)*$");
	return schema;
}

const struct config_kind config_kind_pointer = {read_pointer, show_pointer, schema_pointer};

static void read_choice(struct config_reader *reader, const struct json_node *node,
			const struct config_field *field, void *place)
{
	const char *const *choices = field->detail;
	struct buf known = {0};
	size_t count = 0;

	if (!config_field_expect(reader, node, JSON_STRING))
		return;
	for (; choices[count]; count++) {
		buf_printf(&known, "%s%s", count ? ", " : "", choices[count]);
		if (bytes_equal_str(node->text, choices[count]))
			break;
	}
	if (choices[count])
		*(unsigned *)place = (unsigned)count;
	else
		config_field_error(reader, node, "unknown %s '%.*s'%s (one of %s)", field->name,
				   CONFIG_SHOWN(node->text),
				   config_field_hint(reader, node->text, choices, count),
				   buf_str(&known));
	buf_release(&known);
}

static cJSON *show_choice(const struct config_field *field, const void *place)
{
	const char *const *choices = field->detail;
	unsigned choice = *(const unsigned *)place;

	if ((field->flags & CONFIG_UNSET) && choice == 0)
		return NULL;
	return cJSON_CreateString(choices[choice]);
}

static cJSON *schema_choice(const struct config_field *field)
{
	cJSON *schema = cJSON_CreateObject();
	cJSON *values = cJSON_AddArrayToObject(schema, "enum");

	for (const char *const *choice = field->detail; *choice; choice++)
		cJSON_AddItemToArray(values, cJSON_CreateString(*choice));
	return schema;
}

const struct config_kind config_kind_choice = {read_choice, show_choice, schema_choice};
