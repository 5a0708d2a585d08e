#include "check.h"
#include "source_server.h"

#include "base/mem.h"
#include "source/backoff.h"
#include "source/delay.h"

#define MANY 1000

static struct server server;
static struct source_def def;

static struct server_route routes[] = {
    ROUTE("/n", REPLY("200 OK", NULL, "{\"a\":1}")),
    ROUTE("/down", REPLY("503 Busy", NULL, "")),
    ROUTE("/busy", REPLY("429 Busy", "Retry-After: 3600\r\n", "")),
    ROUTE("/silent", RAW("", THEN_HANG)),
    ROUTE_END,
};

struct tally {
	struct fetcher *fetcher;
	unsigned calls[MANY];
	unsigned ok, failed, cancelled;
	bool resubmit;
	struct source_request again;
};

struct ticket {
	struct tally *tally;
	unsigned number;
};

static void count_answer(void *ctx, const struct source_answer *answer)
{
	struct ticket *ticket = ctx;
	struct tally *tally = ticket->tally;

	tally->calls[ticket->number]++;
	tally->ok += answer->status == SOURCE_OK;
	tally->failed += answer->status == SOURCE_FAILED;
	tally->cancelled += answer->cause == SOURCE_CAUSE_CANCELLED;
	if (tally->resubmit && ticket->number < MANY / 2)
		fetcher_submit(tally->fetcher, &tally->again, 1, count_answer,
			       ticket + MANY / 2);
}

static unsigned answered_once(const struct tally *tally, unsigned count)
{
	unsigned once = 0;

	for (unsigned i = 0; i < count; i++)
		once += tally->calls[i] == 1;
	return once;
}

static struct ticket tickets[MANY];

static void begin(struct tally *tally, const volatile int *cancel)
{
	*tally = (struct tally){.fetcher = fetcher_new("ccache-test", cancel, NULL)};
	for (unsigned i = 0; i < MANY; i++)
		tickets[i] = (struct ticket){tally, i};
}

static void submit(struct tally *tally, const struct source_request *request, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		fetcher_submit(tally->fetcher, request, 1, count_answer, &tickets[i]);
}

TEST(a_thousand_are_each_answered_once)
{
	struct source_request request = {.source = &def, .path = "/n", .json = true};
	struct tally tally;
	int before = server.connections;

	def.concurrency = 64;
	begin(&tally, NULL);
	submit(&tally, &request, MANY);
	CHECK_INT(fetcher_outstanding(tally.fetcher), MANY);
	CHECK_INT(fetcher_drain(tally.fetcher, NULL), 0);
	CHECK_INT(answered_once(&tally, MANY), MANY);
	CHECK_INT(tally.ok, MANY);
	CHECK(server.connections - before <= 64);
	fetcher_free(tally.fetcher);
	def.concurrency = 4;
}

TEST(a_callback_may_submit_more)
{
	struct source_request request = {.source = &def, .path = "/n", .json = true};
	struct tally tally;

	begin(&tally, NULL);
	tally.resubmit = true;
	tally.again = request;
	submit(&tally, &request, MANY / 2);
	CHECK_INT(fetcher_drain(tally.fetcher, NULL), 0);
	CHECK_INT(answered_once(&tally, MANY), MANY);
	fetcher_free(tally.fetcher);
}

TEST(at_most_concurrency_connections)
{
	struct source_request request = {.source = &def, .path = "/n"};
	struct tally tally;
	int before = server.connections;

	def.concurrency = 3;
	begin(&tally, NULL);
	submit(&tally, &request, 200);
	fetcher_drain(tally.fetcher, NULL);
	CHECK_INT(tally.ok, 200);
	CHECK(server.connections - before <= 3);
	fetcher_free(tally.fetcher);
	def.concurrency = 4;
}

