#include "client.h"
#include "fake.h"

#include <poll.h>
#include <pthread.h>

static struct server server; /* user default has password "right"; user "reader" may GET only */

static const char *const options[] = {
    "--requirepass", "right", "--user", "reader",       "on", ">pw",
    "~open:*",       "+get",  "+ping",  "--maxclients", "4",  NULL};

static void client_port(struct client *client, unsigned port)
{
	char url[64];

	snprintf(url, sizeof url, "redis://127.0.0.1:%u", port);
	client_open(client, url);
	client->target.timeout_ms = 400;
}

/* Connecting fails with each part in the message. */
static void refused(struct client *client, const char *part, const char *remedy)
{
	CHECK_INT(redis_connect(client->redis, &client->err), -1);
	CHECK_INT(client->err.kind, ERR_REDIS);
	CHECK_HAS(client->err.text, "redis ");
	CHECK_HAS(client->err.text, part);
	CHECK_HAS(client->err.text, remedy);
	CHECK(strstr(client->err.text, "wrong-password") == NULL);
	client_close(client);
}

TEST(nobody_there)
{
	struct client client;

	client_port(&client, server_free_port());
	refused(&client, "connection refused", "is a server listening there?");
	client_open(&client, "unix:///nonexistent/redis.sock");
	refused(&client, "redis unix:/nonexistent/redis.sock/0: no such socket", "unixsocket");
	client_open(&client, "redis://no-such-host.invalid");
	refused(&client, "the host name is not known", "spelling");
	client_open(&client, "redis://[::1]:1");
	refused(&client, "redis [::1]:1/0: ", "connect");
}

TEST(not_a_redis)
{
	struct client client;
	struct fake fake;

	fake_start(&fake,
		   (struct fake_script){
		       .says = BYTES("HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n"),
		       .listens = true,
		       .closes = true});
	client_port(&client, fake.port);
	refused(&client, "not a Redis server", "it answered 'HTTP/1.1 400 Bad Request'");
	fake_stop(&fake);
	fake_start(&fake, (struct fake_script){.says = BYTES("\x1b[2J\0\xff garbage")});
	client_port(&client, fake.port);
	refused(&client, "not a Redis server", "\\x1b[2J");
	fake_stop(&fake);
	fake_start(&fake,
		   (struct fake_script){.says = BYTES(""), .listens = true, .closes = true});
	client_port(&client, fake.port);
	refused(&client, "hung up", "");
	fake_stop(&fake);
	fake_start(&fake, (struct fake_script){.says = BYTES(""), .listens = true});
	client_port(&client, fake.port);
	refused(&client, "no answer within 400ms", "--tls");
	fake_stop(&fake);
	fake_start(&fake, (struct fake_script){
			      .says = BYTES("+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n"),
			      .listens = true});
	client_port(&client, fake.port);
	refused(&client, "without being asked", "");
	fake_stop(&fake);
}

TEST(a_login_that_fails)
{
	struct client client;

	client_tcp(&client, &server, "");
	refused(&client, "NOAUTH", "--askpass or REDISCLI_AUTH");
	client_tcp(&client, &server, ":wrong-password@");
	refused(&client, "WRONGPASS", "--askpass or REDISCLI_AUTH");
	client_tcp(&client, &server, "nobody:wrong-password@");
	refused(&client, "WRONGPASS", "--user");
	client_tcp(&client, &server, ":right@");
	client.target.db = 99;
	refused(&client, "DB index is out of range", "--db");
}

TEST(a_user_with_few_rights_connects)
{
	struct client client;

	client_tcp(&client, &server, "reader:pw@");
	CHECK_INT(client_call(&client, BYTES("GET"), BYTES("open:x"), NO)->type, REPLY_NIL);
	CHECK(redis_version(client.redis) >= 60200); /* HELLO needs no rights */
	const struct reply *reply =
	    client_call(&client, BYTES("UNLINK"), BYTES("call:logs:1"), NO);
	CHECK_INT(reply_error_kind(reply), REPLY_ERR_NOPERM);
	CHECK_INT(
	    redis_fail(client.redis, reply, "unlink", BYTES("call:logs:1\n"), &client.err), -1);
	CHECK_HAS(
	    client.err.text,
	    "NOPERM: this user may not run 'unlink' on 'call:logs:1\\n' (ACL SETUSER reader "
	    "+unlink ~call:logs:1\\n)");
	client_close(&client);
}

