#include "core/discover_private.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/template.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_LEAST 3  /* so many shapes that differ in digits alone are one */
#define WORD_LEAST 16 /* a word so long may be an id */
#define WORD_TIMES 20 /* beside so many times as many keys that have an id there */

/* --- joining --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The pattern with the digits of its words as {n}, {n2}…; false when there are none. */
static bool fold_digits(struct bytes pattern, struct buf *folded)
{
	unsigned count = 0;
	unsigned depth = 0;

	for (size_t i = 0; i < pattern.len; i++) {
		char c = pattern.ptr[i];

		depth += c == '{';
		depth -= c == '}' && depth > 0;
		if (depth || !is_digit(c) || i == 0 ||
		    !isalpha((unsigned char)pattern.ptr[i - 1])) {
			buf_add_char(folded, c);
			continue;
		}
		while (i + 1 < pattern.len && is_digit(pattern.ptr[i + 1]))
			i++;
		if (++count == 1)
			buf_add_str(folded, "{n}");
		else
			buf_printf(folded, "{n%u}", count);
	}
	return count > 0;
}

/* What stands before a path, and the path as one: "api:calls/{id}" is api:{path|rest}. */
static bool fold_path(struct bytes pattern, struct buf *folded)
{
	size_t slash = bytes_index(pattern, '/');
	size_t start = slash;

	if (slash == pattern.len)
		return false;
	while (start > 0 && pattern.ptr[start - 1] != ':')
		start--;
	if (start == 0)
		return false;
	buf_add(folded, bytes_sub(pattern, 0, start));
	buf_add_str(folded, "{path|rest}");
	return true;
}

typedef bool fold_fn(struct bytes pattern, struct buf *folded);

/* Joins the patterns that fold to one with enough others. */
static void fold_all(struct buf *patterns, size_t count, fold_fn *fold)
{
	struct buf *folded = mem_zalloc(count, sizeof *folded);

	for (size_t i = 0; i < count; i++)
		if (!fold(buf_bytes(&patterns[i]), &folded[i]))
			buf_clear(&folded[i]);
	for (size_t i = 0; i < count; i++) {
		size_t same = 0;

		for (size_t j = 0; folded[i].len && j < count; j++)
			same += bytes_equal(buf_bytes(&folded[i]), buf_bytes(&folded[j]));
		if (same < JOIN_LEAST)
			continue;
		buf_clear(&patterns[i]);
		buf_add(&patterns[i], buf_bytes(&folded[i]));
	}
	for (size_t i = 0; i < count; i++)
		buf_release(&folded[i]);
	free(folded);
}

/* The pattern with the word at [from, to) as an id, and none of its ids numbered. */
static void unnumbered(struct bytes pattern, size_t from, size_t to, struct buf *ret)
{
	const struct bytes id = BYTES("{id");

	buf_clear(ret);
	for (size_t i = 0; i < pattern.len; i++) {
		if (i == from && from < to) {
			buf_add_str(ret, "{id}");
			i = to - 1;
			continue;
		}
		buf_add_char(ret, pattern.ptr[i]);
		if (i < 2 || !bytes_equal(bytes_sub(pattern, i - 2, 3), id))
			continue;
		while (i + 1 < pattern.len && is_digit(pattern.ptr[i + 1]))
			i++;
	}
}

/* The next long word from *at on; false: none. */
static bool next_word(struct bytes pattern, size_t *at, size_t *ret_end)
{
	for (size_t end = *at; *at < pattern.len; *at = end + 1) {
		end = pattern.ptr[*at] == '{'
			  ? *at + bytes_index(bytes_sub(pattern, *at, pattern.len), '}')
			  : *at;
		while (pattern.ptr[*at] != '{' && end < pattern.len &&
		       isalnum((unsigned char)pattern.ptr[end]))
			end++;
		*ret_end = end;
		if (pattern.ptr[*at] != '{' && end - *at >= WORD_LEAST)
			return true;
	}
	return false;
}

/*
 * Of random ids some have too few digits to be told from words, each a shape of
 * its own: they join the shape of the others, where that has far more keys.
 */
static void fold_words(const struct shapes *shapes, struct buf *patterns, size_t count)
{
	struct buf *plain = mem_zalloc(count, sizeof *plain);
	struct buf with_id = {0};

	for (size_t i = 0; i < count; i++)
		unnumbered(buf_bytes(&patterns[i]), 0, 0, &plain[i]);
	for (size_t i = 0; i < count; i++) {
		struct bytes pattern = buf_bytes(&patterns[i]);
		size_t like = count;
		size_t end = 0;

		for (size_t at = 0; like == count && next_word(pattern, &at, &end); at = end) {
			unnumbered(pattern, at, end, &with_id);
			for (like = 0; like < count; like++)
				if (bytes_equal(buf_bytes(&plain[like]), buf_bytes(&with_id)) &&
				    shapes_at(shapes, like)->keys >=
					WORD_TIMES * shapes_at(shapes, i)->keys)
					break;
		}
		if (like == count)
			continue;
		buf_clear(&patterns[i]);
		buf_add(&patterns[i], buf_bytes(&patterns[like]));
	}
	for (size_t i = 0; i < count; i++)
		buf_release(&plain[i]);
	free(plain);
	buf_release(&with_id);
}

