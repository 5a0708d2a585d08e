#include "base/buf.h"
#include "base/json.h"
#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct find_case {
	const char *pointer;
	const char *value; /* NULL: absent */
};

static void check_find(const char *doc, const struct find_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bytes value = BYTES("untouched");
		int status = json_find(bytes_of(doc), bytes_of(cases[i].pointer), &value);

		if (status != (cases[i].value ? 0 : -1))
			printf("# pointer %s\n", cases[i].pointer);
		CHECK_INT(status, cases[i].value ? 0 : -1);
		CHECK_BYTES(value, bytes_of(cases[i].value ? cases[i].value : "untouched"));
	}
}

/* RFC 6901 §5. */
TEST(rfc_6901_examples)
{
	static const struct find_case cases[] = {
	    {"/foo", "[\"bar\", \"baz\"]"},
	    {"/foo/0", "\"bar\""},
	    {"/foo/1", "\"baz\""},
	    {"/", "0"},
	    {"/a~1b", "1"},
	    {"/c%d", "2"},
	    {"/e^f", "3"},
	    {"/g|h", "4"},
	    {"/i\\j", "5"},
	    {"/k\"l", "6"},
	    {"/ ", "7"},
	    {"/m~0n", "8"},
	};

	check_find("{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3,"
		   " \"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8}",
		   cases, COUNT(cases));
}

TEST(exact_slices)
{
	static const struct find_case cases[] = {
	    {"", "{\"price\": 1.10 ,\"id\":9007199254740993,\"o\":{ \"b\" : [ ] }}"},
	    {"/price", "1.10"},
	    {"/id", "9007199254740993"},
	    {"/o", "{ \"b\" : [ ] }"},
	    {"/o/b", "[ ]"},
	};

	check_find(" \n{\"price\": 1.10 ,\"id\":9007199254740993,\"o\":{ \"b\" : [ ] }}\n",
		   cases, COUNT(cases));
}

TEST(edge_pointers)
{
	static const struct find_case cases[] = {
	    {"/a/0", "10"},     {"/a/1", "{\"x\":null}"},
	    {"/a/1/x", "null"}, {"/a/00", NULL},
	    {"/a/01", NULL},    {"/a/-", NULL},
	    {"/a/2", NULL},     {"/a/-1", NULL},
	    {"/a/", NULL},      {"/a/+0", NULL},
	    {"/a/0 ", NULL},    {"/a/18446744073709551616", NULL},
	    {"/a/0/x", NULL},   {"/b", NULL},
	    {"/A", NULL},       {"a", NULL},
	    {"/~", NULL},       {"/~2", NULL},
	    {"/~01", "1"},      {"/~1", "2"},
	    {"//", "4"},        {"/n/0", NULL},
	    {"/s/0", NULL},     {"/\xc3\xab", "5"},
	};

	check_find(
	    "{\"a\":[10,{\"x\":null}],\"~1\":1,\"/\":2,\"\":{\"\":4},\"n\":null,\"s\":\"x\","
	    "\"\\u00eb\":5}",
	    cases, COUNT(cases));
}

TEST(last_duplicate_counts)
{
	static const struct find_case cases[] = {{"/a", "3"}, {"/b/c", NULL}, {"/b/d", "5"}};

	check_find("{\"a\":1,\"b\":{\"c\":4},\"a\":2,\"\\u0061\":3,\"b\":{\"d\":5}}", cases,
		   COUNT(cases));
}

TEST(find_in_bad_documents)
{
	static const char *const bad[] = {
	    "", "{\"a\":1", "{\"a\":01}", "{\"a\":1,\"b\"}", "[", "{\"a\":\"\xff\"}"};
	struct bytes value = BYTES("untouched");

	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK_INT(json_find(bytes_of(bad[i]), BYTES("/a"), &value), -1);
	CHECK_INT(json_find(BYTES("[1"), BYTES(""), &value), -1);
	CHECK_BYTES(value, BYTES("untouched"));
}

TEST(find_names_with_nul)
{
	struct bytes value = {NULL, 0};

	CHECK_INT(json_find(BYTES("{\"a\":1,\"a\\u0000b\":2}"), BYTES("/a\0b"), &value), 0);
	CHECK_BYTES(value, BYTES("2"));
}

TEST(pointer_syntax)
{
	CHECK(json_pointer_valid(BYTES("")));
	CHECK(json_pointer_valid(BYTES("/")));
	CHECK(json_pointer_valid(BYTES("/a~0~1/b//")));
	CHECK(!json_pointer_valid(BYTES("a")));
	CHECK(!json_pointer_valid(BYTES("#/a")));
	CHECK(!json_pointer_valid(BYTES("/~")));
	CHECK(!json_pointer_valid(BYTES("/a~")));
	CHECK(!json_pointer_valid(BYTES("/~2")));
	CHECK(!json_pointer_valid(BYTES("/~~0")));
}

static void check_members(struct bytes container, const char *want)
{
	struct bytes name = {NULL, 0}, value = {NULL, 0};
	struct json_iter iter;
	struct buf got = {0};

	CHECK_INT(json_iter_init(&iter, container), 0);
	CHECK(iter.in_object == (json_type_of(container) == JSON_OBJECT));
	while (json_iter_next(&iter, &name, &value))
		buf_printf(&got, "%.*s=%.*s;", BYTES_ARG(name), BYTES_ARG(value));
	CHECK_STR(buf_str(&got), want);
	CHECK_INT(json_iter_next(&iter, &name, &value), 0);
	buf_release(&got);
}

TEST(iterate_containers)
{
	struct json_iter iter;

	check_members(BYTES("[]"), "");
	check_members(BYTES("{ }"), "");
	check_members(BYTES("[1, [2, [3]], {\"a\": {}}, \"x\"]"),
		      "=1;=[2, [3]];={\"a\": {}};=\"x\";");
	check_members(BYTES("{\"a\": 1, \"b\\n\": [2 ], \"a\": {}}"),
		      "\"a\"=1;\"b\\n\"=[2 ];\"a\"={};");
	CHECK_INT(json_iter_init(&iter, BYTES("1")), -1);
	CHECK_INT(json_iter_init(&iter, BYTES("")), -1);
}

TEST(types_of_slices)
{
	CHECK_INT(json_type_of(BYTES("null")), JSON_NULL);
	CHECK_INT(json_type_of(BYTES("true")), JSON_TRUE);
	CHECK_INT(json_type_of(BYTES("false")), JSON_FALSE);
	CHECK_INT(json_type_of(BYTES("-1")), JSON_NUMBER);
	CHECK_INT(json_type_of(BYTES("\"\"")), JSON_STRING);
	CHECK_INT(json_type_of(BYTES("[]")), JSON_ARRAY);
	CHECK_INT(json_type_of(BYTES("{}")), JSON_OBJECT);
}

int main(void)
{
	RUN(rfc_6901_examples);
	RUN(exact_slices);
	RUN(edge_pointers);
	RUN(last_duplicate_counts);
	RUN(find_in_bad_documents);
	RUN(find_names_with_nul);
	RUN(pointer_syntax);
	RUN(iterate_containers);
	RUN(types_of_slices);
	CHECK_DONE();
}
