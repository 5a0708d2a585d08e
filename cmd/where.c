#include "where.h"

#include "base/err.h"
#include "base/text.h"
#include "core/namespace.h"
#include "opt/opt.h"

static int unknown_var(const struct ns *ns, struct bytes name, struct err *err)
{
	const char *names[TEMPLATE_VARS_MAX];
	size_t count = template_var_count(ns->key);

	for (size_t i = 0; i < count; i++)
		names[i] = template_var_name(ns->key, i);
	const char *nearest = text_nearest(name, names, count);

	return err_set(
	    err, ERR_USAGE, "--where: '%s' has no var '%.*s'%s%s%s (its key is '%.*s')",
	    ns->name, BYTES_ARG(name), nearest ? "; did you mean '" : "",
	    nearest ? nearest : "", nearest ? "'?" : "", BYTES_ARG(template_text(ns->key)));
}

static int add(const struct ns *ns, struct bytes item, struct var *vars, size_t *count,
	       struct err *err)
{
	size_t equals = bytes_index(item, '=');
	struct var var = {bytes_sub(item, 0, equals), bytes_sub(item, equals + 1, item.len)};

	if (equals == item.len)
		return err_set(err, ERR_USAGE, "--where '%.*s': write VAR=VALUE",
			       BYTES_ARG(item));
	if (template_var_index(ns->key, var.name) < 0)
		return unknown_var(ns, var.name, err);
	if (var.value.len == 0)
		return err_set(err, ERR_USAGE, "--where %.*s: the value is empty",
			       BYTES_ARG(item));
	for (size_t i = 0; i < *count; i++)
		if (bytes_equal(vars[i].name, var.name))
			return err_set(err, ERR_USAGE, "--where: '%.*s' is given twice",
				       BYTES_ARG(var.name));
	vars[(*count)++] = var;
	return 0;
}

int where_parse(const struct ns *ns, const struct opt_list *where, struct var *vars,
		size_t *count, struct err *err)
{
	for (size_t i = 0; i < where->count; i++)
		if (add(ns, bytes_of(where->items[i]), vars, count, err) != 0)
			return -1;
	return 0;
}
