#include "core/shape.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A trie over labels. Where more than so many different ones follow, those
 * with less than their even share of the keys become one: ids that look like
 * words. At the start of a key they are families, of which there may be many.
 */
#define CHILDREN_MAX 32
#define ROOT_MAX 256
#define PARTS_MAX 12 /* of a key; what follows is {rest|rest} */
#define NODES_MAX 8192
#define EXAMPLE_MAX 256

struct node {
	struct bytes label; /* with its separator in front */
	unsigned kinds;
	struct node **children;
	size_t child_count;
	struct node *any;          /* where labels go that are not among the children */
	uint64_t passed;           /* keys that came through here */
	struct shape_group *group; /* of the keys that end here */
	long index;                /* of that group, once they are sorted */
};

struct shapes {
	struct node root;
	size_t nodes;
	struct shape_group **groups;
	size_t group_count;
	uint64_t rest;
	struct buf label;
};

/* One part of a key with the separator before it; false at the end. */
struct parts {
	struct bytes left;
	size_t count;
};

static bool next_part(struct parts *parts, struct buf *label, unsigned *ret_kinds)
{
	size_t start = 0;
	size_t end;

	if (parts->left.len == 0)
		return false;
	buf_clear(label);
	if (parts->count > 0) {
		buf_add_char(label, parts->left.ptr[0]);
		start = 1;
	}
	for (end = start; end < parts->left.len; end++)
		if (parts->left.ptr[end] == ':' || parts->left.ptr[end] == '/')
			break;
	if (++parts->count == PARTS_MAX && end < parts->left.len) {
		buf_add_str(label, "{rest|rest}");
		*ret_kinds = SHAPE_REST;
		parts->left.len = 0;
		return true;
	}
	shape_label(bytes_sub(parts->left, start, end - start), label, ret_kinds);
	parts->left = bytes_sub(parts->left, end, parts->left.len);
	return true;
}

static struct node *find_child(const struct node *node, struct bytes label)
{
	for (size_t i = 0; i < node->child_count; i++)
		if (bytes_equal(node->children[i]->label, label))
			return node->children[i];
	return node->any;
}

static void release_node(struct node *node)
{
	for (size_t i = 0; i < node->child_count; i++) {
		release_node(node->children[i]);
		free(node->children[i]);
	}
	if (node->any)
		release_node(node->any);
	free(node->any);
	if (node->group) {
		free((char *)node->group->pattern.ptr);
		free((char *)node->group->example.ptr);
	}
	free(node->group);
	free(node->children);
	free((char *)node->label.ptr);
}

static void attach(struct node *node, struct node *child)
{
	node->children =
	    mem_resize(node->children, node->child_count + 1, sizeof(struct node *));
	node->children[node->child_count++] = child;
}

static struct node *new_node(struct shapes *shapes, struct bytes label, unsigned kinds)
{
	struct node *node = mem_zalloc(1, sizeof *node);

	node->label = (struct bytes){mem_bytesdup(label), label.len};
	node->kinds = kinds;
	shapes->nodes++;
	return node;
}

static void add_group(struct node *node, struct shape_group *group)
{
	struct shape_group *to = node->group;

	if (!to) {
		node->group = group;
		return;
	}
	to->keys += group->keys;
	to->bytes += group->bytes;
	to->largest = group->largest > to->largest ? group->largest : to->largest;
	to->no_ttl += group->no_ttl;
	to->ttl_max_ms =
	    group->ttl_max_ms > to->ttl_max_ms ? group->ttl_max_ms : to->ttl_max_ms;
	to->types |= group->types;
	free((char *)group->example.ptr);
	free(group);
}

static void collapse(struct shapes *shapes, struct node *node);

