#ifndef CORE_SELECTION_PRIVATE_H
#define CORE_SELECTION_PRIVATE_H

#include "core/selection.h"

/* A kind of selection. */
struct selection {
	const struct ns *ns;
	bool is_explicit;
	uint64_t total;
	int fd; /* that items come from, or -1 */
	enum selection_status (*next)(struct selection *selection, struct var *ret_vars,
				      size_t *ret_count, struct err *err);
	void (*locate)(const struct selection *selection, struct err *err); /* may be NULL */
	double (*share)(const struct selection *selection);
	void (*free)(struct selection *selection);
};

#endif
