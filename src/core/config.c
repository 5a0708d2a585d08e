#include "core/config.h"
#include "core/config_private.h"

#include "base/err.h"
#include "core/profile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct conf_root, member)
static const struct config_field root_fields[] = {
    {.name = "$schema", .help = "for editors", .kind = &config_kind_schema_url},
    {.name = "redis",
     .help = "where Redis is and how to get in",
     .kind = &config_kind_object,
     .offset = AT(redis),
     .detail = &config_redis_object},
    {.name = "sources",
     .help = "HTTP services that values come from",
     .kind = &config_kind_map,
     .offset = AT(sources),
     .detail = &config_source_object},
    {.name = "namespaces",
     .help = "the families of keys, by name",
     .kind = &config_kind_map,
     .offset = AT(namespaces),
     .detail = &config_namespace_object,
     .flags = CONFIG_REQUIRED},
    {.name = "sets",
     .help = "namespaces that are warmed together, by name",
     .kind = &config_sets_kind,
     .offset = AT(sets)},
    {.name = "events",
     .help = "what happens, and which keys it touches",
     .kind = &config_events_kind,
     .offset = AT(events)},
};
const struct config_object config_root_object = {.what = "the configuration",
						 .fields = root_fields,
						 .count =
						     sizeof root_fields / sizeof *root_fields,
						 .size = sizeof(struct conf_root)};

/* Reads a document as far as it goes alone; -1 when it is not even JSON. */
static int read_doc(struct config_reader *reader, size_t index)
{
	struct config_doc *doc = &reader->config->docs[index];
	struct json_node *root = NULL;
	struct json_error error = {0};
	size_t blanks = 0;

	reader->doc = doc;
	while (blanks < doc->text.len && strchr(" \t\r\n", doc->text.ptr[blanks]) &&
	       doc->text.ptr[blanks])
		blanks++;
	if (blanks == doc->text.len) {
		config_report_add(reader->report, CONFIG_ERROR, doc, 0, "",
				  "empty: a configuration is a JSON object");
		return -1;
	}
	if (json_tree_parse(reader->arena, doc->text, JSON_COMMENTS, JSON_DEPTH_CONFIG, &root,
			    &error)) {
		config_report_add(reader->report, CONFIG_ERROR, doc, error.offset, "", "%s",
				  error.what);
		return -1;
	}
	doc->root = root;
	config_reference_resolve(reader, root);
	config_field_read(reader, root, &config_root_object, &reader->config->roots[index]);
	return 0;
}

/* Reads all documents of config, then what needs them together. */
static void read_all(struct config *config, struct config_report *report)
{
	struct config_reader reader = {
	    .config = config, .arena = &config->arena, .report = report};
	int status = 0;

	for (size_t i = 0; i < config->doc_count; i++)
		status |= read_doc(&reader, i);
	if (status == 0) {
		config_link(&reader);
		config_events_check(&reader);
	}
	buf_release(&reader.path);
}

struct config *config_make(const char *origin)
{
	struct config *config = mem_zalloc(1, sizeof *config);

	config->origin = mem_arena_bytes(&config->arena, bytes_of(origin)).ptr;
	return config;
}

void config_add_doc(struct config *config, const char *file, const char *dir, struct bytes text,
		    bool shared)
{
	config->docs[config->doc_count++] = (struct config_doc){
	    .file = mem_arena_bytes(&config->arena, bytes_of(file)).ptr,
	    .dir = dir ? mem_arena_bytes(&config->arena, bytes_of(dir)).ptr : NULL,
	    .text = mem_arena_bytes(&config->arena, text),
	    .shared = shared,
	};
}

struct config_report *config_finish(struct config *config, struct config_report *report,
				    struct config **ret_config)
{
	if (report->errors == 0)
		read_all(config, report);
	if (report->errors) {
		config_free(config);
		config = NULL;
	}
	*ret_config = config;
	return report;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	nsset_free(config->set);
	for (size_t i = 0; i < config->template_count; i++)
		template_free(config->templates[i]);
	free(config->templates);
	free(config->secrets);
	free(config->sources);
	free(config->namespaces);
	config_report_free(config->report);
	mem_arena_release(&config->arena);
	free(config);
}

const char *config_origin(const struct config *config)
{
	return config->origin;
}

const struct nsset *config_namespaces(const struct config *config)
{
	return config->set;
}

const struct config_findings *config_warnings(const struct config *config)
{
	static const struct config_findings none;

	return config->report ? config_report_findings(config->report) : &none;
}
