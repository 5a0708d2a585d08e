#include "check.h"
#include "source_server.h"

#define MANY 400

static struct server server;
static struct source_def def;

static struct server_route routes[] = {
    ROUTE("/n", REPLY("200 OK", NULL, "{\"a\":1}")),
    ROUTE("/silent", RAW("", THEN_HANG)),
    ROUTE("/busy", REPLY("429 Busy", NULL, "")),
    ROUTE("/once", REPLY("503 Busy", NULL, ""), REPLY("200 OK", NULL, "1")),
    ROUTE_END,
};

struct tally {
	unsigned ok, failed;
};

static void count_answer(void *ctx, const struct source_answer *answer)
{
	struct tally *tally = ctx;

	tally->ok += answer->status == SOURCE_OK;
	tally->failed += answer->status == SOURCE_FAILED;
}

static struct tally fetch_many(struct fetcher *fetcher, const char *path, unsigned count)
{
	struct source_request request = {.source = &def, .path = path};
	struct tally tally = {0};

	for (unsigned i = 0; i < count; i++)
		fetcher_submit(fetcher, &request, 1, count_answer, &tally);
	CHECK_INT(fetcher_drain(fetcher, NULL), 0);
	return tally;
}

static struct source_lane_stats stats_of(const struct fetcher *fetcher)
{
	struct source_lane_stats stats = {0};

	CHECK(fetcher_lane_stats(fetcher, &def, &stats));
	return stats;
}

TEST(a_source_never_asked_has_no_stats)
{
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);
	struct source_lane_stats stats = {.window = 77};

	CHECK(!fetcher_lane_stats(fetcher, &def, &stats));
	CHECK_INT(stats.window, 77);
	fetcher_free(fetcher);
}

TEST(the_window_grows_to_its_most_while_filled)
{
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);

	def.concurrency = 2;
	def.concurrency_max = 8;
	fetch_many(fetcher, "/n", 1);
	CHECK_INT(stats_of(fetcher).window, 2);
	CHECK_INT(fetch_many(fetcher, "/n", MANY).ok, MANY);
	CHECK_INT(stats_of(fetcher).window, 8);
	CHECK_INT(stats_of(fetcher).requests, MANY + 1);
	CHECK_INT(stats_of(fetcher).rejected, 0);
	CHECK_INT(stats_of(fetcher).in_flight, 0);
	CHECK(stats_of(fetcher).rate == 0);
	fetcher_free(fetcher);
	def = server_source(server.url);
}

TEST(one_at_a_time_grows_nothing)
{
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);

	def.concurrency_max = 8;
	for (int i = 0; i < 100; i++)
		fetch_many(fetcher, "/n", 1);
	CHECK_INT(stats_of(fetcher).window, 4);
	fetcher_free(fetcher);
	def = server_source(server.url);
}

TEST(timeouts_shrink_the_window)
{
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);

	def.timeout_ms = 100;
	def.retry.max = 0;
	def.concurrency = 10;
	CHECK_INT(fetch_many(fetcher, "/silent", 10).failed, 10);
	CHECK_INT(stats_of(fetcher).window, 9); /* all in one round trip */
	fetch_many(fetcher, "/silent", 1);
	CHECK_INT(stats_of(fetcher).window, 8);
	CHECK_INT(stats_of(fetcher).rejected, 0);
	fetcher_free(fetcher);
	def = server_source(server.url);
}

TEST(a_429_shrinks_the_window_and_teaches_a_rate)
{
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);

	def.retry.max = 0;
	CHECK_INT(fetch_many(fetcher, "/n", 100).ok, 100);
	CHECK(stats_of(fetcher).rate == 0);
	CHECK_INT(fetch_many(fetcher, "/busy", 1).failed, 1);
	CHECK_INT(stats_of(fetcher).window, 3);
	CHECK_INT(stats_of(fetcher).rejected, 1);
	CHECK(stats_of(fetcher).rate > 0 && stats_of(fetcher).rate <= 97);
	fetcher_free(fetcher);
	def = server_source(server.url);
}

TEST(a_503_of_a_source_that_starts_is_just_tried_again)
{
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, NULL);

	CHECK_INT(fetch_many(fetcher, "/once", 1).ok, 1);
	CHECK_INT(stats_of(fetcher).rejected, 1);
	CHECK(stats_of(fetcher).rate == 0);
	fetcher_free(fetcher);
}

int main(void)
{
	server_start(&server, routes);
	def = server_source(server.url);
	RUN(a_source_never_asked_has_no_stats);
	RUN(the_window_grows_to_its_most_while_filled);
	RUN(one_at_a_time_grows_nothing);
	RUN(timeouts_shrink_the_window);
	RUN(a_429_shrinks_the_window_and_teaches_a_rate);
	RUN(a_503_of_a_source_that_starts_is_just_tried_again);
	server_stop(&server);
	CHECK_DONE();
}
