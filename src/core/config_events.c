#include "core/config_events.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

/* What a rule may do: the member's name says it, its value is the target. */
static const struct action {
	const char *name;
	const char *help;
	bool channel; /* the target is a channel, not a namespace */
} actions[] = {
    {"invalidate", "the namespace whose keys are dropped", false},
    {"expire", "the namespace whose keys live only a little longer", false},
    {"patch", "the namespace whose cached JSON is changed in place", false},
    {"count", "the hash whose fields are counted up", false},
    {"warm", "the namespace that is fetched again", false},
    {"publish", "the channel that hears of it, a template", true},
    {"set", "the namespace whose value the event carries", false},
    {"index", "the index that points to the event's key", false},
    {"upsert", "the set or cached list that gets a member", false},
    {"remove", "the set or cached list that loses a member", false},
};
#define ACTIONS (sizeof actions / sizeof *actions)

enum {
	INVALIDATE = 1 << 0,
	EXPIRE = 1 << 1,
	PATCH = 1 << 2,
	COUNT = 1 << 3,
	WARM = 1 << 4,
	PUBLISH = 1 << 5,
	SET = 1 << 6,
	INDEX = 1 << 7,
	UPSERT = 1 << 8,
	REMOVE = 1 << 9,
	ANY_ACTION = (1 << ACTIONS) - 1,
	ANY_TARGET = ANY_ACTION & ~PUBLISH,
};

static const char *const ttl_names[] = {"renew", "keep", NULL};
static const char *const position_names[] = {"last", "first", NULL};

/* The fields of rules; offset: into struct config_rule. */
static const struct config_field rule_fields[] = {
    {.name = "if",
     .help = "only when this pointer is there, or has one of these values",
     .kind = &config_rule_if,
     .actions = ANY_ACTION},
    {.name = "when_changed",
     .help = "only when one of these fields changed",
     .kind = &config_rule_names,
     .actions = ANY_ACTION},
    {.name = "vars",
     .help = "the key's variables, where the payload names them differently",
     .kind = &config_rule_vars,
     .actions = ANY_TARGET},
    {.name = "in",
     .help = "how much longer",
     .kind = &config_kind_duration,
     .offset = offsetof(struct config_rule, in_ms),
     .flags = CONFIG_REQUIRED,
     .actions = EXPIRE,
     .min = 1},
    {.name = "merge",
     .help = "members to set; strings are templates",
     .kind = &config_rule_values,
     .flags = CONFIG_REQUIRED,
     .actions = PATCH},
    {.name = "ttl",
     .help = "renew the TTL or keep what is left of it",
     .kind = &config_kind_choice,
     .offset = offsetof(struct config_rule, ttl),
     .detail = ttl_names,
     .actions = PATCH | SET | UPSERT},
    {.name = "by",
     .help = "fields and how much each grows; both may be templates",
     .kind = &config_rule_by,
     .flags = CONFIG_REQUIRED,
     .actions = COUNT},
    {.name = "once",
     .help = "template that names the event: counted once only",
     .kind = &config_rule_template,
     .actions = COUNT},
    {.name = "value",
     .help = "pointer of the value in the payload, \"\" is all of it",
     .kind = &config_kind_pointer,
     .offset = offsetof(struct config_rule, value),
     .actions = SET | UPSERT},
    {.name = "match",
     .help = "pointer of the id within an element of the cached list",
     .kind = &config_kind_pointer,
     .offset = offsetof(struct config_rule, match),
     .actions = UPSERT | REMOVE},
    {.name = "array",
     .help = "pointer of the list within the cached value",
     .kind = &config_kind_pointer,
     .offset = offsetof(struct config_rule, array),
     .actions = UPSERT | REMOVE},
    {.name = "id",
     .help = "template of the element's id, where the payload names it differently",
     .kind = &config_rule_template,
     .actions = UPSERT | REMOVE},
    {.name = "position",
     .help = "where a new element goes",
     .kind = &config_kind_choice,
     .offset = offsetof(struct config_rule, position),
     .detail = position_names,
     .actions = UPSERT},
    {.name = "message",
     .help = "what is said; strings are templates",
     .kind = &config_rule_values,
     .actions = PUBLISH},
};
#define RULE_FIELDS (sizeof rule_fields / sizeof *rule_fields)

