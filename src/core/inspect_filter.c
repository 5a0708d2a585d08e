#include "core/inspect_filter.h"

#include "base/err.h"
#include "core/namespace.h"

int inspect_filter_init(struct inspect_filter *filter, const struct nsset *set,
			const struct ns *ns, const struct var *vars, size_t count,
			struct bytes match, struct err *err)
{
	struct var given[TEMPLATE_VARS_MAX];
	size_t given_count = 0;

	*filter = (struct inspect_filter){.set = set, .ns = ns};
	buf_add(&filter->glob, match);
	for (size_t i = 0; ns && i < count; i++) {
		int index = template_var_index(ns->key, vars[i].name);

		if (bytes_equal_str(vars[i].value, "*"))
			continue;
		given[given_count++] = vars[i];
		if (template_read_back(ns->key, (size_t)index, vars, count,
				       &filter->expected[index], err) != 0)
			return -1;
		if (filter->expected[index].len == 0)
			return err_set(err, ERR_USAGE,
				       "%.*s is empty: it would match every key of '%s'",
				       BYTES_ARG(vars[i].name), ns->name);
	}
	return ns && match.len == 0
		   ? template_glob(ns->key, given, given_count, &filter->glob, err)
		   : 0;
}

void inspect_filter_release(struct inspect_filter *filter)
{
	buf_release(&filter->glob);
	for (size_t i = 0; i < TEMPLATE_VARS_MAX; i++)
		buf_release(&filter->expected[i]);
}

bool inspect_filter_accepts(const struct inspect_filter *filter, struct bytes key,
			    const struct ns **ret_ns, struct bytes *ret_values)
{
	*ret_ns = nsset_classify(filter->set, key, ret_values);
	if (!filter->ns)
		return true;
	if (*ret_ns != filter->ns)
		return false;
	for (size_t i = 0; i < template_var_count(filter->ns->key); i++)
		if (filter->expected[i].len &&
		    !bytes_equal(buf_bytes(&filter->expected[i]), ret_values[i]))
			return false;
	return true;
}
