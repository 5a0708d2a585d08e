#include "check.h"
#include "source_server.h"

static struct server server;
static struct source_def def;

static struct server_route routes[] = {
    ROUTE("/same", REPLY("304 Not Modified",
			 "ETag: \"v2\"\r\nLast-Modified: Sat, 21 Nov 2026 08:00:00 GMT\r\n"
			 "Cache-Control: max-age=60\r\n",
			 "")),
    ROUTE("/new",
	  REPLY("200 OK", "ETag: \"v3\"\r\nLast-Modified: Sat, 21 Nov 2026 09:00:00 GMT\r\n",
		"{\"a\":1}")),
    ROUTE("/moved", REPLY("302 Found", "Location: /same\r\n", "")),
    ROUTE("/away", REPLY("302 Found", "Location: http://127.0.0.2:1/same\r\n", "")),
    ROUTE("/ids", REPLY("200 OK", NULL, "[1]")),
    ROUTE("/rows", REPLY("200 OK", "Last-Modified: Sat, 21 Nov 2026 09:00:00 GMT\r\n",
			 "[{\"id\":1},{\"id\":2}]")),
    ROUTE_END,
};

static struct source_request request_for(const char *path)
{
	return (struct source_request){.source = &def, .path = path, .json = true};
}

static struct source_request conditional(const char *path)
{
	struct source_request request = request_for(path);

	request.etag = BYTES("\"v2\"");
	request.last_modified = BYTES("Sat, 21 Nov 2026 08:00:00 GMT");
	return request;
}

/* Whether the last request had a header. Names are sent as they are written. */
static bool sent(const char *header)
{
	bool found = false;

	pthread_mutex_lock(&server.lock);
	found = strstr(server.last, header) != NULL;
	pthread_mutex_unlock(&server.lock);
	return found;
}

TEST(a_304_says_that_nothing_changed)
{
	struct source_request request = conditional("/same");
	struct got got = {0};

	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.status, SOURCE_NOT_MODIFIED);
	CHECK_INT(got.answer.cause, SOURCE_CAUSE_NONE);
	CHECK_INT(got.answer.http_status, 304);
	CHECK_INT(got.answer.attempts, 1);
	CHECK_INT(got.answer.max_age_s, 60);
	CHECK_INT(got.answer.value.len, 0);
	CHECK(bytes_equal_str(got.answer.etag, "\"v2\""));
	CHECK(bytes_equal_str(got.answer.last_modified, "Sat, 21 Nov 2026 08:00:00 GMT"));
	CHECK(sent("\r\nIf-None-Match: \"v2\"\r\n"));
	CHECK(sent("\r\nIf-Modified-Since: Sat, 21 Nov 2026 08:00:00 GMT\r\n"));
	got_release(&got);
}

TEST(a_changed_value_comes_with_its_validators)
{
	struct source_request request = conditional("/new");
	struct got got = {0};

	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK(bytes_equal_str(got.answer.value, "{\"a\":1}"));
	CHECK(bytes_equal_str(got.answer.etag, "\"v3\""));
	CHECK(bytes_equal_str(got.answer.last_modified, "Sat, 21 Nov 2026 09:00:00 GMT"));
	got_release(&got);
}

TEST(either_condition_goes_alone)
{
	struct source_request request = conditional("/same");
	struct got got = {0};

	request.last_modified = (struct bytes){0};
	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.status, SOURCE_NOT_MODIFIED);
	CHECK(sent("If-None-Match") && !sent("If-Modified-Since"));
	request = conditional("/same");
	request.etag = (struct bytes){0};
	got_release(&got);
	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.status, SOURCE_NOT_MODIFIED);
	CHECK(!sent("If-None-Match") && sent("If-Modified-Since"));
	got_release(&got);
}

TEST(a_304_that_nobody_asked_for_fails)
{
	struct source_request request = request_for("/same");
	struct got got = {0};

	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.status, SOURCE_FAILED);
	CHECK_INT(got.answer.cause, SOURCE_CAUSE_BODY);
	CHECK_INT(got.answer.attempts, 1);
	CHECK(strstr(got.error.text, "304"));
	got_release(&got);
}

TEST(a_handle_forgets_the_condition)
{
	struct source_header header = {"X-Key", "k"};
	struct source_request steps[] = {conditional("/same"), request_for("/new"),
					 conditional("/same")};
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);
	struct got got = {0};

	def.concurrency = 1; /* one handle for all */
	def.headers = &header;
	def.header_count = 1;
	for (int i = 0; i < 3; i++) {
		fetcher_submit(fetcher, &steps[i], 1, got_answer, &got);
		fetcher_drain(fetcher, NULL);
		CHECK_INT(got.answer.status, i == 1 ? SOURCE_OK : SOURCE_NOT_MODIFIED);
		CHECK(sent("If-None-Match") == (i != 1));
		CHECK(sent("\r\nX-Key: k\r\n"));
	}
	fetcher_free(fetcher);
	got_release(&got);
	def = server_source(server.url);
}

TEST(chains_and_joins_ask_for_the_whole)
{
	struct source_request chain[] = {conditional("/new"), conditional("/new")};
	struct source_request ids = conditional("/ids");
	struct source_request joined = conditional("/rows");
	struct got got = {0};

	got_fetch(&got, chain, 2);
	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK(!sent("If-None-Match") && !sent("If-Modified-Since"));
	joined.keep_only = &ids;
	joined.keep_item = BYTES("/id");
	got_release(&got);
	got_fetch(&got, &joined, 1);
	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK(bytes_equal_str(got.answer.value, "[{\"id\":1}]"));
	CHECK(!sent("If-None-Match"));
	CHECK_INT(got.answer.last_modified.len, 0);
	got_release(&got);
}

TEST(redirects_keep_it_within_the_origin)
{
	struct source_request inside = conditional("/moved");
	struct source_request outside = conditional("/away");
	struct got got = {0};

	got_fetch(&got, &inside, 1);
	CHECK_INT(got.answer.status, SOURCE_NOT_MODIFIED);
	CHECK(sent("GET /same") && sent("If-None-Match"));
	got_release(&got);
	got_fetch(&got, &outside, 1);
	CHECK_INT(got.answer.cause, SOURCE_CAUSE_REDIRECT);
	got_release(&got);
}

/* A sidecar may have been written by anybody. */
TEST(what_no_header_holds_is_not_sent)
{
	static char huge[5000];
	struct source_request request = request_for("/new");
	struct got got = {0};

	memset(huge, 'x', sizeof huge);
	request.etag = BYTES("\"a\"\r\nX-Evil: 1");
	request.last_modified = (struct bytes){huge, sizeof huge};
	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK(!sent("X-Evil") && !sent("If-None-Match") && !sent("If-Modified-Since"));
	request.etag = BYTES("a\0b");
	got_release(&got);
	got_fetch(&got, &request, 1);
	CHECK(!sent("If-None-Match"));
	got_release(&got);
}

int main(void)
{
	server_start(&server, routes);
	def = server_source(server.url);
	RUN(a_304_says_that_nothing_changed);
	RUN(a_changed_value_comes_with_its_validators);
	RUN(either_condition_goes_alone);
	RUN(a_304_that_nobody_asked_for_fails);
	RUN(a_handle_forgets_the_condition);
	RUN(chains_and_joins_ask_for_the_whole);
	RUN(redirects_keep_it_within_the_origin);
	RUN(what_no_header_holds_is_not_sent);
	server_stop(&server);
	CHECK_DONE();
}
