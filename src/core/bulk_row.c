#include "core/bulk_row.h"

#include "base/err.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "core/namespace.h"

#include <inttypes.h>
#include <string.h>

#define TTL_MS_MAX INT64_C(10000000000000) /* 300 years: the server adds its clock */

enum member {
	MEMBER_NS,
	MEMBER_VARS,
	MEMBER_KEY,
	MEMBER_TTL_MS,
	MEMBER_VALUE, /* from here on: what is stored */
	MEMBER_TEXT,
	MEMBER_BASE64,
	MEMBER_COUNT,
};

static const char *const member_names[MEMBER_COUNT] = {"ns",    "vars", "key",   "ttl_ms",
						       "value", "text", "base64"};
static const unsigned char member_lens[MEMBER_COUNT] = {2, 4, 3, 6, 5, 4, 6};

/* A row being read. */
struct reading {
	struct bulk_parser *parser;
	struct json_reader json;
	struct json_token token;
	struct bytes members[MEMBER_COUNT]; /* as written; ptr NULL: not there */
	size_t var_count;
	struct err *err;
};

void bulk_parser_release(struct bulk_parser *parser)
{
	buf_release(&parser->key);
	buf_release(&parser->decoded);
}

static void point_at(struct reading *reading, struct bytes raw)
{
	reading->parser->column = (size_t)(raw.ptr - reading->json.doc.ptr) + 1;
}

/* The next token; the text's end is one that no row has there. */
static int next(struct reading *reading)
{
	if (json_read(&reading->json, &reading->token) > 0)
		return 0;
	reading->parser->column = reading->json.error.offset + 1;
	return err_set(reading->err, ERR_CONFIG, "%s", reading->json.error.what);
}

/*
 * So that slices of what is decoded do not move: all strings of a row together
 * are shorter than it, and base64 text may be there twice.
 */
static void reserve(struct reading *reading)
{
	struct buf *decoded = &reading->parser->decoded;

	if (decoded->len == 0)
		buf_reserve(decoded, 2 * reading->json.doc.len);
}

/* A string token's text; what was decoded before in this row stays where it is. */
static struct bytes text_of(struct reading *reading, struct bytes raw)
{
	struct buf *decoded = &reading->parser->decoded;
	struct bytes inner = bytes_sub(raw, 1, raw.len - 2);
	size_t start = decoded->len;

	if (bytes_index(inner, '\\') == inner.len)
		return inner;
	reserve(reading);
	json_decode_string(decoded, raw);
	return bytes_sub(buf_bytes(decoded), start, decoded->len);
}

static enum member find_member(struct bytes name)
{
	enum member member = 0;

	while (member < MEMBER_COUNT && (name.len != member_lens[member] ||
					 memcmp(name.ptr, member_names[member], name.len) != 0))
		member++;
	return member;
}

static int refuse_member(struct reading *reading, struct bytes name, const char *what)
{
	point_at(reading, name);
	return err_set(reading->err, ERR_CONFIG, "%s %.*s", what,
		       name.len > 64 ? 64 : (int)name.len, name.ptr);
}

static int unknown_member(struct reading *reading, struct bytes raw)
{
	const char *near =
	    text_nearest(bytes_sub(raw, 1, raw.len - 2), member_names, MEMBER_COUNT);

	if (!near)
		return refuse_member(reading, raw, "a row has no member");
	point_at(reading, raw);
	return err_set(reading->err, ERR_CONFIG, "a row has no member %.*s; did you mean '%s'?",
		       raw.len > 64 ? 64 : (int)raw.len, raw.ptr, near);
}

/* {"name": scalar, …} */
static int read_vars(struct reading *reading)
{
	if (reading->token.type != JSON_OBJECT)
		return refuse_member(reading, reading->token.raw,
				     "'vars' is an object {\"name\": …}, not");
	for (;;) {
		if (next(reading) != 0)
			return -1;
		if (reading->token.event == JSON_EV_END)
			return 0;
		struct bytes name = reading->token.raw;
		if (reading->var_count == TEMPLATE_VARS_MAX)
			return refuse_member(reading, name, "too many vars, from");
		if (next(reading) != 0)
			return -1;
		if (reading->token.event == JSON_EV_BEGIN || reading->token.type == JSON_NULL)
			return refuse_member(reading, reading->token.raw,
					     "a var is a string, a number, true or false, not");
		struct bytes value = reading->token.raw;
		if (reading->token.type == JSON_STRING)
			value = text_of(reading, value);
		reading->parser->vars[reading->var_count++] =
		    (struct var){text_of(reading, name), value};
	}
}

