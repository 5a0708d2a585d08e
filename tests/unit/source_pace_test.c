#include "check.h"

#include "source/pace.h"
#include "source/window.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)

/* Time is made up here: nothing waits. */
static const uint64_t start_ns = 1000 * S;

static void rounds(struct window *window, unsigned count, unsigned running)
{
	while (count--)
		window_grow(window, running);
}

TEST(a_window_grows_by_one_per_window)
{
	struct window window;

	window_init(&window, 4, 8);
	CHECK_INT(window_size(&window), 4);
	rounds(&window, 4, 4);
	CHECK_INT(window_size(&window), 4); /* 4 + 1/4 + … is a little less than 5 */
	rounds(&window, 1, 4);
	CHECK_INT(window_size(&window), 5);
	rounds(&window, 1000, 8);
	CHECK_INT(window_size(&window), 8);
}

TEST(a_window_that_is_not_filled_stays)
{
	struct window window;

	window_init(&window, 4, 8);
	rounds(&window, 1000, 3);
	CHECK_INT(window_size(&window), 4);
}

TEST(a_window_shrinks_once_per_round_trip_down_to_one)
{
	struct window window;

	window_init(&window, 100, 0);
	CHECK_INT(window.max, 100);
	for (int i = 0; i < 50; i++)
		window_shrink(&window, start_ns, start_ns + MS + (uint64_t)i);
	CHECK_INT(window_size(&window), 90);
	window_shrink(&window, start_ns + 2 * MS, start_ns + 3 * MS);
	CHECK_INT(window_size(&window), 81);
	for (uint64_t i = 0; i < 1000; i++)
		window_shrink(&window, start_ns + (2 * i + 4) * MS,
			      start_ns + (2 * i + 5) * MS);
	CHECK_INT(window_size(&window), 1);
	window_init(&window, 0, 0);
	CHECK_INT(window_size(&window), 1);
}

/* Starts as many as may start at once. */
static unsigned burst(struct pace *pace, uint64_t now_ns)
{
	unsigned count = 0;

	for (; pace->next_ns <= now_ns && count < 1000000; count++)
		pace_spend(pace, now_ns);
	return count;
}

static unsigned burst_of(double rate)
{
	struct pace pace;

	pace_init(&pace, rate);
	return burst(&pace, start_ns);
}

TEST(a_tenth_of_the_rate_may_start_at_once)
{
	CHECK_INT(burst_of(50), 5);
	CHECK_INT(burst_of(200), 20);
	CHECK_INT(burst_of(1000), 100);
	CHECK_INT(burst_of(10), 1);
	CHECK_INT(burst_of(0.01), 1);
}

static unsigned started_in(struct pace *pace, uint64_t ns)
{
	unsigned count = 0;

	for (uint64_t at = 0; at < ns; at += MS)
		count += burst(pace, start_ns + at);
	return count;
}

TEST(the_configured_rate_is_kept)
{
	static const double rates[] = {2, 50, 333, 5000};
	struct pace pace;

	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		double expected = rates[i] * 10;

		pace_init(&pace, rates[i]);
		unsigned count = started_in(&pace, 10 * S);
		CHECK(count >= expected - 1);
		CHECK(count <= expected + rates[i] / 10 + 1);
		CHECK(pace_rate(&pace) == rates[i]);
	}
	pace_init(&pace, 0);
	CHECK(burst(&pace, start_ns) == 1000000);
}

/* As nginx's limit_req counts: so many may be above the rate. */
struct limiter {
	double rate, burst, excess;
	uint64_t last_ns;
	unsigned served, rejected;
};

static bool limiter_serves(struct limiter *limiter, uint64_t now_ns)
{
	double drained = (double)(now_ns - limiter->last_ns) / (double)S * limiter->rate;
	double excess = limiter->excess - drained > 0 ? limiter->excess - drained : 0;

	if (limiter->last_ns && excess + 1 > limiter->burst + 1) {
		limiter->rejected++;
		return false;
	}
	limiter->excess = limiter->last_ns ? excess + 1 : 0;
	limiter->last_ns = now_ns;
	limiter->served++;
	return true;
}

/* Eager requests against a limiter for a while, at most `window` in each millisecond. */
static void press(struct pace *pace, struct limiter *limiter, uint64_t *at_ns, uint64_t ns,
		  unsigned window, bool sure)
{
	for (uint64_t end_ns = *at_ns + ns; *at_ns < end_ns; *at_ns += MS)
		for (unsigned i = 0; i < window && pace->next_ns <= *at_ns; i++) {
			pace_spend(pace, *at_ns);
			if (limiter_serves(limiter, *at_ns))
				pace_served(pace, *at_ns);
			else
				pace_rejected(pace, *at_ns, *at_ns + 1, sure);
		}
}

