#ifndef CORE_INSPECT_FILTER_H
#define CORE_INSPECT_FILTER_H

#include "base/buf.h"
#include "base/bytes.h"
#include "core/template.h"

#include <stdbool.h>
#include <stddef.h>

struct err;
struct ns;
struct nsset;

/* Which keys a listing or an invalidation is about. */
struct inspect_filter {
	const struct nsset *set;
	const struct ns *ns; /* only this namespace's; NULL: any */
	struct buf glob;     /* SCAN pattern that covers it */
	struct buf
	    expected[TEMPLATE_VARS_MAX]; /* what each var must read back as; empty: anything */
};

/*
 * The keys of ns (NULL: of all) whose vars equal the given ones; a value '*'
 * stands for any. With a match glob in place of ns: its keys. ERR_USAGE names
 * a var that does not fit. Release in either case.
 */
int inspect_filter_init(struct inspect_filter *filter, const struct nsset *set,
			const struct ns *ns, const struct var *vars, size_t count,
			struct bytes match, struct err *err);
void inspect_filter_release(struct inspect_filter *filter);
/*
 * True when the key is among the filter's. *ret_ns is its namespace (NULL:
 * none), ret_values (TEMPLATE_VARS_MAX) the vars read back.
 */
bool inspect_filter_accepts(const struct inspect_filter *filter, struct bytes key,
			    const struct ns **ret_ns, struct bytes *ret_values);

#endif
