#include "core/event_private.h"

#include "core/config_events.h"
#include "core/template_parts.h"

#include <stdlib.h>
#include <string.h>

const char *const event_action_names[EVENT_ACTIONS] = {
    "invalidate", "expire", "patch", "count",  "warm",
    "publish",    "set",    "index", "upsert", "remove",
};

/* The configuration was checked: nothing can fail here. */
struct compiler {
	struct event_set *set;
	const struct config *config;
};

/* The name of the only part, when that is a pointer without a filter. */
static struct bytes bare_pointer(const struct template *tmpl)
{
	const struct template_part *part = tmpl->parts;

	if (tmpl->part_count != 1 || !part->is_var || part->filter_count ||
	    tmpl->names[part->var][0] != '/')
		return (struct bytes){NULL, 0};
	return bytes_of(tmpl->names[part->var]);
}

static struct event_text compile_text(struct compiler *compiler, struct bytes source)
{
	struct event_set *set = compiler->set;
	struct event_text text = {0};

	if (template_parse(source, TEMPLATE_EVENT, &text.tmpl, NULL) != 0)
		return text;
	set->templates =
	    mem_resize(set->templates, set->template_count + 1, sizeof *set->templates);
	set->templates[set->template_count++] = text.tmpl;
	text.pointer = bare_pointer(text.tmpl);
	return text;
}

/* "{/name}" */
static struct event_text compile_default(struct compiler *compiler, const char *name)
{
	return compile_text(compiler,
			    bytes_of(mem_arena_printf(&compiler->set->arena, "{/%s}", name)));
}

static struct event_value *compile_value(struct compiler *compiler,
					 const struct json_node *node)
{
	struct event_value *value = mem_arena_alloc(&compiler->set->arena, sizeof *value);
	struct event_value **last = &value->child;

	*value = (struct event_value){.node = node};
	if (node->type == JSON_STRING)
		value->text = compile_text(compiler, node->text);
	for (const struct json_node *child = node->child; child; child = child->next) {
		*last = compile_value(compiler, child);
		last = &(*last)->next;
	}
	return value;
}

static struct event_var compile_var(struct compiler *compiler, const struct template *key,
				    size_t index, const struct json_node *said)
{
	const char *name = template_var_name(key, index);
	struct event_var var = {.name = name, .optional = template_var_optional(key, index)};

	if (!said) {
		var.text = compile_default(compiler, name);
	} else if (said->type == JSON_ARRAY) {
		var.kind = EVENT_VAR_LIST;
		var.list = said;
	} else if (bytes_equal_str(said->text, "*")) {
		var.kind = EVENT_VAR_ANY;
	} else {
		var.text = compile_text(compiler, said->text);
	}
	return var;
}

static void compile_vars(struct compiler *compiler, const struct json_node *node,
			 struct event_rule *rule)
{
	const struct template *key = rule->ns->key;
	const struct json_node *vars = json_tree_get(node, "vars");

	rule->var_count = template_var_count(key);
	rule->vars =
	    mem_arena_alloc(&compiler->set->arena, rule->var_count * sizeof *rule->vars);
	for (size_t i = 0; i < rule->var_count; i++) {
		const char *name = template_var_name(key, i);

		rule->vars[i] =
		    compile_var(compiler, key, i, vars ? json_tree_get(vars, name) : NULL);
		rule->wide = rule->wide || rule->vars[i].kind == EVENT_VAR_ANY;
	}
}

static void compile_counters(struct compiler *compiler, const struct json_node *by,
			     struct event_rule *rule)
{
	rule->counters =
	    mem_arena_alloc(&compiler->set->arena, by->count * sizeof *rule->counters);
	for (const struct json_node *member = by->child; member; member = member->next) {
		struct event_counter *counter = &rule->counters[rule->counter_count++];

		*counter =
		    (struct event_counter){.field = compile_text(compiler, member->name)};
		if (member->type == JSON_NUMBER)
			counter->number = member->text;
		else
			counter->by = compile_text(compiler, member->text);
	}
}

/* A name that vars may say where it comes from, else the payload's member of that name. */
static struct event_text compile_named(struct compiler *compiler, const struct json_node *node,
				       const char *name)
{
	const struct json_node *vars = json_tree_get(node, "vars");
	const struct json_node *said = vars ? json_tree_get(vars, name) : NULL;

	return said && said->type == JSON_STRING ? compile_text(compiler, said->text)
						 : compile_default(compiler, name);
}