static void check_settles(double limit, double depth, bool sure)
{
	struct limiter limiter = {.rate = limit, .burst = depth};
	struct pace pace;
	uint64_t now_ns = start_ns;

	pace_init(&pace, 0);
	press(&pace, &limiter, &now_ns, 10 * S, 16, sure);
	limiter.served = limiter.rejected = 0;
	press(&pace, &limiter, &now_ns, 20 * S, 16, sure);
	printf("# %.0f/s: served %.1f/s, %u turned away\n", limit, limiter.served / 20.0,
	       limiter.rejected);
	CHECK(limiter.served >= 0.9 * limit * 20);
	CHECK(limiter.rejected < 0.05 * (limiter.served + limiter.rejected));
	CHECK(limiter.rejected > 0); /* it keeps looking for more */
}

TEST(a_learned_rate_settles_at_the_limit)
{
	check_settles(50, 5, true);
	check_settles(50, 5, false);
	check_settles(10, 5, true);
	check_settles(500, 20, true);
	check_settles(2000, 50, true);
}

TEST(a_limit_that_rises_is_followed)
{
	struct limiter limiter = {.rate = 50, .burst = 5};
	struct pace pace;
	uint64_t now_ns = start_ns;

	pace_init(&pace, 0);
	press(&pace, &limiter, &now_ns, 10 * S, 16, true);
	limiter.rate = 1000;
	press(&pace, &limiter, &now_ns, 60 * S, 16, true);
	CHECK(pace_rate(&pace) > 800);
}

TEST(what_left_before_a_cut_does_not_count)
{
	struct pace pace;

	pace_init(&pace, 0);
	for (int i = 0; i < 100; i++)
		pace_served(&pace, start_ns);
	pace_rejected(&pace, start_ns, start_ns + MS, true);
	CHECK(pace_rate(&pace) == 97);
	for (int i = 0; i < 100; i++)
		pace_rejected(&pace, start_ns, start_ns + 2 * MS, true);
	CHECK(pace_rate(&pace) == 97);
	pace_rejected(&pace, start_ns + 2 * MS, start_ns + 3 * MS, true);
	CHECK(pace_rate(&pace) < 95);
}

TEST(a_503_alone_is_no_limit_and_a_429_is)
{
	struct pace pace;

	pace_init(&pace, 0);
	pace_rejected(&pace, start_ns, start_ns + MS, false);
	CHECK(pace_rate(&pace) == 0);
	pace_rejected(&pace, start_ns, start_ns + MS, true);
	CHECK(pace_rate(&pace) == 0.5);
	for (uint64_t i = 1; i < 100; i++)
		pace_rejected(&pace, start_ns + i * S, start_ns + i * S, true);
	CHECK(pace_rate(&pace) >= 0.19 && pace_rate(&pace) <= 0.21);
}

TEST(a_learned_rate_never_exceeds_the_configured)
{
	struct limiter limiter = {.rate = 100000, .burst = 100000};
	struct pace pace;
	uint64_t now_ns = start_ns;

	pace_init(&pace, 50);
	pace_rejected(&pace, now_ns, now_ns + 1, true);
	CHECK(pace_rate(&pace) == 25);
	press(&pace, &limiter, &now_ns, 100 * S, 16, true);
	CHECK(pace_rate(&pace) == 50);
	CHECK(limiter.served <= 50 * 100 + 5);
}

TEST(a_rate_that_holds_nobody_back_stays)
{
	struct pace pace;

	pace_init(&pace, 0);
	for (int i = 0; i < 100; i++)
		pace_served(&pace, start_ns);
	pace_rejected(&pace, start_ns, start_ns + MS, true);
	for (uint64_t i = 1; i < 60; i++)
		pace_spend(&pace, start_ns + i * S);
	CHECK(pace_rate(&pace) == 97);
}

int main(void)
{
	RUN(a_window_grows_by_one_per_window);
	RUN(a_window_that_is_not_filled_stays);
	RUN(a_window_shrinks_once_per_round_trip_down_to_one);
	RUN(a_tenth_of_the_rate_may_start_at_once);
	RUN(the_configured_rate_is_kept);
	RUN(a_learned_rate_settles_at_the_limit);
	RUN(a_limit_that_rises_is_followed);
	RUN(what_left_before_a_cut_does_not_count);
	RUN(a_503_alone_is_no_limit_and_a_429_is);
	RUN(a_learned_rate_never_exceeds_the_configured);
	RUN(a_rate_that_holds_nobody_back_stays);
	CHECK_DONE();
}
