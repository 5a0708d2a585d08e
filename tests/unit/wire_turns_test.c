/* Windows that go in turns: with the first answer to one, the next. */
#include "client.h"

#include "base/priority.h"
#include "wire/watch.h"

#include <sched.h>

#define COMMANDS 1000
#define WINDOW 10

static struct server server;

/* What had been sent when each answer was heard. */
struct turns {
	struct client *client;
	struct client *killer; /* breaks the connection at answer kill_at */
	size_t kill_at;
	uint64_t start; /* bytes */
	size_t len;     /* of a command */
	size_t heard;
	size_t lost;
	size_t sent[COMMANDS];
};

/* All but the one that says so. */
static void break_connections(struct client *killer)
{
	const struct reply *killed = NULL;

	CHECK_INT(redis_call_words(killer->redis, 0, &killed, &killer->err, "CLIENT", "KILL",
				   "TYPE", "normal", NULL),
		  0);
	CHECK_INT(killed->integer, 1);
}

static void hear(void *ctx, const struct reply *reply)
{
	struct turns *turns = ctx;
	uint64_t bytes = redis_counts(turns->client->redis)->bytes_sent - turns->start;

	turns->lost += reply->type != REPLY_INTEGER;
	if (turns->killer && turns->heard == turns->kill_at)
		break_connections(turns->killer);
	if (turns->heard < COMMANDS)
		turns->sent[turns->heard++] = (size_t)bytes / turns->len;
}

static void queue(struct turns *turns, size_t count, size_t weight)
{
	struct bytes argv[] = {BYTES("EXISTS"), BYTES("key")};
	struct redis_command command = {.argv = argv,
					.argc = 2,
					.weight = weight,
					.flags = REDIS_NO_WAIT | REDIS_IDEMPOTENT,
					.fn = hear,
					.ctx = turns};

	turns->len = strlen("*2\r\n$6\r\nEXISTS\r\n$3\r\nkey\r\n");
	turns->start = redis_counts(turns->client->redis)->bytes_sent;
	for (size_t i = 0; i < count; i++)
		CHECK_INT(redis_submit(turns->client->redis, &command, &turns->client->err), 0);
}

static void set_turns(struct client *client, bool in_turns, unsigned watch_us)
{
	struct redis_limits limits = redis_limits(client->redis);

	limits.commands = WINDOW;
	limits.stretch = false; /* a busy machine's trip may be long */
	limits.in_turns = in_turns;
	limits.watch_us = watch_us;
	redis_set_limits(client->redis, &limits);
}

