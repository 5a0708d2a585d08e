#include "client.h"

#include <poll.h>

static struct server server;

TEST(a_call_over_unix_and_tcp)
{
	struct client client;

	client_unix(&client, &server, 0);
	CHECK_BYTES(client_call(&client, BYTES("PING"), NO, NO)->text, BYTES("PONG"));
	CHECK(redis_version(client.redis) >= 60200);
	CHECK_BYTES(client_call(&client, BYTES("CLIENT"), BYTES("GETNAME"), NO)->text,
		    BYTES("ccache"));
	client_close(&client);
	client_tcp(&client, &server, "");
	CHECK_BYTES(client_call(&client, BYTES("PING"), NO, NO)->text, BYTES("PONG"));
	client_close(&client);
}

/* A server without replicas is read itself; whatever it is, nothing but reads is sent. */
TEST(a_reader_sends_no_writes)
{
	struct client client;
	struct redis_place place;

	client_tcp(&client, &server, "");
	struct redis *reader = redis_new_reader(&client.target, NULL);
	CHECK_INT(redis_connect(reader, &client.err), 0);
	CHECK_INT(redis_nodes(reader, &client.err), 1);
	redis_place(reader, 0, &place);
	CHECK(!place.is_replica);
	CHECK_STR(place.why, "no replica of it is up");
	const char *const writes[] = {"SET",    "del",  "UNLINK", "EVAL",
				      "GETDEL", "HSET", "G",      ""};
	for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
		const struct reply *reply = NULL;

		CHECK_INT(redis_call_words(reader, 0, &reply, &client.err, writes[i], "kept",
					   "x", NULL),
			  -1);
		CHECK_HAS(client.err.text, "is no read: it is not sent to a replica");
		client.err = (struct err){0};
	}
	const char *const reads[] = {"GET", "get", "Type", "PTTL", "EXISTS", "STRLEN"};
	for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
		const struct reply *reply = NULL;

		CHECK_INT(
		    redis_call_words(reader, 0, &reply, &client.err, reads[i], "kept", NULL),
		    0);
		CHECK(reply->type != REPLY_ERROR);
	}
	redis_free(reader);
	CHECK_INT(client_call(&client, BYTES("EXISTS"), BYTES("kept"), NO)->integer, 0);
	client_close(&client);
}

TEST(binary_keys_and_values_survive)
{
	struct client client;
	struct bytes key = BYTES("k\0\r\n$5\r\n\xff\xfe:*");
	struct bytes value = BYTES("\0\r\n*1\r\n\x80 \xc3(");

	client_unix(&client, &server, 3);
	CHECK_INT(client_call(&client, BYTES("SET"), key, value)->type, REPLY_STATUS);
	CHECK_BYTES(client_call(&client, BYTES("GET"), key, NO)->text, value);
	CHECK_INT(client_call(&client, BYTES("SET"), BYTES("empty"), BYTES(""))->type,
		  REPLY_STATUS);
	const struct reply *empty = client_call(&client, BYTES("GET"), BYTES("empty"), NO);
	CHECK_INT(empty->type, REPLY_STRING);
	CHECK_INT(empty->text.len, 0);
	CHECK_INT(client_call(&client, BYTES("GET"), BYTES("none"), NO)->type, REPLY_NIL);
	CHECK_INT(client_call(&client, BYTES("DBSIZE"), NO, NO)->integer, 2);
	client_close(&client);
	client_unix(&client, &server, 0);
	CHECK_INT(client_call(&client, BYTES("EXISTS"), BYTES("empty"), NO)->integer, 0);
	client_close(&client);
}

TEST(nested_arrays_keep_their_shape)
{
	struct client client;

	client_unix(&client, &server, 0);
	const struct reply *reply =
	    client_call(&client, BYTES("EVAL"),
			BYTES("return {1, {}, {'a', {false, 'b'}}, {err='X y'}}"), BYTES("0"));
	CHECK_INT(reply->type, REPLY_ARRAY);
	CHECK_INT(reply->count, 4);
	if (reply->count == 4) {
		CHECK_INT(reply->items[0]->integer, 1);
		CHECK_INT(reply->items[1]->count, 0);
		CHECK_INT(reply->items[2]->count, 2);
		CHECK_BYTES(reply->items[2]->items[0]->text, BYTES("a"));
		CHECK_INT(reply->items[2]->items[1]->items[0]->type, REPLY_NIL);
		CHECK_BYTES(reply->items[2]->items[1]->items[1]->text, BYTES("b"));
		CHECK_INT(reply->items[3]->type, REPLY_ERROR);
	}
	client_close(&client);
}

#define WINDOW 4096

