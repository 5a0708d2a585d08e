#include "core/config_events.h"

#include <stdlib.h>
#include <string.h>

/* Members of a change document: what a rule's default {/name} can find there. */
static const char *const change_fields[] = {"operationType", "ns", "documentKey",
					    "fullDocument", "updateDescription"};

static struct config_place place_of(const struct config_event *event,
				    const struct config_rule *rule)
{
	return (struct config_place){
	    .doc = event->place.doc, .node = rule->node, .path = rule->path};
}

static bool is_change_field(const char *name)
{
	for (size_t i = 0; i < sizeof change_fields / sizeof *change_fields; i++)
		if (strcmp(name, change_fields[i]) == 0)
			return true;
	return false;
}

/* What an index holds, what a set has as members: vars may name that too. */
static bool is_relation(const struct conf_ns *target, struct bytes name)
{
	const struct ns *ns = &target->ns;

	return (ns->holds && bytes_equal_str(name, ns->holds)) ||
	       (ns->member && bytes_equal_str(name, ns->member));
}

/* Only what is dropped or shortened may be every key there is. */
static void check_any(struct config_reader *reader, const struct config_event *event,
		      const struct config_rule *rule, const struct json_node *var)
{
	struct config_place place = place_of(event, rule);

	if (var->type == JSON_STRING && bytes_equal_str(var->text, "*") &&
	    strcmp(rule->action, "invalidate") != 0 && strcmp(rule->action, "expire") != 0)
		config_link_error(reader, &place, "vars",
				  "\"*\" goes with invalidate and expire; name the values of "
				  "{%.*s} in an array",
				  CONFIG_SHOWN(var->name));
}

/* The vars that a rule gives must be the target's, and a change document fills none by itself.
 */
static void check_vars(struct config_reader *reader, const struct config_event *event,
		       const struct config_rule *rule, const struct conf_ns *target)
{
	const struct json_node *vars = json_tree_get(rule->node, "vars");
	const struct template *key = target->ns.key;
	struct config_place place = place_of(event, rule);

	for (const struct json_node *var = vars ? vars->child : NULL; var; var = var->next)
		if (template_var_index(key, var->name) >= 0)
			check_any(reader, event, rule, var);
		else if (!is_relation(target, var->name))
			config_link_error(reader, &place, "vars",
					  "'%.*s' is not a variable of %s (its key is %.*s)",
					  CONFIG_SHOWN(var->name), target->place.name,
					  BYTES_ARG(template_text(key)));
	for (size_t i = 0; event->format == 1 && i < template_var_count(key); i++) {
		const char *name = template_var_name(key, i);

		if (!(vars && json_tree_get(vars, name)) && !is_change_field(name) &&
		    !template_var_optional(key, i))
			config_link_error(
			    reader, &place, rule->action,
			    "a change document never fills {%s}: name it in 'vars'", name);
	}
}

/* What an action demands of its target. */
static void check_target(struct config_reader *reader, const struct config_event *event,
			 const struct config_rule *rule, const struct conf_ns *target)
{
	struct config_place place = place_of(event, rule);
	const char *action = rule->action;
	const char *name = target->place.name;
	bool is_set = target->members_of != NULL;

	if (strcmp(action, "count") == 0 && target->ns.type != NS_HASH)
		config_link_error(reader, &place, action,
				  "count needs a hash; %s is declared %s", name,
				  ns_type_names[target->ns.type]);
	if (strcmp(action, "warm") == 0 && !target->source)
		config_link_error(reader, &place, action, "%s has no source to warm it from",
				  name);
	if (strcmp(action, "index") == 0 && !target->index_of)
		config_link_error(reader, &place, action, "%s is no index: it has no index_of",
				  name);
	if ((strcmp(action, "set") == 0 || strcmp(action, "index") == 0) &&
	    target->ns.type != NS_STRING && target->ns.type != NS_ANY)
		config_link_error(reader, &place, action,
				  "%s needs a string; %s is declared %s", action, name,
				  ns_type_names[target->ns.type]);
	if (strcmp(action, "upsert") == 0 && !is_set && json_tree_get(rule->node, "match") &&
	    !json_tree_get(rule->node, "value"))
		config_link_error(reader, &place, action,
				  "'value' must say where the element stands in the payload");
	if (strcmp(action, "patch") == 0 && (!target->json || target->ns.type > NS_STRING) &&
	    target->ns.type != NS_ANY)
		config_link_error(reader, &place, action,
				  "patch needs cached JSON; %s has none", name);
	if ((strcmp(action, "upsert") == 0 || strcmp(action, "remove") == 0) && !is_set &&
	    !json_tree_get(rule->node, "match"))
		config_link_error(
		    reader, &place, action,
		    "%s is no set (members_of): 'match' must say how an element is found",
		    name);
}

