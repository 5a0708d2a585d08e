#ifndef CORE_SELECTION_KEYS_H
#define CORE_SELECTION_KEYS_H

#include "core/selection.h"

struct keylist;

/* The vars read back from those of the listed keys that are ns's. Borrows the list. */
struct selection *selection_from_keys(const struct nsset *set, const struct ns *ns,
				      const struct keylist *list);

#endif