TEST(waiting_for_admission_is_no_timeout)
{
	struct source_request slow = {.source = &def, .path = "/silent"};
	struct source_request request = {.source = &def, .path = "/n"};
	struct tally tally;

	def.concurrency = 1;
	def.timeout_ms = 150;
	def.retry.max = 1;
	begin(&tally, NULL);
	fetcher_submit(tally.fetcher, &slow, 1, count_answer, &tickets[0]);
	fetcher_submit(tally.fetcher, &request, 1, count_answer, &tickets[1]);
	fetcher_submit(tally.fetcher, &slow, 1, count_answer, &tickets[2]);
	fetcher_submit(tally.fetcher, &request, 1, count_answer, &tickets[3]);
	fetcher_drain(tally.fetcher, NULL);
	CHECK_INT(tally.ok, 2);
	CHECK_INT(tally.failed, 2);
	fetcher_free(tally.fetcher);
	def = server_source(server.url);
}

TEST(rate_is_kept)
{
	struct source_request request = {.source = &def, .path = "/n"};
	struct tally tally;

	def.rate = 200;
	begin(&tally, NULL);
	uint64_t start_ms = clock_mono_ms();
	submit(&tally, &request, 41);
	fetcher_drain(tally.fetcher, NULL);
	uint64_t took_ms = clock_mono_ms() - start_ms;
	CHECK_INT(tally.ok, 41);
	CHECK(took_ms >= 100); /* 20 start at once, 21 follow at intervals of 5 ms */
	fetcher_free(tally.fetcher);
	def.rate = 0;
}

TEST(retry_after_silences_the_source)
{
	struct source_request busy = {.source = &def, .path = "/busy"};
	struct source_request request = {.source = &def, .path = "/n"};
	struct tally tally;

	def.concurrency = 1;
	def.retry.cap_ms = 120;
	def.retry.max = 1;
	begin(&tally, NULL);
	uint64_t start_ms = clock_mono_ms();
	fetcher_submit(tally.fetcher, &busy, 1, count_answer, &tickets[0]);
	fetcher_submit(tally.fetcher, &request, 1, count_answer, &tickets[1]);
	fetcher_drain(tally.fetcher, NULL);
	CHECK(clock_mono_ms() - start_ms >= 120);
	CHECK_INT(tally.ok, 1);
	CHECK_INT(tally.failed, 1);
	fetcher_free(tally.fetcher);
	def = server_source(server.url);
}

/* Some run, some wait for admission, some sleep before a retry. */
TEST(cancel_ends_everything_and_is_over_with_it)
{
	struct source_request silent = {.source = &def, .path = "/silent"};
	struct source_request down = {.source = &def, .path = "/down"};
	struct source_request request = {.source = &def, .path = "/n"};
	struct tally tally;
	volatile int cancel = 0;
	int before = server.requests;

	def.retry.base_ms = def.retry.cap_ms = 3600000;
	begin(&tally, &cancel);
	fetcher_submit(tally.fetcher, &down, 1, count_answer, &tickets[0]);
	for (unsigned i = 1; i < 100; i++)
		fetcher_submit(tally.fetcher, &silent, 1, count_answer, &tickets[i]);
	while (server.requests - before < 5)
		fetcher_turn(tally.fetcher, 10, -1, 0, NULL, NULL);
	CHECK_INT(tally.failed, 0);
	cancel = 1;
	CHECK_INT(fetcher_drain(tally.fetcher, NULL), 0); /* not after the hour of a retry */
	CHECK_INT(answered_once(&tally, 100), 100);
	CHECK_INT(tally.cancelled, 100);
	cancel = 0;
	fetcher_submit(tally.fetcher, &request, 1, count_answer, &tickets[100]);
	fetcher_drain(tally.fetcher, NULL);
	CHECK_INT(tally.ok, 1);
	fetcher_free(tally.fetcher);
	def = server_source(server.url);
}

static void *raise_flag(void *flag)
{
	while (server.requests == 0)
		poll(NULL, 0, 1);
	__atomic_store_n((volatile int *)flag, 1, __ATOMIC_RELAXED);
	return NULL;
}

TEST(cancel_is_seen_within_a_wait)
{
	struct source_request silent = {.source = &def, .path = "/silent"};
	struct tally tally;
	volatile int cancel = 0;
	pthread_t thread;

	begin(&tally, &cancel);
	server.requests = 0;
	submit(&tally, &silent, 1);
	CHECK_INT(pthread_create(&thread, NULL, raise_flag, (void *)(uintptr_t)&cancel), 0);
	fetcher_drain(tally.fetcher, NULL);
	CHECK_INT(tally.cancelled, 1); /* before it timed out */
	pthread_join(thread, NULL);
	fetcher_free(tally.fetcher);
}

