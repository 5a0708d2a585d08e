#include "check.h"
#include "source_server.h"

#define JSON_BODY "{\"id\":9007199254740993,\"price\":1.10}"

static struct server server;
static struct source_def def;

static struct server_route routes[] = {
    ROUTE("/ok", REPLY("200 OK", "ETag: \"v1\"\r\nCache-Control: private, max-age=\"60\"\r\n",
		       JSON_BODY)),
    ROUTE("/no-store",
	  REPLY("200 OK", "Cache-Control: max-age=60\r\nCache-Control: no-store\r\n", "1")),
    ROUTE("/age-quoted",
	  REPLY("200 OK", "Cache-Control: x=\"a, max-age=9\", max-age=5\r\n", "1")),
    ROUTE("/age-bad", REPLY("200 OK", "Cache-Control: max-age=soon\r\n", "1")),
    ROUTE("/age-endless", REPLY("200 OK", "Cache-Control: max-age=99999999999\r\n", "1")),
    ROUTE("/denied", REPLY("401 Unauthorized", NULL, "no")),
    ROUTE("/forbidden", REPLY("403 Forbidden", NULL, "no")),
    ROUTE("/gone", REPLY("410 Gone", NULL, "no")),
    ROUTE("/partial", REPLY("206 Partial Content", NULL, "{}")),
    ROUTE("/unchanged", RAW("HTTP/1.1 304 Not Modified\r\n\r\n", THEN_KEEP)),
    ROUTE("/flaky", REPLY("500 Internal Server Error", NULL, ""),
	  REPLY("503 Service Unavailable", NULL, ""), REPLY("200 OK", NULL, "7")),
    ROUTE("/down", REPLY("500 Internal Server Error", NULL, "trouble")),
    ROUTE("/busy", REPLY("429 Too Many Requests", "Retry-After: 3600\r\n", ""),
	  REPLY("200 OK", NULL, "7")),
    ROUTE("/busy-date",
	  REPLY("429 Too Many Requests", "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n", ""),
	  REPLY("200 OK", NULL, "7")),
    ROUTE("/empty-body", REPLY("200 OK", NULL, "")),
    ROUTE_END,
};

static struct server_route *route_named(const char *path)
{
	struct server_route *route = routes;

	while (strcmp(route->path, path) != 0)
		route++;
	return route;
}

static struct source_request request_for(const char *path)
{
	return (struct source_request){.source = &def, .path = path, .json = true};
}

static struct got fetch(const char *path)
{
	struct source_request request = request_for(path);
	struct got got = {0};

	got_fetch(&got, &request, 1);
	CHECK_INT(got.calls, 1);
	return got;
}

static void check_failed(const char *path, enum source_cause cause, unsigned attempts,
			 const char *text)
{
	struct got got = fetch(path);

	CHECK_INT(got.answer.status, SOURCE_FAILED);
	CHECK_INT(got.answer.cause, cause);
	CHECK_INT(got.answer.attempts, attempts);
	if (!strstr(got.error.text, text))
		printf("# error is: %s\n", got.error.text);
	CHECK(strstr(got.error.text, text));
	CHECK(strstr(got.error.text, server.url));
	got_release(&got);
}

TEST(keeps_bytes_and_headers)
{
	struct got got = fetch("/ok");

	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK_BYTES(got.answer.value, BYTES(JSON_BODY));
	CHECK_BYTES(got.answer.etag, BYTES("\"v1\""));
	CHECK_INT(got.answer.max_age_s, 60);
	CHECK_INT(got.answer.http_status, 200);
	CHECK_INT(got.answer.attempts, 1);
	CHECK_INT(got.answer.body_bytes, sizeof JSON_BODY - 1);
	CHECK(got.answer.duration_us > 0);
	got_release(&got);
}

static void check_age(const char *path, int64_t want)
{
	struct got got = fetch(path);

	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK_INT(got.answer.max_age_s, want);
	got_release(&got);
}

TEST(reads_cache_control)
{
	check_age("/no-store", 0);
	check_age("/age-quoted", 5);
	check_age("/age-bad", 0);
	check_age("/age-endless", INT32_MAX);
	check_age("/flaky", -1);
}

TEST(not_found_is_empty)
{
	struct got got = fetch("/nowhere");

	CHECK_INT(got.answer.status, SOURCE_EMPTY);
	CHECK_INT(got.answer.http_status, 404);
	CHECK_INT(got.answer.attempts, 1);
	got_release(&got);
}

