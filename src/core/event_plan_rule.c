#include "core/event_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json_tree.h"
#include "base/num.h"
#include "core/namespace.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define SHOWN 64
#define SHOWN_ARG(b) ((b).len > SHOWN ? SHOWN : (int)(b).len), ((b).ptr ? (b).ptr : "")

/* One rule on its way to steps. */
struct making {
	const struct event_set *set;
	const struct event_def *def;
	const struct event_rule *rule;
	size_t index;
	struct event_payload *payload;
	struct event_plan *plan;
	struct event_step like; /* what all its steps have in common */
	struct var vars[TEMPLATE_VARS_MAX];
	size_t count;
	size_t
	    which[TEMPLATE_VARS_MAX]; /* the index in vars of each of the key's, or SIZE_MAX */
};

/* --- vars --- */

/*
 * What comes from an event is an id, never a pattern and never another key's
 * tag: what stands in the key, behind the filters (a phone's digits, however
 * it is written).
 */
static int check_id(const char *name, struct bytes id, struct err *err)
{
	for (size_t i = 0; i < id.len; i++) {
		unsigned char c = (unsigned char)id.ptr[i];

		if (c < 0x20 || c == 0x7f)
			return err_set(err, ERR_USAGE, "%s holds a control byte (0x%02x)", name,
				       c);
		if (c == '*' || c == '{' || c == '}')
			return err_set(err, ERR_USAGE, "%s '%.*s' may not hold a '%c'", name,
				       SHOWN_ARG(id), c);
	}
	return id.len ? 0 : err_set(err, ERR_USAGE, "%s is empty", name);
}

static int check_var(const struct making *making, const struct var *var, struct err *err)
{
	const struct template *key = making->rule->ns->key;
	size_t index = (size_t)template_var_index(key, var->name);
	struct buf filtered = {0};
	int status = template_read_back(key, index, var, 1, &filtered, err);

	if (status == 0)
		status = check_id(template_var_name(key, index), buf_bytes(&filtered), err);
	buf_release(&filtered);
	return status;
}

/* A var that may be left out and is not in the payload. */
static bool is_left_out(struct making *making, const struct event_var *var)
{
	struct bytes value;

	return var->optional && var->text.pointer.len &&
	       (event_find(making->payload, var->text.pointer, &value) != 0 ||
		json_type_of(value) == JSON_NULL);
}

static int fill_var(struct making *making, size_t index, struct err *err)
{
	const struct event_var *var = &making->rule->vars[index];
	struct var *place = &making->vars[making->count];

	making->which[index] = SIZE_MAX;
	*place = (struct var){.name = bytes_of(var->name)};
	if (var->kind == EVENT_VAR_TEXT && is_left_out(making, var))
		return 0;
	if (var->kind == EVENT_VAR_ANY)
		place->value = BYTES("*");
	if (var->kind == EVENT_VAR_TEXT &&
	    (event_expand(making->payload, &var->text, &place->value, err) != 0 ||
	     check_var(making, place, err) != 0))
		return -1;
	making->which[index] = making->count++;
	return 0;
}

/* --- what a step says --- */

static int make_value(struct making *making, struct err *err)
{
	const struct event_rule *rule = making->rule;
	struct bytes value;

	if (event_find(making->payload, rule->value, &value) != 0 ||
	    json_type_of(value) == JSON_NULL)
		return err_set(err, ERR_USAGE, "the payload has no %.*s",
			       BYTES_ARG(rule->value));
	if (!rule->json && json_type_of(value) == JSON_STRING) {
		struct buf text = {0};

		json_decode_string(&text, value);
		value = mem_arena_bytes(making->payload->arena, buf_bytes(&text));
		buf_release(&text);
	}
	making->like.text = value;
	return 0;
}

static int make_message(struct making *making, struct err *err)
{
	struct buf text = {0};
	int status = 0;

	if (making->rule->message)
		status = event_render(making->payload, making->rule->message, &text, err);
	else
		buf_add(&text, making->payload->doc);
	if (status == 0)
		making->like.text = mem_arena_bytes(making->payload->arena, buf_bytes(&text));
	buf_release(&text);
	return status;
}

