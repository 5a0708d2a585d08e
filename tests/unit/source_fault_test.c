#include "check.h"
#include "source_server.h"

#include "base/mem.h"

#include <zlib.h>

static struct server server;
static struct source_def def;

#define HEAD(len_) "HTTP/1.1 200 OK\r\nContent-Length: " len_ "\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

enum { GZIP, BOMB, GZIP_CUT, DEEP, DEEP_OK, HUGE_BODY };

static struct server_route routes[] = {
    [GZIP] = ROUTE("/gzip"),
    [BOMB] = ROUTE("/bomb"),
    [GZIP_CUT] = ROUTE("/gzip-cut"),
    [DEEP] = ROUTE("/deep"),
    [DEEP_OK] = ROUTE("/deep-ok"),
    [HUGE_BODY] = ROUTE("/huge"),
    ROUTE("/silent", RAW("", THEN_HANG)),
    ROUTE("/half-head", RAW("HTTP/1.1 200 OK\r\nContent-", THEN_HANG)),
    ROUTE("/trickle", RAW("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n            "
			  "                                                     ",
			  THEN_TRICKLE)),
    ROUTE("/reset", RAW("HTT", THEN_RESET)),
    ROUTE("/reset-body", RAW(HEAD("9") "\r\n{", THEN_RESET)),
    ROUTE("/reset-once", RAW("HTTP/1.1", THEN_RESET), REPLY("200 OK", NULL, "7")),
    ROUTE("/hang-up", RAW("", THEN_CLOSE)),
    ROUTE("/truncated", RAW(HEAD("100") "\r\n{\"a\":1}", THEN_CLOSE)),
    ROUTE("/chunk-cut", RAW(CHUNKED "7\r\n{\"a\":1}\r\n", THEN_CLOSE)),
    ROUTE("/chunk-bad", RAW(CHUNKED "zz\r\n{\"a\":1}\r\n", THEN_CLOSE)),
    ROUTE("/chunked", RAW(CHUNKED "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n", THEN_KEEP)),
    ROUTE("/too-short", RAW(HEAD("4") "\r\n{\"a\":1}", THEN_CLOSE)),
    ROUTE("/garbage", RAW("\x16\x03\x01 no http\r\n\r\n", THEN_CLOSE)),
    ROUTE("/unknown-coding", RAW(HEAD("2") "Content-Encoding: sdch\r\n\r\n{}", THEN_KEEP)),
    ROUTE("/not-gzip", RAW(HEAD("2") "Content-Encoding: gzip\r\n\r\n{}", THEN_KEEP)),
    ROUTE("/no-length", RAW("HTTP/1.1 200 OK\r\n\r\n{\"a\":1}", THEN_CLOSE)),
    ROUTE("/announced", RAW(HEAD("99999999") "\r\n{", THEN_HANG)),
    ROUTE("/zero", REPLY("200 OK", NULL, "{\n \"a\": 01}")),
    ROUTE("/surrogate", REPLY("200 OK", NULL, "[\"\\ud800\"]")),
    ROUTE("/control", REPLY("200 OK", NULL, "[\"a\tb\"]")),
    ROUTE("/html", REPLY("200 OK", NULL, "<html>")),
    ROUTE("/error-body-endless",
	  RAW("HTTP/1.1 404 No\r\nContent-Length: 9999999\r\n\r\nx", THEN_CLOSE)),
    ROUTE_END,
};

static struct got fetch(const char *path, bool json)
{
	struct source_request request = {.source = &def, .path = path, .json = json};
	struct got got = {0};

	got_fetch(&got, &request, 1);
	CHECK_INT(got.calls, 1);
	return got;
}

static void check_failed(const char *path, enum source_cause cause, unsigned attempts,
			 const char *text)
{
	struct got got = fetch(path, true);

	CHECK_INT(got.answer.status, SOURCE_FAILED);
	CHECK_INT(got.answer.cause, cause);
	CHECK_INT(got.answer.attempts, attempts);
	if (!strstr(got.error.text, text))
		printf("# %s: error is: %s\n", path, got.error.text);
	CHECK(strstr(got.error.text, text));
	CHECK(strstr(got.error.text, server.url));
	CHECK(strstr(got.error.text, path));
	got_release(&got);
}

static void check_value(const char *path, struct bytes want)
{
	struct got got = fetch(path, true);

	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK_BYTES(got.answer.value, want);
	got_release(&got);
}

