#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "base/bytes.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct err;
struct event_rule;
struct event_runner;
struct ns;

/* The events of a configuration, rules compiled. Borrows the configuration. */
struct event_set;

struct event_set *event_set_new(const struct config *config);
void event_set_free(struct event_set *set);
size_t event_set_count(const struct event_set *set);
const char *event_set_name(const struct event_set *set, size_t index);

/* What a rule does, as the configuration spells it. */
enum event_action {
	EVENT_INVALIDATE,
	EVENT_EXPIRE,
	EVENT_PATCH,
	EVENT_COUNT,
	EVENT_WARM,
	EVENT_PUBLISH,
	EVENT_SET,
	EVENT_INDEX,
	EVENT_UPSERT,
	EVENT_REMOVE,
	EVENT_ACTIONS,
};
extern const char *const event_action_names[EVENT_ACTIONS];

/* What became of a step. */
enum event_outcome {
	EVENT_PENDING, /* not done, or its answer never came */
	EVENT_SKIPPED, /* the rule's condition does not hold */
	EVENT_REMOVED, /* keys, set members or elements */
	EVENT_EXPIRING,
	EVENT_PATCHED, /* cached JSON: merged, or an element replaced or added */
	EVENT_STORED,
	EVENT_ADDED, /* a set's member */
	EVENT_COUNTED,
	EVENT_PUBLISHED,
	EVENT_WARMED,
	EVENT_ABSENT, /* nothing there to drop or to change */
	EVENT_SAME,   /* it is so already: it lives no longer, holds that member, was counted */
	EVENT_FOREIGN, /* the index points to something else by now */
	EVENT_FAILED,  /* the step's problem says why */
	EVENT_OUTCOMES,
};
extern const char *const event_outcome_names[EVENT_OUTCOMES];

/* A field of a hash and how much it grows. */
struct event_amount {
	struct bytes field;
	struct bytes by; /* a decimal number */
};

/* What one rule does to one key (or pattern, or channel). Lives in the plan's arena. */
struct event_step {
	struct event_step *next;
	const struct event_rule *rule;
	size_t number; /* of the rule, from 1 */
	enum event_action action;
	const struct ns *ns;  /* NULL: publish */
	struct bytes key;     /* of publish: the channel; of a pattern: its glob */
	bool pattern;         /* every key that matches and reads back as values say */
	uint64_t limit;       /* keys that a pattern may touch */
	struct bytes *values; /* by var; empty: of a pattern any, to warm not given */
	struct bytes text;    /* what is stored, merged, said, added; the id removed */
	struct bytes expect;  /* expire: the index must hold it; upsert: the element's id */
	const struct event_amount *amounts;
	size_t amount_count;
	struct bytes once;  /* count: what it is called; empty: nothing to remember */
	const char *reason; /* why the rule applies or not, when explaining */
	enum { EVENT_NOT_LOOKED, EVENT_NOT_THERE, EVENT_THERE } there; /* when explaining */

	enum event_outcome outcome;
	uint64_t keys;       /* that it touched */
	const char *problem; /* of FAILED */
	struct event_runner *runner;
};

/* What happened. */
struct event {
	struct bytes name; /* empty: a change document, whose collection tells */
	struct bytes data; /* JSON, checked by event_plan */
};

/* What is to be done for one event. */
struct event_plan {
	struct mem_arena *arena; /* the caller's: of the steps and all that they point to */
	struct event_step *first, *last;
	size_t count;       /* keys, patterns and channels */
	const char *name;   /* the (last) event that it is */
	bool explain;       /* also keep the steps of rules whose condition does not hold */
	uint64_t max_keys;  /* more than this are refused */
	const char *reason; /* why the rule under way applies, when explaining */
};

/*
 * Every rule of the event becomes steps, or none is: ERR_USAGE names event,
 * rule and field when the event is unknown (did you mean), its data is not
 * JSON, lacks what a rule needs, or would make another namespace's key;
 * ERR_REFUSED when it would touch more than max_keys. Touches nothing. data
 * must outlive the plan.
 */
int event_plan(const struct event_set *set, const struct event *event, struct event_plan *plan,
	       struct err *err);

/*
 * The name that a document gives for itself: the scalar at pointer, or, of a
 * database's change document, none. ERR_USAGE when it has neither.
 */
int event_name(struct bytes data, struct bytes pointer, struct mem_arena *arena,
	       struct bytes *ret_name, struct err *err);

#endif
