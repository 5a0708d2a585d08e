#include "core/namespace.h"

#include "base/err.h"
#include "base/text.h"

#include <string.h>

#define SHOWN 64 /* bytes of a word in a message */
#define SHOWN_ARG(b) ((b).len > SHOWN ? SHOWN : (int)(b).len), ((b).ptr ? (b).ptr : "")

/* Words being sorted into vars. */
struct words {
	const struct ns *ns;
	struct var *vars;
	size_t count;
	struct err *err;
};

static bool is_given(const struct words *words, const char *name)
{
	for (size_t i = 0; i < words->count; i++)
		if (bytes_equal_str(words->vars[i].name, name))
			return true;
	return false;
}

/* The template's var that a "name=" nearly names. */
static const char *nearest_var(const struct template *key, struct bytes name)
{
	const char *names[TEMPLATE_VARS_MAX];
	size_t count = template_var_count(key);

	for (size_t i = 0; i < count; i++)
		names[i] = template_var_name(key, i);
	return text_nearest(name, names, count);
}

static int add_var(struct words *words, const char *name, struct bytes value)
{
	if (is_given(words, name))
		return err_set(words->err, ERR_USAGE, "%s: %s is given twice", words->ns->name,
			       name);
	if (value.len == 0)
		return err_set(words->err, ERR_USAGE, "%s: %s is empty", words->ns->name, name);
	words->vars[words->count++] = (struct var){bytes_of(name), value};
	return 0;
}

/* 1: the word was "name=value". 0: it is a bare value. -1: refused. */
static int take_named(struct words *words, struct bytes word)
{
	size_t equal = bytes_index(word, '=');
	struct bytes name = bytes_sub(word, 0, equal);

	if (equal == word.len)
		return 0;
	int index = template_var_index(words->ns->key, name);
	if (index >= 0)
		return add_var(words, template_var_name(words->ns->key, (size_t)index),
			       bytes_sub(word, equal + 1, word.len))
			   ? -1
			   : 1;
	const char *near = nearest_var(words->ns->key, name);
	if (near)
		return err_set(words->err, ERR_USAGE,
			       "%s: unknown variable '%.*s'; did you mean '%s'?",
			       words->ns->name, SHOWN_ARG(name), near);
	return 0;
}

static int take_bare(struct words *words, const bool *named, struct bytes word)
{
	const struct template *key = words->ns->key;
	size_t count = template_var_count(key);

	for (size_t i = 0; i < count; i++) {
		const char *name = template_var_name(key, i);

		if (!named[i] && !is_given(words, name))
			return add_var(words, name, word);
	}
	if (count == 0)
		return err_set(words->err, ERR_USAGE, "%s has no variables; '%.*s' is too much",
			       words->ns->name, SHOWN_ARG(word));
	return err_set(words->err, ERR_USAGE, "%s: '%.*s' is too much: its key is %.*s",
		       words->ns->name, SHOWN_ARG(word), BYTES_ARG(template_text(key)));
}

static int check_all(const struct words *words)
{
	const struct template *key = words->ns->key;

	for (size_t i = 0; i < template_var_count(key); i++) {
		const char *name = template_var_name(key, i);

		if (!is_given(words, name) && !template_var_optional(key, i))
			return err_set(words->err, ERR_USAGE,
				       "%s: %s is missing: its key is %.*s", words->ns->name,
				       name, BYTES_ARG(template_text(key)));
	}
	return 0;
}

int ns_parse_vars(const struct ns *ns, const struct bytes *words, size_t count, bool partial,
		  struct var *ret_vars, size_t *ret_count, struct err *err)
{
	struct var vars[TEMPLATE_VARS_MAX];
	struct words sorted = {.ns = ns, .vars = vars, .err = err};
	bool named[TEMPLATE_VARS_MAX] = {false};

	/* Names first, so that `a=1 2` and `2 a=1` mean the same. */
	for (size_t i = 0; i < count; i++) {
		int index = template_var_index(
		    ns->key, bytes_sub(words[i], 0, bytes_index(words[i], '=')));

		if (index >= 0 && bytes_index(words[i], '=') < words[i].len)
			named[index] = true;
	}
	for (size_t i = 0; i < count; i++) {
		int taken = take_named(&sorted, words[i]);

		if (taken < 0 || (taken == 0 && take_bare(&sorted, named, words[i])))
			return -1;
	}
	if (!partial && check_all(&sorted))
		return -1;
	memcpy(ret_vars, vars, sorted.count * sizeof *vars);
	*ret_count = sorted.count;
	return 0;
}
