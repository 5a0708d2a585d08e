#include "core/template_parts.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* A template being read. */
struct parse {
	struct template *tmpl;
	struct buf literal; /* the one being collected */
	char *store;        /* where the next literal or name is kept */
	size_t at;
	struct err *err;
};

static int fail_at(struct parse *parse, size_t at, const char *what)
{
	err_set(parse->err, ERR_CONFIG, "byte %zu: %s", at + 1, what);
	return -1;
}

static struct bytes keep(struct parse *parse, struct bytes b)
{
	struct bytes kept = {parse->store, b.len};

	if (b.len)
		memcpy(parse->store, b.ptr, b.len);
	parse->store[b.len] = '\0';
	parse->store += b.len + 1;
	return kept;
}

static struct template_part *add_part(struct template *tmpl)
{
	tmpl->parts = mem_resize(tmpl->parts, tmpl->part_count + 1, sizeof *tmpl->parts);
	struct template_part *part = &tmpl->parts[tmpl->part_count++];
	*part = (struct template_part){.class = CLASS_PLAIN};
	return part;
}

static void flush_literal(struct parse *parse)
{
	if (parse->literal.len == 0)
		return;
	struct template_part *part = add_part(parse->tmpl);
	part->literal = keep(parse, buf_bytes(&parse->literal));
	parse->tmpl->literal_len += part->literal.len;
	buf_clear(&parse->literal);
}

static bool name_valid(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-')))
			return false;
	}
	return name.len > 0;
}

static int check_name(struct parse *parse, struct bytes name, size_t at)
{
	bool pointer = name.len && name.ptr[0] == '/';

	if (pointer && parse->tmpl->context != TEMPLATE_EVENT)
		return fail_at(parse, at,
			       "a JSON pointer may stand only in templates of events");
	if (pointer && !json_pointer_valid(name))
		return fail_at(parse, at, "not a JSON pointer ('~' is written ~0, '/' is ~1)");
	if (!pointer && !name_valid(name))
		return fail_at(parse, at,
			       "a name is letters, digits, '_' and '-', after a letter or '_'");
	return 0;
}

static int add_var(struct parse *parse, struct bytes name, unsigned *ret_index)
{
	struct template *tmpl = parse->tmpl;
	int known = template_var_index(tmpl, name);

	if (known >= 0) {
		tmpl->repeats = true;
		*ret_index = (unsigned)known;
		return 0;
	}
	if (tmpl->var_count == TEMPLATE_VARS_MAX)
		return fail_at(parse, parse->at, "more than 16 variables");
	*ret_index = (unsigned)tmpl->var_count;
	tmpl->names[tmpl->var_count++] = keep(parse, name).ptr;
	return 0;
}

static int add_filter(struct parse *parse, struct template_part *part, struct bytes text,
		      size_t at)
{
	struct template_filter *filter = &part->filters[part->filter_count];

	if (part->filter_count == TEMPLATE_FILTERS_MAX)
		return fail_at(parse, at, "more than 4 filters");
	if (template_filter_parse(text, filter, parse->err))
		return err_wrap(parse->err, "byte %zu", at + 1);
	part->filter_count++;
	if (filter->kind == FILTER_DEFAULT)
		return 0;
	part->class = template_filter_class(filter);
	part->lossy = part->lossy || filter->kind != FILTER_REST;
	if (part->lossy && part->class == CLASS_REST)
		return fail_at(parse, at, "'rest' does not go with another filter");
	return 0;
}

/* "name|filter|filter": text is what stands between the braces, at its offset. */
static int parse_var(struct parse *parse, struct bytes text, size_t at)
{
	size_t end = bytes_index(text, '|');
	struct bytes name = bytes_sub(text, 0, end);
	unsigned index;

	flush_literal(parse);
	if (check_name(parse, name, at) || add_var(parse, name, &index))
		return -1;
	struct template_part *part = add_part(parse->tmpl);
	part->is_var = true;
	part->var = index;
	while (end < text.len) {
		struct bytes rest = bytes_sub(text, end + 1, text.len);
		size_t len = bytes_index(rest, '|');

		if (add_filter(parse, part, bytes_sub(rest, 0, len), at + end + 1))
			return -1;
		end += 1 + len;
	}
	return 0;
}

static int parse_brace(struct parse *parse, struct bytes text)
{
	size_t open = parse->at;
	struct bytes rest = bytes_sub(text, open + 1, text.len);
	size_t len = bytes_index(rest, '}');

	if (len == rest.len)
		return fail_at(parse, open, "'{' is never closed (a literal brace is doubled)");
	parse->at = open + len + 2;
	return parse_var(parse, bytes_sub(rest, 0, len), open + 1);
}