/* An answer with body as its gzip coding, cut bytes short (framed as if it were whole). */
static struct server_reply gzipped(struct buf *reply, struct bytes body, size_t cut)
{
	z_stream stream = {0};
	size_t room = body.len / 500 + 200;
	unsigned char *packed = malloc(room);

	if (deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	stream.next_in = (unsigned char *)(uintptr_t)body.ptr;
	stream.avail_in = (unsigned)body.len;
	stream.next_out = packed;
	stream.avail_out = (unsigned)room;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		abort();
	size_t len = stream.total_out - cut;
	buf_printf(reply,
		   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
		   len);
	buf_add(reply, (struct bytes){(char *)packed, len});
	deflateEnd(&stream);
	free(packed);
	return (struct server_reply){.body = reply->ptr, .len = reply->len};
}

static char *repeated(char open, char close, size_t count)
{
	char *text = malloc(2 * count + 1);

	memset(text, open, count);
	memset(text + count, close, count);
	text[2 * count] = '\0';
	return text;
}

TEST(timeouts_are_tried_again_and_named)
{
	def.timeout_ms = 60;
	check_failed("/silent", SOURCE_CAUSE_TIMEOUT, 3,
		     "(3 tries): no complete answer within 60 ms");
	check_failed("/half-head", SOURCE_CAUSE_TIMEOUT, 3, "sources.api.timeout");
	check_failed("/trickle", SOURCE_CAUSE_TIMEOUT, 3, "within 60 ms");
	def.timeout_ms = 10000;
}

TEST(resets_are_tried_again)
{
	check_failed("/reset", SOURCE_CAUSE_CONNECT, 3, "(3 tries): the connection broke");
	check_failed("/reset-body", SOURCE_CAUSE_BODY, 3, "(3 tries): the body is truncated");
	check_failed("/hang-up", SOURCE_CAUSE_CONNECT, 3, "(3 tries)");
	check_value("/reset-once", BYTES("7"));
}

TEST(nobody_listens)
{
	struct source_def nobody = def;
	struct source_request request = {.source = &nobody, .path = "/x"};
	struct got got = {0};

	nobody.base_url = "http://127.0.0.1:1";
	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.cause, SOURCE_CAUSE_CONNECT);
	CHECK_INT(got.answer.attempts, 3);
	CHECK_INT(got.error.kind, ERR_SOURCE);
	CHECK(strstr(got.error.text, "is it running? see sources.api.base_url"));
	got_release(&got);
}

TEST(a_name_that_does_not_resolve)
{
	struct source_def nobody = def;
	struct source_request request = {.source = &nobody, .path = "/x?key=hunter2"};
	struct got got = {0};

	nobody.base_url = "http://nobody.invalid";
	nobody.retry.max = 0;
	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.cause, SOURCE_CAUSE_CONNECT);
	CHECK(strstr(got.error.text, "api: GET http://nobody.invalid/x?…: "));
	CHECK(strstr(got.error.text, "check the host in sources.api.base_url"));
	got_release(&got);
}

TEST(plain_server_under_https_is_a_tls_failure)
{
	struct source_def secure = def;
	struct source_request request = {.source = &secure, .path = "/x"};
	struct got got = {0};
	char *url = mem_printf("https%s", server.url + 4);

	secure.base_url = url;
	got_fetch(&got, &request, 1);
	CHECK_INT(got.answer.cause, SOURCE_CAUSE_TLS);
	CHECK_INT(got.answer.attempts, 1);
	CHECK_INT(got.error.kind, ERR_SOURCE);
	CHECK(strstr(got.error.text, "TLS failed"));
	got_release(&got);
	free(url);
}

TEST(truncated_bodies_fail)
{
	check_failed("/truncated", SOURCE_CAUSE_BODY, 3, "truncated");
	check_failed("/chunk-cut", SOURCE_CAUSE_BODY, 3, "truncated");
	check_failed("/chunk-bad", SOURCE_CAUSE_BODY, 3, "truncated");
	check_failed("/too-short", SOURCE_CAUSE_BODY, 1, "not JSON: 1:5: ");
	check_failed("/gzip-cut", SOURCE_CAUSE_BODY, 1, "");
}

TEST(whole_bodies_in_every_framing)
{
	check_value("/chunked", BYTES("{\"a\":1}"));
	check_value("/no-length", BYTES("{\"a\":1}"));
	check_value("/gzip", BYTES("{\"a\":[1.10,9007199254740993]}"));
	CHECK(strstr(server.last, "Accept-Encoding: "));
	CHECK(strstr(server.last, "gzip"));
}

