#include "core/config_link.h"

#include "source/dialog.h"

#include <stdlib.h>
#include <string.h>

static const struct source_def *find_source(struct config_reader *reader,
					    const struct config_place *place, const char *use)
{
	const struct config *config = reader->config;
	const char **names = mem_zalloc(config->source_count, sizeof *names);
	const struct source_def *found = NULL;

	for (size_t i = 0; i < config->source_count; i++) {
		names[i] = config->sources[i]->place.name;
		if (strcmp(names[i], use) == 0)
			found = &config->sources[i]->def;
	}
	if (!found)
		config_link_error(
		    reader, place, "use", "unknown source '%s'%s", use,
		    config_field_hint(reader, bytes_of(use), names, config->source_count));
	free(names);
	return found;
}

static const char *var_hint(struct config_reader *reader, const struct template *key,
			    struct bytes name)
{
	const char *names[TEMPLATE_VARS_MAX];

	for (size_t i = 0; i < template_var_count(key); i++)
		names[i] = template_var_name(key, i);
	return config_field_hint(reader, name, names, template_var_count(key));
}

/* Every variable of a template must be one of the key's. */
static void check_vars(struct config_reader *reader, const struct config_place *place,
		       const char *field, const struct template *tmpl,
		       const struct template *key)
{
	for (size_t i = 0; i < template_var_count(tmpl); i++) {
		struct bytes name = bytes_of(template_var_name(tmpl, i));

		if (template_var_index(key, name) < 0)
			config_link_error(reader, place, field,
					  "{%.*s} is not a variable of the key %.*s%s",
					  BYTES_ARG(name), BYTES_ARG(template_text(key)),
					  var_hint(reader, key, name));
	}
}

static void check_step_vars(struct config_reader *reader, const struct conf_step *conf,
			    const struct template *key)
{
	const struct conf_arg *args = conf->args.list;

	if (conf->get)
		check_vars(reader, &conf->place, "get", conf->get, key);
	for (size_t i = 0; i < conf->args.count; i++)
		if (args[i].value)
			check_vars(reader, &args[i].place, NULL, args[i].value, key);
}

/* What the step says must be what its kind of source is asked with. */
static void check_kind(struct config_reader *reader, const struct conf_step *conf,
		       const struct source_def *def)
{
	bool get = json_tree_get(conf->place.node, "get") != NULL;

	if (def->kind == SOURCE_COMMAND && get)
		config_link_error(reader, &conf->place, "get",
				  "'%s' is a command: it is asked with 'args', not 'get'",
				  def->name);
	if (def->kind != SOURCE_COMMAND && !get)
		config_link_error(reader, &conf->place, "use",
				  "'get' is missing: what to get from '%s'", def->name);
	if (def->kind != SOURCE_COMMAND && conf->args.count)
		config_link_error(reader, &conf->place, "args",
				  "'%s' is no command: it is asked with 'get'", def->name);
	if (def->kind == SOURCE_FILE && conf->get &&
	    bytes_index(template_text(conf->get), '?') < template_text(conf->get).len)
		config_link_error(reader, &conf->place, "get", "a file has no query");
}

static bool is_asked_with(const struct conf_step *conf, const struct template *key,
			  bool is_list, struct bytes name)
{
	const struct conf_arg *args = conf->args.list;

	for (size_t i = 0; i < conf->args.count; i++)
		if (bytes_equal_str(name, args[i].place.name))
			return true;
	if (conf->args.count)
		return false;
	return is_list ? bytes_equal_str(name, "cursor") : template_var_index(key, name) >= 0;
}

/* The variables in a command's words must be among what the step asks with. */
static void check_words(struct config_reader *reader, const struct conf_step *conf,
			const struct template *key, bool is_list, const struct source_def *def)
{
	size_t words = 0;

	while (def->argv && def->argv[words])
		words++;
	for (size_t i = 0; i < words + def->env_count; i++) {
		const char *word = i < words ? def->argv[i] : def->env[i - words].value;
		struct bytes name = dialog_var(word);

		if (name.len && !is_asked_with(conf, key, is_list, name))
			config_link_error(reader, &conf->place, "use",
					  "the command of '%s' needs {%.*s}, which it is not "
					  "asked with%s",
					  def->name, BYTES_ARG(name),
					  conf->args.count ? "" : var_hint(reader, key, name));
	}
}

static void fill_args(struct config_reader *reader, const struct conf_step *conf,
		      struct ns_step *step)
{
	const struct conf_arg *args = conf->args.list;

	if (conf->args.count == 0)
		return;
	struct ns_arg *list = mem_arena_alloc(reader->arena, conf->args.count * sizeof *list);
	for (size_t i = 0; i < conf->args.count; i++)
		list[i] = (struct ns_arg){args[i].place.name, args[i].value};
	step->args = list;
	step->arg_count = conf->args.count;
}

static void fill_step(struct config_reader *reader, const struct conf_step *conf,
		      const struct template *key, bool is_list, struct ns_step *step)
{
	*step = (struct ns_step){
	    .source = conf->use ? find_source(reader, &conf->place, conf->use) : NULL,
	    .get = conf->get,
	    .body = conf->body,
	    .json = true,
	};
	fill_args(reader, conf, step);
	if (!step->source)
		return;
	check_kind(reader, conf, step->source);
	check_words(reader, conf, key, is_list, step->source);
}

