#include "core/config_kind.h"

#include "core/config_private.h"
#include "source/dialog.h"
#include "source/source.h"

#include <cjson/cJSON.h>
#include <string.h>

#define WORDS_MAX 1024

static void read_root(struct config_reader *reader, const struct json_node *node,
		      const struct config_field *field, void *place)
{
	struct source_def *def = place;
	struct bytes root = node->text;

	(void)field;
	def->kind = SOURCE_FILE;
	if (!config_field_expect(reader, node, JSON_STRING))
		return;
	while (root.len > 1 && root.ptr[root.len - 1] == '/')
		root.len--;
	if (root.len < 2 || root.ptr[0] != '/')
		config_field_error(reader, node,
				   "'%.*s' must be an absolute path, and not the whole machine",
				   CONFIG_SHOWN(root));
	else
		def->root = mem_arena_bytes(reader->arena, root).ptr;
}

static cJSON *show_root(const struct config_field *field, const void *place)
{
	const struct source_def *def = place;

	(void)field;
	return def->root ? config_kind_show_bytes(bytes_of(def->root)) : NULL;
}

static cJSON *schema_root(const struct config_field *field)
{
	(void)field;
	return config_kind_schema_type("string");
}

const struct config_kind config_kind_root = {read_root, show_root, schema_root};

static void read_argv(struct config_reader *reader, const struct json_node *node,
		      const struct config_field *field, void *place)
{
	struct source_def *def = place;
	size_t count = 0;

	(void)field;
	def->kind = SOURCE_COMMAND;
	if (!config_field_expect(reader, node, JSON_ARRAY))
		return;
	const char **argv = mem_arena_alloc(reader->arena, (node->count + 1) * sizeof *argv);
	for (const struct json_node *item = node->child; item; item = item->next)
		if (config_field_expect(reader, item, JSON_STRING))
			argv[count++] = mem_arena_bytes(reader->arena, item->text).ptr;
	argv[count] = NULL;
	def->argv = argv;
	if (node->count == 0 || node->count > WORDS_MAX)
		config_field_error(reader, node,
				   "a command is the program and its arguments, each a string, "
				   "at most %d",
				   WORDS_MAX);
	else if (count && (!*argv[0] || dialog_var(argv[0]).len))
		config_field_error(reader, node->child,
				   "the program may not be empty or a variable");
}

static cJSON *show_argv(const struct config_field *field, const void *place)
{
	const struct source_def *def = place;

	(void)field;
	if (!def->argv)
		return NULL;
	cJSON *shown = cJSON_CreateArray();
	for (size_t i = 0; def->argv[i]; i++)
		cJSON_AddItemToArray(shown, config_kind_show_bytes(bytes_of(def->argv[i])));
	return shown;
}

static cJSON *schema_argv(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("array");

	(void)field;
	cJSON_AddItemToObject(schema, "items", config_kind_schema_type("string"));
	cJSON_AddNumberToObject(schema, "minItems", 1);
	return schema;
}

const struct config_kind config_kind_argv = {read_argv, show_argv, schema_argv};

static bool env_name_valid(struct bytes name)
{
	return name.len && bytes_index(name, '=') == name.len;
}

static void read_env(struct config_reader *reader, const struct json_node *node,
		     const struct config_field *field, void *place)
{
	struct source_def *def = place;

	(void)field;
	if (!config_field_expect(reader, node, JSON_OBJECT))
		return;
	struct source_env *env = mem_arena_alloc(reader->arena, node->count * sizeof *env);
	for (const struct json_node *member = node->child; member; member = member->next) {
		size_t len = config_field_push(reader, member->name);

		if (!env_name_valid(member->name))
			config_field_name_error(reader, member,
						"'%.*s' is not a variable's name",
						CONFIG_SHOWN(member->name));
		if (config_field_expect(reader, member, JSON_STRING)) {
			if (config_reference_secret(member->name))
				config_reference_warn(reader, member);
			env[def->env_count++] = (struct source_env){
			    .name = mem_arena_bytes(reader->arena, member->name).ptr,
			    .value = mem_arena_bytes(reader->arena, member->text).ptr};
		}
		config_field_pop(reader, len);
	}
	def->env = env;
}

/* Only what is no secret for sure. */
static cJSON *show_env(const struct config_field *field, const void *place)
{
	const struct source_def *def = place;

	(void)field;
	if (def->env_count == 0)
		return NULL;
	cJSON *shown = cJSON_CreateObject();
	for (size_t i = 0; i < def->env_count; i++)
		cJSON_AddStringToObject(shown, def->env[i].name,
					dialog_var(def->env[i].value).len ? def->env[i].value
									  : "***");
	return shown;
}

static cJSON *schema_env(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("object");

	(void)field;
	cJSON_AddItemToObject(schema, "additionalProperties",
			      config_kind_schema_type("string"));
	return schema;
}

const struct config_kind config_kind_env = {read_env, show_env, schema_env};
