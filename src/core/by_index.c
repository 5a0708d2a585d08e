#include "core/by_index.h"

#include "core/namespace.h"

static bool is_var(const struct ns *ns, struct bytes word)
{
	size_t equal = bytes_index(word, '=');

	return equal < word.len && template_var_index(ns->key, bytes_sub(word, 0, equal)) >= 0;
}

const struct ns *by_index_find(const struct nsset *set, const struct ns *ns,
			       const struct bytes *words, size_t count)
{
	size_t own = 0;

	for (size_t i = 0; i < count; i++)
		own += is_var(ns, words[i]);
	for (size_t i = 0; i < nsset_count(set) && own < count; i++) {
		const struct ns *index = nsset_at(set, i);
		size_t known = 0;

		for (size_t k = 0; k < count && index->index_of == ns; k++)
			known += is_var(index, words[k]);
		if (known == count)
			return index;
	}
	return NULL;
}
