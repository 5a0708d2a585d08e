#include "core/event_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json_tree.h"
#include "base/text.h"
#include "core/namespace.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN 64
#define KNOWN_MAX 400 /* bytes of names that a message lists */
#define SHOWN_ARG(b) ((b).len > SHOWN ? SHOWN : (int)(b).len), ((b).ptr ? (b).ptr : "")

/* A skipped rule's step, for those who want to know why. */
static void note_skip(const struct event_rule *rule, size_t index, const char *reason,
		      struct event_plan *plan)
{
	struct event_step *step = mem_arena_alloc(plan->arena, sizeof *step);

	*step = (struct event_step){.rule = rule,
				    .number = index + 1,
				    .action = rule->action,
				    .ns = rule->ns,
				    .outcome = EVENT_SKIPPED,
				    .reason = reason};
	*(plan->last ? &plan->last->next : &plan->first) = step;
	plan->last = step;
}

static int plan_def(const struct event_set *set, const struct event_def *def,
		    struct event_payload *payload, struct event_plan *plan, struct err *err)
{
	const char *reason = NULL;
	bool ours = true;

	payload->is_change = def->is_change;
	plan->name = def->name;
	if (def->is_change && event_check_change(payload, def, &ours, &reason, err) != 0)
		return err_wrap(err, "event '%s'", def->name);
	for (size_t i = 0; i < def->rule_count; i++) {
		const struct event_rule *rule = &def->rules[i];

		if (!ours || !event_applies(payload, rule, plan->explain ? &reason : NULL)) {
			if (plan->explain)
				note_skip(rule, i, reason, plan);
			continue;
		}
		plan->reason = plan->explain ? reason : NULL;
		if (event_plan_rule(set, def, i, payload, plan, err) != 0)
			return err_wrap(err, "event '%s', rule %zu (%s%s%s)", def->name, i + 1,
					event_action_names[rule->action], rule->ns ? " " : "",
					rule->ns ? rule->ns->name : "");
	}
	return 0;
}

static int unknown_event(const struct event_set *set, struct bytes name, struct err *err)
{
	const char **names = mem_zalloc(set->count, sizeof *names);

	for (size_t i = 0; i < set->count; i++)
		names[i] = set->defs[i].name;
	const char *near = text_nearest(name, names, set->count);
	free(names);
	struct buf known = {0};
	for (size_t i = 0; i < set->count && known.len < KNOWN_MAX; i++)
		buf_printf(&known, "%s%s", i ? ", " : "", set->defs[i].name);
	if (known.len >= KNOWN_MAX)
		buf_add_str(&known, ", …");
	if (near)
		err_set(err, ERR_USAGE, "unknown event '%.*s'; did you mean '%s'?",
			SHOWN_ARG(name), near);
	else if (set->count == 0)
		err_set(err, ERR_USAGE,
			"unknown event '%.*s': the configuration declares none (\"events\")",
			SHOWN_ARG(name));
	else
		err_set(err, ERR_USAGE, "unknown event '%.*s'; the configuration declares %s",
			SHOWN_ARG(name), buf_str(&known));
	buf_release(&known);
	return -1;
}

/* A change document without a name belongs to every event of its collection. */
static int plan_change(const struct event_set *set, struct event_payload *payload,
		       struct event_plan *plan, struct err *err)
{
	const char *reason = NULL;
	bool heard = false;

	for (size_t i = 0; i < set->count; i++) {
		bool ours = false;

		if (!set->defs[i].is_change)
			continue;
		payload->is_change = true;
		if (event_check_change(payload, &set->defs[i], &ours, &reason, err) != 0)
			return -1;
		if (ours && plan_def(set, &set->defs[i], payload, plan, err) != 0)
			return -1;
		heard = heard || ours;
	}
	if (!heard)
		plan->name = "(not listened to)";
	return 0;
}

static int check_data(struct bytes data, struct err *err)
{
	struct json_error wrong;
	size_t line, column;

	if (json_check(data, JSON_STRICT, JSON_DEPTH_DATA, &wrong) == 0)
		return 0;
	json_locate(data, wrong.offset, &line, &column);
	return err_set(err, ERR_USAGE, "the payload is no JSON: line %zu, column %zu: %s", line,
		       column, wrong.what);
}

static int plan_event(const struct event_set *set, const struct event *event,
		      struct event_plan *plan, struct err *err)
{
	struct event_payload payload = {.doc = event->data, .arena = plan->arena};

	if (check_data(event->data, err) != 0)
		return -1;
	if (event->name.len == 0)
		return plan_change(set, &payload, plan, err);
	for (size_t i = 0; i < set->count; i++)
		if (bytes_equal_str(event->name, set->defs[i].name))
			return plan_def(set, &set->defs[i], &payload, plan, err);
	return unknown_event(set, event->name, err);
}

int event_plan(const struct event_set *set, const struct event *event, struct event_plan *plan,
	       struct err *err)
{
	int status = 0;

	plan->first = plan->last = NULL;
	plan->count = 0;
	plan->name = NULL;
	status = plan_event(set, event, plan, err);
	if (status != 0) /* whole or not at all */
		plan->first = plan->last = NULL;
	return status;
}

int event_name(struct bytes data, struct bytes pointer, struct mem_arena *arena,
	       struct bytes *ret_name, struct err *err)
{
	struct buf text = {0};
	struct bytes value;

	*ret_name = (struct bytes){NULL, 0};
	if (json_find(data, pointer, &value) == 0 && json_scalar_text(&text, value) == 0 &&
	    text.len) {
		*ret_name = mem_arena_bytes(arena, buf_bytes(&text));
		buf_release(&text);
		return 0;
	}
	buf_release(&text);
	if (check_data(data, err) != 0)
		return -1;
	if (event_is_change(data))
		return 0;
	return err_set(err, ERR_USAGE, "the event has no name at '%.*s'", BYTES_ARG(pointer));
}