static void link_keep(struct config_reader *reader, const struct conf_keep *keep,
		      const struct template *key, struct ns_step *step)
{
	if (!keep || !keep->in || !keep->in->use)
		return;
	step->keep_item = keep->item;
	step->keep_in = mem_arena_alloc(reader->arena, sizeof *step->keep_in);
	fill_step(reader, keep->in, key, false, step->keep_in);
	check_step_vars(reader, keep->in, key);
}

/* What a source says for all its steps. */
static void link_step(struct config_reader *reader, const struct conf_ns *conf,
		      const struct conf_step *own, struct ns_step *step)
{
	const struct conf_step *source = conf->source;

	fill_step(reader, own, conf->ns.key, false, step);
	step->body = own->body.ptr ? own->body : source->body;
	step->json = conf->json;
	step->empty = source->empty;
	step->empty_count = source->empty_count;
	check_step_vars(reader, own, conf->ns.key);
	if (!conf->json && (step->body.len || source->keep))
		config_link_error(
		    reader, &conf->place, "json",
		    "body and keep_only read JSON: they do not go with \"json\": false");
}

void config_link_source(struct config_reader *reader, const struct conf_ns *conf, struct ns *ns)
{
	const struct conf_step *source = conf->source;

	if (!source)
		return;
	bool chain = json_tree_get(source->place.node, "chain") != NULL;
	bool single = json_tree_get(source->place.node, "use") ||
		      json_tree_get(source->place.node, "get") ||
		      json_tree_get(source->place.node, "args");
	if (chain && single)
		config_link_error(reader, &source->place, "chain",
				  "'chain' stands instead of 'use' and 'get', not beside them");
	if (!chain && !json_tree_get(source->place.node, "use"))
		config_link_error(reader, &source->place, NULL,
				  "a source needs 'use' and 'get', or 'chain'");
	const struct conf_step *own = chain ? source->chain.list : source;
	ns->step_count = chain ? source->chain.count : 1;
	ns->steps = mem_arena_alloc(reader->arena, ns->step_count * sizeof *ns->steps);
	for (size_t i = 0; i < ns->step_count; i++) {
		link_step(reader, conf, &own[i], &ns->steps[i]);
		if (i == 0)
			link_keep(reader, source->keep, conf->ns.key, &ns->steps[0]);
		ns->steps[i].keep_in = ns->steps[0].keep_in;
		ns->steps[i].keep_item = ns->steps[0].keep_item;
	}
}

static void check_cursor(struct config_reader *reader, const struct conf_step *list)
{
	bool cursor = template_var_index(list->get, BYTES("cursor")) >= 0;

	for (size_t i = 0; i < template_var_count(list->get); i++)
		if (strcmp(template_var_name(list->get, i), "cursor") != 0)
			config_link_error(reader, &list->place, "get",
					  "{%s}: a list knows only {cursor}",
					  template_var_name(list->get, i));
	if (cursor && !list->next.len)
		config_link_error(
		    reader, &list->place, "get",
		    "{cursor} is never filled: 'next' must say where it comes from");
}

static void link_list_vars(struct config_reader *reader, const struct conf_step *conf,
			   const struct template *key, struct ns_list *list)
{
	const struct conf_list_var *vars = conf->vars.list;
	bool given[TEMPLATE_VARS_MAX] = {false};

	list->vars = mem_arena_alloc(reader->arena, conf->vars.count * sizeof *list->vars);
	for (size_t i = 0; i < conf->vars.count; i++) {
		struct bytes name = bytes_of(vars[i].place.name);
		int index = template_var_index(key, name);

		if (index < 0)
			config_link_error(reader, &vars[i].place, NULL,
					  "'%.*s' is not a variable of the key %.*s%s",
					  CONFIG_SHOWN(name), BYTES_ARG(template_text(key)),
					  var_hint(reader, key, name));
		else
			given[index] = true;
		list->vars[list->var_count].name = vars[i].place.name;
		list->vars[list->var_count++].pointer = vars[i].pointer;
	}
	for (size_t i = 0; i < template_var_count(key); i++)
		if (!given[i] && !template_var_optional(key, i) &&
		    json_tree_get(conf->place.node, "vars"))
			config_link_error(
			    reader, &conf->place, "vars", "no value for {%s} of the key %.*s",
			    template_var_name(key, i), BYTES_ARG(template_text(key)));
}

void config_link_list(struct config_reader *reader, const struct conf_ns *conf, struct ns *ns)
{
	const struct conf_step *list = conf->list;

	if (!list)
		return;
	ns->list = mem_arena_alloc(reader->arena, sizeof *ns->list);
	*ns->list = (struct ns_list){.next = list->next};
	fill_step(reader, list, ns->key, true, &ns->list->step);
	if (list->get)
		check_cursor(reader, list);
	link_list_vars(reader, list, ns->key, ns->list);
}
