#ifndef CORE_BY_INDEX_H
#define CORE_BY_INDEX_H

#include "base/bytes.h"

#include <stddef.h>

struct ns;
struct nsset;

/*
 * A namespace's key may also be found by the vars of an index into it
 * (`index_of`): the session of a lead by leadId=… where it is asked for by
 * sessionId=…. The index that the words mean: each is name=value, one at least
 * names a var that ns itself does not have, and all of them are vars of the
 * index. NULL: the words are ns's own.
 */
const struct ns *by_index_find(const struct nsset *set, const struct ns *ns,
			       const struct bytes *words, size_t count);

#endif
