#include "base/json_tree.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>

#define FEW 8 /* members up to which each pair is compared */

struct builder {
	struct mem_arena *arena;
	struct buf scratch;
	struct json_node *root;
	struct json_node *open[JSON_DEPTH_DATA]; /* the containers around the reader */
	struct json_node *last[JSON_DEPTH_DATA]; /* and the last child of each */
	struct json_token key;                   /* of the member whose value comes next */
};

/* The text of a string token: a view, or a decoded copy where it has escapes. */
static struct bytes string_text(struct builder *builder, struct bytes raw)
{
	struct bytes inner = {raw.ptr + 1, raw.len - 2};

	if (bytes_index(inner, '\\') == inner.len)
		return inner;
	buf_clear(&builder->scratch);
	json_decode_string(&builder->scratch, raw);
	return mem_arena_bytes(builder->arena, buf_bytes(&builder->scratch));
}

/* Makes the node of a scalar or of a container's begin and hangs it into its parent. */
static void add_node(struct builder *builder, const struct json_token *token)
{
	struct json_node *node = mem_arena_alloc(builder->arena, sizeof *node);

	*node =
	    (struct json_node){.type = token->type, .raw = token->raw, .offset = token->offset};
	if (token->type == JSON_STRING)
		node->text = string_text(builder, token->raw);
	else if (token->type == JSON_NUMBER)
		node->text = token->raw;
	if (token->depth == 0) {
		builder->root = node;
	} else {
		struct json_node *parent = builder->open[token->depth - 1];
		struct json_node **last = &builder->last[token->depth - 1];

		if (parent->type == JSON_OBJECT) {
			node->name = string_text(builder, builder->key.raw);
			node->name_offset = builder->key.offset;
		}
		*(*last ? &(*last)->next : &parent->child) = node;
		*last = node;
		parent->count++;
	}
	if (token->event == JSON_EV_BEGIN) {
		builder->open[token->depth] = node;
		builder->last[token->depth] = NULL;
	}
}

static int compare_names(const void *a, const void *b)
{
	const struct json_node *const *x = a, *const *y = b;
	int order = bytes_compare((*x)->name, (*y)->name);

	if (order != 0)
		return order;
	return ((*x)->name_offset > (*y)->name_offset) -
	       ((*x)->name_offset < (*y)->name_offset);
}

/* The first member whose name stands before it already, by sorting: no chosen names make it
 * slow. */
static const struct json_node *duplicate_among_many(const struct json_node *object)
{
	const struct json_node **members = mem_resize(NULL, object->count, sizeof *members);
	const struct json_node *found = NULL;
	size_t count = 0;

	for (const struct json_node *node = object->child; node; node = node->next)
		members[count++] = node;
	qsort(members, count, sizeof *members, compare_names);
	for (size_t i = 1; i < count; i++)
		if (bytes_equal(members[i]->name, members[i - 1]->name) &&
		    (!found || members[i]->name_offset < found->name_offset))
			found = members[i];
	free(members);
	return found;
}

static const struct json_node *duplicate_among_few(const struct json_node *object)
{
	for (const struct json_node *node = object->child; node; node = node->next)
		for (const struct json_node *before = object->child; before != node;
		     before = before->next)
			if (bytes_equal(before->name, node->name))
				return node;
	return NULL;
}

/* Completes the container that token ends; -1 with *ret_error for a duplicate name. */
static int close_node(struct builder *builder, const struct json_token *token,
		      struct json_error *ret_error)
{
	struct json_node *node = builder->open[token->depth];
	const struct json_node *duplicate = NULL;

	node->raw.len = token->offset + token->raw.len - node->offset;
	if (node->type == JSON_OBJECT)
		duplicate =
		    node->count > FEW ? duplicate_among_many(node) : duplicate_among_few(node);
	if (!duplicate)
		return 0;
	*ret_error =
	    (struct json_error){duplicate->name_offset, "a name that this object has already"};
	return -1;
}

static int build(struct builder *builder, struct json_reader *reader,
		 struct json_error *ret_error)
{
	struct json_token token;
	int status = 0;

	while ((status = json_read(reader, &token)) > 0) {
		if (token.event == JSON_EV_KEY)
			builder->key = token;
		else if (token.event != JSON_EV_END)
			add_node(builder, &token);
		else if (close_node(builder, &token, ret_error) < 0)
			return -1;
	}
	if (status < 0)
		*ret_error = reader->error;
	return status;
}

int json_tree_parse(struct mem_arena *arena, struct bytes doc, unsigned flags,
		    unsigned max_depth, struct json_node **ret_root,
		    struct json_error *ret_error)
{
	struct builder builder = {.arena = arena};
	struct json_reader reader;

	json_reader_init(&reader, doc, flags, max_depth);
	int status = build(&builder, &reader, ret_error);
	buf_release(&builder.scratch);
	if (status == 0)
		*ret_root = builder.root;
	return status;
}

const struct json_node *json_tree_get(const struct json_node *object, const char *name)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json_node *node = object->child; node; node = node->next)
		if (bytes_equal_str(node->name, name))
			return node;
	return NULL;
}