/* All of from's into node; from is gone. */
static void merge(struct shapes *shapes, struct node *node, struct node *from)
{
	node->passed += from->passed;
	node->kinds |= from->kinds ? from->kinds : SHAPE_WORD;
	if (from->group)
		add_group(node, from->group);
	from->group = NULL;
	if (from->any && node->any)
		merge(shapes, node->any, from->any);
	else if (from->any)
		node->any = from->any;
	from->any = NULL;
	for (size_t i = 0; i < from->child_count; i++) {
		struct node *child = from->children[i];
		struct node *same = find_child(node, child->label);

		if (same)
			merge(shapes, same, child);
		else
			attach(node, child);
	}
	from->child_count = 0;
	release_node(from);
	free(from);
	shapes->nodes--;
	if (node->child_count > CHILDREN_MAX)
		collapse(shapes, node);
}

static void collapse(struct shapes *shapes, struct node *node)
{
	uint64_t share = node->passed / node->child_count;
	size_t kept = 0;

	if (!node->any) {
		bool separated =
		    node->children[0]->label.len && (node->children[0]->label.ptr[0] == ':' ||
						     node->children[0]->label.ptr[0] == '/');
		struct bytes label = separated ? BYTES(":{id}") : BYTES("{id}");

		node->any = new_node(shapes, label, 0);
		if (separated)
			((char *)node->any->label.ptr)[0] = node->children[0]->label.ptr[0];
	}
	for (size_t i = 0; i < node->child_count; i++) {
		struct node *child = node->children[i];

		if (child->passed > share)
			node->children[kept++] = child;
		else
			merge(shapes, node->any, child);
	}
	node->child_count = kept;
}

static struct node *step(struct shapes *shapes, struct node *node, unsigned kinds)
{
	struct bytes label = buf_bytes(&shapes->label);
	struct node *child = find_child(node, label);

	if (!child) {
		if (shapes->nodes >= NODES_MAX)
			return NULL;
		child = new_node(shapes, label, kinds);
		attach(node, child);
	}
	child->kinds |= child == node->any && kinds == 0 ? SHAPE_WORD : kinds;
	child->passed++;
	return child;
}

static void count(struct node *node, const struct shape_key *key)
{
	if (!node->group) {
		size_t len = key->key.len < EXAMPLE_MAX ? key->key.len : EXAMPLE_MAX;

		node->group = mem_zalloc(1, sizeof *node->group);
		node->group->ttl_max_ms = -1;
		node->group->example =
		    (struct bytes){mem_bytesdup(bytes_sub(key->key, 0, len)), len};
	}
	struct shape_group *group = node->group;
	group->keys++;
	if (key->bytes > 0) {
		group->bytes += (uint64_t)key->bytes;
		if ((uint64_t)key->bytes > group->largest)
			group->largest = (uint64_t)key->bytes;
	}
	group->no_ttl += key->ttl_ms == SCAN_TTL_NONE;
	if (key->ttl_ms > group->ttl_max_ms)
		group->ttl_max_ms = key->ttl_ms;
	if (key->type >= 0)
		group->types |= 1u << key->type;
}

void shapes_add(struct shapes *shapes, const struct shape_key *key)
{
	struct parts parts = {.left = key->key};
	struct node *path[PARTS_MAX + 1] = {&shapes->root};
	size_t depth = 0;
	unsigned kinds = 0;

	shapes->root.passed++;
	while (next_part(&parts, &shapes->label, &kinds)) {
		path[depth + 1] = step(shapes, path[depth], kinds);
		if (!path[++depth]) {
			shapes->rest++;
			return;
		}
	}
	count(path[depth], key);
	/* from below, so that no node of the path is gone before its turn */
	for (size_t i = depth; i-- > 0;)
		if (path[i]->child_count > (i ? CHILDREN_MAX : ROOT_MAX))
			collapse(shapes, path[i]);
}

struct shapes *shapes_new(void)
{
	struct shapes *shapes = mem_zalloc(1, sizeof *shapes);

	shapes->root.index = -1;
	return shapes;
}

void shapes_free(struct shapes *shapes)
{
	if (!shapes)
		return;
	release_node(&shapes->root);
	buf_release(&shapes->label);
	free(shapes->groups);
	free(shapes);
}

/* --- the groups, once all is seen --- */

