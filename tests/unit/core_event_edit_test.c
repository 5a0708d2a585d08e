#include "core/event_edit.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "check.h"

/* merge DOC PATCH = WANT; WANT NULL: refused. */
static void merges(const char *doc, const char *patch, const char *want)
{
	struct buf got = {0};
	struct err err = {0};
	struct json_error wrong;
	int status = event_edit_merge(bytes_of(doc), bytes_of(patch), &got, &err);

	CHECK((status == 0) == (want != NULL));
	if (status == 0 && want && !bytes_equal_str(buf_bytes(&got), want)) {
		printf("# %s + %s = %s\n", doc, patch, buf_str(&got));
		CHECK(!"merged as wanted");
	}
	CHECK(status != 0 || json_check(buf_bytes(&got), 0, 512, &wrong) == 0);
	CHECK(status == 0 || err.kind == ERR_ITEM);
	buf_release(&got);
}

/* RFC 7396, appendix A, whose targets are objects. */
TEST(merge_follows_the_rfc)
{
	merges("{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
	merges("{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}");
	merges("{\"a\":\"b\"}", "{\"a\":null}", "{}");
	merges("{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}");
	merges("{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
	merges("{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}");
	merges("{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
	       "{\"a\":{\"b\":\"d\"}}");
	merges("{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}");
	merges("{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}");
	merges("{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}");
	merges("{\"a\":\"foo\"}", "{\"a\":{\"b\":1,\"c\":null}}", "{\"a\":{\"b\":1}}");
}

TEST(merge_keeps_every_other_byte)
{
	merges(" { \"id\" : 9007199254740993 ,\n\t\"p\":1.10, \"s\" : \"old\" , "
	       "\"u\":\"\\u00e9\" }\n",
	       "{\"s\":\"new\"}",
	       " { \"id\" : 9007199254740993 ,\n\t\"p\":1.10, \"s\" : \"new\" , "
	       "\"u\":\"\\u00e9\" }\n");
	merges("{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", "{\"b\":null}",
	       "{\n  \"a\": 1,\n  \"c\": 3\n}");
	merges("{\n  \"a\": 1,\n  \"b\": 2\n}", "{\"a\":null}", "{\n  \"b\": 2\n}");
	merges("{\n  \"a\": 1,\n  \"b\": 2\n}", "{\"b\":null}", "{\n  \"a\": 1\n}");
	merges("{ \"a\": 1 }", "{\"b\":2}", "{ \"a\": 1,\"b\":2 }");
	merges("{ }", "{\"b\":2}", "{\"b\":2 }");
}

TEST(merge_reads_names_as_json_does)
{
	merges("{\"\\u0061\":1}", "{\"a\":2}", "{\"\\u0061\":2}");
	merges("{\"a\":1,\"a\":2}", "{\"a\":3}", "{\"a\":3,\"a\":3}");
	merges("{\"a\":1}", "{\"a\":2,\"a\":3}", "{\"a\":3}");
	merges("{\"a\":1,\"b\":1}", "{\"a\":null,\"b\":null,\"z\":1,\"c\":2}",
	       "{\"z\":1,\"c\":2}");
}

TEST(merge_refuses_what_is_no_object)
{
	merges("[1]", "{\"a\":2}", NULL);
	merges("7", "{\"a\":2}", NULL);
	merges("{\"a\":1", "{\"a\":2}", NULL);
	merges("", "{\"a\":2}", NULL);
	merges("{\"a\":01}", "{\"a\":2}", NULL);
}

static void edits(const char *doc, const char *array, const char *id, const char *item,
		  bool first, enum event_edit edit, const char *want)
{
	struct event_element element = {bytes_of(array), BYTES("/id"), bytes_of(id)};
	enum event_edit done = EVENT_EDIT_NONE;
	struct buf got = {0};
	struct err err = {0};
	int status = item ? event_edit_upsert(bytes_of(doc), &element, bytes_of(item), first,
					      &got, &done, &err)
			  : event_edit_remove(bytes_of(doc), &element, &got, &done, &err);

	CHECK((status == 0) == (want != NULL));
	CHECK(status != 0 || done == edit);
	if (status == 0 && want && !bytes_equal_str(buf_bytes(&got), want)) {
		printf("# %s: %s\n", doc, buf_str(&got));
		CHECK(!"edited as wanted");
	}
	buf_release(&got);
}

TEST(upsert_replaces_or_adds)
{
	edits("[{\"id\":1},{\"id\":2}]", "", "2", "{\"id\":2,\"x\":1}", false,
	      EVENT_EDIT_REPLACED, "[{\"id\":1},{\"id\":2,\"x\":1}]");
	edits("[{\"id\":\"a\"}]", "", "b", "{\"id\":\"b\"}", false, EVENT_EDIT_ADDED,
	      "[{\"id\":\"a\"},{\"id\":\"b\"}]");
	edits("[{\"id\":\"a\"}]", "", "b", "{\"id\":\"b\"}", true, EVENT_EDIT_ADDED,
	      "[{\"id\":\"b\"},{\"id\":\"a\"}]");
	edits("[]", "", "b", "1", false, EVENT_EDIT_ADDED, "[1]");
	edits("[ ]", "", "b", "1", true, EVENT_EDIT_ADDED, "[1 ]");
	edits("{\"n\":9007199254740993,\"calls\":[ {\"id\":9007199254740993} , {\"id\":3} ]}",
	      "/calls", "9007199254740993", "7", false, EVENT_EDIT_REPLACED,
	      "{\"n\":9007199254740993,\"calls\":[ 7 , {\"id\":3} ]}");
	edits("[{\"id\":1},{\"id\":1},{\"id\":2}]", "", "1", "9", false, EVENT_EDIT_REPLACED,
	      "[9,{\"id\":2}]");
}

TEST(remove_takes_all_of_the_id)
{
	edits("[{\"id\":1},{\"id\":2}, {\"id\":1}]", "", "1", NULL, false, EVENT_EDIT_REMOVED,
	      "[{\"id\":2}]");
	edits("[\n {\"id\":1},\n {\"id\":2},\n 3\n]", "", "2", NULL, false, EVENT_EDIT_REMOVED,
	      "[\n {\"id\":1},\n 3\n]");
	edits("[{\"id\":1}]", "", "1", NULL, false, EVENT_EDIT_REMOVED, "[]");
	edits("[{\"id\":1}]", "", "7", NULL, false, EVENT_EDIT_NONE, "[{\"id\":1}]");
	edits("{\"a\":{}}", "/a", "7", NULL, false, EVENT_EDIT_NONE, NULL);
	edits("{\"a\":{}}", "/b", "7", NULL, false, EVENT_EDIT_NONE, NULL);
	edits("[1", "", "7", NULL, false, EVENT_EDIT_NONE, NULL);
}

int main(void)
{
	RUN(merge_follows_the_rfc);
	RUN(merge_keeps_every_other_byte);
	RUN(merge_reads_names_as_json_does);
	RUN(merge_refuses_what_is_no_object);
	RUN(upsert_replaces_or_adds);
	RUN(remove_takes_all_of_the_id);
	CHECK_DONE();
}