static int parse_parts(struct parse *parse, struct bytes text)
{
	while (parse->at < text.len) {
		char c = text.ptr[parse->at];
		bool doubled = parse->at + 1 < text.len && text.ptr[parse->at + 1] == c;

		if (c == '\0' && parse->tmpl->context != TEMPLATE_EVENT)
			return fail_at(parse, parse->at, "a NUL may not stand here");
		if ((c == '{' || c == '}') && !doubled) {
			if (c == '}')
				return fail_at(parse, parse->at,
					       "'}' without '{' (a literal brace is doubled)");
			if (parse_brace(parse, text))
				return -1;
			continue;
		}
		buf_add_char(&parse->literal, c);
		parse->at += c == '{' || c == '}' ? 2 : 1;
	}
	flush_literal(parse);
	return 0;
}

/* A key must be readable again: no two vars side by side, `rest` at the end. */
static int check_key(struct parse *parse)
{
	const struct template *tmpl = parse->tmpl;

	if (tmpl->part_count > TEMPLATE_PARTS_MAX)
		return err_set(parse->err, ERR_CONFIG, "more than %d variables",
			       TEMPLATE_VARS_MAX);
	for (size_t i = 0; i + 1 < tmpl->part_count; i++) {
		const struct template_part *part = &tmpl->parts[i];

		if (part->is_var && part->class == CLASS_REST)
			return err_set(parse->err, ERR_CONFIG,
				       "{%s|rest} may stand only at the end of a key",
				       tmpl->names[part->var]);
		if (part->is_var && part[1].is_var)
			return err_set(
			    parse->err, ERR_CONFIG,
			    "nothing separates {%s} from {%s}: such a key cannot be read back",
			    tmpl->names[part->var], tmpl->names[part[1].var]);
	}
	return 0;
}

static void index_vars(struct template *tmpl)
{
	for (size_t i = tmpl->part_count; i-- > 0;) {
		struct template_part *part = &tmpl->parts[i];

		if (!part->is_var)
			continue;
		tmpl->classes[part->class]++;
		tmpl->plain_part[part->var] = (unsigned)i;
	}
	for (size_t i = tmpl->part_count; i-- > 0;)
		if (tmpl->parts[i].is_var && !tmpl->parts[i].lossy)
			tmpl->plain_part[tmpl->parts[i].var] = (unsigned)i;
}

int template_parse(struct bytes text, enum template_context context,
		   struct template **ret_template, struct err *err)
{
	struct template *tmpl = mem_zalloc(1, sizeof *tmpl);
	struct parse parse = {.tmpl = tmpl, .err = err};
	int status = -1;

	tmpl->context = context;
	/* The text, then literals and names: no longer than the text again, a NUL behind each.
	 */
	tmpl->memory = mem_alloc(3 * text.len + 2);
	parse.store = tmpl->memory;
	tmpl->text = keep(&parse, text);
	if (text.len == 0 && context != TEMPLATE_EVENT)
		err_set(err, ERR_CONFIG, "empty");
	else if (parse_parts(&parse, tmpl->text) == 0 &&
		 (context != TEMPLATE_KEY || check_key(&parse) == 0))
		status = 0;
	buf_release(&parse.literal);
	if (status) {
		template_free(tmpl);
		return -1;
	}
	index_vars(tmpl);
	*ret_template = tmpl;
	return 0;
}

void template_free(struct template *tmpl)
{
	if (!tmpl)
		return;
	free(tmpl->parts);
	free(tmpl->memory);
	free(tmpl);
}

struct bytes template_text(const struct template *tmpl)
{
	return tmpl->text;
}

size_t template_var_count(const struct template *tmpl)
{
	return tmpl->var_count;
}

const char *template_var_name(const struct template *tmpl, size_t index)
{
	return tmpl->names[index];
}

int template_var_index(const struct template *tmpl, struct bytes name)
{
	for (size_t i = 0; i < tmpl->var_count; i++)
		if (bytes_equal_str(name, tmpl->names[i]))
			return (int)i;
	return -1;
}

bool template_var_optional(const struct template *tmpl, size_t index)
{
	for (size_t i = 0; i < tmpl->part_count; i++) {
		const struct template_part *part = &tmpl->parts[i];
		bool fallback = false;

		if (!part->is_var || part->var != index)
			continue;
		for (size_t k = 0; k < part->filter_count; k++)
			fallback = fallback || part->filters[k].kind == FILTER_DEFAULT;
		if (!fallback)
			return false;
	}
	return true;
}
