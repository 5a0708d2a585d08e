#include "core/config_kind.h"

#include "core/config_private.h"

#include <cjson/cJSON.h>
#include <string.h>

static void read_base_url(struct config_reader *reader, const struct json_node *node,
			  const struct config_field *field, void *place)
{
	struct bytes url = node->text;

	(void)field;
	if (!config_field_expect(reader, node, JSON_STRING))
		return;
	if (!bytes_starts_with(url, BYTES("http://")) &&
	    !bytes_starts_with(url, BYTES("https://"))) {
		config_field_error(reader, node, "'%.*s' must begin with http:// or https://",
				   CONFIG_SHOWN(url));
		return;
	}
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.ptr[i] <= ' ' || strchr("?#", url.ptr[i])) {
			config_field_error(
			    reader, node, "base_url holds a blank, a control byte, '?' or '#'");
			return;
		}
	while (url.len && url.ptr[url.len - 1] == '/')
		url.len--;
	if (url.len <= strlen("https:") || url.ptr[bytes_index(url, ':') + 2] != '/') {
		config_field_error(reader, node, "base_url names no host");
		return;
	}
	if (bytes_index(url, '@') < url.len) {
		config_field_error(reader, node,
				   "base_url holds a user or password: give them in headers "
				   "(Authorization)");
		return;
	}
	*(const char **)place = mem_arena_bytes(reader->arena, url).ptr;
}

static cJSON *show_base_url(const struct config_field *field, const void *place)
{
	return config_kind_string.show(field, place);
}

static cJSON *schema_base_url(const struct config_field *field)
{
	(void)field;
	return config_kind_schema_type("string");
}

const struct config_kind config_kind_base_url = {read_base_url, show_base_url, schema_base_url};

/* RFC 9110 §5.6.2: token. */
static bool header_name_valid(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool alnum =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alnum && !(c && strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return name.len > 0;
}

static bool header_value_valid(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if (((unsigned char)value.ptr[i] < ' ' && value.ptr[i] != '\t') ||
		    value.ptr[i] == 0x7F)
			return false;
	return true;
}

static bool read_header(struct config_reader *reader, const struct json_node *member,
			struct source_header *ret_header)
{
	if (!config_field_expect(reader, member, JSON_STRING))
		return false;
	if (!header_name_valid(member->name)) {
		config_field_name_error(reader, member, "'%.*s' is not a header's name",
					CONFIG_SHOWN(member->name));
		return false;
	}
	if (!header_value_valid(member->text)) {
		config_field_error(reader, member,
				   "a header's value may not hold control bytes");
		return false;
	}
	if (config_reference_secret(member->name))
		config_reference_warn(reader, member);
	ret_header->name = mem_arena_bytes(reader->arena, member->name).ptr;
	ret_header->value = mem_arena_bytes(reader->arena, member->text).ptr;
	return member->text.len > 0; /* "${env:TOKEN:-}" unset: the header is not sent */
}

static void read_headers(struct config_reader *reader, const struct json_node *node,
			 const struct config_field *field, void *place)
{
	struct source_def *def = place;

	(void)field;
	if (!config_field_expect(reader, node, JSON_OBJECT))
		return;
	def->headers = mem_arena_alloc(reader->arena, node->count * sizeof *def->headers);
	for (const struct json_node *member = node->child; member; member = member->next) {
		size_t len = config_field_push(reader, member->name);

		if (read_header(reader, member, &def->headers[def->header_count]))
			def->header_count++;
		config_field_pop(reader, len);
	}
}

static cJSON *show_headers(const struct config_field *field, const void *place)
{
	const struct source_def *def = place;

	(void)field;
	if (def->header_count == 0)
		return NULL;
	cJSON *shown = cJSON_CreateObject();
	for (size_t i = 0; i < def->header_count; i++)
		cJSON_AddStringToObject(shown, def->headers[i].name, "***");
	return shown;
}

static cJSON *schema_headers(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("object");

	(void)field;
	cJSON_AddItemToObject(schema, "additionalProperties",
			      config_kind_schema_type("string"));
	return schema;
}

const struct config_kind config_kind_headers = {read_headers, show_headers, schema_headers};