TEST(denied_names_the_header_not_its_value)
{
	struct source_header headers[] = {{"X-Trace", "a"},
					  {"authorization", "Bearer hunter2"}};
	struct got got = {0};
	struct source_request request = request_for("/denied?token=hunter3");

	def.headers = headers;
	def.header_count = 2;
	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.cause, SOURCE_CAUSE_STATUS);
	CHECK_INT(got.answer.http_status, 401);
	CHECK_INT(got.answer.attempts, 1);
	CHECK(strstr(got.error.text, "authorization"));
	CHECK(strstr(got.error.text, "/denied?…"));
	CHECK(!strstr(got.error.text, "hunter"));
	CHECK(strstr(server.last, "authorization: Bearer hunter2\r\n"));
	CHECK(strstr(server.last, "GET /denied?token=hunter3 "));
	CHECK(strstr(server.last, "User-Agent: ccache-test\r\n"));
	got_release(&got);
	def.header_count = 0;
	check_failed("/forbidden", SOURCE_CAUSE_STATUS, 1, "sends no headers");
}

TEST(other_4xx_and_odd_statuses_fail_at_once)
{
	check_failed("/gone", SOURCE_CAUSE_STATUS, 1, "answered 410");
	check_failed("/partial", SOURCE_CAUSE_STATUS, 1, "answered 206");
	check_failed("/unchanged", SOURCE_CAUSE_BODY, 1, "answered 304");
}

TEST(configured_statuses_are_tried_again)
{
	route_named("/flaky")->hits = 0;
	struct got got = fetch("/flaky");

	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK_BYTES(got.answer.value, BYTES("7"));
	CHECK_INT(got.answer.attempts, 3);
	got_release(&got);
	check_failed("/down", SOURCE_CAUSE_STATUS, 3, "/down (3 tries): answered 500");
}

/* An hour is asked for; the cap makes it short, and it is waited for. */
static void check_retry_after(const char *path)
{
	def.retry.cap_ms = 80;
	uint64_t start_ms = clock_mono_ms();
	struct got got = fetch(path);
	uint64_t took_ms = clock_mono_ms() - start_ms;

	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK_INT(got.answer.attempts, 2);
	CHECK(took_ms >= 80);
	CHECK(got.answer.duration_us >= 80000);
	got_release(&got);
	def.retry.cap_ms = 5;
}

TEST(retry_after_is_clamped_and_honoured)
{
	check_retry_after("/busy");
	check_retry_after("/busy-date");
}

TEST(an_empty_body_is_no_json)
{
	check_failed("/empty-body", SOURCE_CAUSE_BODY, 1, "not JSON: 1:1: ");
}

TEST(headers_that_could_smuggle_are_refused)
{
	struct source_header bad = {"X-Id", "a\r\nX-Evil: 1"};
	int before = server.requests;
	struct got got = {0};
	struct source_request request = request_for("/ok");

	def.headers = &bad;
	def.header_count = 1;
	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.status, SOURCE_FAILED);
	CHECK_INT(got.error.kind, ERR_CONFIG);
	CHECK(strstr(got.error.text, "'X-Id'"));
	CHECK_INT(server.requests, before);
	got_release(&got);
	def.header_count = 0;
}

TEST(paths_go_out_as_they_are)
{
	struct got got = fetch("/a/../b/./%2e%2e?q=%00#x");

	CHECK_INT(got.answer.status, SOURCE_EMPTY);
	CHECK(strstr(server.last, "GET /a/../b/./%2e%2e?q=%00 "));
	got_release(&got);
	got = fetch("/ok path");
	CHECK_INT(got.answer.status, SOURCE_FAILED);
	CHECK_INT(got.answer.attempts, 0);
	CHECK(strstr(got.error.text, "percent-encoded"));
	got_release(&got);
}

int main(void)
{
	server_start(&server, routes);
	def = server_source(server.url);
	RUN(keeps_bytes_and_headers);
	RUN(reads_cache_control);
	RUN(not_found_is_empty);
	RUN(denied_names_the_header_not_its_value);
	RUN(other_4xx_and_odd_statuses_fail_at_once);
	RUN(configured_statuses_are_tried_again);
	RUN(retry_after_is_clamped_and_honoured);
	RUN(an_empty_body_is_no_json);
	RUN(headers_that_could_smuggle_are_refused);
	RUN(paths_go_out_as_they_are);
	server_stop(&server);
	CHECK_DONE();
}