static bool same_member(const struct json_node *a, const struct json_node *b, const char *name)
{
	const struct json_node *left = json_tree_get(a, name);
	const struct json_node *right = json_tree_get(b, name);

	return left && right ? bytes_equal(left->raw, right->raw) : left == right;
}

/* Does `early` always do what `late` would do again? */
static bool covers(const struct config_rule *early, const struct config_rule *late)
{
	static const char *const whats[] = {"vars",  "in",    "merge", "ttl", "by",      "once",
					    "value", "match", "array", "id",  "position"};
	static const char *const whens[] = {"if", "when_changed"};

	if (!early->target || !late->target || strcmp(early->action, late->action) != 0 ||
	    !bytes_equal(early->target->text, late->target->text))
		return false;
	for (size_t i = 0; i < sizeof whats / sizeof *whats; i++)
		if (!same_member(early->node, late->node, whats[i]))
			return false;
	for (size_t i = 0; i < sizeof whens / sizeof *whens; i++)
		if (json_tree_get(early->node, whens[i]) &&
		    !same_member(early->node, late->node, whens[i]))
			return false;
	return true;
}

static void check_rule(struct config_reader *reader, const struct config_event *event,
		       size_t index)
{
	const struct config_rule *rule = &event->rules[index];
	struct config_place place = place_of(event, rule);

	if (!rule->action)
		return;
	if (json_tree_get(rule->node, "when_changed") && event->format == 0)
		config_link_error(
		    reader, &place, "when_changed",
		    "only a change document (format mongodb.change) says what changed");
	if (!rule->target)
		return;
	const struct conf_ns *target =
	    config_link_namespace(reader->config, rule->target->text);
	if (!target) {
		config_link_error(reader, &place, rule->action, "unknown namespace '%.*s'%s",
				  CONFIG_SHOWN(rule->target->text),
				  config_link_hint(reader, rule->target->text));
		return;
	}
	if (target->ns.key)
		check_vars(reader, event, rule, target);
	check_target(reader, event, rule, target);
	for (size_t i = 0; i < index; i++)
		if (event->rules[i].action && covers(&event->rules[i], rule)) {
			config_link_error(
			    reader, &place, rule->action,
			    "never reached: rule %zu of this event already does it", i + 1);
			break;
		}
}

static void check_event(struct config_reader *reader, const struct config_event *event)
{
	if (event->collection && event->format == 0)
		config_link_error(reader, &event->place, "collection",
				  "a collection belongs to format mongodb.change");
	if (event->format == 1 && !event->collection)
		config_link_error(reader, &event->place, "format",
				  "mongodb.change needs 'collection': which one");
	for (size_t i = 0; i < event->rule_count; i++)
		check_rule(reader, event, i);
}

static void check_sets(struct config_reader *reader, const struct conf_tree *sets)
{
	const struct json_node *set = sets->node ? sets->node->child : NULL;

	for (; set; set = set->next) {
		size_t len = config_field_push(reader, BYTES("sets"));

		reader->doc = sets->doc;
		config_field_push(reader, set->name);
		for (const struct json_node *item = set->child; item; item = item->next)
			if (item->type == JSON_STRING &&
			    !config_link_namespace(reader->config, item->text))
				config_field_error(reader, item, "unknown namespace '%.*s'%s",
						   CONFIG_SHOWN(item->text),
						   config_link_hint(reader, item->text));
		config_field_pop(reader, len);
	}
}

static void check_repeats(struct config_reader *reader, size_t doc,
			  const struct config_event *event)
{
	for (size_t i = 0; i < doc; i++) {
		const struct conf_tree *early = &reader->config->roots[i].events.tree;

		if (early->node && json_tree_get(early->node, event->place.name))
			config_link_error(reader, &event->place, NULL,
					  "'%s' is already declared in %s", event->place.name,
					  early->doc->file);
	}
}

void config_events_check(struct config_reader *reader)
{
	const struct config *config = reader->config;

	for (size_t i = 0; i < config->doc_count; i++) {
		const struct config_items *events = &config->roots[i].events.events;

		for (size_t k = 0; k < events->count; k++) {
			const struct config_event *event =
			    &((const struct config_event *)events->list)[k];

			check_event(reader, event);
			check_repeats(reader, i, event);
		}
		check_sets(reader, &config->roots[i].sets);
	}
}
