#include "fleet.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"

#define KEYS 3000

static struct fleet fleet;

/* A session with the whole cluster, through node 0. */
static void open_cluster(struct client *client)
{
	char url[128];

	snprintf(url, sizeof url, "redis://127.0.0.1:%u", fleet.servers[0].port);
	client_open(client, url);
	client->target.timeout_ms = 30000;
}

/* What a command brought. */
struct heard {
	enum reply_type type;
	char text[160];
	long long integer;
	unsigned count;
};

static void hear(void *ctx, const struct reply *reply)
{
	struct heard *heard = ctx;

	heard->type = reply->type;
	heard->integer = reply->integer;
	snprintf(heard->text, sizeof heard->text, "%.*s", BYTES_ARG(reply->text));
	heard->count++;
}

static int say(struct client *client, struct heard *heard, unsigned flags, const char *verb,
	       const char *key, const char *value)
{
	struct bytes argv[] = {bytes_of(verb), bytes_of(key), bytes_of(value)};
	struct redis_command command = {
	    .argv = argv, .argc = value ? 3 : 2, .flags = flags, .fn = hear, .ctx = heard};

	return redis_submit(client->redis, &command, &client->err);
}

static long long key_count(size_t node)
{
	return fleet_say(&fleet, node, "DBSIZE")->integer;
}

static void empty_all(void)
{
	for (size_t i = 0; i < FLEET_PRIMARIES; i++)
		fleet_say(&fleet, i, "FLUSHALL");
}

TEST(every_key_goes_to_its_node)
{
	struct client client;
	static struct heard heard[KEYS];
	char key[32];

	empty_all();
	open_cluster(&client);
	for (int i = 0; i < KEYS; i++) {
		snprintf(key, sizeof key, "key:%d", i);
		CHECK_INT(say(&client, &heard[i], 0, "SET", key, key), 0);
	}
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	for (int i = 0; i < KEYS; i++) {
		snprintf(key, sizeof key, "key:%d", i);
		CHECK_INT(heard[i].type, REPLY_STATUS);
		say(&client, &heard[i], REDIS_IDEMPOTENT, "GET", key, NULL);
	}
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	for (int i = 0; i < KEYS; i++) {
		snprintf(key, sizeof key, "key:%d", i);
		CHECK(strcmp(heard[i].text, key) == 0);
	}
	CHECK_INT(redis_nodes(client.redis, &client.err), 3);
	CHECK_INT(key_count(0) + key_count(1) + key_count(2), KEYS);
	for (size_t i = 0; i < 3; i++) {
		const struct reply *reply = NULL;

		CHECK(key_count(i) > KEYS / 4);
		CHECK_INT(redis_call_words(redis_node(client.redis, i), REDIS_IDEMPOTENT,
					   &reply, &client.err, "DBSIZE", NULL),
			  0);
		CHECK_INT(reply->integer, key_count(i));
	}
	client_close(&client);
}

TEST(what_names_no_key_goes_somewhere_and_scripts_everywhere)
{
	static const char script[] = "return redis.call('incr', KEYS[1])";
	struct client client;
	const struct reply *reply;
	char sha[48];

	open_cluster(&client);
	CHECK_INT(client_call(&client, BYTES("PING"), NO, NO)->type, REPLY_STATUS);
	reply = client_call(&client, BYTES("SCRIPT"), BYTES("LOAD"), bytes_of(script));
	CHECK_INT(reply->type, REPLY_STRING);
	snprintf(sha, sizeof sha, "%.*s", BYTES_ARG(reply->text));
	for (int i = 0; i < 30; i++) {
		char key[32];

		snprintf(key, sizeof key, "counter:%d", i);
		CHECK_INT(redis_call_words(client.redis, 0, &reply, &client.err, "EVALSHA", sha,
					   "1", key, NULL),
			  0);
		CHECK_INT(reply->type, REPLY_INTEGER);
		CHECK_INT(reply->integer, 1);
	}
	client_close(&client);
}

