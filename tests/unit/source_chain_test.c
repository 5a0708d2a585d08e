#include "check.h"
#include "source_server.h"

static struct server server;
static struct source_def def;
static struct source_def database;

#define CALLS                                                                                  \
	"{ \"data\" : [ {\"call_id\": 9007199254740993, \"price\":1.10} ,"                     \
	"{\"call_id\":\"a\\u0062c\"},{\"call_id\":9007199254740992},{\"id\":1},"               \
	"{\"call_id\":null}, 7, {\"call_id\":\"z\"} ] }\n"

static struct server_route routes[] = {
    ROUTE("/first", REPLY("404 Not Found", NULL, "")),
    ROUTE("/second", REPLY("200 OK", "ETag: \"second\"\r\n", "\n[ ]\n"),
	  REPLY("200 OK", NULL, " []\n")),
    ROUTE("/list", REPLY("200 OK", NULL, "\r\n []\t")),
    ROUTE("/null", REPLY("200 OK", NULL, "null")),
    ROUTE("/third",
	  REPLY("200 OK", "ETag: \"third\"\r\nCache-Control: max-age=9\r\n", "{\"id\":1.10}")),
    ROUTE("/wrapped", REPLY("200 OK", NULL, "{\"data\":null,\"a/b\":[1.10, 2]}")),
    ROUTE("/nothing", REPLY("204 No Content", NULL, "")),
    ROUTE("/down", REPLY("400 Bad Request", NULL, "")),
    ROUTE("/calls", REPLY("200 OK", "ETag: \"calls\"\r\nCache-Control: max-age=60\r\n", CALLS)),
    ROUTE("/ids", REPLY("200 OK", "Cache-Control: max-age=20\r\n",
			"{\"ids\":[\"9007199254740993\",\"abc\",\"abc\",5]}")),
    ROUTE("/no-ids", REPLY("200 OK", NULL, "{\"ids\":[]}")),
    ROUTE("/bad-ids", REPLY("200 OK", NULL, "{\"ids\":[{}]}")),
    ROUTE("/object-ids", REPLY("200 OK", NULL, "{\"ids\":{}}")),
    ROUTE_END,
};

static const struct source_empty rules[] = {
    {.text = {"[]", 2}}, {.text = {"null", 4}}, {.status = 204}};

static struct source_request request_for(const char *path)
{
	return (struct source_request){
	    .source = &def, .path = path, .json = true, .empty = rules, .empty_count = 3};
}

static struct got fetch_chain(const char *first, const char *second, const char *third)
{
	struct source_request steps[] = {request_for(first), request_for(second),
					 request_for(third)};
	struct got got = {0};

	got_fetch(&got, steps, 3);
	CHECK_INT(got.calls, 1);
	return got;
}

TEST(the_first_that_is_there_answers)
{
	struct got got = fetch_chain("/first", "/list", "/third");

	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK_BYTES(got.answer.value, BYTES("{\"id\":1.10}"));
	CHECK_BYTES(got.answer.etag, BYTES("\"third\""));
	CHECK_INT(got.answer.max_age_s, 9);
	CHECK_INT(got.answer.step, 2);
	CHECK_INT(got.answer.attempts, 3);
	got_release(&got);
	got = fetch_chain("/third", "/down", "/down");
	CHECK_INT(got.answer.step, 0);
	CHECK_INT(got.answer.attempts, 1);
	got_release(&got);
}

TEST(empty_text_is_compared_token_by_token)
{
	struct got got = fetch_chain("/null", "/second", "/third"); /* second: "\n[ ]\n" */

	CHECK_INT(got.answer.step, 2);
	got_release(&got);
}

TEST(all_empty_is_empty)
{
	struct got got = fetch_chain("/first", "/nothing", "/null");

	CHECK_INT(got.answer.status, SOURCE_EMPTY);
	CHECK_INT(got.answer.attempts, 3);
	CHECK_INT(got.answer.step, 2);
	CHECK_INT(got.answer.http_status, 200);
	got_release(&got);
}

TEST(a_failure_ends_the_chain)
{
	struct got got = fetch_chain("/first", "/down", "/third");

	CHECK_INT(got.answer.status, SOURCE_FAILED);
	CHECK_INT(got.answer.step, 1);
	CHECK_INT(got.answer.attempts, 2);
	CHECK(strstr(got.error.text, "/down: answered 400"));
	got_release(&got);
}