TEST(too_many_clients)
{
	struct client clients[5];

	for (int i = 0; i < 4; i++) {
		client_tcp(&clients[i], &server, ":right@");
		CHECK_INT(redis_connect(clients[i].redis, &clients[i].err), 0);
	}
	client_tcp(&clients[4], &server, ":right@");
	refused(&clients[4], "max number of clients reached", "maxclients");
	for (int i = 0; i < 4; i++)
		client_close(&clients[i]);
	/* until the server has seen them go */
	struct client next;
	do
		client_tcp(&next, &server, ":right@");
	while (redis_connect(next.redis, &next.err) != 0 && (client_close(&next), true));
	struct bytes text;
	do
		text = client_call(&next, BYTES("INFO"), BYTES("clients"), NO)->text;
	while (!memmem(text.ptr, text.len, "connected_clients:1\r", 20));
	client_close(&next);
}

/* What the server says about a command becomes one line with a remedy. */
static void told(struct client *client, const char *error, const char *remedy)
{
	struct reply reply = {.type = REPLY_ERROR, .text = bytes_of(error)};

	CHECK_INT(redis_fail(client->redis, &reply, "set", BYTES("k"), &client->err), -1);
	CHECK_HAS(client->err.text, ": set 'k': ");
	CHECK_HAS(client->err.text, error);
	CHECK_HAS(client->err.text, remedy);
}

TEST(remedies)
{
	struct client client;

	client_tcp(&client, &server, "");
	told(&client, "READONLY You can't write against a read only replica.", "primary");
	told(&client, "OOM command not allowed when used memory > 'maxmemory'.", "maxmemory");
	told(&client, "MISCONF Redis is configured to save RDB snapshots", "disk");
	told(&client, "LOADING Redis is loading the dataset in memory", "loading");
	told(&client, "WRONGTYPE Operation against a key", "another type");
	told(&client, "MOVED 3999 127.0.0.1:6381", "the cluster is moving this slot");
	told(&client, "ERR unknown command 'foo'", "too old");
	client_close(&client);
}

TEST(a_reply_over_the_limit_breaks_the_session)
{
	struct client client;
	struct tally tally = {0};
	struct bytes argv[] = {BYTES("ECHO"), {0}};
	struct redis_command command = {
	    .argv = argv, .argc = 2, .fn = tally_count, .ctx = &tally};
	struct redis_limits limits = {
	    .commands = 10, .sent_bytes = 1000000, .reply_bytes = 1000, .max_bulk = 50000};

	argv[1] = (struct bytes){mem_zalloc(1, 50001), 50001};
	client_tcp(&client, &server, ":right@");
	redis_set_limits(client.redis, &limits);
	CHECK_INT(redis_submit(client.redis, &command, &client.err), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), -1);
	CHECK_HAS(client.err.text, "longer than the limit");
	CHECK_INT(tally.lost, 1);
	CHECK(!redis_is_connected(client.redis));
	free((void *)argv[1].ptr);
	client_close(&client);
}

/* What the kernel takes for a server that reads nothing is no progress. */
TEST(a_stopped_server_times_out_while_more_is_sent)
{
	struct client client;
	struct tally tally = {0};
	struct bytes argv[] = {BYTES("PING")};
	struct redis_command command = {
	    .argv = argv, .argc = 1, .fn = tally_count, .ctx = &tally};
	int status = 0;

	client_tcp(&client, &server, ":right@");
	client.target.timeout_ms = 30000; /* a busy machine connects late */
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	client.target.timeout_ms = 300;
	kill(server.pid, SIGSTOP);
	for (unsigned sent = 0; sent < 2000 && status == 0; sent++) {
		status = redis_submit(client.redis, &command, &client.err);
		poll(NULL, 0, 10);
		if (status == 0)
			status = redis_turn(client.redis, &client.err);
	}
	kill(server.pid, SIGCONT);
	CHECK_INT(status, -1);
	CHECK_HAS(client.err.text, "no answer within 300ms");
	client_close(&client);
}

