#include "core/config.h"
#include "core/config_private.h"

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

int config_set_find(const struct config *config, struct bytes name, struct config_set *ret_set,
		    struct err *err)
{
	const char *names[SETS_SHOWN];
	size_t count = 0;

	*ret_set = (struct config_set){0};
	for (size_t i = 0; i < config->doc_count; i++) {
		const struct json_node *sets = config->roots[i].sets.node;

		for (const struct json_node *node = sets ? sets->child : NULL; node;
		     node = node->next) {
			if (matches(config, node, name, ret_set))
				return 0;
			if (count < SETS_SHOWN)
				names[count++] =
				    (char *)mem_arena_bytes(&ret_set->arena, node->name).ptr;
		}
	}
	const char *near = text_nearest(name, names, count);
	err_set(err, ERR_USAGE, "unknown set '%.*s'%s%s%s", BYTES_ARG(name),
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	config_set_release(ret_set);
	return -1;
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
