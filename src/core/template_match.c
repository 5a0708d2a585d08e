#include "core/template_parts.h"

#include "base/buf.h"
#include "core/zone.h"

#include <stdio.h>
#include <string.h>

static bool all_digits(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)(text.ptr[i] - '0') > 9)
			return false;
	return text.len > 0;
}

static bool none_between(struct bytes text, char first, char last)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] >= first && text.ptr[i] <= last)
			return false;
	return true;
}

/* True when the bytes of an occurrence are of its class and not empty. */
static bool class_holds(enum template_class class, struct bytes text)
{
	int64_t ignored;

	if (text.len == 0)
		return false;
	switch (class) {
	case CLASS_NUMBER:
		return all_digits(text.ptr[0] == '-' ? bytes_sub(text, 1, text.len) : text);
	case CLASS_DATE:
		return zone_parse_day(text, &ignored) == 0;
	case CLASS_DIGITS:
		return all_digits(text);
	case CLASS_LOWER:
		return none_between(text, 'A', 'Z') && none_between(text, ':', ':');
	case CLASS_UPPER:
		return none_between(text, 'a', 'z') && none_between(text, ':', ':');
	case CLASS_PLAIN:
		return !memchr(text.ptr, ':', text.len);
	default:
		return true;
	}
}

/* Where the literal begins in text, at 1 or later (a var is never empty); text.len when
 * nowhere. */
static size_t find_literal(struct bytes text, struct bytes literal)
{
	if (text.len < literal.len + 1)
		return text.len;
	const char *at = literal.len == 0 ? text.ptr + 1
			 : literal.len == 1
			     ? memchr(text.ptr + 1, literal.ptr[0], text.len - 1)
			     : memmem(text.ptr + 1, text.len - 1, literal.ptr, literal.len);
	return at ? (size_t)(at - text.ptr) : text.len;
}

/* Length of the var at parts[i], whose text begins at text; 0 when it cannot end. */
static size_t var_len(const struct template *tmpl, size_t i, struct bytes text)
{
	if (i + 1 == tmpl->part_count)
		return text.len;
	struct bytes literal = tmpl->parts[i + 1].literal;
	if (i + 2 < tmpl->part_count) {
		size_t len = find_literal(text, literal);
		return len < text.len ? len : 0;
	}
	if (text.len <= literal.len ||
	    !bytes_equal(bytes_sub(text, text.len - literal.len, literal.len), literal))
		return 0;
	return text.len - literal.len;
}

/* True when a further occurrence says the same as the value that was read. */
static bool part_agrees(const struct template *tmpl, const struct template_part *part,
			struct bytes value, struct bytes seen)
{
	struct buf text = {0};
	struct var var = {bytes_of(tmpl->names[part->var]), value};
	char digits[16];
	int remainder;

	if (part->filter_count == 0)
		return bytes_equal(value, seen);
	if (part->filter_count == 1 && part->filters[0].kind == FILTER_JS_HEX_MOD) {
		if (template_js_hex_mod(value, part->filters[0].modulus, &remainder))
			return false;
		int len = snprintf(digits, sizeof digits, "%d", remainder);
		return bytes_equal(seen, (struct bytes){digits, (size_t)len});
	}
	bool same = template_part_text(tmpl, part, &var, 1, &text, NULL) == 0 &&
		    bytes_equal(buf_bytes(&text), seen);
	buf_release(&text);
	return same;
}

/* Two occurrences that went through the same single filter show the same text. */
static bool same_filter(const struct template_part *a, const struct template_part *b)
{
	return a->filter_count == 1 && b->filter_count == 1 &&
	       a->filters[0].kind == b->filters[0].kind &&
	       a->filters[0].modulus == b->filters[0].modulus;
}

/* Checks the occurrences that the values were not read from. */
static bool repeats_agree(const struct template *tmpl, const struct bytes *seen,
			  const struct bytes *values)
{
	for (size_t i = 0; i < tmpl->part_count; i++) {
		const struct template_part *part = &tmpl->parts[i];

		if (!part->is_var || tmpl->plain_part[part->var] == i)
			continue;
		const struct template_part *plain = &tmpl->parts[tmpl->plain_part[part->var]];
		if (plain->lossy) {
			if (same_filter(plain, part) &&
			    !bytes_equal(values[part->var], seen[i]))
				return false;
		} else if (!part_agrees(tmpl, part, values[part->var], seen[i])) {
			return false;
		}
	}
	return true;
}

bool template_match_from(const struct template *tmpl, size_t first, struct bytes text,
			 struct bytes *ret_values)
{
	struct bytes seen[TEMPLATE_PARTS_MAX];
	struct bytes values[TEMPLATE_VARS_MAX];

	for (size_t i = first; i < tmpl->part_count; i++) {
		const struct template_part *part = &tmpl->parts[i];
		size_t len = part->literal.len;

		if (part->is_var) {
			len = var_len(tmpl, i, text);
			seen[i] = (struct bytes){text.ptr, len};
			if (!class_holds(part->class, seen[i]))
				return false;
			if (tmpl->plain_part[part->var] == i)
				values[part->var] = seen[i];
		} else if (text.len < len || memcmp(text.ptr, part->literal.ptr, len) != 0) {
			return false;
		}
		text.ptr += len;
		text.len -= len;
	}
	if (text.len || (tmpl->repeats && !repeats_agree(tmpl, seen, values)))
		return false;
	if (ret_values && tmpl->var_count)
		memcpy(ret_values, values, tmpl->var_count * sizeof *values);
	return true;
}

bool template_match(const struct template *tmpl, struct bytes key, struct bytes *ret_values)
{
	return key.len > 0 && template_match_from(tmpl, 0, key, ret_values);
}