TEST(a_key_that_has_moved_is_asked_for_where_it_went)
{
	struct client client;
	struct heard heard[3] = {0};
	unsigned slot = slot_of(BYTES("{m}1"));
	size_t from = fleet_owner(slot);
	size_t to = (from + 1) % FLEET_PRIMARIES;

	open_cluster(&client);
	client_call(&client, BYTES("SET"), BYTES("{m}1"), BYTES("one"));
	client_call(&client, BYTES("SET"), BYTES("{m}2"), BYTES("two"));
	fleet_announce_move(&fleet, slot, from, to);
	fleet_move_key(&fleet, "{m}1", from, to);
	say(&client, &heard[0], REDIS_IDEMPOTENT, "GET", "{m}1", NULL);
	say(&client, &heard[1], REDIS_IDEMPOTENT, "GET", "{m}2", NULL);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK(strcmp(heard[0].text, "one") == 0);
	CHECK(strcmp(heard[1].text, "two") == 0);
	/* Half here, half there: both are needed at once until the move is over. */
	say(&client, &heard[2], REDIS_IDEMPOTENT, "MGET", "{m}1", "{m}2");
	for (int i = 0; i < 50; i++)
		redis_turn(client.redis, &client.err);
	CHECK_INT(heard[2].count, 0);
	fleet_move_key(&fleet, "{m}2", from, to);
	fleet_finish_move(&fleet, slot, from, to);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(heard[2].type, REPLY_ARRAY);
	/* Back again, so that the next test finds the slots as they were. */
	fleet_announce_move(&fleet, slot, to, from);
	fleet_move_key(&fleet, "{m}1", to, from);
	fleet_move_key(&fleet, "{m}2", to, from);
	fleet_finish_move(&fleet, slot, to, from);
	client_close(&client);
}

/* Moves the slot of {o} round while counters of that slot are raised: the nth command must be
 * the nth to be carried out. */
TEST(the_order_of_a_slot_survives_its_move)
{
	struct client client;
	static struct heard heard[6][2000];
	struct heard first;
	unsigned slot = slot_of(BYTES("{o}"));
	size_t at = fleet_owner(slot);
	char key[16];

	open_cluster(&client);
	for (unsigned i = 0; i < 4; i++) { /* they are there, so that MIGRATE finds them */
		snprintf(key, sizeof key, "{o}%u", i);
		say(&client, &first, 0, "INCR", key, NULL);
	}
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	for (int round = 0; round < 6; round++) {
		size_t to = (at + 1) % FLEET_PRIMARIES;

		for (int n = 0; n < 2000; n++) {
			snprintf(key, sizeof key, "{o}%d", n % 4);
			CHECK_INT(say(&client, &heard[round][n], 0, "INCR", key, NULL), 0);
			if (n == 500)
				fleet_announce_move(&fleet, slot, at, to);
			if (n >= 800 && n < 804) {
				redis_turn(client.redis, &client.err);
				fleet_move_key(&fleet, key, at, to);
			}
			if (n == 1200)
				fleet_finish_move(&fleet, slot, at, to);
			if (n % 100 == 0)
				redis_turn(client.redis, &client.err);
		}
		at = to;
	}
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	for (int round = 0; round < 6; round++)
		for (int n = 0; n < 2000; n++)
			CHECK_INT(heard[round][n].integer, 2 + round * 500 + n / 4);
	CHECK_INT(at, fleet_owner(slot)); /* six steps round three nodes */
	client_close(&client);
}

/* The slot is elsewhere already; what goes out late must not come before what the old node
 * still refuses. */
