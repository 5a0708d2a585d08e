#include "core/config_private.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static void print(const cJSON *json, struct buf *buf)
{
	char *text = cJSON_Print(json);

	buf_add_str(buf, text);
	buf_add_char(buf, '\n');
	cJSON_free(text);
}

/* Moves the members of `more` into `whole`: objects add up, anything else comes last. */
static void merge(cJSON *whole, cJSON *more)
{
	while (more->child) {
		cJSON *item = cJSON_DetachItemViaPointer(more, more->child);
		cJSON *there = cJSON_GetObjectItemCaseSensitive(whole, item->string);

		if (there && cJSON_IsObject(there) && cJSON_IsObject(item)) {
			merge(there, item);
			cJSON_Delete(item);
		} else {
			char *name = mem_strdup(item->string);

			cJSON_AddItemToObject(whole, name, item);
			free(name);
		}
	}
}

/* text with every secret in it masked, or NULL when there is none. */
static char *masked(const struct config *config, const char *text)
{
	char *now = NULL;

	for (size_t i = 0; i < config->secret_count; i++) {
		const char *secret = config->secrets[i].ptr;
		const char *at;

		while ((at = strstr(now ? now : text, secret))) {
			const char *start = now ? now : text;
			char *next = mem_printf("%.*s***%s", (int)(at - start), start,
						at + config->secrets[i].len);

			free(now);
			now = next;
		}
	}
	return now;
}

static void mask(const struct config *config, cJSON *node)
{
	for (; node; node = node->next) {
		char *text = cJSON_IsString(node) ? masked(config, node->valuestring) : NULL;

		if (text)
			cJSON_SetValuestring(node, text);
		free(text);
		mask(config, node->child);
	}
}

/* Row by row, so that the result is ordered as any one document would be. */
void config_show(const struct config *config, struct buf *buf)
{
	cJSON *whole = cJSON_CreateObject();
	cJSON *docs[CONFIG_DOCS_MAX];

	for (size_t i = 0; i < config->doc_count; i++)
		docs[i] = config_field_show(&config_root_object, &config->roots[i]);
	for (size_t row = 0; row < config_root_object.count; row++)
		for (size_t i = 0; i < config->doc_count; i++) {
			const char *name = config_root_object.fields[row].name;
			cJSON *part = cJSON_CreateObject();
			cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(docs[i], name);

			if (item)
				cJSON_AddItemToObject(part, name, item);
			merge(whole, part);
			cJSON_Delete(part);
		}
	for (size_t i = 0; i < config->doc_count; i++)
		cJSON_Delete(docs[i]);
	mask(config, whole);
	print(whole, buf);
	cJSON_Delete(whole);
}

void config_schema(struct buf *buf)
{
	cJSON *schema = cJSON_CreateObject();
	cJSON *rows = config_field_schema(&config_root_object);

	cJSON_AddStringToObject(schema, "$schema", "http://json-schema.org/draft-07/schema#");
	cJSON_AddStringToObject(schema, "title", "Call Cache configuration");
	merge(schema, rows);
	cJSON_Delete(rows);
	print(schema, buf);
	cJSON_Delete(schema);
}
