#include "check.h"
#include "source_server.h"

#include "source/breaker.h"

#define MANY 100
#define CONCURRENCY 4

static struct server server;
static struct source_def def;

/* The reply is chosen by hits; a test sets them to be where it wants. */
static struct server_route routes[] = {
    ROUTE("/down", REPLY("500 Broken", NULL, "")),
    ROUTE("/late", REPLY("500 Broken", NULL, ""), REPLY("200 OK", NULL, "1")),
    ROUTE("/n", REPLY("200 OK", NULL, "{\"a\":1}")),
    ROUTE("/busy", REPLY("429 Busy", NULL, "")),
    ROUTE_END,
};

struct tally {
	unsigned ok, failed, refused;
	uint64_t requests_at_first_refusal;
	char text[1024];
};

static void count_answer(void *ctx, const struct source_answer *answer)
{
	struct tally *tally = ctx;

	if (answer->cause == SOURCE_CAUSE_BREAKER) {
		CHECK_INT(answer->error->kind, ERR_SOURCE);
		snprintf(tally->text, sizeof tally->text, "%s", answer->error->text);
		tally->refused++;
	} else if (answer->status == SOURCE_FAILED) {
		tally->failed++;
	} else {
		tally->ok++;
	}
}

static void submit(struct fetcher *fetcher, const struct source_request *request,
		   struct tally *tally, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		fetcher_submit(fetcher, request, 1, count_answer, tally);
}

static struct source_lane_stats stats_of(const struct fetcher *fetcher)
{
	struct source_lane_stats stats = {0};

	CHECK(fetcher_lane_stats(fetcher, &def, &stats));
	return stats;
}

static void begin(void)
{
	def = server_source(server.url);
	def.retry.max = 0;
	def.retry.cap_ms = 3600000; /* the breaker's rest */
	def.concurrency = CONCURRENCY;
}

TEST(a_source_that_is_down_is_left_alone)
{
	struct source_request request = {.source = &def, .path = "/down"};
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);
	struct tally tally = {0};

	begin();
	submit(fetcher, &request, &tally, MANY);
	CHECK_INT(fetcher_drain(fetcher, NULL), 0);
	CHECK(tally.failed >= BREAKER_LIMIT && tally.failed < BREAKER_LIMIT + CONCURRENCY);
	CHECK_INT(tally.refused, MANY - tally.failed);
	CHECK_INT(stats_of(fetcher).opened, 1);
	CHECK_INT(stats_of(fetcher).refused, tally.refused);
	CHECK_INT(stats_of(fetcher).requests, tally.failed);
	CHECK(strstr(tally.text, "source 'api' http://127.0.0.1:"));
	CHECK(strstr(tally.text, "failures in a row (last: answered 500); no more is asked"));
	submit(fetcher, &request, &tally, 1);
	fetcher_drain(fetcher, NULL);
	CHECK_INT(stats_of(fetcher).requests, tally.failed);
	fetcher_free(fetcher);
}

TEST(sleepers_are_refused_at_once)
{
	struct source_request request = {.source = &def, .path = "/down"};
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);
	struct tally tally = {0};

	begin();
	submit(fetcher, &request, &tally, BREAKER_LIMIT - 1);
	fetcher_drain(fetcher, NULL);
	CHECK_INT(tally.refused, 0);
	def.retry.max = 1;
	def.retry.base_ms = 3600000;
	submit(fetcher, &request, &tally, 10);
	while (stats_of(fetcher).requests < BREAKER_LIMIT - 1 + 10 ||
	       stats_of(fetcher).in_flight)
		fetcher_turn(fetcher, 10, -1, 0, NULL, NULL);
	def.retry.max = 0;
	submit(fetcher, &request, &tally, 1);
	CHECK_INT(fetcher_drain(fetcher, NULL), 0);
	CHECK_INT(tally.failed, BREAKER_LIMIT);
	CHECK_INT(tally.refused, 10);
	fetcher_free(fetcher);
}

TEST(refused_connections_count_and_hide_the_password)
{
	char url[] = "http://user:hunter2@127.0.0.1:1";
	struct source_request request = {.source = &def, .path = "/down"};
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);
	struct tally tally = {0};

	begin();
	def.base_url = url;
	submit(fetcher, &request, &tally, MANY);
	fetcher_drain(fetcher, NULL);
	CHECK(tally.refused > 0);
	CHECK(strstr(tally.text, "http://127.0.0.1:1:"));
	CHECK(strstr(tally.text, "connect"));
	CHECK(!strstr(tally.text, "hunter2"));
	CHECK(!strstr(tally.text, "is it running"));
	fetcher_free(fetcher);
}