static int read_member(struct reading *reading)
{
	struct bytes name = reading->token.raw;
	enum member member = find_member(bytes_sub(name, 1, name.len - 2));

	if (member == MEMBER_COUNT)
		return unknown_member(reading, name);
	if (reading->members[member].ptr)
		return refuse_member(reading, name, "a second");
	if (next(reading) != 0)
		return -1;
	struct bytes value = reading->token.raw;
	if (member == MEMBER_VARS && read_vars(reading) != 0)
		return -1;
	if (member == MEMBER_VALUE) {
		if (json_skip(&reading->json, &reading->token, &value) != 0)
			return next(reading);
	} else if (member != MEMBER_VARS &&
		   reading->token.type !=
		       (member == MEMBER_TTL_MS ? JSON_NUMBER : JSON_STRING)) {
		return refuse_member(reading, reading->token.raw,
				     member == MEMBER_TTL_MS ? "'ttl_ms' is a number, not"
							     : "a string was expected, not");
	}
	reading->members[member] = value;
	return 0;
}

static int read_members(struct reading *reading)
{
	if (next(reading) != 0)
		return -1;
	if (reading->token.event != JSON_EV_BEGIN || reading->token.type != JSON_OBJECT) {
		reading->parser->column = reading->token.offset + 1;
		return err_set(reading->err, ERR_CONFIG, "a row is an object {…}");
	}
	for (;;) {
		if (next(reading) != 0)
			return -1;
		if (reading->token.event == JSON_EV_END)
			break;
		if (read_member(reading) != 0)
			return -1;
	}
	return json_read(&reading->json, &reading->token) == 0 ? 0 : next(reading);
}

/* "ns" and the run's namespace; neither is an error only where vars want one. */
static int find_namespace(struct reading *reading)
{
	struct bulk_parser *parser = reading->parser;
	const struct ns *named = NULL;

	if (!reading->members[MEMBER_NS].ptr) {
		parser->ns = parser->only;
		return 0;
	}
	point_at(reading, reading->members[MEMBER_NS]);
	struct bytes name = text_of(reading, reading->members[MEMBER_NS]);
	if (parser->last && bytes_equal_str(name, parser->last->name))
		named = parser->last;
	else if (nsset_need(parser->set, name, &named, reading->err) != 0)
		return -1;
	parser->last = named;
	parser->ns = parser->only ? parser->only : named;
	if (named != parser->ns)
		return err_set(reading->err, ERR_USAGE,
			       "the row is of namespace %s, this run is for %s", named->name,
			       parser->ns->name);
	return 0;
}

static int key_from_text(struct reading *reading, struct bytes *ret_key)
{
	struct bulk_parser *parser = reading->parser;
	struct bytes key = text_of(reading, reading->members[MEMBER_KEY]);
	int shown = key.len > 64 ? 64 : (int)key.len;

	point_at(reading, reading->members[MEMBER_KEY]);
	if (reading->members[MEMBER_VARS].ptr)
		return err_set(reading->err, ERR_CONFIG, "'key' and 'vars' exclude each other");
	if (key.len > TEMPLATE_KEY_MAX)
		return err_set(reading->err, ERR_USAGE, "the key is longer than %d bytes",
			       TEMPLATE_KEY_MAX);
	if (ns_is_own_key(key))
		return err_set(reading->err, ERR_USAGE, "'%.*s' is a key of ccache's own",
			       shown, key.ptr);
	const struct ns *owner = nsset_classify(parser->set, key, NULL);
	if (!owner)
		return err_set(reading->err, ERR_USAGE, "no namespace claims the key '%.*s'",
			       shown, key.ptr);
	if (parser->ns && parser->ns != owner)
		return err_set(reading->err, ERR_USAGE,
			       "the key '%.*s' belongs to namespace %s, not to %s", shown,
			       key.ptr, owner->name, parser->ns->name);
	parser->ns = owner;
	*ret_key = key;
	return 0;
}

