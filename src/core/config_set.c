#include "core/config.h"
#include "core/config_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json_tree.h"
#include "base/text.h"

#define SETS_SHOWN 64

static void fill(const struct config *config, const struct template *name,
		 const struct json_node *node, const struct bytes *values,
		 struct config_set *set)
{
	set->var_count = template_var_count(name);
	set->vars = mem_arena_alloc(&set->arena, set->var_count * sizeof *set->vars);
	for (size_t i = 0; i < set->var_count; i++)
		set->vars[i] = (struct var){
		    mem_arena_bytes(&set->arena, bytes_of(template_var_name(name, i))),
		    values[i]};
	set->namespaces = mem_arena_alloc(&set->arena, node->count * sizeof(struct ns *));
	for (const struct json_node *item = node->child; item; item = item->next) {
		const struct ns *ns = nsset_find(config->set, item->text);

		if (ns)
			set->namespaces[set->count++] = ns;
	}
}

/* True when the set's name, a template, covers the given one. */
static bool matches(const struct config *config, const struct json_node *node,
		    struct bytes name, struct config_set *set)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	struct template *tmpl = NULL;
	bool found = template_parse(node->name, TEMPLATE_KEY, &tmpl, NULL) == 0 &&
		     template_match(tmpl, name, values);

	if (found)
		fill(config, tmpl, node, values, set);
	template_free(tmpl);
	return found;
}

size_t config_set_names(const struct config *config, struct bytes *ret_names, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < config->doc_count; i++) {
		const struct json_node *sets = config->roots[i].sets.node;

		for (const struct json_node *node = sets ? sets->child : NULL;
		     node && count < most; node = node->next)
			ret_names[count++] = node->name;
	}
	return count;
}

/* What is near, else what there is. */
static int fail_unknown(const struct config *config, struct bytes name, struct err *err)
{
	struct bytes sets[SETS_SHOWN];
	const char *names[SETS_SHOWN];
	size_t count = config_set_names(config, sets, SETS_SHOWN);
	struct mem_arena arena = {0};
	struct buf list = {0};

	if (count == 0)
		return err_set(err, ERR_USAGE,
			       "unknown set '%.*s': the configuration has no sets",
			       BYTES_ARG(name));
	for (size_t i = 0; i < count; i++) {
		names[i] = (char *)mem_arena_bytes(&arena, sets[i]).ptr;
		buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	const char *near = text_nearest(name, names, count);
	if (near)
		err_set(err, ERR_USAGE, "unknown set '%.*s'; did you mean '%s'?",
			BYTES_ARG(name), near);
	else
		err_set(err, ERR_USAGE, "unknown set '%.*s'; there are %s", BYTES_ARG(name),
			buf_str(&list));
	buf_release(&list);
	mem_arena_release(&arena);
	return -1;
}

int config_set_find(const struct config *config, struct bytes name, struct config_set *ret_set,
		    struct err *err)
{
	*ret_set = (struct config_set){0};
	for (size_t i = 0; i < config->doc_count; i++) {
		const struct json_node *sets = config->roots[i].sets.node;

		for (const struct json_node *node = sets ? sets->child : NULL; node;
		     node = node->next)
			if (matches(config, node, name, ret_set))
				return 0;
	}
	config_set_release(ret_set);
	return fail_unknown(config, name, err);
}

void config_set_release(struct config_set *set)
{
	mem_arena_release(&set->arena);
	*set = (struct config_set){0};
}

bool config_set_covers(const struct config_set *set, const struct ns *ns)
{
	for (size_t i = 0; i < template_var_count(ns->key); i++) {
		bool given = template_var_optional(ns->key, i);

		for (size_t j = 0; j < set->var_count && !given; j++)
			given =
			    bytes_equal_str(set->vars[j].name, template_var_name(ns->key, i));
		if (!given)
			return false;
	}
	return true;
}