TEST(a_served_request_between_keeps_it_closed)
{
	struct source_request down = {.source = &def, .path = "/down"};
	struct source_request missing = {.source = &def, .path = "/missing"};
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);
	struct tally tally = {0};

	begin();
	for (int i = 0; i < 3; i++) {
		submit(fetcher, &down, &tally, BREAKER_LIMIT - 1);
		fetcher_drain(fetcher, NULL);
		submit(fetcher, &missing, &tally, 1);
		fetcher_drain(fetcher, NULL);
	}
	CHECK_INT(tally.refused, 0);
	CHECK_INT(tally.failed, 3 * (BREAKER_LIMIT - 1));
	CHECK_INT(tally.ok, 3);
	fetcher_free(fetcher);
}

TEST(too_many_requests_do_not_open_it)
{
	struct source_request request = {.source = &def, .path = "/busy"};
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);
	struct tally tally = {0};

	begin();
	def.concurrency = BREAKER_LIMIT + 5; /* all at once: a learned rate is slow */
	submit(fetcher, &request, &tally, BREAKER_LIMIT + 5);
	fetcher_drain(fetcher, NULL);
	CHECK_INT(tally.failed, BREAKER_LIMIT + 5);
	CHECK_INT(tally.refused, 0);
	CHECK_INT(stats_of(fetcher).rejected, BREAKER_LIMIT + 5);
	fetcher_free(fetcher);
}

static void open_it(struct fetcher *fetcher, struct tally *tally)
{
	struct source_request down = {.source = &def, .path = "/down"};

	submit(fetcher, &down, tally, BREAKER_LIMIT);
	fetcher_drain(fetcher, NULL);
	CHECK_INT(stats_of(fetcher).opened, 1);
	CHECK_INT(tally->failed, BREAKER_LIMIT);
}

/* Asks until the rest is over and one was let through. */
static void try_until(struct fetcher *fetcher, const struct source_request *request,
		      struct tally *tally, uint64_t requests)
{
	uint64_t end_ms = clock_mono_ms() + 20000;

	while (stats_of(fetcher).requests < requests && clock_mono_ms() < end_ms) {
		submit(fetcher, request, tally, 3);
		fetcher_drain(fetcher, NULL);
	}
	CHECK_INT(stats_of(fetcher).requests, requests);
}

TEST(one_try_after_the_rest_closes_or_reopens)
{
	struct source_request late = {.source = &def, .path = "/late"};
	struct source_request fine = {.source = &def, .path = "/n"};
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);
	struct tally tally = {0};

	begin();
	def.retry.cap_ms = 50;
	open_it(fetcher, &tally);
	/* Three are asked at a time, one goes through, and fails. */
	try_until(fetcher, &late, &tally, BREAKER_LIMIT + 1);
	CHECK_INT(tally.failed, BREAKER_LIMIT + 1);
	CHECK_INT(tally.ok, 0);
	CHECK_INT(tally.refused % 3, 2);
	try_until(fetcher, &late, &tally, BREAKER_LIMIT + 2);
	CHECK_INT(tally.ok, 1);
	submit(fetcher, &fine, &tally, 10);
	fetcher_drain(fetcher, NULL);
	CHECK_INT(tally.ok, 11);
	CHECK_INT(stats_of(fetcher).opened, 1);
	fetcher_free(fetcher);
}

/* Its callback submits again, as a run of a million ids would. */
static void submit_again(void *ctx, const struct source_answer *answer)
{
	struct {
		struct fetcher *fetcher;
		const struct source_request *request;
		unsigned left;
		unsigned refused;
	} *more = ctx;

	more->refused += answer->cause == SOURCE_CAUSE_BREAKER;
	if (more->left && more->left--)
		fetcher_submit(more->fetcher, more->request, 1, submit_again, more);
}

TEST(refusals_let_a_turn_end)
{
	struct source_request request = {.source = &def, .path = "/n"};
	struct tally tally = {0};
	struct {
		struct fetcher *fetcher;
		const struct source_request *request;
		unsigned left;
		unsigned refused;
	} more = {fetcher_new("ccache-test", NULL, NULL), &request, 1000, 0};

	begin();
	open_it(more.fetcher, &tally);
	fetcher_submit(more.fetcher, &request, 1, submit_again, &more);
	fetcher_turn(more.fetcher, 1000, -1, 0, NULL, NULL);
	CHECK(more.refused > 0 && more.refused < 10);
	fetcher_drain(more.fetcher, NULL);
	CHECK_INT(more.refused, 1001);
	fetcher_free(more.fetcher);
}

int main(void)
{
	server_start(&server, routes);
	RUN(a_source_that_is_down_is_left_alone);
	RUN(sleepers_are_refused_at_once);
	RUN(refused_connections_count_and_hide_the_password);
	RUN(a_served_request_between_keeps_it_closed);
	RUN(too_many_requests_do_not_open_it);
	RUN(one_try_after_the_rest_closes_or_reopens);
	RUN(refusals_let_a_turn_end);
	server_stop(&server);
	CHECK_DONE();
}
