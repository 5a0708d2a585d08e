#ifndef CORE_EVENT_PRIVATE_H
#define CORE_EVENT_PRIVATE_H

#include "core/event.h"
#include "core/template.h"

struct buf;
struct json_node;
struct nsset;

/* A template of a rule, and how it is used. */
struct event_text {
	struct template *tmpl;
	struct bytes
	    pointer; /* it is exactly one {/pointer}: what stands there keeps its type */
};

/* A JSON value whose strings are templates. */
struct event_value {
	struct event_value *child, *next;
	const struct json_node *node;
	struct event_text text; /* of a string */
};

/* Where a var of the key comes from. */
struct event_var {
	const char *name;
	enum { EVENT_VAR_TEXT, EVENT_VAR_ANY, EVENT_VAR_LIST } kind;
	struct event_text text;
	const struct json_node *list; /* of strings */
	bool optional;
};

struct event_counter {
	struct event_text field;
	struct event_text by; /* no tmpl: number */
	struct bytes number;
};

enum event_ttl { EVENT_TTL_RENEW, EVENT_TTL_KEEP };

struct event_rule {
	enum event_action action;
	const struct ns *ns;
	bool json;                    /* the namespace's values are JSON */
	const struct json_node *when; /* "if" */
	const struct json_node *changed;
	struct event_var *vars; /* one per var of the key */
	size_t var_count;
	bool wide; /* some var is "any" */
	struct event_text channel;
	struct event_value *message; /* or merge; NULL: the payload */
	struct event_text held;      /* what an index of this namespace holds */
	struct event_text member;    /* of a set */
	struct event_text id;        /* of an element; no tmpl: from the item */
	struct event_counter *counters;
	size_t counter_count;
	struct event_text once;
	unsigned once_number; /* among the event's rules that count once into this namespace */
	uint64_t in_ms;
	enum event_ttl ttl;
	struct bytes value;        /* pointer into the payload */
	struct bytes match, array; /* pointers into the element, the cached value */
	bool at_front;
};

struct event_def {
	const char *name;
	bool is_change; /* mongodb.change */
	const char *collection;
	uint64_t max_keys; /* 0: not declared */
	struct event_rule *rules;
	size_t rule_count;
};

struct event_set {
	struct mem_arena arena;
	const struct nsset *namespaces;
	struct event_def *defs;
	size_t count;
	struct template **templates; /* to be freed */
	size_t template_count;
};

/* The payload while it is planned. */
struct event_payload {
	struct bytes doc;
	bool is_change;
	struct mem_arena *arena;
	struct bytes now; /* made when first asked for */
};

/* What a pointer selects, a change document's {"$oid": …} and the like taken out of their
 * wrapping. 0 or -1. */
int event_find(struct event_payload *payload, struct bytes pointer, struct bytes *ret_value);
/* 0 with text in the payload's arena. -1: ERR_USAGE, naming what is missing. */
int event_expand(struct event_payload *payload, const struct event_text *text,
		 struct bytes *ret_text, struct err *err);
/* Appends JSON: strings expanded, a bare {/pointer} as it stands in the payload. */
int event_render(struct event_payload *payload, const struct event_value *value,
		 struct buf *buf, struct err *err);
/* Does the rule apply? *ret_reason (may be NULL) says why not. */
bool event_applies(struct event_payload *payload, const struct event_rule *rule,
		   const char **ret_reason);
/* Is this a change of what the event listens to? false: *ret_reason says why. ERR_USAGE: no
 * change document. */
int event_check_change(struct event_payload *payload, const struct event_def *def,
		       bool *ret_ours, const char **ret_reason, struct err *err);
/* The document is a database's change document. */
bool event_is_change(struct bytes data);
/* The steps of one rule. */
int event_plan_rule(const struct event_set *set, const struct event_def *def, size_t index,
		    struct event_payload *payload, struct event_plan *plan, struct err *err);

#endif
