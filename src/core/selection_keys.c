#include "core/selection_keys.h"

#include "base/mem.h"
#include "core/keylist.h"
#include "core/namespace.h"
#include "core/selection_private.h"

#include <stdlib.h>

struct listed {
	struct selection selection;
	const struct nsset *set;
	const struct keylist *list;
	struct keylist_walk walk;
	struct bytes values[TEMPLATE_VARS_MAX];
};

static enum selection_status listed_next(struct selection *selection, struct var *ret_vars,
					 size_t *ret_count, struct err *err)
{
	struct listed *listed = (struct listed *)selection;
	struct bytes key;

	(void)err;
	while (keylist_next(listed->list, &listed->walk, &key)) {
		if (nsset_classify(listed->set, key, listed->values) != selection->ns)
			continue;
		*ret_count = template_var_count(selection->ns->key);
		for (size_t i = 0; i < *ret_count; i++)
			ret_vars[i] =
			    (struct var){bytes_of(template_var_name(selection->ns->key, i)),
					 listed->values[i]};
		return SELECTION_ITEM;
	}
	return SELECTION_END;
}

static void listed_free(struct selection *selection)
{
	free(selection);
}

struct selection *selection_from_keys(const struct nsset *set, const struct ns *ns,
				      const struct keylist *list)
{
	struct listed *listed = mem_zalloc(1, sizeof *listed);

	listed->selection =
	    (struct selection){.ns = ns, .fd = -1, .next = listed_next, .free = listed_free};
	listed->set = set;
	listed->list = list;
	return &listed->selection;
}