TEST(freeing_answers_what_is_outstanding)
{
	struct source_request silent = {.source = &def, .path = "/silent"};
	struct tally tally;

	begin(&tally, NULL);
	submit(&tally, &silent, 10);
	fetcher_turn(tally.fetcher, 0, -1, 0, NULL, NULL);
	fetcher_free(tally.fetcher);
	CHECK_INT(tally.cancelled, 10);
	CHECK_INT(answered_once(&tally, 10), 10);
}

TEST(an_extra_descriptor_ends_the_wait)
{
	struct source_request silent = {.source = &def, .path = "/silent"};
	struct tally tally;
	int pair[2];
	bool ready = true;

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	begin(&tally, NULL);
	CHECK_INT(fetcher_turn(tally.fetcher, 1, pair[0], POLLIN, &ready, NULL), 0);
	CHECK(!ready);
	CHECK_INT(fetcher_turn(tally.fetcher, 5000, pair[0], POLLOUT, &ready, NULL), 0);
	CHECK(ready);
	submit(&tally, &silent, 1);
	CHECK_INT(write(pair[1], "x", 1), 1);
	ready = false;
	while (!ready && tally.failed == 0)
		fetcher_turn(tally.fetcher, 60000, pair[0], POLLIN, &ready, NULL);
	CHECK(ready); /* before the request timed out */
	close(pair[1]);
	ready = false;
	fetcher_turn(tally.fetcher, 5000, pair[0], POLLIN, &ready, NULL);
	CHECK(ready);
	close(pair[0]);
	fetcher_free(tally.fetcher);
}

TEST(backoff_stays_between_base_and_cap)
{
	struct backoff backoff;
	uint64_t previous = 0;
	uint64_t widest = 0;

	backoff_init(&backoff);
	for (int i = 0; i < 10000; i++) {
		uint64_t next = backoff_next_ms(&backoff, 100, 10000, previous);

		CHECK(next >= 100 && next <= 10000);
		CHECK(next <= 3 * (previous < 100 ? 100 : previous));
		widest = next > widest ? next : widest;
		previous = next;
	}
	CHECK(widest > 5000);
	CHECK_INT(backoff_next_ms(&backoff, 100, 0, 0), 0);
	CHECK_INT(backoff_next_ms(&backoff, 50, 20, 1000), 20);
	CHECK(backoff_next_ms(&backoff, 1, UINT64_MAX, UINT64_MAX) >=
	      1); /* nothing overflows */
}

TEST(delays_come_out_in_order)
{
	struct delay delay = {0};
	uint64_t seed = 42;
	uint64_t last = 0;

	CHECK(delay_pop(&delay) == NULL);
	CHECK(delay_due_ns(&delay) == UINT64_MAX);
	for (int i = 0; i < 1000; i++) {
		seed = seed * 6364136223846793005U + 1442695040888963407U;
		delay_add(&delay, NULL, seed >> 40);
	}
	for (int i = 0; i < 1000; i++) {
		uint64_t due = delay_due_ns(&delay);

		CHECK(due >= last && due != UINT64_MAX);
		last = due;
		delay_pop(&delay);
	}
	CHECK_INT(delay.count, 0);
	delay_release(&delay);
}

int main(void)
{
	server_start(&server, routes);
	def = server_source(server.url);
	RUN(a_thousand_are_each_answered_once);
	RUN(a_callback_may_submit_more);
	RUN(at_most_concurrency_connections);
	RUN(waiting_for_admission_is_no_timeout);
	RUN(rate_is_kept);
	RUN(retry_after_silences_the_source);
	RUN(cancel_ends_everything_and_is_over_with_it);
	RUN(cancel_is_seen_within_a_wait);
	RUN(freeing_answers_what_is_outstanding);
	RUN(an_extra_descriptor_ends_the_wait);
	RUN(backoff_stays_between_base_and_cap);
	RUN(delays_come_out_in_order);
	server_stop(&server);
	CHECK_DONE();
}
