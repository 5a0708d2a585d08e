#ifndef CORE_CONFIG_EVENTS_H
#define CORE_CONFIG_EVENTS_H

#include "core/config_private.h"

/* A rule as far as its checks need it; event_rules.c compiles it from its tree. */
struct config_rule {
	const struct json_node *node;
	const char *path;
	const char *action;             /* NULL after a finding */
	const struct json_node *target; /* the namespace's name; NULL for a channel */
	uint64_t in_ms;
	unsigned ttl;
	struct bytes value;
	struct bytes match;
	struct bytes array;
	unsigned position; /* 1: first */
};

struct config_event {
	struct config_place place;
	const char *summary;
	unsigned format; /* 1: mongodb.change */
	const char *collection;
	unsigned max_keys; /* 0: not said */
	struct config_rule *rules;
	size_t rule_count;
};

/* Kinds of the values of rules; they check and keep nothing. */
extern const struct config_kind config_rule_if;
extern const struct config_kind config_rule_names;
extern const struct config_kind config_rule_vars;
extern const struct config_kind config_rule_values; /* shows a struct conf_tree */
extern const struct config_kind config_rule_by;
extern const struct config_kind config_rule_template;

#endif