/* Where the id of an element stands in the payload. */
static struct event_text compile_id(struct compiler *compiler, const struct json_node *node,
				    const struct event_rule *rule)
{
	const struct json_node *id = json_tree_get(node, "id");

	if (id)
		return compile_text(compiler, id->text);
	if (rule->action == EVENT_UPSERT)
		return (struct event_text){NULL, {NULL, 0}};
	return compile_text(compiler, bytes_of(mem_arena_printf(&compiler->set->arena, "{%.*s}",
								BYTES_ARG(rule->match))));
}

static void compile_target(struct compiler *compiler, const struct config_rule *conf,
			   struct event_rule *rule)
{
	const struct nsset *namespaces = compiler->set->namespaces;
	const struct json_node *node = conf->node;

	rule->ns = nsset_find(namespaces, conf->target->text);
	rule->json = config_link_namespace(compiler->config, conf->target->text)->json;
	compile_vars(compiler, node, rule);
	if (rule->ns->index_of)
		rule->held = compile_named(compiler, node, rule->ns->holds);
	if (rule->ns->members_of)
		rule->member = compile_named(compiler, node, rule->ns->member);
	else if (rule->action == EVENT_UPSERT || rule->action == EVENT_REMOVE)
		rule->id = compile_id(compiler, node, rule);
}

static enum event_action action_of(const char *name)
{
	size_t i = 0;

	while (i < EVENT_ACTIONS - 1 && strcmp(event_action_names[i], name) != 0)
		i++;
	return (enum event_action)i;
}

static void compile_rule(struct compiler *compiler, const struct config_rule *conf,
			 struct event_rule *rule)
{
	const struct json_node *node = conf->node;
	const struct json_node *said = json_tree_get(node, conf->action);
	const struct json_node *value = NULL;

	*rule = (struct event_rule){.action = action_of(conf->action),
				    .when = json_tree_get(node, "if"),
				    .changed = json_tree_get(node, "when_changed"),
				    .in_ms = conf->in_ms,
				    .ttl = (enum event_ttl)conf->ttl,
				    .value = conf->value,
				    .match = conf->match,
				    .array = conf->array,
				    .at_front = conf->position == 1};
	if (rule->action == EVENT_PUBLISH)
		rule->channel = compile_text(compiler, said->text);
	else
		compile_target(compiler, conf, rule);
	if ((value = json_tree_get(node, "message")) || (value = json_tree_get(node, "merge")))
		rule->message = compile_value(compiler, value);
	if ((value = json_tree_get(node, "by")))
		compile_counters(compiler, value, rule);
	if ((value = json_tree_get(node, "once")))
		rule->once = compile_text(compiler, value->text);
}

static void compile_event(struct compiler *compiler, const struct config_event *conf,
			  struct event_def *def)
{
	*def = (struct event_def){
	    .name = conf->place.name,
	    .is_change = conf->format == 1,
	    .collection = conf->collection,
	    .max_keys = conf->max_keys,
	    .rules =
		mem_arena_alloc(&compiler->set->arena, conf->rule_count * sizeof *def->rules),
	    .rule_count = conf->rule_count,
	};
	for (size_t i = 0; i < conf->rule_count; i++) {
		struct event_rule *rule = &def->rules[i];

		compile_rule(compiler, &conf->rules[i], rule);
		for (size_t k = 0; rule->once.tmpl && k < i; k++)
			rule->once_number +=
			    def->rules[k].once.tmpl && def->rules[k].ns == rule->ns;
	}
}

struct event_set *event_set_new(const struct config *config)
{
	struct event_set *set = mem_zalloc(1, sizeof *set);
	struct compiler compiler = {set, config};
	size_t count = 0;

	set->namespaces = config_namespaces(config);
	for (size_t i = 0; i < config->doc_count; i++)
		count += config->roots[i].events.events.count;
	set->defs = mem_arena_alloc(&set->arena, count * sizeof *set->defs);
	for (size_t i = 0; i < config->doc_count; i++) {
		const struct config_items *events = &config->roots[i].events.events;
		const struct config_event *list = events->list;

		for (size_t k = 0; k < events->count; k++)
			compile_event(&compiler, &list[k], &set->defs[set->count++]);
	}
	return set;
}

void event_set_free(struct event_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->template_count; i++)
		template_free(set->templates[i]);
	free(set->templates);
	mem_arena_release(&set->arena);
	free(set);
}

size_t event_set_count(const struct event_set *set)
{
	return set->count;
}

const char *event_set_name(const struct event_set *set, size_t index)
{
	return set->defs[index].name;
}
