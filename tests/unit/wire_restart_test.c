#include "client.h"

static struct server server;

/* The append-only file keeps what was acknowledged: the kernel has it when a process is killed.
 */
static const char *const keep[] = {"--appendonly", "yes", "--appendfsync", "no", NULL};

static void restart_server(void)
{
	server_kill(&server);
	server_run(&server, keep);
}

/*
 * 100,000 commands; three times the server is stopped, gets some that it will
 * not answer, and is killed and started again.
 */
static void run_through_restarts(struct client *client, const struct redis_command *command)
{
	client_unix(client, &server, 0);
	for (int i = 0; i < 100000; i++) {
		bool stop = i % 30000 == 29800;

		if (stop) {
			kill(server.pid, SIGSTOP);
			CHECK(SERVER_UNTIL(server_is_stopped(server.pid)));
		}
		CHECK_INT(redis_submit(client->redis, command, &client->err), 0);
		if (stop) {
			CHECK_INT(redis_turn(client->redis, &client->err), 0);
			restart_server();
		}
	}
	CHECK_INT(redis_drain(client->redis, 0, &client->err), 0);
	CHECK_INT(redis_counts(client->redis)->reconnects, 3);
}

TEST(reads_survive_restarts)
{
	struct client client;
	struct tally tally = {0};
	struct bytes argv[] = {BYTES("GET"), BYTES("nothing")};
	struct redis_command command = {.argv = argv,
					.argc = 2,
					.flags = REDIS_IDEMPOTENT,
					.fn = tally_count,
					.ctx = &tally};

	run_through_restarts(&client, &command);
	CHECK_INT(tally.answers, 100000);
	CHECK_INT(tally.lost, 0);
	client_close(&client);
}

TEST(increments_are_never_sent_twice)
{
	struct client client;
	struct tally tally = {0};
	struct bytes argv[] = {BYTES("INCR"), BYTES("counter")};
	struct redis_command command = {
	    .argv = argv, .argc = 2, .fn = tally_count, .ctx = &tally};

	run_through_restarts(&client, &command);
	CHECK_INT(tally.answers + tally.lost, 100000);
	CHECK(tally.lost >= 3);
	const struct reply *reply =
	    client_call(&client, BYTES("INCRBY"), BYTES("counter"), BYTES("0"));
	printf("# counter %lld, acknowledged %zu, lost %zu\n", (long long)reply->integer,
	       tally.answers, tally.lost);
	CHECK(reply->integer >= (long long)tally.answers);
	CHECK(reply->integer <= (long long)(tally.answers + tally.lost));
	client_close(&client);
}

struct mixed {
	char order[64];
	size_t len;
};

static void note(void *ctx, const struct reply *reply)
{
	struct mixed *mixed = ctx;

	mixed->order[mixed->len++] = reply->type == REPLY_LOST ? 'L' : 'a';
}

/* Reads and writes under way together, into a server that is stopped and then killed. */
TEST(answers_keep_their_order_across_a_restart)
{
	struct client client;
	struct mixed mixed = {0};
	struct bytes get[] = {BYTES("GET"), BYTES("x")};
	struct bytes incr[] = {BYTES("INCR"), BYTES("y")};
	struct redis_command read = {
	    .argv = get, .argc = 2, .flags = REDIS_IDEMPOTENT, .fn = note, .ctx = &mixed};
	struct redis_command write = {.argv = incr, .argc = 2, .fn = note, .ctx = &mixed};

	client_unix(&client, &server, 0);
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	kill(server.pid, SIGSTOP);
	CHECK(SERVER_UNTIL(server_is_stopped(server.pid)));
	for (int i = 0; i < 5; i++) {
		redis_submit(client.redis, &read, &client.err);
		redis_submit(client.redis, i % 2 ? &write : &read, &client.err);
	}
	CHECK_INT(redis_turn(client.redis, &client.err), 0);
	restart_server();
	redis_submit(client.redis, &write, &client.err); /* not sent before: it runs */
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_STR(mixed.order, "aaaLaaaLaaa");
	client_close(&client);
}

TEST(an_idle_session_outlives_a_restart)
{
	struct client client;

	client_unix(&client, &server, 0);
	CHECK_INT(client_call(&client, BYTES("PING"), NO, NO)->type, REPLY_STATUS);
	restart_server();
	CHECK(SERVER_UNTIL(client_call(&client, BYTES("PING"), NO, NO)->type == REPLY_STATUS));
	client_close(&client);
}

TEST(giving_up_is_bounded_and_answers_all)
{
	struct client client;
	struct tally tally = {0};
	struct bytes argv[] = {BYTES("GET"), BYTES("x")};
	struct redis_command command = {.argv = argv,
					.argc = 2,
					.flags = REDIS_IDEMPOTENT,
					.fn = tally_count,
					.ctx = &tally};

	client_unix(&client, &server, 0);
	client.target.timeout_ms = 300;
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	server_kill(&server);
	for (int i = 0; i < 10; i++)
		redis_submit(client.redis, &command, &client.err);
	uint64_t before = clock_mono_ms();
	CHECK_INT(redis_drain(client.redis, 0, &client.err), -1);
	uint64_t took = clock_mono_ms() - before;
	CHECK(took >= 250);
	CHECK_HAS(client.err.text, "redis unix:");
	CHECK_HAS(client.err.text, "no such socket");
	CHECK_INT(tally.lost, 10);
	CHECK_INT(redis_outstanding(client.redis), 0);
	server_run(&server, NULL);
	CHECK_INT(client_call(&client, BYTES("PING"), NO, NO)->type, REPLY_STATUS);
	client_close(&client);
}

struct stubborn {
	struct redis *redis;
	struct redis_command command;
	size_t lost;
	size_t refused;
};

static void submit_again(void *ctx, const struct reply *reply)
{
	struct stubborn *stubborn = ctx;

	stubborn->lost += reply->type == REPLY_LOST;
	stubborn->refused += redis_submit(stubborn->redis, &stubborn->command, NULL) < 0;
}

TEST(a_callback_cannot_keep_a_failed_session_alive)
{
	struct client client;
	struct bytes argv[] = {BYTES("GET"), BYTES("x")};
	struct stubborn stubborn = {.command = {.argv = argv, .argc = 2, .fn = submit_again}};

	client_unix(&client, &server, 0);
	client.target.timeout_ms = 100;
	stubborn.redis = client.redis;
	stubborn.command.ctx = &stubborn;
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	server_kill(&server);
	for (int i = 0; i < 3; i++)
		redis_submit(client.redis, &stubborn.command, &client.err);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), -1);
	CHECK_INT(stubborn.lost, 3);
	CHECK_INT(stubborn.refused, 3);
	CHECK_INT(redis_outstanding(client.redis), 0);
	server_run(&server, NULL);
	client_close(&client);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	server_start(&server, false, keep);
	RUN(reads_survive_restarts);
	RUN(increments_are_never_sent_twice);
	RUN(answers_keep_their_order_across_a_restart);
	RUN(an_idle_session_outlives_a_restart);
	RUN(giving_up_is_bounded_and_answers_all);
	RUN(a_callback_cannot_keep_a_failed_session_alive);
	server_stop(&server);
	CHECK_DONE();
}
