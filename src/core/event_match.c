#include "core/event_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json_tree.h"
#include "base/num.h"

#include <math.h>
#include <string.h>

#define SHOWN 64
#define SHOWN_ARG(b) ((b).len > SHOWN ? SHOWN : (int)(b).len), ((b).ptr ? (b).ptr : "")

/* --- if --- */

static bool same_number(struct bytes a, struct bytes b)
{
	double left, right;

	return num_parse_real(a, -INFINITY, INFINITY, &left) == 0 &&
	       num_parse_real(b, -INFINITY, INFINITY, &right) == 0 && left >= right &&
	       left <= right;
}

static bool equals(struct bytes value, const struct json_node *wanted)
{
	struct buf text = {0};
	bool same = false;

	if (json_type_of(value) != wanted->type)
		return false;
	if (wanted->type != JSON_STRING)
		return bytes_equal(value, wanted->raw) ||
		       (wanted->type == JSON_NUMBER && same_number(value, wanted->raw));
	json_decode_string(&text, value);
	same = bytes_equal(buf_bytes(&text), wanted->text);
	buf_release(&text);
	return same;
}

/* Something is there: no null, no empty text. */
static bool is_there(struct event_payload *payload, struct bytes pointer)
{
	struct bytes value;

	return event_find(payload, pointer, &value) == 0 && json_type_of(value) != JSON_NULL &&
	       !bytes_equal_str(value, "\"\"");
}

static bool is_one_of(struct event_payload *payload, const struct json_node *member)
{
	struct bytes value;
	bool found = event_find(payload, member->name, &value) == 0;

	for (const struct json_node *wanted = member->child; wanted; wanted = wanted->next)
		if (found ? equals(value, wanted) : wanted->type == JSON_NULL)
			return true;
	return false;
}

static bool holds(struct event_payload *payload, const struct json_node *when,
		  const char **ret_reason)
{
	struct bytes value;

	if (when->type == JSON_STRING) {
		bool there = is_there(payload, when->text);

		if (ret_reason)
			*ret_reason =
			    mem_arena_printf(payload->arena, "the payload has %s%.*s",
					     there ? "" : "no ", SHOWN_ARG(when->text));
		return there;
	}
	for (const struct json_node *member = when->child; member; member = member->next) {
		bool one = is_one_of(payload, member);

		if (ret_reason)
			*ret_reason =
			    event_find(payload, member->name, &value) != 0
				? mem_arena_printf(payload->arena, "the payload has no %.*s",
						   SHOWN_ARG(member->name))
				: mem_arena_printf(payload->arena, "%.*s is %.*s",
						   SHOWN_ARG(member->name), SHOWN_ARG(value));
		if (!one)
			return false;
	}
	return true;
}

/* --- when_changed --- */

/* Is one path the other, or does it lead to it? "a.b" touches "a" and "a.b.c", not "a.bc". */
static bool touches(struct bytes a, struct bytes b)
{
	struct bytes shorter = a.len < b.len ? a : b;
	struct bytes longer = a.len < b.len ? b : a;

	return bytes_starts_with(longer, shorter) &&
	       (longer.len == shorter.len || longer.ptr[shorter.len] == '.');
}

static bool touches_any(const struct json_node *fields, struct bytes raw)
{
	struct buf path = {0};
	bool found = false;

	if (json_type_of(raw) != JSON_STRING)
		return false;
	json_decode_string(&path, raw);
	for (const struct json_node *field = fields->child; field && !found;
	     field = field->next)
		found = touches(field->text, buf_bytes(&path));
	buf_release(&path);
	return found;
}

/* updatedFields: {path: value}; removedFields: [path]; truncatedArrays: [{"field": path, …}].
 */
static bool changed_in(struct event_payload *payload, const char *where,
		       const struct json_node *fields)
{
	struct bytes list, name, value;
	struct json_iter iter;

	if (json_find(payload->doc, bytes_of(where), &list) != 0 ||
	    json_iter_init(&iter, list) != 0)
		return false;
	while (json_iter_next(&iter, &name, &value)) {
		if (!iter.in_object) {
			name = value;
			if (json_type_of(value) == JSON_OBJECT &&
			    json_find(value, BYTES("/field"), &name) != 0)
				continue;
		}
		if (touches_any(fields, name))
			return true;
	}
	return false;
}

static bool operation_is(struct event_payload *payload, const char *quoted)
{
	struct bytes operation;

	return json_find(payload->doc, BYTES("/operationType"), &operation) == 0 &&
	       bytes_equal_str(operation, quoted);
}

/* Everything but an update counts as a change of every field. */
static bool has_changed(struct event_payload *payload, const struct json_node *fields,
			const char **ret_reason)
{
	bool every = !operation_is(payload, "\"update\"");
	bool changed = every ||
		       changed_in(payload, "/updateDescription/updatedFields", fields) ||
		       changed_in(payload, "/updateDescription/removedFields", fields) ||
		       changed_in(payload, "/updateDescription/truncatedArrays", fields);

	if (ret_reason)
		*ret_reason = every     ? "no update: every field counts as changed"
			      : changed ? "one of its fields changed"
					: "none of its fields changed";
	return changed;
}

bool event_applies(struct event_payload *payload, const struct event_rule *rule,
		   const char **ret_reason)
{
	if (ret_reason)
		*ret_reason = "always";
	return (!rule->changed || has_changed(payload, rule->changed, ret_reason)) &&
	       (!rule->when || holds(payload, rule->when, ret_reason));
}

/* --- change documents --- */

bool event_is_change(struct bytes data)
{
	struct bytes value;

	return json_find(data, BYTES("/operationType"), &value) == 0 &&
	       json_type_of(value) == JSON_STRING;
}

int event_check_change(struct event_payload *payload, const struct event_def *def,
		       bool *ret_ours, const char **ret_reason, struct err *err)
{
	/* https://www.mongodb.com/docs/manual/reference/change-events/ */
	static const char *const known[] = {"\"insert\"",       "\"update\"",    "\"replace\"",
					    "\"delete\"",       "\"drop\"",      "\"rename\"",
					    "\"dropDatabase\"", "\"invalidate\""};
	struct bytes operation, collection;
	struct buf text = {0};
	bool database = operation_is(payload, "\"dropDatabase\"") ||
			operation_is(payload, "\"invalidate\"");
	bool found = false;

	if (json_find(payload->doc, BYTES("/operationType"), &operation) != 0)
		return err_set(err, ERR_USAGE, "no change document: it has no operationType");
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		found = found || bytes_equal_str(operation, known[i]);
	*ret_ours = false;
	if (!found) {
		*ret_reason = "an operation that changes no document";
		return 0;
	}
	*ret_ours = database;
	if (database)
		return 0;
	if (json_find(payload->doc, BYTES("/ns/coll"), &collection) != 0 ||
	    json_scalar_text(&text, collection) != 0)
		return err_set(err, ERR_USAGE, "no change document: it has no ns.coll");
	*ret_ours = bytes_equal_str(buf_bytes(&text), def->collection);
	*ret_reason = "a change of another collection";
	buf_release(&text);
	return 0;
}