/* The id of the element that comes, from within it. */
static int read_item_id(struct making *making, struct err *err)
{
	struct buf text = {0};
	struct bytes id;
	int status = -1;

	if (json_find(making->like.text, making->rule->match, &id) != 0 ||
	    json_scalar_text(&text, id) != 0 || text.len == 0)
		err_set(err, ERR_USAGE, "the element has no id at '%.*s'",
			BYTES_ARG(making->rule->match));
	else
		status = 0;
	making->like.expect = mem_arena_bytes(making->payload->arena, buf_bytes(&text));
	buf_release(&text);
	return status;
}

/* upsert: text is the element and expect its id; remove: text is the id. Of sets: the member.
 */
static int make_element(struct making *making, struct err *err)
{
	const struct event_rule *rule = making->rule;

	if (rule->ns->members_of)
		return event_expand(making->payload, &rule->member, &making->like.text, err) ||
			       check_id(rule->ns->member, making->like.text, err)
			   ? -1
			   : 0;
	if (rule->action == EVENT_REMOVE)
		return event_expand(making->payload, &rule->id, &making->like.text, err);
	if (make_value(making, err) != 0)
		return -1;
	return rule->id.tmpl
		   ? event_expand(making->payload, &rule->id, &making->like.expect, err)
		   : read_item_id(making, err);
}

static int make_amount(struct making *making, const struct event_counter *counter,
		       struct event_amount *amount, struct err *err)
{
	double ignored;

	amount->by = counter->number;
	if (event_expand(making->payload, &counter->field, &amount->field, err) != 0 ||
	    (counter->by.tmpl &&
	     event_expand(making->payload, &counter->by, &amount->by, err) != 0))
		return -1;
	if (num_parse_real(amount->by, -1e15, 1e15, &ignored) != 0)
		return err_set(err, ERR_USAGE, "'%.*s' is no number to count %.*s by",
			       SHOWN_ARG(amount->by), SHOWN_ARG(amount->field));
	return 0;
}

static int make_amounts(struct making *making, struct err *err)
{
	const struct event_rule *rule = making->rule;
	struct mem_arena *arena = making->payload->arena;
	struct event_amount *amounts =
	    mem_arena_alloc(arena, rule->counter_count * sizeof *amounts);
	struct bytes id;

	for (size_t i = 0; i < rule->counter_count; i++)
		if (make_amount(making, &rule->counters[i], &amounts[i], err) != 0)
			return -1;
	making->like.amounts = amounts;
	making->like.amount_count = rule->counter_count;
	if (!rule->once.tmpl)
		return 0;
	if (event_expand(making->payload, &rule->once, &id, err) != 0)
		return -1;
	if (id.len == 0)
		return err_set(err, ERR_USAGE, "once is empty: no event could be told apart");
	making->like.once = bytes_of(
	    mem_arena_printf(arena, "%s:%u:", making->def->name, making->rule->once_number));
	struct buf once = {0};
	buf_add(&once, making->like.once);
	buf_add(&once, id);
	making->like.once = mem_arena_bytes(arena, buf_bytes(&once));
	buf_release(&once);
	return 0;
}

static int make_content(struct making *making, struct err *err)
{
	const struct event_rule *rule = making->rule;

	switch (rule->action) {
	case EVENT_PATCH:
	case EVENT_PUBLISH:
		return make_message(making, err);
	case EVENT_COUNT:
		return make_amounts(making, err);
	case EVENT_SET:
		return make_value(making, err);
	case EVENT_INDEX:
		return event_expand(making->payload, &rule->held, &making->like.text, err) ||
			       check_id(rule->ns->holds, making->like.text, err)
			   ? -1
			   : 0;
	case EVENT_UPSERT:
	case EVENT_REMOVE:
		return make_element(making, err);
	case EVENT_EXPIRE: /* of an index only while it points there */
		return rule->ns->index_of && !rule->wide
			   ? event_expand(making->payload, &rule->held, &making->like.expect,
					  err)
			   : 0;
	default:
		return 0;
	}
}

/* --- steps --- */

static int add_step(struct making *making, const struct event_step *like, struct err *err)
{
	struct event_plan *plan = making->plan;
	uint64_t limit = like->limit;
	struct event_step *step = mem_arena_alloc(plan->arena, sizeof *step);

	if (plan->count >= limit)
		return err_set(err, ERR_REFUSED,
			       "it would touch more than %" PRIu64
			       " keys; raise --max-keys or the event's max_keys",
			       limit);
	*step = *like;
	*(plan->last ? &plan->last->next : &plan->first) = step;
	plan->last = step;
	plan->count++;
	return 0;
}

