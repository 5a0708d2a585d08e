#include "core/event_private.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_tree.h"
#include "core/template_parts.h"

#include <string.h>
#include <time.h>

#define SHOWN 64 /* bytes of a name in a message */

/* MongoDB's extended JSON: what is the value of, say, {"$oid": "507f…"}. */
static struct bytes unwrap(struct bytes value)
{
	static const char *const wrappers[] = {"$oid",       "$date",         "$numberLong",
					       "$numberInt", "$numberDouble", "$numberDecimal",
					       "$uuid",      "$symbol"};
	struct bytes raw, inner, more;
	struct json_iter iter;

	if (json_type_of(value) != JSON_OBJECT || json_iter_init(&iter, value) != 0 ||
	    !json_iter_next(&iter, &raw, &inner) || json_iter_next(&iter, &more, &more))
		return value;
	for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
		if (bytes_equal_str(bytes_sub(raw, 1, raw.len - 2), wrappers[i]))
			return unwrap(inner);
	return value;
}

int event_find(struct event_payload *payload, struct bytes pointer, struct bytes *ret_value)
{
	if (json_find(payload->doc, pointer, ret_value) != 0)
		return -1;
	if (payload->is_change)
		*ret_value = unwrap(*ret_value);
	return 0;
}

/* As JavaScript's toISOString. */
static struct bytes now(struct event_payload *payload)
{
	uint64_t ms = clock_wall_ms();
	time_t seconds = (time_t)(ms / 1000);
	char date[32];
	struct tm tm;

	if (payload->now.len)
		return payload->now;
	gmtime_r(&seconds, &tm);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
	payload->now =
	    bytes_of(mem_arena_printf(payload->arena, "%s.%03uZ", date, (unsigned)(ms % 1000)));
	return payload->now;
}

/* The text of a scalar in the payload. 1: not there (or null). */
static int find_text(struct event_payload *payload, const char *pointer, struct bytes *ret_text,
		     struct err *err)
{
	struct buf text = {0};
	struct bytes value;

	if (strcmp(pointer, "now") == 0) {
		*ret_text = now(payload);
		return 0;
	}
	if (event_find(payload, bytes_of(pointer), &value) != 0 ||
	    json_type_of(value) == JSON_NULL)
		return 1;
	if (json_scalar_text(&text, value) != 0) {
		buf_release(&text);
		return err_set(err, ERR_USAGE, "%s is no text or number but: %s", pointer,
			       json_type_name(json_type_of(value)));
	}
	*ret_text = mem_arena_bytes(payload->arena, buf_bytes(&text));
	buf_release(&text);
	return 0;
}

int event_expand(struct event_payload *payload, const struct event_text *text,
		 struct bytes *ret_text, struct err *err)
{
	const struct template *tmpl = text->tmpl;
	struct var vars[TEMPLATE_VARS_MAX];
	struct buf out = {0};
	size_t count = 0;

	for (size_t i = 0; i < template_var_count(tmpl); i++) {
		const char *name = template_var_name(tmpl, i);
		int status = find_text(payload, name, &vars[count].value, err);

		if (status < 0)
			return -1;
		if (status == 1 && !template_var_optional(tmpl, i))
			return err_set(err, ERR_USAGE, "the payload has no %s", name);
		vars[count].name = bytes_of(name);
		count += status == 0;
	}
	if (text->pointer.len && count == 1) { /* nothing to put together */
		*ret_text = vars[0].value;
		return 0;
	}
	if (template_expand(tmpl, vars, count, &out, err) != 0) {
		buf_release(&out);
		return -1;
	}
	*ret_text = mem_arena_bytes(payload->arena, buf_bytes(&out));
	buf_release(&out);
	return 0;
}

static int render_string(struct event_payload *payload, const struct event_value *value,
			 struct buf *buf, struct err *err)
{
	struct bytes text;

	if (value->text.pointer.len) {
		if (event_find(payload, value->text.pointer, &text) != 0)
			return err_set(err, ERR_USAGE, "the payload has no %.*s",
				       BYTES_ARG(value->text.pointer));
		buf_add(buf, text);
		return 0;
	}
	if (event_expand(payload, &value->text, &text, err) != 0)
		return -1;
	json_quote(buf, text);
	return 0;
}

int event_render(struct event_payload *payload, const struct event_value *value,
		 struct buf *buf, struct err *err)
{
	bool object = value->node->type == JSON_OBJECT;

	if (value->node->type == JSON_STRING)
		return render_string(payload, value, buf, err);
	if (!object && value->node->type != JSON_ARRAY) {
		buf_add(buf, value->node->raw);
		return 0;
	}
	buf_add_char(buf, object ? '{' : '[');
	for (const struct event_value *child = value->child; child; child = child->next) {
		if (child != value->child)
			buf_add_char(buf, ',');
		if (object) {
			json_quote(buf, child->node->name);
			buf_add_char(buf, ':');
		}
		if (event_render(payload, child, buf, err) != 0)
			return object ? err_wrap(err, "%.*s",
						 child->node->name.len > SHOWN
						     ? SHOWN
						     : (int)child->node->name.len,
						 child->node->name.ptr)
				      : -1;
	}
	buf_add_char(buf, object ? '}' : ']');
	return 0;
}
