#include "check.h"

#include "base/buf.h"
#include "base/json_diff.h"

/* Changes as "PATH:BEFORE>AFTER", one after the other. */
static bool on_change(void *ctx, const struct json_change *change)
{
	struct buf *text = ctx;

	if (text->len)
		buf_add_char(text, ' ');
	buf_printf(text, "%.*s:%.*s>%.*s", BYTES_ARG(change->path),
		   change->before.ptr ? (int)change->before.len : 1,
		   change->before.ptr ? change->before.ptr : "-",
		   change->after.ptr ? (int)change->after.len : 1,
		   change->after.ptr ? change->after.ptr : "-");
	return true;
}

static void check_diff(const char *before, const char *after, const char *want)
{
	struct buf text = {0};

	json_diff(bytes_of(before), bytes_of(after), on_change, &text);
	CHECK_STR(buf_str(&text), want);
	CHECK(json_same(bytes_of(before), bytes_of(after)) == (want[0] == '\0'));
	buf_release(&text);
}

TEST(the_same_however_it_is_written)
{
	check_diff("{\"a\":1,\"b\":[1,2]}", " { \"b\" : [ 1 , 2.0 ] ,\n\"a\" : 10e-1 } ", "");
	check_diff("\"\\u0041\\/\"", "\"A/\"", "");
	check_diff("{\"a\":1,\"a\":2}", "{\"a\":2}", "");
	check_diff("[]", "[ ]", "");
	check_diff("-0", "0", "");
}

TEST(members)
{
	check_diff("{\"a\":1,\"b\":2}", "{\"b\":3,\"c\":4}", "/a:1>- /b:2>3 /c:->4");
	check_diff("{\"x\":{\"y\":null}}", "{\"x\":{\"y\":false}}", "/x/y:null>false");
	check_diff("{\"a/b\":{\"~\":1}}", "{\"a/b\":{\"~\":2}}", "/a~1b/~0:1>2");
	check_diff("{\"\":1}", "{}", "/:1>-");
}

TEST(types_differ)
{
	check_diff("1", "\"1\"", ":1>\"1\"");
	check_diff("{\"a\":[]}", "{\"a\":{}}", "/a:[]>{}");
}

TEST(elements_that_are_put_in_front_or_behind_are_one_change)
{
	check_diff("[2,3]", "[1,2,3]", "/0:->1");
	check_diff("[1,2,3]", "[1,2]", "/2:3>-");
	check_diff("[1,2,3]", "[1,9,3]", "/1:2>9");
	check_diff("[{\"id\":1,\"s\":\"a\"},{\"id\":2}]", "[{\"id\":1,\"s\":\"b\"},{\"id\":2}]",
		   "/0/s:\"a\">\"b\"");
	check_diff("[1,1]", "[1]", "/1:1>-");
}

TEST(elements_that_stay_are_told_from_those_that_come_and_go)
{
	check_diff("[1,2,3,4]", "[2,3,4,5]", "/0:1>- /3:->5");
	check_diff("[1,2,3,4,5,6]", "[1,9,2,3,5,6,7]", "/1:->9 /3:4>- /6:->7");
	check_diff("[{\"id\":1},{\"id\":2},{\"id\":3,\"s\":\"a\"}]",
		   "[{\"id\":9},{\"id\":1},{\"id\":3,\"s\":\"b\"},{\"id\":4}]",
		   "/0:->{\"id\":9} /1/id:2>3 /1/s:->\"b\" /2/id:3>4 /2/s:\"a\">-");
	check_diff("[1,2]", "[2,1]", "/0:1>- /1:->1");
	check_diff("[]", "[1]", "/0:->1");
	check_diff("[[1,2,3]]", "[[2,3]]", "/0/0:1>-");
}

static bool count_changes(void *ctx, const struct json_change *change)
{
	(void)change;
	++*(size_t *)ctx;
	return true;
}

TEST(one_element_more_in_front_of_many_is_one_change_and_huge_arrays_end)
{
	struct buf a = {0};
	struct buf b = {0};
	size_t changes = 0;

	for (size_t count = 900; count <= 200000; count += 199100) {
		buf_clear(&a);
		buf_clear(&b);
		for (size_t i = 0; i < count; i++) {
			buf_printf(&a, "%s{\"id\":%zu}", i ? "," : "[", i);
			/* no element is in its old place but few changed */
			buf_printf(&b, "%s%s{\"id\":%zu}", i ? "," : "[",
				   i == 1 ? "\"new\"," : "", i % 400 == 7 ? i + count : i);
		}
		buf_add_char(&a, ']');
		buf_add_char(&b, ']');
		changes = 0;
		json_diff(buf_bytes(&a), buf_bytes(&b), count_changes, &changes);
		CHECK(count == 900 ? changes == 4 : changes > count / 2);
	}
	buf_release(&a);
	buf_release(&b);
}

TEST(large_numbers_are_compared_as_text)
{
	check_diff("9007199254740993", "9007199254740992",
		   ":9007199254740993>9007199254740992");
	check_diff("1e400", "2e400", ":1e400>2e400");
}

static bool stop(void *ctx, const struct json_change *change)
{
	(void)change;
	++*(int *)ctx;
	return false;
}

TEST(a_walk_can_be_ended)
{
	int seen = 0;

	json_diff(BYTES("{\"a\":[1,2],\"b\":1}"), BYTES("{\"a\":[3,4],\"b\":2}"), stop, &seen);
	CHECK_INT(seen, 1);
}

TEST(deep_documents)
{
	struct buf a = {0};
	struct buf b = {0};

	for (int i = 0; i < 500; i++) {
		buf_add_char(&a, '[');
		buf_add_char(&b, '[');
	}
	buf_add_char(&a, '1');
	buf_add_char(&b, '2');
	for (int i = 0; i < 500; i++) {
		buf_add_char(&a, ']');
		buf_add_char(&b, ']');
	}
	CHECK(!json_same(buf_bytes(&a), buf_bytes(&b)));
	CHECK(json_same(buf_bytes(&a), buf_bytes(&a)));
	buf_release(&a);
	buf_release(&b);
}

int main(void)
{
	RUN(the_same_however_it_is_written);
	RUN(members);
	RUN(types_differ);
	RUN(elements_that_are_put_in_front_or_behind_are_one_change);
	RUN(elements_that_stay_are_told_from_those_that_come_and_go);
	RUN(one_element_more_in_front_of_many_is_one_change_and_huge_arrays_end);
	RUN(large_numbers_are_compared_as_text);
	RUN(a_walk_can_be_ended);
	RUN(deep_documents);
	CHECK_DONE();
}