static struct discover_family *family_for(struct discover *discover, struct bytes pattern)
{
	for (size_t i = 0; i < discover->count; i++)
		if (bytes_equal(buf_bytes(&discover->families[i].pattern), pattern))
			return &discover->families[i];
	if (discover->count == DISCOVER_NAMESPACES_MAX)
		return NULL;
	struct discover_family *family = &discover->families[discover->count++];
	family->ttl_max_ms = -1;
	buf_add(&family->pattern, pattern);
	return family;
}

static void add_shape(struct discover_family *family, const struct shape_group *shape)
{
	if (family->shapes++ == 0)
		buf_add(&family->example, shape->example);
	family->keys += shape->keys;
	family->no_ttl += shape->no_ttl;
	family->types |= shape->types;
	if (shape->ttl_max_ms > family->ttl_max_ms)
		family->ttl_max_ms = shape->ttl_max_ms;
}

void discover_join(const struct shapes *shapes, struct discover *discover, long **ret_family_of)
{
	size_t count = shapes_count(shapes);
	struct buf *patterns = mem_zalloc(count, sizeof *patterns);
	long *family_of = mem_zalloc(count, sizeof *family_of);

	for (size_t i = 0; i < count; i++)
		buf_add(&patterns[i], shapes_at(shapes, i)->pattern);
	fold_words(shapes, patterns, count);
	fold_all(patterns, count, fold_digits);
	fold_all(patterns, count, fold_path);
	discover->families = mem_zalloc(DISCOVER_NAMESPACES_MAX, sizeof *discover->families);
	for (size_t i = 0; i < count; i++) {
		struct discover_family *family = family_for(discover, buf_bytes(&patterns[i]));

		family_of[i] = family ? (long)(family - discover->families) : -1;
		if (family)
			add_shape(family, shapes_at(shapes, i));
		else
			discover->rest += shapes_at(shapes, i)->keys;
		buf_release(&patterns[i]);
	}
	free(patterns);
	*ret_family_of = family_of;
}

/* --- naming --- */

/* The words of a pattern joined by '-': "bici:sess:call:{id}" is bici-sess-call. */
static void make_name(struct bytes pattern, struct buf *name)
{
	unsigned depth = 0;

	for (size_t i = 0; i < pattern.len; i++) {
		char c = pattern.ptr[i];
		bool word = isalnum((unsigned char)c) != 0;

		depth += c == '{';
		if (!depth && word)
			buf_add_char(name, (char)tolower((unsigned char)c));
		else if (!depth && name->len && name->ptr[name->len - 1] != '-')
			buf_add_char(name, '-');
		depth -= c == '}' && depth > 0;
	}
	while (name->len && name->ptr[name->len - 1] == '-')
		name->len--;
	if (name->len == 0)
		buf_add_str(name, "keys");
}

static bool is_taken(const struct discover *discover, size_t before, struct bytes name)
{
	for (size_t i = 0; i < before; i++)
		if (bytes_equal_str(name, discover->families[i].name))
			return true;
	return false;
}

static void name_family(struct discover *discover, size_t index)
{
	struct discover_family *family = &discover->families[index];
	struct buf name = {0};

	make_name(buf_bytes(&family->pattern), &name);
	size_t len = name.len;
	if (is_taken(discover, index, buf_bytes(&name)) && template_var_count(family->key)) {
		name.len = len;
		buf_printf(&name, "-by-%s", template_var_name(family->key, 0));
		len = name.len;
	}
	for (unsigned i = 2; is_taken(discover, index, buf_bytes(&name)); i++) {
		name.len = len;
		buf_printf(&name, "-%u", i);
	}
	family->name = mem_bytesdup(buf_bytes(&name));
	buf_release(&name);
}

void discover_name(struct discover *discover)
{
	for (size_t i = 0; i < discover->count; i++) {
		struct discover_family *family = &discover->families[i];
		struct err err = {0};

		if (template_parse(buf_bytes(&family->pattern), TEMPLATE_KEY, &family->key,
				   &err) != 0) {
			family->key = NULL;
			family->problem = "this is no key template";
			family->name = mem_strdup("");
			continue;
		}
		name_family(discover, i);
		for (size_t j = 0; j < i && !family->problem; j++)
			if (discover->families[j].key && !discover->families[j].problem &&
			    template_ambiguous(family->key, discover->families[j].key))
				family->problem = "its keys could also be of another namespace";
	}
}