/* The index of an action's name, or -1. */
static int find_action(struct bytes name)
{
	for (size_t i = 0; i < ACTIONS; i++)
		if (bytes_equal_str(name, actions[i].name))
			return (int)i;
	return -1;
}

static const struct config_field *find_rule_field(struct bytes name)
{
	for (size_t i = 0; i < RULE_FIELDS; i++)
		if (bytes_equal_str(name, rule_fields[i].name))
			return &rule_fields[i];
	return NULL;
}

/* The one member that says what a rule does. */
static const struct json_node *rule_action(struct config_reader *reader,
					   const struct json_node *rule, int *ret_action)
{
	const struct json_node *found = NULL;

	for (const struct json_node *member = rule->child; member; member = member->next) {
		int action = find_action(member->name);

		if (action < 0)
			continue;
		if (found) {
			config_field_name_error(
			    reader, member, "a rule does one thing: '%.*s' or '%s'",
			    CONFIG_SHOWN(found->name), actions[action].name);
			return NULL;
		}
		found = member;
		*ret_action = action;
	}
	if (!found && (!rule->child || find_rule_field(rule->child->name)))
		config_field_error(
		    reader, rule,
		    "a rule must say what it does: invalidate, expire, patch, count, "
		    "warm, publish, set, index, upsert or remove");
	return found;
}

static void unknown_rule_field(struct config_reader *reader, const struct json_node *member)
{
	const char *names[ACTIONS + RULE_FIELDS];

	for (size_t i = 0; i < ACTIONS; i++)
		names[i] = actions[i].name;
	for (size_t i = 0; i < RULE_FIELDS; i++)
		names[ACTIONS + i] = rule_fields[i].name;
	config_field_name_error(
	    reader, member, "unknown field '%.*s' of a rule%s", CONFIG_SHOWN(member->name),
	    config_field_hint(reader, member->name, names, ACTIONS + RULE_FIELDS));
}

static void read_rule_member(struct config_reader *reader, const struct json_node *member,
			     int action, struct config_rule *rule)
{
	const struct config_field *field = find_rule_field(member->name);

	if (find_action(member->name) >= 0)
		return;
	if (!field)
		unknown_rule_field(reader, member);
	else if (action >= 0 && !(field->actions & 1u << action))
		config_field_name_error(reader, member, "'%s' does not go with '%s'",
					field->name, actions[action].name);
	else
		field->kind->read(reader, member, field, (char *)rule + field->offset);
}

static void read_target(struct config_reader *reader, const struct json_node *target,
			int action, struct config_rule *rule)
{
	size_t len = config_field_push(reader, target->name);

	rule->action = actions[action].name;
	if (actions[action].channel)
		config_rule_template.read(reader, target, NULL, NULL);
	else if (config_field_expect(reader, target, JSON_STRING))
		rule->target = target;
	config_field_pop(reader, len);
}

static void read_rule(struct config_reader *reader, const struct json_node *node,
		      struct config_rule *rule)
{
	int action = -1;

	*rule = (struct config_rule){.node = node};
	if (!config_field_expect(reader, node, JSON_OBJECT))
		return;
	const struct json_node *target = rule_action(reader, node, &action);
	if (target)
		read_target(reader, target, action, rule);
	for (const struct json_node *member = node->child; member; member = member->next) {
		size_t len = config_field_push(reader, member->name);

		read_rule_member(reader, member, target ? action : -1, rule);
		config_field_pop(reader, len);
	}
	for (size_t i = 0; target && i < RULE_FIELDS; i++) {
		const struct config_field *field = &rule_fields[i];

		if ((field->flags & CONFIG_REQUIRED) && (field->actions & 1u << action) &&
		    !json_tree_get(node, field->name))
			config_field_error(reader, node, "'%s' needs '%s': %s",
					   actions[action].name, field->name, field->help);
	}
}