static int check_var_names(struct reading *reading)
{
	const struct ns *ns = reading->parser->ns;

	for (size_t i = 0; i < reading->var_count; i++) {
		struct bytes name = reading->parser->vars[i].name;
		int shown = name.len > 64 ? 64 : (int)name.len;

		if (template_var_index(ns->key, name) < 0)
			return err_set(reading->err, ERR_USAGE, "%s has no var '%.*s' (%.*s)",
				       ns->name, shown, name.ptr,
				       BYTES_ARG(template_text(ns->key)));
		for (size_t j = 0; j < i; j++)
			if (bytes_equal(name, reading->parser->vars[j].name))
				return err_set(reading->err, ERR_USAGE, "%.*s is given twice",
					       shown, name.ptr);
	}
	return 0;
}

static int key_from_vars(struct reading *reading, struct bytes *ret_key)
{
	struct bulk_parser *parser = reading->parser;

	if (reading->members[MEMBER_VARS].ptr)
		point_at(reading, reading->members[MEMBER_VARS]);
	if (!parser->ns)
		return err_set(reading->err, ERR_CONFIG,
			       "the row names no key: 'ns' (and 'vars') or 'key'");
	buf_clear(&parser->key);
	if (check_var_names(reading) != 0 ||
	    ns_expand(parser->set, parser->ns, reading->parser->vars, reading->var_count,
		      &parser->key, reading->err) != 0)
		return -1;
	*ret_key = buf_bytes(&parser->key);
	return 0;
}

static int find_ttl(struct reading *reading, int64_t *ret_ttl_ms)
{
	struct bytes raw = reading->members[MEMBER_TTL_MS];

	if (!raw.ptr || num_parse_i64(raw, 1, TTL_MS_MAX, ret_ttl_ms) == 0)
		return 0;
	point_at(reading, raw);
	return err_set(reading->err, ERR_CONFIG,
		       "'ttl_ms' is a whole number of 1 to %" PRId64 " milliseconds",
		       TTL_MS_MAX);
}

static int decode_base64(struct reading *reading, struct bytes raw, struct bytes *ret_value)
{
	struct buf *decoded = &reading->parser->decoded;
	struct bytes text = text_of(reading, raw);

	reserve(reading);
	size_t start = decoded->len;
	if (text_unbase64(decoded, text) != 0) {
		point_at(reading, raw);
		return err_set(reading->err, ERR_CONFIG,
			       "'base64' is not base64 with padding (RFC 4648)");
	}
	*ret_value = (struct bytes){decoded->ptr + start, decoded->len - start};
	return 0;
}

static int find_value(struct reading *reading, struct bytes *ret_value)
{
	enum member found = MEMBER_COUNT;

	for (enum member i = MEMBER_VALUE; i < MEMBER_COUNT; i++) {
		if (!reading->members[i].ptr)
			continue;
		if (found != MEMBER_COUNT) {
			point_at(reading, reading->members[i]);
			return err_set(reading->err, ERR_CONFIG,
				       "'%s' and '%s' exclude each other", member_names[found],
				       member_names[i]);
		}
		found = i;
	}
	if (found == MEMBER_COUNT)
		return err_set(reading->err, ERR_CONFIG,
			       "the row has no 'value' (nor 'text', nor 'base64')");
	struct bytes raw = reading->members[found];
	if (found == MEMBER_BASE64)
		return decode_base64(reading, raw, ret_value);
	*ret_value = found == MEMBER_TEXT ? text_of(reading, raw) : raw;
	return 0;
}

static int check_type(struct reading *reading)
{
	const struct ns *ns = reading->parser->ns;

	if (ns->type == NS_STRING || ns->type == NS_ANY)
		return 0;
	return err_set(reading->err, ERR_USAGE, "%s holds a %s: rows can fill strings only",
		       ns->name, ns_type_names[ns->type]);
}

int bulk_row_parse(struct bulk_parser *parser, struct bytes text, struct bulk_row *ret_row,
		   struct err *err)
{
	struct reading reading = {.parser = parser, .err = err};
	struct bulk_row row = {0};

	parser->ns = parser->only;
	parser->column = 0;
	buf_clear(&parser->decoded);
	json_reader_init(&reading.json, text, JSON_STRICT, JSON_DEPTH_DATA);
	if (read_members(&reading) != 0 || find_namespace(&reading) != 0)
		return -1;
	if ((reading.members[MEMBER_KEY].ptr ? key_from_text(&reading, &row.key)
					     : key_from_vars(&reading, &row.key)) != 0)
		return -1;
	if (check_type(&reading) != 0 || find_value(&reading, &row.value) != 0 ||
	    find_ttl(&reading, &row.ttl_ms) != 0)
		return -1;
	parser->column = 0;
	row.ns = parser->ns;
	*ret_row = row;
	return 0;
}