TEST(a_pipeline_answers_in_order)
{
	struct client client;
	struct tally tally = {.ordered = true};
	struct bytes argv[] = {BYTES("INCR"), BYTES("counter")};
	struct redis_command command = {
	    .argv = argv, .argc = 2, .fn = tally_count, .ctx = &tally};

	client_unix(&client, &server, 0);
	struct redis_limits limits = redis_limits(client.redis);
	limits.stretch = false; /* however long a trip takes here */
	redis_set_limits(client.redis, &limits);
	for (int i = 0; i < 20000; i++)
		CHECK_INT(redis_submit(client.redis, &command, &client.err), 0);
	CHECK(redis_outstanding(client.redis) <= WINDOW + 1);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(tally.answers, 20000);
	CHECK(tally.ordered);
	CHECK_INT(redis_counts(client.redis)->replies, 20000);
	client_close(&client);
}

/* A window of one big value: commands leave one by one, each larger than the window. */
TEST(a_command_larger_than_the_window_goes_alone)
{
	struct client client;
	struct tally tally = {.ordered = true};
	struct bytes argv[] = {BYTES("APPEND"), BYTES("grows"), {0}};
	struct redis_command command = {
	    .argv = argv, .argc = 3, .fn = tally_count, .ctx = &tally};
	struct redis_limits limits = {
	    .commands = 10, .sent_bytes = 1000, .reply_bytes = 1000, .max_bulk = 10000000};

	argv[2] = (struct bytes){mem_zalloc(1, 100000), 100000};
	client_unix(&client, &server, 0);
	redis_set_limits(client.redis, &limits);
	for (int i = 0; i < 5; i++) {
		CHECK_INT(redis_submit(client.redis, &command, &client.err), 0);
		CHECK(redis_outstanding(client.redis) <= 1);
	}
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(tally.last, 500000);
	command.argc = 2;
	argv[0] = BYTES("STRLEN");
	command.expect = 5000;
	CHECK_INT(redis_submit(client.redis, &command, &client.err), 0);
	CHECK_INT(redis_submit(client.redis, &command, &client.err), 0);
	CHECK(redis_outstanding(client.redis) <= 1);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	free((void *)argv[2].ptr);
	client_close(&client);
}

struct chain {
	struct client *client;
	size_t left;
	struct bytes *argv;
};

static void follow(void *ctx, const struct reply *reply)
{
	struct chain *chain = ctx;
	struct redis_command command = {
	    .argv = chain->argv, .argc = 2, .fn = follow, .ctx = chain};

	CHECK_INT(reply->type, REPLY_INTEGER);
	for (int i = 0; i < 3 && chain->left > 0; i++, chain->left--)
		CHECK_INT(redis_submit(chain->client->redis, &command, NULL), 0);
}

TEST(callbacks_may_submit)
{
	struct client client;
	struct bytes argv[] = {BYTES("INCR"), BYTES("chained")};
	struct chain chain = {.client = &client, .left = 3000, .argv = argv};
	struct redis_command command = {.argv = argv, .argc = 2, .fn = follow, .ctx = &chain};

	client_unix(&client, &server, 0);
	CHECK_INT(redis_submit(client.redis, &command, &client.err), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_BYTES(client_call(&client, BYTES("GET"), BYTES("chained"), NO)->text,
		    BYTES("3001"));
	client_close(&client);
}

TEST(a_shared_wait_drives_a_session)
{
	struct client client;
	struct tally tally = {.ordered = true};
	struct bytes argv[] = {BYTES("INCR"), BYTES("shared")};
	struct redis_command command = {
	    .argv = argv, .argc = 2, .fn = tally_count, .ctx = &tally};

	client_unix(&client, &server, 0);
	for (int i = 0; i < 100; i++)
		CHECK_INT(redis_submit(client.redis, &command, &client.err), 0);
	while (redis_outstanding(client.redis) > 0) {
		struct redis_wait wait;

		redis_wait(client.redis, &wait);
		struct pollfd pfd = {.fd = wait.fd, .events = wait.events};
		CHECK(wait.timeout_ms >= 0);
		poll(&pfd, 1, wait.timeout_ms);
		if (redis_turn(client.redis, &client.err) < 0)
			break;
	}
	CHECK_INT(tally.answers, 100);
	CHECK(tally.ordered);
	client_close(&client);
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,
				       .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

	close(fd);
	return has;
}

TEST(ipv6)
{
	struct client client;
	char url[64];

	if (!has_ipv6()) {
		printf("# no IPv6 on this machine\n");
		return;
	}
	snprintf(url, sizeof url, "redis://[::1]:%u/1", server.port);
	client_open(&client, url);
	CHECK_INT(client_call(&client, BYTES("PING"), NO, NO)->type, REPLY_STATUS);
	client_close(&client);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	server_start(&server, true, (const char *[]){"--bind", "127.0.0.1", "-::1", NULL});
	RUN(a_call_over_unix_and_tcp);
	RUN(ipv6);
	RUN(a_reader_sends_no_writes);
	RUN(binary_keys_and_values_survive);
	RUN(nested_arrays_keep_their_shape);
	RUN(a_pipeline_answers_in_order);
	RUN(a_command_larger_than_the_window_goes_alone);
	RUN(callbacks_may_submit);
	RUN(a_shared_wait_drives_a_session);
	server_stop(&server);
	CHECK_DONE();
}