/* Names the vars of label apart from those before it and appends it. */
static void add_label(struct buf *pattern, struct shape_group *group, const struct node *node)
{
	static const char *const names[] = {"{id}", "{date}", "{rest|rest}"};
	struct bytes left = node->label;

	while (left.len) {
		const char *name = NULL;

		for (size_t i = 0; i < sizeof names / sizeof *names && !name; i++)
			if (bytes_starts_with(left, bytes_of(names[i])))
				name = names[i];
		if (left.ptr[0] == '{' && left.len > 1 && left.ptr[1] == '{')
			name = NULL;
		if (!name || group->var_count == SHAPE_VARS_MAX) {
			size_t len = left.len > 1 &&
					     (left.ptr[0] == '{' || left.ptr[0] == '}') &&
					     left.ptr[1] == left.ptr[0]
					 ? 2
					 : 1;

			buf_add(pattern, bytes_sub(left, 0, len));
			left = bytes_sub(left, len, left.len);
			continue;
		}
		struct shape_var *var = &group->vars[group->var_count++];
		size_t word = strcspn(name + 1, "|}");
		size_t same = 1;

		var->kinds = node->kinds;
		for (size_t i = 0; i + 1 < group->var_count; i++)
			same += strncmp(group->vars[i].name, name + 1, word) == 0;
		snprintf(var->name, sizeof var->name, "%.*s", (int)word, name + 1);
		if (same > 1)
			snprintf(var->name + word, sizeof var->name - word, "%zu", same);
		buf_printf(pattern, "{%s%s}", var->name, name[1 + word] == '|' ? "|rest" : "");
		left = bytes_sub(left, strlen(name), left.len);
	}
}

static void gather(struct shapes *shapes, const struct node **path, size_t depth)
{
	const struct node *node = path[depth];
	struct buf pattern = {0};

	if (node->group) {
		for (size_t i = 1; i <= depth; i++)
			add_label(&pattern, node->group, path[i]);
		node->group->pattern.len = pattern.len;
		node->group->pattern.ptr = buf_steal(&pattern);
		shapes->groups = mem_resize(shapes->groups, shapes->group_count + 1,
					    sizeof(struct shape_group *));
		shapes->groups[shapes->group_count++] = node->group;
	}
	for (size_t i = 0; i <= node->child_count; i++) {
		path[depth + 1] = i < node->child_count ? node->children[i] : node->any;
		if (path[depth + 1])
			gather(shapes, path, depth + 1);
	}
}

static int by_keys(const void *a, const void *b)
{
	const struct shape_group *left = *(struct shape_group *const *)a;
	const struct shape_group *right = *(struct shape_group *const *)b;

	if (left->keys != right->keys)
		return left->keys > right->keys ? -1 : 1;
	return bytes_compare(left->pattern, right->pattern);
}

static void number(struct node *node, const struct shapes *shapes)
{
	node->index = -1;
	for (size_t i = 0; node->group && i < shapes->group_count; i++)
		if (shapes->groups[i] == node->group)
			node->index = (long)i;
	for (size_t i = 0; i < node->child_count; i++)
		number(node->children[i], shapes);
	if (node->any)
		number(node->any, shapes);
}

void shapes_finish(struct shapes *shapes)
{
	const struct node *path[PARTS_MAX + 2] = {&shapes->root};

	gather(shapes, path, 0);
	if (shapes->group_count)
		qsort(shapes->groups, shapes->group_count, sizeof(struct shape_group *),
		      by_keys);
	number(&shapes->root, shapes);
}

size_t shapes_count(const struct shapes *shapes)
{
	return shapes->group_count;
}

const struct shape_group *shapes_at(const struct shapes *shapes, size_t index)
{
	return shapes->groups[index];
}

uint64_t shapes_rest(const struct shapes *shapes)
{
	return shapes->rest;
}

long shapes_find(const struct shapes *shapes, struct bytes key)
{
	const struct node *node = &shapes->root;
	struct parts parts = {.left = key};
	struct buf label = {0};
	unsigned kinds = 0;

	while (node && next_part(&parts, &label, &kinds))
		node = find_child(node, buf_bytes(&label));
	buf_release(&label);
	return node ? node->index : -1;
}