TEST(a_stopped_server_times_out)
{
	struct client client;
	struct tally tally = {0};
	struct bytes argv[] = {BYTES("PING")};
	struct redis_command command = {
	    .argv = argv, .argc = 1, .fn = tally_count, .ctx = &tally};

	client_tcp(&client, &server, ":right@");
	client.target.timeout_ms = 30000; /* a busy machine connects late */
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	client.target.timeout_ms = 300;
	kill(server.pid, SIGSTOP);
	CHECK_INT(redis_submit(client.redis, &command, &client.err), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), -1);
	kill(server.pid, SIGCONT);
	CHECK_HAS(client.err.text, "no answer within 300ms");
	CHECK_INT(tally.lost, 1);
	client_close(&client);
}

/* Raises the flag once the client waits: its socket is connected to the fake. */
static void *raise_flag(void *flag)
{
	nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	__atomic_store_n((volatile int *)flag, 1, __ATOMIC_RELAXED);
	return NULL;
}

TEST(a_cancel_ends_every_wait)
{
	struct client client;
	struct fake fake;
	pthread_t thread;

	fake_start(&fake, (struct fake_script){.says = BYTES(""), .listens = true});
	for (int tls = 0; tls < 2; tls++) {
		client_port(&client, fake.port);
		client.target.timeout_ms = 60000;
		client.target.tls = tls;
		pthread_create(&thread, NULL, raise_flag, (void *)&client.cancel);
		CHECK_INT(redis_connect(client.redis, &client.err), -1);
		pthread_join(thread, NULL);
		CHECK_INT(client.err.kind, ERR_INTERRUPTED);
		client_close(&client);
	}
	fake_stop(&fake);
}

#define LOADING "+OK\r\n*0\r\n-LOADING Redis is loading the dataset in memory\r\n"

TEST(a_loading_server_is_waited_for)
{
	struct client client;
	struct fake fake;

	fake_start(&fake, (struct fake_script){.says = BYTES(LOADING),
					       .then = BYTES("+OK\r\n*0\r\n+PONG\r\n"),
					       .listens = true});
	client_port(&client, fake.port);
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	client_close(&client);
	fake_stop(&fake);
	fake_start(&fake, (struct fake_script){
			      .says = BYTES(LOADING), .then = BYTES(LOADING), .listens = true});
	client_port(&client, fake.port);
	refused(&client, "LOADING Redis is loading", "");
	fake_stop(&fake);
}

#define SETUP "+OK\r\n*0\r\n+PONG\r\n"
#define BUSY "-BUSY a script runs\r\n"

struct answers {
	struct reply got[2]; /* texts are not kept */
	size_t count;
};

static void keep(void *ctx, const struct reply *reply)
{
	struct answers *answers = ctx;

	answers->got[answers->count++].type = reply->type;
}

/* Two that may not run twice, to a server that says so after its setup. */
static int two_to(struct bytes says, struct answers *answers, struct client *client)
{
	const struct bytes argv[] = {BYTES("INCR"), BYTES("k")};
	struct redis_command command = {.argv = argv, .argc = 2, .fn = keep, .ctx = answers};
	struct fake fake;

	fake_start(&fake,
		   (struct fake_script){.says = BYTES(SETUP), .then = says, .listens = true});
	client_port(client, fake.port);
	redis_submit(client->redis, &command, &client->err);
	redis_submit(client->redis, &command, &client->err);
	int status = redis_drain(client->redis, 0, &client->err);
	fake_stop(&fake);
	return status;
}

TEST(what_a_busy_server_refused_is_never_called_unknown)
{
	struct client client;
	struct answers answers = {0};

	CHECK_INT(two_to(BYTES(BUSY BUSY), &answers, &client), -1);
	CHECK_INT(answers.count, 2);
	CHECK_INT(answers.got[0].type, REPLY_ERROR);
	CHECK_INT(answers.got[1].type, REPLY_ERROR);
	CHECK_HAS(client.err.text, "BUSY a script runs");
	client_close(&client);
}

