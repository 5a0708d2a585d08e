#include "core/namespace_classifier.h"

#include "base/mem.h"
#include "core/namespace.h"
#include "core/template_parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct candidate {
	const struct ns *ns;
	struct bytes prefix; /* the literal that its keys begin with */
	bool whole;          /* the key is nothing but that literal */
};

struct node {
	struct bytes label;     /* bytes from the parent to here */
	struct bytes path;      /* all bytes from the root to here */
	uint32_t children[256]; /* node by next byte; 0: none (the root is nobody's child) */
	struct candidate *candidates;
	size_t count;
};

struct ns_classifier {
	struct node *nodes;
	uint32_t count;
	struct candidate *all; /* most specific first */
	size_t all_count;
};

static struct bytes leading_literal(const struct template *tmpl)
{
	struct bytes none = {0};

	return tmpl->part_count && !tmpl->parts[0].is_var ? tmpl->parts[0].literal : none;
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;
	int order = template_compare(left->ns->key, right->ns->key);

	if (order == 0) /* never both match; kept in file order for repeatability */
		order = left->ns->index < right->ns->index ? -1 : 1;
	return order;
}

static uint32_t add_node(struct ns_classifier *tree, struct bytes path, size_t parent_len)
{
	tree->nodes = mem_resize(tree->nodes, tree->count + 1, sizeof *tree->nodes);
	struct node *node = &tree->nodes[tree->count];
	memset(node, 0, sizeof *node);
	node->path = path;
	node->label = bytes_sub(path, parent_len, path.len);
	return tree->count++;
}

static size_t common_len(struct bytes a, struct bytes b)
{
	size_t n = 0;

	while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n])
		n++;
	return n;
}

/* Puts a node between parent and child, len bytes into the child's label. */
static uint32_t split(struct ns_classifier *tree, uint32_t parent, uint32_t child, size_t len)
{
	struct bytes path = tree->nodes[child].path;
	size_t parent_len = tree->nodes[parent].path.len;
	uint32_t middle = add_node(tree, bytes_sub(path, 0, parent_len + len), parent_len);
	struct bytes label = tree->nodes[child].label;

	tree->nodes[parent].children[(unsigned char)label.ptr[0]] = middle;
	tree->nodes[middle].children[(unsigned char)label.ptr[len]] = child;
	tree->nodes[child].label = bytes_sub(label, len, label.len);
	return middle;
}

static void insert(struct ns_classifier *tree, struct bytes prefix)
{
	uint32_t at = 0;
	size_t done = 0;

	while (done < prefix.len) {
		unsigned char next = (unsigned char)prefix.ptr[done];
		uint32_t child = tree->nodes[at].children[next];

		if (child == 0) {
			child = add_node(tree, prefix, done);
			tree->nodes[at].children[next] = child;
			return;
		}
		size_t len =
		    common_len(bytes_sub(prefix, done, prefix.len), tree->nodes[child].label);
		at = len < tree->nodes[child].label.len ? split(tree, at, child, len) : child;
		done += len;
	}
}

/* A key that reaches the node begins with its path. */
static void fill_node(const struct ns_classifier *tree, struct node *node)
{
	node->candidates = mem_zalloc(tree->all_count, sizeof *node->candidates);
	for (size_t i = 0; i < tree->all_count; i++)
		if (bytes_starts_with(node->path, tree->all[i].prefix))
			node->candidates[node->count++] = tree->all[i];
	node->candidates = mem_resize(node->candidates, node->count, sizeof *node->candidates);
}

struct ns_classifier *ns_classifier_new(const struct ns *list, size_t count)
{
	struct ns_classifier *tree = mem_zalloc(1, sizeof *tree);
	struct bytes root = {0};

	tree->all = mem_zalloc(count, sizeof *tree->all);
	tree->all_count = count;
	add_node(tree, root, 0);
	for (size_t i = 0; i < count; i++) {
		struct bytes prefix = leading_literal(list[i].key);

		tree->all[i] =
		    (struct candidate){&list[i], prefix, list[i].key->var_count == 0};
		insert(tree, prefix);
	}
	qsort(tree->all, count, sizeof *tree->all, compare_candidates);
	for (uint32_t i = 0; i < tree->count; i++)
		fill_node(tree, &tree->nodes[i]);
	return tree;
}

void ns_classifier_free(struct ns_classifier *tree)
{
	if (!tree)
		return;
	for (uint32_t i = 0; i < tree->count; i++)
		free(tree->nodes[i].candidates);
	free(tree->nodes);
	free(tree->all);
	free(tree);
}

/* The deepest node whose path the key begins with. */
static const struct node *descend(const struct ns_classifier *tree, struct bytes key)
{
	const struct node *node = &tree->nodes[0];
	size_t done = 0;

	while (done < key.len) {
		uint32_t child = node->children[(unsigned char)key.ptr[done]];
		const struct node *next = &tree->nodes[child];

		if (child == 0 ||
		    !bytes_starts_with(bytes_sub(key, done, key.len), next->label))
			break;
		node = next;
		done += next->label.len;
	}
	return node;
}

const struct ns *ns_classifier_find(const struct ns_classifier *tree, struct bytes key,
				    struct bytes *ret_values)
{
	if (key.len == 0)
		return NULL;
	const struct node *node = descend(tree, key);
	for (size_t i = 0; i < node->count; i++) {
		const struct candidate *candidate = &node->candidates[i];
		size_t prefix = candidate->prefix.len;

		if (candidate->whole
			? key.len == prefix
			: template_match_from(candidate->ns->key, prefix > 0,
					      bytes_sub(key, prefix, key.len), ret_values))
			return candidate->ns;
	}
	return NULL;
}