TEST(what_is_redirected_is_not_overtaken)
{
	struct client client;
	static struct heard heard[1000];
	unsigned slot = slot_of(BYTES("{p}"));
	size_t from = fleet_owner(slot);
	size_t to = (from + 1) % FLEET_PRIMARIES;
	char *value = mem_alloc(20001);

	memset(value, 'x', 20000);
	value[20000] = '\0';
	open_cluster(&client);
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	fleet_announce_move(&fleet, slot, from, to);
	fleet_finish_move(&fleet, slot, from, to);
	for (int i = 0; i < 1000; i++)
		CHECK_INT(say(&client, &heard[i], 0, "RPUSH", "{p}", value), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	for (int i = 0; i < 1000; i++)
		CHECK_INT(heard[i].integer, i + 1);
	free(value);
	client_call(&client, BYTES("DEL"), BYTES("{p}"), NO);
	fleet_announce_move(&fleet, slot, to, from);
	fleet_finish_move(&fleet, slot, to, from);
	client_close(&client);
}

/* Neither node serves the slot, each is sure that the other one does. */
TEST(nodes_that_point_at_each_other_are_named_after_the_timeout)
{
	struct client client;
	struct heard heard = {0};
	unsigned slot = slot_of(BYTES("{q}"));
	size_t one = fleet_owner(slot), other = (one + 1) % FLEET_PRIMARIES;
	char id[2][48];
	char said[2][128];

	fleet_id(&fleet, one, id[0]);
	fleet_id(&fleet, other, id[1]);
	open_cluster(&client);
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	client.target.timeout_ms = 400; /* of a command; the nodes' connections keep theirs */
	fleet_say(&fleet, one, "CLUSTER SETSLOT %u NODE %s", slot, id[1]);
	CHECK_INT(say(&client, &heard, 0, "INCR", "{q}", NULL), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(heard.count, 1);
	CHECK_INT(heard.type, REPLY_ERROR);
	for (size_t i = 0; i < 2; i++)
		snprintf(said[i], sizeof said[i],
			 "MOVED %u 127.0.0.1:%u, says node 127.0.0.1:%u/0, after ", slot,
			 fleet.servers[i ? one : other].port,
			 fleet.servers[i ? other : one].port);
	if (!strstr(heard.text, said[0]))
		CHECK_HAS(heard.text, said[1]);
	struct reply reply = {
	    .type = heard.type, .text = bytes_of(heard.text), .integer = heard.integer};
	redis_fail(client.redis, &reply, "INCR", BYTES("{q}"), &client.err);
	CHECK_HAS(client.err.text, "do not agree who serves this slot");
	client.err = (struct err){0};
	fleet_say(&fleet, one, "CLUSTER SETSLOT %u NODE %s", slot, id[0]);
	CHECK(SERVER_UNTIL(fleet_agrees(&fleet)));
	CHECK_INT(say(&client, &heard, 0, "INCR", "{q}", NULL), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(heard.integer, 1);
	client_close(&client);
}

TEST(a_killed_connection_is_opened_again)
{
	struct client client;
	struct heard heard = {0};

	open_cluster(&client);
	client_call(&client, BYTES("SET"), BYTES("k"), BYTES("v"));
	for (size_t i = 0; i < FLEET_PRIMARIES; i++)
		fleet_say(&fleet, i, "CLIENT KILL TYPE normal SKIPME yes");
	say(&client, &heard, REDIS_IDEMPOTENT, "GET", "k", NULL);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_STR(heard.text, "v");
	client_close(&client);
}

/* A key that node serves. */
static void key_of(size_t node, char key[32])
{
	unsigned i = 0;

	do
		snprintf(key, 32, "key:%u", i++);
	while (fleet_owner(slot_of(bytes_of(key))) != node);
}

TEST(a_node_out_of_reach_is_named_after_the_timeout)
{
	struct client client;
	struct heard heard[3] = {0};
	char keys[3][32];
	char name[64];

	open_cluster(&client);
	for (size_t i = 0; i < 3; i++)
		key_of(i, keys[i]);
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	client.target.timeout_ms = 500; /* as above */
	server_kill(&fleet.servers[2]);
	for (size_t i = 0; i < 3; i++)
		say(&client, &heard[i], REDIS_IDEMPOTENT, "GET", keys[i], NULL);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), -1);
	snprintf(name, sizeof name, "redis node 127.0.0.1:%u/0: ", fleet.servers[2].port);
	CHECK_HAS(client.err.text, name);
	CHECK_INT(heard[0].count + heard[1].count + heard[2].count, 3);
	CHECK_INT(heard[2].type, REPLY_LOST);
	CHECK_INT(redis_outstanding(client.redis), 0);
	client_close(&client);
}

/* --- a node that is there, and does not answer --- */

static bool answered(struct client *client, const struct heard *heard)
{
	redis_step(client->redis, &client->err);
	return heard->count > 0;
}

TEST(a_busy_node_is_waited_for_while_the_others_go_on)
{
	struct client client;
	struct heard heard[3] = {0}, page = {0}, late = {0};
	const struct bytes scan[] = {BYTES("SCAN"), BYTES("0")};
	const struct redis_command command = {.argv = scan,
					      .argc = 2,
					      .flags = REDIS_IDEMPOTENT | REDIS_NO_WAIT,
					      .fn = hear,
					      .ctx = &page};
	char keys[3][32];

	open_cluster(&client);
	for (size_t i = 0; i < 3; i++) {
		key_of(i, keys[i]);
		client_call(&client, BYTES("SET"), bytes_of(keys[i]), BYTES("1"));
	}
	CHECK_INT(redis_nodes(client.redis, &client.err), 3);
	uint64_t reconnects = redis_counts(client.redis)->reconnects;
	int script = fleet_keep_busy(&fleet, 2);
	/* What a walk asks a node, and what is routed to it; a write that has not run goes
	 * again. */
	CHECK_INT(redis_submit(redis_node(client.redis, 2), &command, &client.err), 0);
	for (size_t i = 0; i < 3; i++)
		say(&client, &heard[i], 0, "INCR", keys[i], NULL);
	CHECK(SERVER_UNTIL(answered(&client, &heard[0]) && answered(&client, &heard[1])));
	for (int i = 0; i < 3; i++) /* its next tries */
		redis_step(client.redis, &client.err);
	say(&client, &late, 0, "INCR", keys[2], NULL);
	CHECK_INT(heard[2].count + page.count, 0);
	fleet_let_be(&fleet, 2, script);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	for (size_t i = 0; i < 3; i++)
		CHECK_INT(heard[i].integer, 2);
	CHECK_INT(late.integer, 3);
	CHECK_INT(page.type, REPLY_ARRAY);
	CHECK_INT(redis_counts(client.redis)->reconnects, reconnects);
	for (size_t i = 0; i < 3; i++)
		client_call(&client, BYTES("DEL"), bytes_of(keys[i]), NO);
	client_close(&client);
}

TEST(a_node_that_stays_busy_is_named_after_the_timeout)
{
	struct client client;
	struct heard heard = {0}, page = {0};
	const struct bytes scan[] = {BYTES("SCAN"), BYTES("0")};
	const struct redis_command command = {
	    .argv = scan, .argc = 2, .flags = REDIS_IDEMPOTENT, .fn = hear, .ctx = &page};
	struct reply lost = {.type = REPLY_LOST};
	char key[32], name[64];

	open_cluster(&client);
	client.target.timeout_ms = 500;
	key_of(2, key);
	CHECK_INT(redis_nodes(client.redis, &client.err), 3);
	int script = fleet_keep_busy(&fleet, 2);
	snprintf(name, sizeof name, "redis node 127.0.0.1:%u/0: BUSY ", fleet.servers[2].port);
	redis_submit(redis_node(client.redis, 2), &command, &client.err);
	say(&client, &heard, REDIS_IDEMPOTENT, "GET", key, NULL);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), -1);
	CHECK_HAS(client.err.text, name);
	CHECK_HAS(client.err.text, "a script keeps the server busy");
	CHECK_INT(heard.count, 1);
	CHECK_INT(heard.type, REPLY_LOST);
	CHECK_INT(page.type, REPLY_LOST);
	lost.text = bytes_of(page.text);
	redis_unreached(redis_node(client.redis, 2), &lost, &client.err);
	CHECK_HAS(client.err.text, name);
	fleet_let_be(&fleet, 2, script);
	client_close(&client);
}