TEST(what_is_not_http_fails_at_once)
{
	check_failed("/garbage", SOURCE_CAUSE_BODY, 1, "not a valid HTTP answer");
	check_failed("/unknown-coding", SOURCE_CAUSE_BODY, 1, "not a valid HTTP answer");
	check_failed("/not-gzip", SOURCE_CAUSE_BODY, 1, "");
}

TEST(limits_count_decoded_bytes)
{
	check_failed("/huge", SOURCE_CAUSE_BODY, 1,
		     "larger than 65536 bytes; raise sources.api.max_body");
	check_failed("/announced", SOURCE_CAUSE_BODY, 1, "larger than 65536 bytes");
	check_failed("/bomb", SOURCE_CAUSE_BODY, 1, "larger than 65536 bytes");
	def.max_body = 29;
	check_value("/gzip", BYTES("{\"a\":[1.10,9007199254740993]}"));
	def.max_body = 28;
	check_failed("/gzip", SOURCE_CAUSE_BODY, 1, "larger than 28 bytes");
	def.max_body = 65536;
}

TEST(only_strict_json_passes)
{
	check_failed("/zero", SOURCE_CAUSE_BODY, 1, "the body is not JSON: 2:7: ");
	check_failed("/surrogate", SOURCE_CAUSE_BODY, 1, "not JSON: 1:");
	check_failed("/control", SOURCE_CAUSE_BODY, 1, "not JSON: 1:4: ");
	check_failed("/html", SOURCE_CAUSE_BODY, 1, "not JSON: 1:1: ");
	check_failed("/deep", SOURCE_CAUSE_BODY, 1, "not JSON: 1:513: ");
	struct got got = fetch("/deep-ok", true);
	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK_INT(got.answer.value.len, 1024);
	got_release(&got);
}

TEST(bytes_that_need_not_be_json_pass)
{
	struct got got = fetch("/control", false);

	CHECK_BYTES(got.answer.value, BYTES("[\"a\tb\"]"));
	got_release(&got);
	got = fetch("/gzip-cut", false);
	CHECK_INT(got.answer.cause, SOURCE_CAUSE_BODY);
	CHECK(strstr(got.error.text, "gzip, which was not asked for"));
	CHECK(!strstr(server.last, "Accept-Encoding"));
	got_release(&got);
}

TEST(a_status_decides_whatever_its_body_does)
{
	struct got got = fetch("/error-body-endless", true);

	CHECK_INT(got.answer.status, SOURCE_EMPTY);
	got_release(&got);
}

int main(void)
{
	struct buf gzip = {0}, bomb = {0}, cut = {0};
	char *zeros = calloc(1, 8 << 20);
	char *deep = repeated('[', ']', 513);
	char *deep_ok = repeated('[', ']', 512);

	server_start(&server, routes);
	def = server_source(server.url);
	routes[GZIP].replies[0] = gzipped(&gzip, BYTES("{\"a\":[1.10,9007199254740993]}"), 0);
	routes[GZIP_CUT].replies[0] =
	    gzipped(&cut, BYTES("{\"a\":[1.10,9007199254740993]}"), 12);
	routes[BOMB].replies[0] = gzipped(&bomb, (struct bytes){zeros, 8 << 20}, 0);
	routes[HUGE_BODY].replies[0] =
	    (struct server_reply){.status = "200 OK", .body = zeros, .len = 65537};
	routes[DEEP].replies[0] = (struct server_reply){.status = "200 OK", .body = deep};
	routes[DEEP_OK].replies[0] = (struct server_reply){.status = "200 OK", .body = deep_ok};
	RUN(timeouts_are_tried_again_and_named);
	RUN(resets_are_tried_again);
	RUN(nobody_listens);
	RUN(a_name_that_does_not_resolve);
	RUN(plain_server_under_https_is_a_tls_failure);
	RUN(truncated_bodies_fail);
	RUN(whole_bodies_in_every_framing);
	RUN(what_is_not_http_fails_at_once);
	RUN(limits_count_decoded_bytes);
	RUN(only_strict_json_passes);
	RUN(bytes_that_need_not_be_json_pass);
	RUN(a_status_decides_whatever_its_body_does);
	server_stop(&server);
	buf_release(&gzip);
	buf_release(&bomb);
	buf_release(&cut);
	free(zeros);
	free(deep);
	free(deep_ok);
	CHECK_DONE();
}
