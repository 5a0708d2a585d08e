#include "core/config_link.h"

#include "base/text.h"
#include "source/dialog.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 4096
#define COMMAND_PROCESSES 4 /* at once, unless the file says */

void config_link_error(struct config_reader *reader, const struct config_place *place,
		       const char *field, const char *format, ...)
{
	const struct json_node *node = field ? json_tree_get(place->node, field) : NULL;
	bool at_name = !node && place->node->name.len;
	char text[1024];
	char path[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	snprintf(path, sizeof path, "%s%s%s", place->path, node ? "/" : "", node ? field : "");
	config_report_add(reader->report, CONFIG_ERROR, place->doc,
			  node      ? node->offset
			  : at_name ? place->node->name_offset
				    : place->node->offset,
			  path, "%s", text);
}

const struct conf_ns *config_link_namespace(const struct config *config, struct bytes name)
{
	for (size_t i = 0; i < config->doc_count; i++) {
		const struct conf_ns *list = config->roots[i].namespaces.list;

		for (size_t k = 0; k < config->roots[i].namespaces.count; k++)
			if (bytes_equal_str(name, list[k].place.name))
				return &list[k];
	}
	return NULL;
}

const char *config_link_hint(struct config_reader *reader, struct bytes name)
{
	const struct config *config = reader->config;
	const char **names = mem_zalloc(config->namespace_count, sizeof *names);

	for (size_t i = 0; i < config->namespace_count; i++)
		names[i] = config->namespaces[i]->place.name;
	const char *hint = config_field_hint(reader, name, names, config->namespace_count);
	free(names);
	return hint;
}

static bool name_valid(const char *name)
{
	return *name && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789-_.") == strlen(name);
}

static void check_name(struct config_reader *reader, const struct config_place *place,
		       const struct config_place *earlier)
{
	if (*place->name && !name_valid(place->name))
		config_link_error(reader, place, NULL,
				  "the name '%s' may hold letters, digits, '-', '_' and '.'",
				  place->name);
	if (earlier)
		config_link_error(reader, place, NULL, "'%s' is already declared in %s",
				  place->name, earlier->doc->file);
}

static void finish_source(struct config_reader *reader, struct conf_source *source)
{
	struct source_def *def = &source->def;
	bool vars = false;

	if (def->kind != SOURCE_COMMAND)
		return;
	if (!json_tree_get(source->place.node, "concurrency"))
		def->concurrency = COMMAND_PROCESSES;
	for (size_t i = 0; def->argv && def->argv[i]; i++)
		vars = vars || dialog_var(def->argv[i]).len;
	for (size_t i = 0; i < def->env_count; i++)
		vars = vars || dialog_var(def->env[i].value).len;
	if (vars && def->batch)
		config_link_error(reader, &source->place, "batch",
				  "a process with a variable in its arguments or environment "
				  "serves one request: leave out 'batch' or the variable");
}

static void collect_sources(struct config_reader *reader)
{
	struct config *config = reader->config;

	for (size_t i = 0; i < config->doc_count; i++) {
		struct conf_source *list = config->roots[i].sources.list;

		for (size_t k = 0; k < config->roots[i].sources.count; k++) {
			const struct config_place *earlier = NULL;

			for (size_t n = 0; n < config->source_count && !earlier; n++)
				if (strcmp(config->sources[n]->place.name,
					   list[k].place.name) == 0)
					earlier = &config->sources[n]->place;
			check_name(reader, &list[k].place, earlier);
			list[k].def.name = list[k].place.name;
			finish_source(reader, &list[k]);
			config->sources = mem_resize(config->sources, config->source_count + 1,
						     sizeof *config->sources);
			config->sources[config->source_count++] = &list[k];
		}
	}
}

static void collect_namespaces(struct config_reader *reader)
{
	struct config *config = reader->config;

	for (size_t i = 0; i < config->doc_count; i++) {
		struct conf_ns *list = config->roots[i].namespaces.list;

		for (size_t k = 0; k < config->roots[i].namespaces.count; k++) {
			struct bytes name = bytes_of(list[k].place.name);
			const struct conf_ns *first = config_link_namespace(config, name);

			check_name(reader, &list[k].place,
				   first == &list[k] ? NULL : &first->place);
			list[k].ns.name = list[k].place.name;
			config->namespaces =
			    mem_resize(config->namespaces, config->namespace_count + 1,
				       sizeof *config->namespaces);
			config->namespaces[config->namespace_count++] = &list[k];
		}
	}
}

/* Every later check looks at pairs. */
static bool too_many(struct config_reader *reader)
{
	const struct config *config = reader->config;
	size_t sources = 0;
	size_t namespaces = 0;

	for (size_t i = 0; i < config->doc_count; i++) {
		sources += config->roots[i].sources.count;
		namespaces += config->roots[i].namespaces.count;
	}
	if (sources <= NAMED_MAX && namespaces <= NAMED_MAX)
		return false;
	config_report_add(reader->report, CONFIG_ERROR, &config->docs[0], SIZE_MAX, "",
			  "%zu sources and %zu namespaces; at most %d of each", sources,
			  namespaces, NAMED_MAX);
	return true;
}

/* A place that names another namespace and one of its variables. */
static void link_var_of(struct config_reader *reader, const struct conf_ns *conf,
			const char *field, const char *name, const char *var_field,
			const char *var, const struct ns *list, const struct ns **ret_ns)
{
	const struct conf_ns *other =
	    name ? config_link_namespace(reader->config, bytes_of(name)) : NULL;

	if (!name != !var) {
		config_link_error(reader, &conf->place, name ? field : var_field,
				  "'%s' and '%s' go together", field, var_field);
		return;
	}
	if (!name)
		return;
	if (!other) {
		config_link_error(reader, &conf->place, field, "unknown namespace '%s'%s", name,
				  config_link_hint(reader, bytes_of(name)));
		return;
	}
	if (other->ns.key && template_var_index(other->ns.key, bytes_of(var)) < 0)
		config_link_error(reader, &conf->place, var_field,
				  "'%s' is not a variable of %s (its key is %.*s)", var, name,
				  BYTES_ARG(template_text(other->ns.key)));
	for (size_t i = 0; i < reader->config->namespace_count; i++)
		if (reader->config->namespaces[i] == other)
			*ret_ns = &list[i];
}

static void link_ttl(struct config_reader *reader, const struct conf_ns *conf, struct ns *ns)
{
	bool lasting = ns->ttl_kind == NS_TTL_FIXED && ns->ttl_ms == 0;

	if (ns->ttl_kind == NS_TTL_ADAPTIVE && ns->ttl_min_ms && ns->ttl_ms &&
	    ns->ttl_min_ms >= ns->ttl_ms)
		config_link_error(reader, &conf->place, "ttl", "its min is not below its max");
	if (ns->ttl_kind == NS_TTL_ADAPTIVE && !conf->source)
		config_link_error(reader, &conf->place, "ttl",
				  "min and max need a source whose answers are compared");
	if (conf->ttl_from && ns->ttl_kind == NS_TTL_DAY)
		config_link_error(reader, &conf->place, "ttl_from",
				  "a day's TTL comes from its day");
	else if (conf->ttl_from && ns->ttl_kind == NS_TTL_ADAPTIVE)
		config_link_error(reader, &conf->place, "ttl_from",
				  "a TTL of min and max comes from what refreshes find");
	else if (conf->ttl_from)
		ns->ttl_kind = NS_TTL_CACHE_CONTROL;
	if (conf->ttl_from && !conf->source)
		config_link_error(reader, &conf->place, "ttl_from",
				  "cache-control needs a source whose answers have it");
	if (ns->jitter > 0 && lasting && !conf->ttl_from &&
	    json_tree_get(conf->place.node, "ttl"))
		config_link_error(reader, &conf->place, "jitter",
				  "a jitter without a TTL does nothing");
	if (ns->grace_ms && (lasting ? !conf->ttl_from : ns->ttl_kind > NS_TTL_CACHE_CONTROL))
		config_link_error(reader, &conf->place, "grace",
				  "a grace needs a fixed TTL that it goes beyond");
	if (!conf->ttl_day || !ns->key)
		return;
	ns->ttl_var = template_var_index(ns->key, bytes_of(conf->ttl_day));
	if (ns->ttl_var < 0)
		config_link_error(reader, &conf->place, "ttl",
				  "'%s' is not a variable of the key %.*s", conf->ttl_day,
				  BYTES_ARG(template_text(ns->key)));
}

static void link_type(struct config_reader *reader, const struct conf_ns *conf, struct ns *ns)
{
	if (conf->source && ns->type == NS_ANY)
		ns->type = NS_STRING;
	if (conf->source && ns->type != NS_STRING)
		config_link_error(reader, &conf->place, "type",
				  "an answer of a source is stored as a string, not a %s",
				  ns_type_names[ns->type]);
	if (conf->members_of && ns->type == NS_ANY)
		ns->type = NS_SET;
	if (conf->members_of && ns->type != NS_SET)
		config_link_error(reader, &conf->place, "type",
				  "members_of needs a set, not a %s", ns_type_names[ns->type]);
	if (ns->compress.kind != CODEC_NONE && ns->type != NS_STRING && ns->type != NS_ANY)
		config_link_error(reader, &conf->place, "compress",
				  "only strings are stored packed, not a %s",
				  ns_type_names[ns->type]);
	if (conf->list && !conf->source)
		config_link_error(reader, &conf->place, "list",
				  "a list of ids without a source to fetch them from");
}

static void link_namespace(struct config_reader *reader, const struct conf_ns *conf,
			   struct ns *list, size_t index)
{
	struct ns *ns = &list[index];

	*ns = conf->ns;
	ns->json = conf->json;
	link_type(reader, conf, ns);
	link_ttl(reader, conf, ns);
	link_var_of(reader, conf, "index_of", conf->index_of, "holds", ns->holds, list,
		    &ns->index_of);
	link_var_of(reader, conf, "members_of", conf->members_of, "member", ns->member, list,
		    &ns->members_of);
	if (!ns->key)
		return;
	config_link_source(reader, conf, ns);
	config_link_list(reader, conf, ns);
}

static void check_overlaps(struct config_reader *reader)
{
	struct config *config = reader->config;

	for (size_t i = 0; i < config->namespace_count; i++)
		for (size_t k = 0; k < i; k++) {
			const struct conf_ns *late = config->namespaces[i];
			const struct conf_ns *early = config->namespaces[k];

			if (late->ns.key && early->ns.key &&
			    template_ambiguous(early->ns.key, late->ns.key))
				config_link_error(
				    reader, &late->place, "key",
				    "the key %.*s overlaps %.*s of %s, and neither is "
				    "more specific",
				    BYTES_ARG(template_text(late->ns.key)),
				    BYTES_ARG(template_text(early->ns.key)), early->place.name);
		}
}

void config_link(struct config_reader *reader)
{
	struct config *config = reader->config;

	if (too_many(reader))
		return;
	collect_sources(reader);
	collect_namespaces(reader);
	struct ns *list = mem_zalloc(config->namespace_count, sizeof *list);
	for (size_t i = 0; i < config->namespace_count; i++)
		link_namespace(reader, config->namespaces[i], list, i);
	check_overlaps(reader);
	if (reader->report->errors)
		free(list);
	else
		config->set = nsset_new(list, config->namespace_count);
}
