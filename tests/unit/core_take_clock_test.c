#include "check.h"
#include "client.h"

#include "core/backup.h"
#include "core/take.h"
#include "core/take_clock.h"

/* A server's time goes on while something else keeps the session waiting. */
static struct server server;
static struct client own;   /* whose keys are taken */
static struct client other; /* everybody else */

#define SLOW_MS 300

static void on_slow(void *ctx, const struct reply *reply)
{
	(void)ctx;
	CHECK_INT(reply->type, REPLY_NIL);
}

static void submit_beside(redis_reply_fn *fn, const struct bytes *argv, size_t argc)
{
	const struct redis_command command = {.argv = argv, .argc = argc, .fn = fn};

	CHECK_INT(redis_submit(own.redis, &command, NULL), 0);
}

/* TIME was answered: now something else keeps the session waiting. */
static void on_behind(void *ctx, const struct reply *reply)
{
	const struct bytes argv[] = {BYTES("BLPOP"), BYTES("nothing"), BYTES("0.3")};

	(void)ctx;
	CHECK_INT(reply->type, REPLY_STATUS);
	submit_beside(on_slow, argv, 3);
}

static void on_before(void *ctx, const struct reply *reply)
{
	const struct bytes argv[] = {BYTES("PING")};

	(void)ctx;
	CHECK_INT(reply->type, REPLY_STATUS);
	submit_beside(on_behind, argv, 1);
}

static int64_t server_ms(void)
{
	int64_t now_ms = 0;

	CHECK_INT(backup_clock_ask(other.redis, &now_ms, &other.err), 0);
	return now_ms;
}

TEST(a_clock_goes_on_while_others_are_waited_for)
{
	const struct bytes argv[] = {BYTES("PING")};
	struct take_clocks clocks = {0};
	struct err err = {0};

	client_unix(&own, &server, 0);
	CHECK_INT(redis_connect(own.redis, &err), 0);
	int64_t before_ms = server_ms();
	submit_beside(on_before, argv, 1);
	CHECK_INT(take_clocks_ask(&clocks, own.redis, &err), 0);
	int64_t now_ms = take_clocks_now(&clocks, own.redis, bytes_of("k"));
	CHECK(now_ms >= before_ms + SLOW_MS - 50);
	CHECK(now_ms <= server_ms() + 50);
	take_clocks_release(&clocks);
	CHECK_INT(take_clocks_now(&clocks, own.redis, bytes_of("k")), 0);
	CHECK(clocks.lacking);
	client_close(&own);
}

TEST(a_life_is_not_cut_by_as_long_as_a_look_takes)
{
	const struct bytes argv[] = {BYTES("PING")}, key = BYTES("k");

	client_unix(&own, &server, 0);
	struct take_job job = {.redis = own.redis, .soft = true, .soft_ms = 60000};
	struct take_counts counts = {0};
	struct err err = {0};
	client_call(&other, BYTES("SET"), key, BYTES("1"));
	CHECK_INT(redis_connect(own.redis, &err), 0);
	int64_t before_ms = server_ms();
	submit_beside(on_before, argv, 1);
	CHECK_INT(take_keys(&job, &key, 1, &counts, &err), 0);
	CHECK_INT(counts.shortened, 1);
	CHECK(client_call(&other, BYTES("PEXPIRETIME"), key, (struct bytes){0})->integer >=
	      before_ms + SLOW_MS - 50 + 60000);
	client_close(&own);
}

int main(void)
{
	server_start(&server, false, NULL);
	client_unix(&other, &server, 0);
	RUN(a_clock_goes_on_while_others_are_waited_for);
	RUN(a_life_is_not_cut_by_as_long_as_a_look_takes);
	client_close(&other);
	server_stop(&server);
	CHECK_DONE();
}
