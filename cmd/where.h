#ifndef CMD_WHERE_H
#define CMD_WHERE_H

#include <stddef.h>

struct err;
struct ns;
struct opt_list;
struct var;

/*
 * Adds the NAME=VALUE items of --where to vars (room for TEMPLATE_VARS_MAX,
 * *count are there). ERR_USAGE: an unknown var (did you mean), one that is
 * given twice, a missing '='.
 */
int where_parse(const struct ns *ns, const struct opt_list *where, struct var *vars,
		size_t *count, struct err *err);

#endif