static struct got fetch_selected(struct bytes select)
{
	struct source_request request = request_for("/wrapped");
	struct got got = {0};

	request.select = select;
	got_fetch(&got, &request, 1);
	return got;
}

TEST(select_gives_the_exact_slice)
{
	struct got got = fetch_selected(BYTES("/a~1b"));

	CHECK_BYTES(got.answer.value, BYTES("[1.10, 2]"));
	got_release(&got);
	got = fetch_selected(BYTES("/data"));
	CHECK_INT(got.answer.status, SOURCE_EMPTY);
	got_release(&got);
	got = fetch_selected(BYTES("/a~1b/2"));
	CHECK_INT(got.answer.cause, SOURCE_CAUSE_BODY);
	CHECK(strstr(got.error.text, "/wrapped: the body holds nothing at '/a~1b/2'"));
	got_release(&got);
}

static struct got fetch_kept(const char *ids_path, struct bytes select,
			     const struct source_empty *empty)
{
	struct source_request ids = {
	    .source = &database, .path = ids_path, .select = BYTES("/ids")};
	struct source_request request = {.source = &def,
					 .path = "/calls",
					 .select = select,
					 .empty = empty,
					 .empty_count = empty ? 1 : 0,
					 .keep_only = &ids,
					 .keep_item = BYTES("/call_id")};
	struct got got = {0};

	got_fetch(&got, &request, 1);
	CHECK_INT(got.calls, 1);
	return got;
}

TEST(keep_only_keeps_exact_elements)
{
	struct got got = fetch_kept("/ids", BYTES("/data"), NULL);

	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK_BYTES(got.answer.value, BYTES("[{\"call_id\": 9007199254740993, \"price\":1.10},"
					    "{\"call_id\":\"a\\u0062c\"}]"));
	CHECK_INT(got.answer.attempts, 2);
	CHECK_INT(got.answer.max_age_s, 20);
	CHECK_INT(got.answer.etag.len, 0);
	got_release(&got);
}

TEST(keep_only_without_ids_keeps_nothing)
{
	struct got got = fetch_kept("/no-ids", BYTES("/data"), NULL);

	CHECK_BYTES(got.answer.value, BYTES("[]"));
	got_release(&got);
	got = fetch_kept("/first", BYTES("/data"), NULL);
	CHECK_BYTES(got.answer.value, BYTES("[]"));
	got_release(&got);
	got = fetch_kept("/no-ids", BYTES("/data"), rules);
	CHECK_INT(got.answer.status, SOURCE_EMPTY);
	got_release(&got);
}

static void check_kept_fails(const char *ids_path, struct bytes select, const char *text)
{
	struct got got = fetch_kept(ids_path, select, NULL);

	CHECK_INT(got.answer.status, SOURCE_FAILED);
	if (!strstr(got.error.text, text))
		printf("# error is: %s\n", got.error.text);
	CHECK(strstr(got.error.text, text));
	got_release(&got);
}

TEST(keep_only_refuses_what_cannot_be_joined)
{
	check_kept_fails("/bad-ids", BYTES("/data"), "db: GET");
	check_kept_fails("/bad-ids", BYTES("/data"), "neither a string nor a number");
	check_kept_fails("/object-ids", BYTES("/data"), "not an array");
	check_kept_fails("/calls", BYTES("/data"), "holds nothing at '/ids'");
	check_kept_fails("/down", BYTES("/data"), "answered 400");
	check_kept_fails("/ids", BYTES(""), "needs an array");
}

int main(void)
{
	server_start(&server, routes);
	def = server_source(server.url);
	database = def;
	database.name = "db";
	RUN(the_first_that_is_there_answers);
	RUN(empty_text_is_compared_token_by_token);
	RUN(all_empty_is_empty);
	RUN(a_failure_ends_the_chain);
	RUN(select_gives_the_exact_slice);
	RUN(keep_only_keeps_exact_elements);
	RUN(keep_only_without_ids_keeps_nothing);
	RUN(keep_only_refuses_what_cannot_be_joined);
	server_stop(&server);
	CHECK_DONE();
}
