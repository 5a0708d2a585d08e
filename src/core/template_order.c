#include "core/template_parts.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

int template_compare(const struct template *a, const struct template *b)
{
	if (a->literal_len != b->literal_len)
		return a->literal_len > b->literal_len ? -1 : 1;
	/* Fewer of the loosest class first, then of the next. */
	for (size_t class = CLASS_COUNT; class -- > 0;)
		if (a->classes[class] != b->classes[class])
			return a->classes[class] < b->classes[class] ? -1 : 1;
	return 0;
}

/*
 * A template as a row of states, each one byte of a literal or a run of a
 * class: two templates overlap when both can be walked to their ends by the
 * same bytes.
 */
struct state {
	int literal; /* a byte, or -1 */
	enum template_class class;
};

static struct state *states_of(const struct template *tmpl, size_t *ret_count)
{
	struct state *states = mem_zalloc(tmpl->literal_len + tmpl->part_count, sizeof *states);
	size_t n = 0;

	for (size_t i = 0; i < tmpl->part_count; i++) {
		const struct template_part *part = &tmpl->parts[i];

		if (part->is_var)
			states[n++] = (struct state){-1, part->class};
		for (size_t k = 0; k < part->literal.len; k++)
			states[n++] =
			    (struct state){(unsigned char)part->literal.ptr[k], CLASS_REST};
	}
	*ret_count = n;
	return states;
}

static bool class_has(enum template_class class, int c)
{
	bool digit = c >= '0' && c <= '9';

	switch (class) {
	case CLASS_NUMBER:
	case CLASS_DATE:
		return digit || c == '-';
	case CLASS_DIGITS:
		return digit;
	case CLASS_LOWER:
		return c != ':' && !(c >= 'A' && c <= 'Z');
	case CLASS_UPPER:
		return c != ':' && !(c >= 'a' && c <= 'z');
	case CLASS_PLAIN:
		return c != ':';
	default:
		return true;
	}
}

static bool states_meet(const struct state *a, const struct state *b)
{
	if (a->literal >= 0 && b->literal >= 0)
		return a->literal == b->literal;
	if (a->literal >= 0)
		return class_has(b->class, a->literal);
	if (b->literal >= 0)
		return class_has(a->class, b->literal);
	return true; /* every two classes share the digits */
}

/*
 * reach[i][j]: some bytes walk a through its first i states and b through its
 * first j. The last byte was taken by state i-1 of a and j-1 of b, each entered
 * by it or, when a run, kept by it.
 */
static bool overlap(const struct state *a, size_t a_count, const struct state *b,
		    size_t b_count)
{
	size_t width = b_count + 1;
	bool *reach = mem_zalloc((a_count + 1) * width, sizeof *reach);

	reach[0] = true;
	for (size_t i = 1; i <= a_count; i++)
		for (size_t j = 1; j <= b_count; j++) {
			bool from = reach[(i - 1) * width + j - 1];

			if (b[j - 1].literal < 0)
				from = from || reach[(i - 1) * width + j];
			if (a[i - 1].literal < 0)
				from = from || reach[i * width + j - 1];
			reach[i * width + j] = from && states_meet(&a[i - 1], &b[j - 1]);
		}
	bool met = reach[a_count * width + b_count];
	free(reach);
	return met;
}

bool template_ambiguous(const struct template *a, const struct template *b)
{
	size_t a_count;
	size_t b_count;

	if (template_compare(a, b) != 0)
		return false;
	struct state *a_states = states_of(a, &a_count);
	struct state *b_states = states_of(b, &b_count);
	bool met = overlap(a_states, a_count, b_states, b_count);
	free(a_states);
	free(b_states);
	return met;
}