/* Keeps what the key's vars read back as, of a pattern only those that are given; to warm, as
 * they came. */
static void keep_values(struct making *making, const struct bytes *values,
			struct event_step *step)
{
	struct mem_arena *arena = making->payload->arena;
	size_t count = making->rule->var_count;

	step->values = mem_arena_alloc(arena, (count ? count : 1) * sizeof *step->values);
	for (size_t i = 0; i < count; i++) {
		bool given =
		    making->which[i] != SIZE_MAX && making->rule->vars[i].kind != EVENT_VAR_ANY;

		if (step->action != EVENT_WARM)
			step->values[i] = making->rule->vars[i].kind == EVENT_VAR_ANY
					      ? (struct bytes){NULL, 0}
					      : mem_arena_bytes(arena, values[i]);
		else
			step->values[i] = given ? making->vars[making->which[i]].value
						: (struct bytes){NULL, 0};
	}
}

/* The key with something harmless for "any": the other vars must read back all the same. */
static int expand_key(struct making *making, struct buf *key, struct err *err)
{
	struct var vars[TEMPLATE_VARS_MAX];

	memcpy(vars, making->vars, making->count * sizeof *vars);
	for (size_t i = 0; i < making->rule->var_count; i++)
		if (making->rule->vars[i].kind == EVENT_VAR_ANY)
			vars[making->which[i]].value = BYTES("0");
	return ns_expand(making->set->namespaces, making->rule->ns, vars, making->count, key,
			 err);
}

static int make_glob(struct making *making, struct buf *glob, struct err *err)
{
	struct var given[TEMPLATE_VARS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < making->rule->var_count; i++)
		if (making->which[i] != SIZE_MAX && making->rule->vars[i].kind != EVENT_VAR_ANY)
			given[count++] = making->vars[making->which[i]];
	return template_glob(making->rule->ns->key, given, count, glob, err);
}

static int add_key(struct making *making, struct err *err)
{
	struct event_step step = making->like;
	struct bytes values[TEMPLATE_VARS_MAX];
	struct buf text = {0};
	int status = expand_key(making, &text, err);

	if (status == 0) {
		nsset_classify(making->set->namespaces, buf_bytes(&text), values);
		keep_values(making, values, &step);
		if (making->rule->wide) {
			buf_clear(&text);
			status = make_glob(making, &text, err);
			step.pattern = true;
		}
	}
	if (status == 0) {
		step.key = mem_arena_bytes(making->payload->arena, buf_bytes(&text));
		status = add_step(making, &step, err);
	}
	buf_release(&text);
	return status;
}

/* Every combination of the declared values, from the given var on. */
static int add_keys(struct making *making, size_t index, struct err *err)
{
	while (index < making->rule->var_count &&
	       making->rule->vars[index].kind != EVENT_VAR_LIST)
		index++;
	if (index == making->rule->var_count)
		return add_key(making, err);
	const struct json_node *value = making->rule->vars[index].list->child;
	for (; value; value = value->next) {
		making->vars[making->which[index]].value = value->text;
		if (add_keys(making, index + 1, err) != 0)
			return -1;
	}
	return 0;
}

int event_plan_rule(const struct event_set *set, const struct event_def *def, size_t index,
		    struct event_payload *payload, struct event_plan *plan, struct err *err)
{
	const struct event_rule *rule = &def->rules[index];
	struct making making = {.set = set,
				.def = def,
				.rule = rule,
				.index = index,
				.payload = payload,
				.plan = plan,
				.like = {.rule = rule,
					 .number = index + 1,
					 .action = rule->action,
					 .ns = rule->ns,
					 .reason = plan->reason,
					 .limit = plan->max_keys}};

	if (def->max_keys && def->max_keys < plan->max_keys)
		making.like.limit = def->max_keys;

	if (make_content(&making, err) != 0)
		return -1;
	if (rule->action == EVENT_PUBLISH) {
		if (event_expand(payload, &rule->channel, &making.like.key, err) != 0 ||
		    check_id("the channel", making.like.key, err) != 0)
			return -1;
		return add_step(&making, &making.like, err);
	}
	for (size_t i = 0; i < rule->var_count; i++)
		if (fill_var(&making, i, err) != 0)
			return -1;
	return add_keys(&making, 0, err);
}
