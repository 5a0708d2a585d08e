#include "check.h"
#include "source_server.h"

#include "base/mem.h"

static struct server server;
static struct server elsewhere;
static struct source_def def;
static struct source_header token = {"Authorization", "Bearer hunter2"};

#define MOVED(code_, to_) REPLY(code_, "Location: " to_ "\r\n", "moved")

enum { AWAY, HOME, VIA_RETRY };

static struct server_route routes[] = {
    [AWAY] = ROUTE("/away"),
    [HOME] = ROUTE("/home"),
    [VIA_RETRY] = ROUTE("/via-retry", MOVED("302 Found", "/flaky")),
    ROUTE("/301", MOVED("301 Moved", "/end?from=301#there")),
    ROUTE("/302", MOVED("302 Found", "end")),
    ROUTE("/303", MOVED("303 See Other", "./a/../end")),
    ROUTE("/307", MOVED("307 Temporary", "/302")),
    ROUTE("/308", MOVED("308 Permanent", "?x=1")),
    ROUTE("/end", REPLY("200 OK", NULL, "7")),
    ROUTE("/loop", MOVED("302 Found", "/loop")),
    ROUTE("/file", MOVED("302 Found", "file:///etc/passwd")),
    ROUTE("/gopher", MOVED("302 Found", "gopher://127.0.0.1:1/x")),
    ROUTE("/script", MOVED("302 Found", "javascript:alert(1)")),
    ROUTE("/secret", MOVED("302 Found", "http://me:hunter4@127.0.0.1:1/p?key=hunter3")),
    ROUTE("/nowhere", REPLY("302 Found", NULL, "")),
    ROUTE("/blank", MOVED("302 Found", "http://")),
    ROUTE("/flaky", REPLY("503 Busy", NULL, ""), REPLY("200 OK", NULL, "8")),
    ROUTE_END,
};

static struct server_route other_routes[] = {ROUTE("/end", REPLY("200 OK", NULL, "9")),
					     ROUTE_END};

static struct got fetch(const char *path)
{
	struct source_request request = {.source = &def, .path = path, .json = true};
	struct got got = {0};

	got_fetch(&got, &request, 1);
	CHECK_INT(got.calls, 1);
	return got;
}

static void check_arrives(const char *path, unsigned attempts)
{
	struct got got = fetch(path);

	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK_BYTES(got.answer.value, BYTES("7"));
	CHECK_INT(got.answer.attempts, attempts);
	CHECK(strstr(server.last, "Bearer hunter2"));
	got_release(&got);
}

static void check_refused(const char *path, unsigned attempts, const char *text)
{
	struct got got = fetch(path);

	CHECK_INT(got.answer.status, SOURCE_FAILED);
	CHECK_INT(got.answer.cause, SOURCE_CAUSE_REDIRECT);
	CHECK_INT(got.answer.attempts, attempts);
	if (!strstr(got.error.text, text))
		printf("# error is: %s\n", got.error.text);
	CHECK(strstr(got.error.text, text));
	CHECK(!strstr(got.error.text, "hunter"));
	got_release(&got);
}

TEST(follows_within_the_origin)
{
	check_arrives("/301", 2);
	CHECK(strstr(server.last, "GET /end?from=301 "));
	check_arrives("/302", 2);
	check_arrives("/303", 2);
	check_arrives("/307", 3);
	check_arrives("/home", 2);
}

TEST(a_loop_ends_at_the_limit)
{
	check_refused("/loop", 4, "more than 3 redirects");
	check_refused("/308", 4, "more than 3 redirects");
	def.max_redirects = 0;
	check_refused("/301", 1, "more than 0 redirects");
	def.max_redirects = 3;
}

TEST(another_host_hears_nothing)
{
	check_refused("/away", 1, elsewhere.url);
	CHECK_INT(elsewhere.connections, 0);
	CHECK_INT(elsewhere.requests, 0);
}

