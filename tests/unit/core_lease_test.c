#include "check.h"
#include "client.h"

#include "core/lease.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct server server;
static struct client client;
static time_t hurried_s; /* by how much the program's clock is ahead */

/* The C library's, for this program. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) its names are reserved */
int clock_gettime(clockid_t id, struct timespec *ret_now)
{
	int status = (int)syscall(SYS_clock_gettime, id, ret_now);

	if (status == 0 && id == CLOCK_MONOTONIC)
		ret_now->tv_sec += hurried_s;
	return status;
}

static int64_t ask(const char *command, struct bytes key)
{
	return client_call(&client, bytes_of(command), key, NO)->integer;
}

static void taken_by_another(struct bytes key)
{
	client_call(&client, BYTES("SET"), key, BYTES("{\"token\":\"another\"}"));
}

/* -1: it is lost when the next renewals have been answered. */
static int beat_later(struct lease *lease, struct err *err)
{
	int status = 0;

	for (int i = 0; i < 2 && status == 0; i++) {
		hurried_s += LEASE_TTL_MS / 3000 + 1;
		status = lease_beat(lease, err);
		CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	}
	return status != 0 ? status : lease_beat(lease, err);
}

TEST(one_holds_a_lease_and_the_next_is_told_who)
{
	struct lease *mine = NULL, *other = NULL;
	struct err err = {0};
	char pid[32];

	CHECK_INT(lease_acquire(client.redis, "warm:test", &mine, &err), 0);
	CHECK(ask("PTTL", BYTES("cc:l:warm:test")) > 0);
	CHECK_INT(lease_acquire(client.redis, "warm:test", &other, &err), -1);
	CHECK_INT(err.kind, ERR_LOCKED);
	snprintf(pid, sizeof pid, "pid %d", (int)getpid());
	CHECK(strstr(err.text, pid) != NULL);
	CHECK_INT(lease_beat(mine, &err), 0);
	lease_release(mine);
	CHECK_INT(ask("EXISTS", BYTES("cc:l:warm:test")), 0);
}

TEST(a_lease_is_renewed)
{
	struct lease *mine = NULL;
	struct err err = {0};

	CHECK_INT(lease_acquire(client.redis, "warm:long", &mine, &err), 0);
	CHECK_INT(ask("PERSIST", BYTES("cc:l:warm:long")), 1);
	CHECK_INT(beat_later(mine, &err), 0);
	CHECK(ask("PTTL", BYTES("cc:l:warm:long")) > 0);
	lease_release(mine);
}

TEST(a_lease_that_was_evicted_is_taken_again)
{
	struct lease *mine = NULL, *other = NULL;
	struct err err = {0};

	CHECK_INT(lease_acquire(client.redis, "warm:full", &mine, &err), 0);
	CHECK_INT(ask("DEL", BYTES("cc:l:warm:full")), 1);
	CHECK_INT(beat_later(mine, &err), 0);
	CHECK(ask("PTTL", BYTES("cc:l:warm:full")) > 0);
	CHECK_INT(lease_acquire(client.redis, "warm:full", &other, &err), -1);
	CHECK_INT(err.kind, ERR_LOCKED);
	err = (struct err){0};
	CHECK_INT(beat_later(mine, &err), 0);
	lease_release(mine);
	CHECK_INT(ask("EXISTS", BYTES("cc:l:warm:full")), 0);
}

TEST(a_lease_that_another_took_is_lost_and_not_given_back)
{
	struct lease *mine = NULL;
	struct err err = {0};

	CHECK_INT(lease_acquire(client.redis, "warm:taken", &mine, &err), 0);
	taken_by_another(BYTES("cc:l:warm:taken"));
	lease_release(mine);
	CHECK_INT(ask("DEL", BYTES("cc:l:warm:taken")), 1);
	CHECK_INT(lease_acquire(client.redis, "warm:taken", &mine, &err), 0);
	taken_by_another(BYTES("cc:l:warm:taken"));
	CHECK_INT(beat_later(mine, &err), -1);
	CHECK_INT(err.kind, ERR_LOCKED);
	lease_release(mine);
	CHECK_INT(ask("DEL", BYTES("cc:l:warm:taken")), 1);
}

static void run_all(void)
{
	client_unix(&client, &server, 0);
	RUN(one_holds_a_lease_and_the_next_is_told_who);
	RUN(a_lease_is_renewed);
	RUN(a_lease_that_was_evicted_is_taken_again);
	RUN(a_lease_that_another_took_is_lost_and_not_given_back);
	client_close(&client);
}

static void forbid_scripts(void)
{
	const struct reply *reply = NULL;

	client_unix(&client, &server, 0);
	CHECK_INT(redis_call_words(client.redis, 0, &reply, &client.err, "ACL", "SETUSER",
				   "default", "-@scripting", NULL),
		  0);
	CHECK_INT(reply->type, REPLY_STATUS);
	client_close(&client);
}

int main(void)
{
	server_start(&server, false, NULL);
	run_all();
	forbid_scripts(); /* it looks, then renews */
	run_all();
	server_stop(&server);
	CHECK_DONE();
}