/* "do": the rules. */
static void read_do(struct config_reader *reader, const struct json_node *node,
		    const struct config_field *field, void *place)
{
	struct config_event *event = place;
	size_t i = 0;

	(void)field;
	if (!config_field_expect(reader, node, JSON_ARRAY))
		return;
	event->rules = mem_arena_alloc(reader->arena, node->count * sizeof *event->rules);
	for (const struct json_node *rule = node->child; rule; rule = rule->next) {
		char number[24];

		snprintf(number, sizeof number, "%zu", i);
		size_t len = config_field_push(reader, bytes_of(number));
		read_rule(reader, rule, &event->rules[i]);
		event->rules[i++].path =
		    mem_arena_bytes(reader->arena, buf_bytes(&reader->path)).ptr;
		config_field_pop(reader, len);
	}
	event->rule_count = i;
	if (i == 0)
		config_field_error(reader, node, "no rule: such an event does nothing");
}

/* A rule's schema: one object per action. */
static cJSON *schema_rule(size_t action)
{
	cJSON *schema = config_kind_schema_type("object");
	cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
	cJSON *required = cJSON_AddArrayToObject(schema, "required");
	cJSON *target = config_kind_schema_type("string");

	cJSON_AddStringToObject(target, "description", actions[action].help);
	cJSON_AddItemToObject(properties, actions[action].name, target);
	cJSON_AddItemToArray(required, cJSON_CreateString(actions[action].name));
	for (size_t i = 0; i < RULE_FIELDS; i++) {
		const struct config_field *field = &rule_fields[i];

		if (!(field->actions & 1u << action))
			continue;
		cJSON *property = field->kind->schema(field);
		cJSON_AddStringToObject(property, "description", field->help);
		cJSON_AddItemToObject(properties, field->name, property);
		if (field->flags & CONFIG_REQUIRED)
			cJSON_AddItemToArray(required, cJSON_CreateString(field->name));
	}
	cJSON_AddBoolToObject(schema, "additionalProperties", 0);
	return schema;
}

static cJSON *schema_do(const struct config_field *field)
{
	cJSON *schema = config_kind_schema_type("array");
	cJSON *items = cJSON_AddObjectToObject(schema, "items");
	cJSON *choices = cJSON_AddArrayToObject(items, "anyOf");

	(void)field;
	for (size_t i = 0; i < ACTIONS; i++)
		cJSON_AddItemToArray(choices, schema_rule(i));
	return schema;
}

static const struct config_kind do_kind = {read_do, NULL, schema_do};

static const char *const format_names[] = {"plain", "mongodb.change", NULL};

static const struct config_field event_fields[] = {
    {.name = "summary",
     .help = "what happened, for people",
     .kind = &config_kind_string,
     .offset = offsetof(struct config_event, summary)},
    {.name = "format",
     .help = "what the payload is: its own JSON, or a database's change document",
     .kind = &config_kind_choice,
     .offset = offsetof(struct config_event, format),
     .detail = format_names},
    {.name = "collection",
     .help = "with mongodb.change: the collection that changed",
     .kind = &config_kind_string,
     .offset = offsetof(struct config_event, collection)},
    {.name = "max_keys",
     .help = "refuse an event that would touch more",
     .kind = &config_kind_unsigned,
     .offset = offsetof(struct config_event, max_keys),
     .flags = CONFIG_UNSET,
     .min = 1,
     .max = 100000000},
    {.name = "do", .help = "the rules, in order", .kind = &do_kind, .flags = CONFIG_REQUIRED},
};
static const struct config_object event_object = {.what = "an event",
						  .fields = event_fields,
						  .count = 5,
						  .size = sizeof(struct config_event)};

static void read_events(struct config_reader *reader, const struct json_node *node,
			const struct config_field *field, void *place)
{
	static const struct config_field inner = {.detail = &event_object};
	struct conf_events *events = place;

	(void)field;
	events->tree = (struct conf_tree){reader->doc, node};
	config_kind_map.read(reader, node, &inner, &events->events);
}

static cJSON *show_events(const struct config_field *field, const void *place)
{
	return config_rule_values.show(field, &((const struct conf_events *)place)->tree);
}

static cJSON *schema_events(const struct config_field *field)
{
	static const struct config_field inner = {.detail = &event_object};

	(void)field;
	return config_kind_map.schema(&inner);
}

const struct config_kind config_events_kind = {read_events, show_events, schema_events};