TEST(other_schemes_are_refused)
{
	check_refused(
	    "/file", 1,
	    "redirect 302: leads to file:///etc/passwd, which is not on http://127.0.0.1:");
	check_refused("/gopher", 1, "gopher://127.0.0.1:1/x");
	check_refused("/script", 1, "redirect 302: leads to");
	check_refused("/blank", 1, "not a URL");
	check_refused("/secret", 1, "leads to http://127.0.0.1:1/p?…, which");
}

TEST(a_redirect_without_target_is_a_status)
{
	struct got got = fetch("/nowhere");

	CHECK_INT(got.answer.cause, SOURCE_CAUSE_STATUS);
	CHECK(strstr(got.error.text, "answered 302 without a Location"));
	got_release(&got);
}

TEST(a_try_begins_at_the_start_again)
{
	struct got got = fetch("/via-retry");

	CHECK_BYTES(got.answer.value, BYTES("8"));
	CHECK_INT(got.answer.attempts, 4);
	CHECK_INT(routes[VIA_RETRY].hits, 2);
	got_release(&got);
}

TEST(absolute_paths_stay_on_the_origin)
{
	char *same = mem_printf("%s/end", server.url);
	char *other = mem_printf("%s/end?key=hunter3", elsewhere.url);

	check_arrives(same, 1);
	check_refused(other, 0, "which is not on http://127.0.0.1:");
	check_refused("HTTP://[::1", 0, "neither a path");
	check_refused("@127.0.0.1/end", 0, "");
	CHECK_INT(elsewhere.connections, 0);
	free(same);
	free(other);
}

TEST(user_info_of_the_base_is_sent_and_never_shown)
{
	char *url = mem_printf("http://me:hunter%%322@%s/", server.url + 7);

	def.base_url = url;
	def.header_count = 0;
	struct got got = fetch("/end");
	CHECK_BYTES(got.answer.value, BYTES("7"));
	CHECK(
	    strstr(server.last, "Authorization: Basic bWU6aHVudGVyMjI=\r\n")); /* me:hunter22 */
	CHECK(strstr(server.last, "GET /end "));
	got_release(&got);
	check_refused("/loop", 4, "api: GET http://127.0.0.1:");
	def.base_url = server.url;
	def.header_count = 1;
	free(url);
}

static void check_base_refused(const char *base_url, const char *text)
{
	def.base_url = base_url;
	struct got got = fetch("/end");
	CHECK_INT(got.answer.status, SOURCE_FAILED);
	CHECK_INT(got.error.kind, ERR_CONFIG);
	CHECK(strstr(got.error.text, text));
	CHECK(!strstr(got.error.text, "hunter"));
	got_release(&got);
	def.base_url = server.url;
}

TEST(bases_that_are_no_origin_are_refused)
{
	check_base_refused("ftp://me:hunter2@localhost", "must begin with http:// or https://");
	check_base_refused("file:///etc", "must begin with");
	check_base_refused("http://h/?k=hunter2", "may not hold a query");
	check_base_refused("", "not a URL");
	check_base_refused("http://:hunter2@", "base_url");
}

int main(void)
{
	char *away = NULL, *home = NULL;

	server_start(&server, routes);
	server_start(&elsewhere, other_routes);
	away = mem_printf("Location: %s/end\r\n", elsewhere.url);
	home = mem_printf("Location: %s/end\r\n", server.url);
	routes[AWAY].replies[0] = (struct server_reply){.status = "302 Found", .headers = away};
	routes[HOME].replies[0] = (struct server_reply){.status = "302 Found", .headers = home};
	def = server_source(server.url);
	def.headers = &token;
	def.header_count = 1;
	RUN(follows_within_the_origin);
	RUN(a_loop_ends_at_the_limit);
	RUN(another_host_hears_nothing);
	RUN(other_schemes_are_refused);
	RUN(a_redirect_without_target_is_a_status);
	RUN(a_try_begins_at_the_start_again);
	RUN(absolute_paths_stay_on_the_origin);
	RUN(user_info_of_the_base_is_sent_and_never_shown);
	RUN(bases_that_are_no_origin_are_refused);
	server_stop(&server);
	server_stop(&elsewhere);
	free(away);
	free(home);
	CHECK_DONE();
}
