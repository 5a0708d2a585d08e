#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include "base/json.h"

struct mem_arena;

/*
 * A parsed document whose every node knows where it stands in the text. For
 * documents read by name: configuration, events. Lives in an arena.
 */
struct json_node {
	enum json_type type;
	struct bytes raw;        /* the value's bytes in the document */
	size_t offset;           /* of raw */
	struct bytes name;       /* the member's decoded name, empty outside objects */
	size_t name_offset;      /* of the name's opening quote */
	struct bytes text;       /* a string decoded; a number as written */
	struct json_node *child; /* first member or element */
	struct json_node *next;
	size_t count; /* members or elements */
};

/*
 * 0, or -1 with *ret_error filled. A duplicate member name is an error here
 * (offset of the second). doc must outlive the tree.
 */
int json_tree_parse(struct mem_arena *arena, struct bytes doc, unsigned flags,
		    unsigned max_depth, struct json_node **ret_root,
		    struct json_error *ret_error);
/* The member called name (case-sensitive), or NULL; NULL for a non-object too. */
const struct json_node *json_tree_get(const struct json_node *object, const char *name);

#endif
