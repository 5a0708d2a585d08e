#ifndef CORE_NAMESPACE_CLASSIFIER_H
#define CORE_NAMESPACE_CLASSIFIER_H

#include "base/bytes.h"

#include <stddef.h>

struct ns;

/*
 * A compiled set of key templates: a tree over the literals that keys begin
 * with; each node knows, most specific first, every template that a key
 * reaching it may still match. Borrows the namespaces.
 */
struct ns_classifier;

struct ns_classifier *ns_classifier_new(const struct ns *list, size_t count);
void ns_classifier_free(struct ns_classifier *tree);
/* As nsset_classify. */
const struct ns *ns_classifier_find(const struct ns_classifier *tree, struct bytes key,
				    struct bytes *ret_values);

#endif