static void open_client(struct client *client, bool in_turns, unsigned watch_us)
{
	client_unix(client, &server, 0);
	CHECK_INT(redis_connect(client->redis, &client->err), 0);
	set_turns(client, in_turns, watch_us);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* One window is answered and another on its way, never more, never fewer. */
static void check_turns(unsigned watch_us, size_t weight, size_t window)
{
	struct client client;
	struct turns turns = {.client = &client};

	open_client(&client, true, watch_us);
	queue(&turns, COMMANDS, weight);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(turns.heard, COMMANDS);
	CHECK_INT(turns.lost, 0);
	for (size_t i = 0; i < COMMANDS; i++)
		CHECK_INT(turns.sent[i], least((i / window + 2) * window, COMMANDS));
	client_close(&client);
}

TEST(the_next_window_goes_with_the_first_answer)
{
	check_turns(0, 0, WINDOW);
	check_turns(0, 1, WINDOW);
}

TEST(nor_does_watching_send_more_or_less)
{
	check_turns(1000000, 0, WINDOW);
}

TEST(a_heavy_command_counts_for_several)
{
	check_turns(0, 5, 2);
	check_turns(0, 4, 2);  /* a third would not fit */
	check_turns(0, 50, 1); /* larger than the window: it goes alone */
}

TEST(without_turns_a_window_bounds_all)
{
	struct client client;
	struct turns turns = {.client = &client};

	open_client(&client, false, 0);
	queue(&turns, COMMANDS, 5);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(turns.heard, COMMANDS);
	for (size_t i = 0; i < COMMANDS; i++)
		CHECK(turns.sent[i] <= i + 2);
	client_close(&client);
}

/* How many are sent at once after a trip of at least 50 ms. */
static size_t sent_at_once(bool stretch)
{
	struct client client;
	struct turns turns = {.client = &client};
	const struct reply *nothing = NULL;

	open_client(&client, false, 0);
	struct redis_limits limits = redis_limits(client.redis);
	limits.stretch = stretch;
	redis_set_limits(client.redis, &limits);
	CHECK_INT(redis_call_words(client.redis, 0, &nothing, &client.err, "BLPOP", "nothing",
				   "0.05", NULL),
		  0);
	CHECK_INT(nothing->type, REPLY_NIL);
	queue(&turns, COMMANDS, 1);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(turns.heard, COMMANDS);
	CHECK_INT(turns.lost, 0);
	client_close(&client);
	return turns.sent[0];
}

TEST(a_long_trip_stretches_the_window)
{
	CHECK_INT(sent_at_once(false), WINDOW);
	CHECK(sent_at_once(true) >= WINDOW * 50 / 5);
}

/* Limits may change while commands are under way: what counts in the window stays right. */
TEST(turns_may_begin_and_end_on_the_way)
{
	struct client client;
	struct turns turns = {.client = &client};

	open_client(&client, false, 0);
	for (size_t round = 0; round < 10; round++) {
		queue(&turns, 50, 0);
		set_turns(&client, round % 2 == 0, 0);
		CHECK_INT(redis_drain(client.redis, 15, &client.err), 0);
		set_turns(&client, round % 2 != 0, 0);
	}
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	set_turns(&client, false, 0);
	turns.heard = 0;
	queue(&turns, COMMANDS, 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(turns.heard, COMMANDS);
	CHECK_INT(turns.lost, 0);
	for (size_t i = 0; i < COMMANDS; i++) {
		CHECK(turns.sent[i] > i);
		CHECK(turns.sent[i] <= i + WINDOW);
	}
	client_close(&client);
}

TEST(a_broken_connection_loses_and_repeats_nothing)
{
	struct client client;
	struct client killer;
	struct turns turns = {.client = &client, .killer = &killer, .kill_at = 314};

	client_unix(&killer, &server, 0);
	open_client(&client, true, 1000);
	queue(&turns, COMMANDS, 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(redis_counts(client.redis)->reconnects, 1);
	CHECK_INT(turns.heard, COMMANDS);
	CHECK_INT(turns.lost, 0);
	CHECK_INT(redis_outstanding(client.redis), 0);
	client_close(&client);
	client_close(&killer);
}

/* --- waiting awake --- */

#define LONG_US 60000000 /* it comes before, or the test hangs */

TEST(watching_sees_what_comes)
{
	struct watch watch = {.cpus = 2};
	int ends[2];

	CHECK_INT(pipe(ends), 0);
	struct pollfd fds[] = {{.fd = -1}, {.fd = ends[0], .events = POLLIN}};
	if (fork() == 0) {
		sched_yield();
		_exit(write(ends[1], "x", 1) != 1);
	}
	while (!watch_for(&watch, fds, 2, LONG_US))
		CHECK(watch.skip <= 256); /* pushed aside: it would sleep now */
	CHECK_INT(fds[1].revents, POLLIN);
	CHECK_INT(fds[0].revents, 0);
	wait(NULL);
	close(ends[0]);
	close(ends[1]);
}

TEST(watching_in_vain_is_left_for_a_while)
{
	struct watch watch = {.cpus = 2};
	int ends[2];
	unsigned slept = 0;

	CHECK_INT(pipe(ends), 0);
	struct pollfd fd = {.fd = ends[0], .events = POLLIN};
	CHECK(!watch_for(&watch, &fd, 1, 0));
	CHECK_INT(watch.skip, 0);
	CHECK(!watch_for(&watch, &fd, 1, 100));
	CHECK_INT(write(ends[1], "x", 1), 1);
	while (!watch_for(&watch, &fd, 1, 100))
		slept++;
	CHECK(slept >= 32);
	watch = (struct watch){.cpus = 1}; /* who else could make it come? */
	CHECK(!watch_for(&watch, &fd, 1, 100));
	close(ends[0]);
	close(ends[1]);
}

TEST(giving_way_is_taken_back)
{
	struct priority before;
	struct priority unchanged;

	int policy = sched_getscheduler(0);
	priority_give_way(&before);
	int lowered = sched_getscheduler(0);
	CHECK_INT(lowered, before.size ? SCHED_BATCH : policy);
	priority_give_way(&unchanged); /* a policy of the user's own choice is left alone */
	CHECK_INT(unchanged.size, 0);
	priority_restore(&unchanged);
	CHECK_INT(sched_getscheduler(0), lowered);
	priority_restore(&before);
	CHECK_INT(sched_getscheduler(0), policy);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	server_start(&server, false, (const char *[]){NULL});
	RUN(the_next_window_goes_with_the_first_answer);
	RUN(nor_does_watching_send_more_or_less);
	RUN(a_heavy_command_counts_for_several);
	RUN(without_turns_a_window_bounds_all);
	RUN(a_long_trip_stretches_the_window);
	RUN(turns_may_begin_and_end_on_the_way);
	RUN(a_broken_connection_loses_and_repeats_nothing);
	RUN(watching_sees_what_comes);
	RUN(watching_in_vain_is_left_for_a_while);
	RUN(giving_way_is_taken_back);
	server_stop(&server);
	CHECK_DONE();
}
