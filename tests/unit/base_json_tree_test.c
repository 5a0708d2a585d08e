#include "base/buf.h"
#include "base/json_tree.h"
#include "base/mem.h"
#include "check.h"

#include <time.h>

static int parse(struct mem_arena *arena, struct bytes doc, struct json_node **ret_root,
		 struct json_error *ret_error)
{
	return json_tree_parse(arena, doc, JSON_COMMENTS, JSON_DEPTH_DATA, ret_root, ret_error);
}

TEST(nodes_know_where_they_stand)
{
	struct bytes doc =
	    BYTES("// c\n{\"a\\n\": 1.10, \"b\": [ \"x\\ty\", null, {} ], \"\": \"plain\"}");
	struct mem_arena arena = {0};
	struct json_node *root = NULL;
	struct json_error error;

	CHECK_INT(parse(&arena, doc, &root, &error), 0);
	CHECK_INT(root->type, JSON_OBJECT);
	CHECK_INT(root->count, 3);
	CHECK_INT(root->offset, 5);
	CHECK_BYTES(root->raw, bytes_sub(doc, 5, doc.len));
	const struct json_node *a = json_tree_get(root, "a\n");
	CHECK(a && a == root->child);
	CHECK_BYTES(a->text, BYTES("1.10"));
	CHECK_INT(a->name_offset, 6);
	CHECK_INT(a->offset, 13);
	const struct json_node *b = json_tree_get(root, "b");
	CHECK_INT(b->count, 3);
	CHECK_BYTES(b->raw, BYTES("[ \"x\\ty\", null, {} ]"));
	CHECK_BYTES(b->child->text, BYTES("x\ty"));
	CHECK_BYTES(b->child->raw, BYTES("\"x\\ty\""));
	CHECK_INT(b->child->name.len, 0);
	CHECK_INT(b->child->next->type, JSON_NULL);
	CHECK_INT(b->child->next->next->type, JSON_OBJECT);
	CHECK(b->child->next->next->next == NULL);
	CHECK_BYTES(json_tree_get(root, "")->text, BYTES("plain"));
	CHECK(json_tree_get(root, "B") == NULL);
	CHECK(json_tree_get(b, "0") == NULL);
	CHECK(json_tree_get(NULL, "a") == NULL);
	mem_arena_release(&arena);
}

TEST(a_scalar_alone)
{
	struct mem_arena arena = {0};
	struct json_node *root = NULL;
	struct json_error error;

	CHECK_INT(parse(&arena, BYTES(" \"a\\u0000b\" "), &root, &error), 0);
	CHECK_BYTES(root->text, BYTES("a\0b"));
	CHECK_INT(root->offset, 1);
	mem_arena_release(&arena);
}

static void check_refused(const char *doc, size_t offset)
{
	struct mem_arena arena = {0};
	struct json_node *root = NULL;
	struct json_error error = {0};

	CHECK_INT(parse(&arena, bytes_of(doc), &root, &error), -1);
	CHECK_INT(error.offset, offset);
	CHECK(error.what != NULL);
	CHECK(root == NULL);
	mem_arena_release(&arena);
}

TEST(duplicate_names)
{
	check_refused("{\"a\":1,\"a\":2}", 7);
	check_refused("{\"a\":1,\"b\":2,\"\\u0061\":3}", 13);
	check_refused("[{\"\":1,\"\":2}]", 7);
	check_refused("{\"a\":{\"x\":1},\"b\":{\"x\":1,\"x\":2}}", 24);
	check_refused("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":"
		      "1,\"g\":1,\"b\":1}",
		      55);
}

TEST(errors_of_the_reader)
{
	check_refused("", 0);
	check_refused("[1,]", 3);
	check_refused("{\"a\":01}", 5);
	check_refused("{} /* x", 3);
}

TEST(deep_nesting)
{
	struct buf doc = {0};
	struct mem_arena arena = {0};
	struct json_node *root = NULL;
	struct json_error error = {0};

	for (int i = 0; i < 300000; i++)
		buf_add_char(&doc, '[');
	CHECK_INT(parse(&arena, buf_bytes(&doc), &root, &error), -1);
	CHECK_INT(error.offset, JSON_DEPTH_DATA);
	doc.len = JSON_DEPTH_DATA;
	for (int i = 0; i < JSON_DEPTH_DATA; i++)
		buf_add_char(&doc, ']');
	CHECK_INT(parse(&arena, buf_bytes(&doc), &root, &error), 0);
	size_t depth = 0;
	for (const struct json_node *node = root; node; node = node->child)
		depth++;
	CHECK_INT(depth, JSON_DEPTH_DATA);
	buf_release(&doc);
	mem_arena_release(&arena);
}

TEST(many_members_are_not_quadratic)
{
	struct buf doc = {0};
	struct mem_arena arena = {0};
	struct json_node *root = NULL;
	struct json_error error = {0};

	buf_add_char(&doc, '{');
	for (int i = 0; i < 200000; i++)
		buf_printf(&doc, "%s\"member-%d\":%d", i ? "," : "", i, i);
	size_t last = doc.len + 1;
	buf_add_str(&doc, ",\"member-77\":0}");
	clock_t start = clock();
	CHECK_INT(parse(&arena, buf_bytes(&doc), &root, &error), -1);
	CHECK_INT(error.offset, last);
	doc.ptr[last + 8] = 'x';
	CHECK_INT(parse(&arena, buf_bytes(&doc), &root, &error), 0);
	CHECK_INT(root->count, 200001);
	CHECK(clock() - start < 10 * CLOCKS_PER_SEC); /* of processor time alone */
	buf_release(&doc);
	mem_arena_release(&arena);
}

int main(void)
{
	RUN(nodes_know_where_they_stand);
	RUN(a_scalar_alone);
	RUN(duplicate_names);
	RUN(errors_of_the_reader);
	RUN(deep_nesting);
	RUN(many_members_are_not_quadratic);
	CHECK_DONE();
}