TEST(what_was_refused_before_another_ran_does_not_go_behind_it)
{
	struct client client;
	struct answers answers = {0};

	CHECK_INT(two_to(BYTES(BUSY ":1\r\n"), &answers, &client), 0);
	CHECK_INT(answers.count, 2);
	CHECK_INT(answers.got[0].type, REPLY_ERROR);
	CHECK_INT(answers.got[1].type, REPLY_INTEGER);
	client_close(&client);
}

/* A fake that falls silent after its setup: only who asks for more waits in vain. */
TEST(no_touch_is_asked_for_where_it_is_safe)
{
	static const struct {
		const char *server, *version;
		bool asks;
	} rows[] = {{"redis", "7.0.15", false}, {"redis", "7.2.0", true},
		    {"redis", "7.2.4", false},  {"redis", "7.4.2", true},
		    {"redis", "8.0.0", false},  {"redis", "8.2.9", false},
		    {"redis", "8.4.0", true},   {"valkey", "8.0.1", false},
		    {"valkey", "8.1.1", false}, {"valkey", "9.0.0", true}};
	struct client client;
	struct fake fake;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char says[128];

		snprintf(says, sizeof says,
			 "+OK\r\n*4\r\n+server\r\n+%s\r\n+version\r\n+%s\r\n+PONG\r\n",
			 rows[i].server, rows[i].version);
		fake_start(&fake,
			   (struct fake_script){.says = bytes_of(says), .listens = true});
		client_port(&client, fake.port);
		if (!rows[i].asks)
			client.target.timeout_ms = 60000; /* a busy machine takes its time */
		CHECK_INT(redis_connect(client.redis, &client.err), rows[i].asks ? -1 : 0);
		if (rows[i].asks)
			CHECK_HAS(client.err.text, "no answer within 400ms");
		client_close(&client);
		fake_stop(&fake);
	}
}

TEST(a_lost_command_is_told)
{
	struct client client;
	struct reply lost = {.type = REPLY_LOST,
			     .text = BYTES("the server closed the connection")};

	client_open(&client, "redis://h");
	redis_fail(client.redis, &lost, "unlink", BYTES("a\tb"), &client.err);
	CHECK_STR(client.err.text,
		  "redis h:6379/0: unlink 'a\\tb': unknown whether it ran: the "
		  "server closed the connection");
	client_close(&client);
}

TEST(a_reply_nested_too_deeply_is_told)
{
	struct client client;
	const struct reply *reply = NULL;

	client_tcp(&client, &server, ":right@");
	CHECK_INT(redis_call_words(client.redis, REDIS_IDEMPOTENT, &reply, &client.err,
				   "COMMAND", "DOCS", NULL),
		  -1);
	CHECK_HAS(client.err.text, "its answer is nested too deeply");
	CHECK_BYTES(client_call(&client, BYTES("PING"), NO, NO)->text, BYTES("PONG"));
	client_close(&client);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	server_start(&server, true, options);
	RUN(nobody_there);
	RUN(not_a_redis);
	RUN(a_login_that_fails);
	RUN(a_user_with_few_rights_connects);
	RUN(too_many_clients);
	RUN(remedies);
	RUN(a_reply_over_the_limit_breaks_the_session);
	RUN(a_stopped_server_times_out_while_more_is_sent);
	RUN(a_stopped_server_times_out);
	RUN(a_cancel_ends_every_wait);
	RUN(a_loading_server_is_waited_for);
	RUN(what_a_busy_server_refused_is_never_called_unknown);
	RUN(what_was_refused_before_another_ran_does_not_go_behind_it);
	RUN(no_touch_is_asked_for_where_it_is_safe);
	RUN(a_lost_command_is_told);
	RUN(a_reply_nested_too_deeply_is_told);
	server_stop(&server);
	CHECK_DONE();
}