/* The connections that a node has seen. */
static long long met(size_t node)
{
	const struct reply *reply = fleet_say(&fleet, node, "INFO stats");
	const char field[] = "total_connections_received:";
	const char *at = memmem(reply->text.ptr, reply->text.len, field, sizeof field - 1);

	CHECK(at != NULL);
	return at ? strtoll(at + sizeof field - 1, NULL, 10) : -1;
}

static bool gets(struct client *client, const char *key)
{
	struct heard heard = {0};

	say(client, &heard, REDIS_IDEMPOTENT, "GET", key, NULL);
	return redis_drain(client->redis, 0, &client->err) == 0 && heard.type == REPLY_NIL;
}

/* Once it was waited for, what it is asked is lost at once, but for a try now and then. */
TEST(a_silent_node_is_waited_for_once)
{
	struct client client;
	char keys[2][32], name[64];
	unsigned lost = 0;

	open_cluster(&client);
	client.target.timeout_ms = 1000;
	key_of(1, keys[0]);
	key_of(2, keys[1]);
	CHECK(gets(&client, keys[0]) && gets(&client, keys[1]));
	long long before = met(2);
	kill(fleet.servers[2].pid, SIGSTOP);
	uint64_t began_ms = clock_mono_ms();
	CHECK(!gets(&client, keys[1]));
	snprintf(name, sizeof name, "redis node 127.0.0.1:%u/0: no answer within 1s",
		 fleet.servers[2].port);
	CHECK_HAS(client.err.text, name);
	for (int i = 0; i < 2000; i++)
		lost += !gets(&client, keys[1]);
	CHECK_INT(lost, 2000);
	CHECK(SERVER_UNTIL(gets(&client, keys[0]))); /* the others are still served */
	uint64_t took_ms = clock_mono_ms() - began_ms;
	kill(fleet.servers[2].pid, SIGCONT);
	/* A try of 500 ms, then 2 s without one; and ourselves. */
	CHECK((uint64_t)(met(2) - before) <= 3 + took_ms / 2000);
	CHECK(SERVER_UNTIL(gets(&client, keys[1]))); /* and it is used again */
	client_close(&client);
}

TEST(a_replica_that_was_promoted_is_found)
{
	struct client client;
	struct heard heard = {0};
	char key[32];

	open_cluster(&client);
	client.target.timeout_ms = 60000;
	key_of(1, key);
	client_call(&client, BYTES("SET"), bytes_of(key), BYTES("before"));
	/* WAIT is for what its own connection wrote */
	CHECK_INT(fleet_say(&fleet, 1, "SET %s kept", key)->type, REPLY_STATUS);
	CHECK(SERVER_UNTIL(fleet_say(&fleet, 1, "WAIT 1 1000")->integer == 1));
	server_kill(&fleet.servers[1]);
	/* until now, however busy the machine is, none was to be taken for a dead one */
	fleet_set(&fleet, "1000", "no");
	CHECK_INT(say(&client, &heard, REDIS_IDEMPOTENT, "GET", key, NULL), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_HAS(heard.text, "kept");
	client_close(&client);
}

int main(void)
{
	fleet_start(&fleet, false, "60000");
	RUN(every_key_goes_to_its_node);
	RUN(what_names_no_key_goes_somewhere_and_scripts_everywhere);
	RUN(a_key_that_has_moved_is_asked_for_where_it_went);
	RUN(the_order_of_a_slot_survives_its_move);
	RUN(what_is_redirected_is_not_overtaken);
	RUN(nodes_that_point_at_each_other_are_named_after_the_timeout);
	RUN(a_killed_connection_is_opened_again);
	RUN(a_busy_node_is_waited_for_while_the_others_go_on);
	RUN(a_node_that_stays_busy_is_named_after_the_timeout);
	RUN(a_silent_node_is_waited_for_once);
	RUN(a_node_out_of_reach_is_named_after_the_timeout);
	fleet_stop(&fleet);
	fleet_start(&fleet, true, "60000");
	RUN(a_replica_that_was_promoted_is_found);
	fleet_stop(&fleet);
	CHECK_DONE();
}
