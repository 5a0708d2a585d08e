#include "wire/setup.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "wire/reply.h"
#include "wire/resp.h"
#include "wire/target.h"
#include "wire/transport.h"
#include "wire/transport_error.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_MAX ((size_t)1024 * 1024)
#define RETRY_MS 50

enum step {
	STEP_AUTH,
	STEP_SELECT,
	STEP_SETNAME,
	STEP_NO_TOUCH,
	STEP_HELLO,
	STEP_ROLE,
	STEP_READONLY,
	STEP_PING
};

/* One exchange of a few commands, all sent before the first answer is read. */
struct setup {
	struct transport *transport;
	const struct target *target;
	const volatile int *cancel;
	uint64_t deadline_ms;
	struct resp *resp;
	struct mem_arena arena;
	struct buf out;
	enum step steps[8];
	const struct reply *replies[8];
	size_t asked;
	size_t answered;
};

static int on_reply(void *ctx, const struct reply *reply)
{
	struct setup *setup = ctx;

	if (setup->answered == setup->asked)
		return -1;
	setup->replies[setup->answered++] = reply_copy(&setup->arena, reply);
	return 0;
}

static void ask(struct setup *setup, enum step step, const struct bytes *argv, size_t argc)
{
	size_t size = resp_command_size(argv, argc);

	resp_command_write(buf_reserve(&setup->out, size), argv, argc);
	setup->out.len += size;
	setup->steps[setup->asked++] = step;
}

static void begin(struct setup *setup)
{
	if (setup->out.ptr)
		mem_wipe(setup->out.ptr, setup->out.size);
	buf_clear(&setup->out);
	mem_arena_clear(&setup->arena);
	setup->asked = setup->answered = 0;
}

static int wait_for(struct setup *setup, short events, struct err *err)
{
	int left = clock_until_ms(setup->deadline_ms);
	int ready = transport_wait(setup->transport, events, left, setup->cancel, err);
	struct buf after = {0};

	if (ready != 0)
		return ready < 0 ? -1 : 0;
	num_format_duration_ms(&after, (int64_t)setup->target->timeout_ms);
	err_set(err, ERR_REDIS, "connected, but no answer within %s: is this a Redis%s?",
		buf_str(&after), setup->target->tls ? "" : " (a TLS port needs --tls)");
	buf_release(&after);
	return -1;
}

static int send_all(struct setup *setup, struct err *err)
{
	size_t at = 0;

	while (at < setup->out.len) {
		size_t done = 0;

		switch (transport_send(setup->transport, setup->out.ptr + at,
				       setup->out.len - at, &done, err)) {
		case TRANSPORT_OK:
			at += done;
			break;
		case TRANSPORT_AGAIN:
			if (wait_for(setup, POLLOUT, err) < 0)
				return -1;
			break;
		case TRANSPORT_CLOSED:
			return -1;
		}
	}
	return 0;
}

/* A hang-up without a word has a usual reason: the other kind of port, or mutual TLS. */
static int hung_up(const struct setup *setup, struct err *err)
{
	const struct target *target = setup->target;
	const char *remedy =
	    !target->tls   ? "is this a Redis? (a TLS port needs --tls)"
	    : target->cert ? "is this client certificate the right one (--cert, --key)?"
			   : "does it want a client certificate (--cert FILE --key FILE)?";

	if (strstr(err->text, "--cert"))
		return -1;
	return err_set(err, ERR_REDIS, "the server hung up before it answered: %s", remedy);
}

/* 0 too when the server closed after a part of its answers: those say why. */
static int receive_all(struct setup *setup, struct err *err)
{
	char data[4096];

	while (setup->answered < setup->asked) {
		size_t done = 0;

		switch (transport_recv(setup->transport, data, sizeof data, &done, err)) {
		case TRANSPORT_OK:
			if (resp_feed(setup->resp, data, done, err) < 0)
				return -1;
			break;
		case TRANSPORT_AGAIN:
			if (wait_for(setup, POLLIN, err) < 0)
				return -1;
			break;
		case TRANSPORT_CLOSED:
			return setup->answered > 0 ? 0 : hung_up(setup, err);
		}
	}
	return 0;
}

/* A server that closes at once may have said why: that is worth more than EPIPE. */
static int exchange(struct setup *setup, struct err *err)
{
	if (send_all(setup, err) < 0 && err->kind == ERR_INTERRUPTED)
		return -1;
	return receive_all(setup, err);
}

static int refused(bool *ret_refused, const struct reply *reply, const char *remedy,
		   struct err *err)
{
	struct bytes said = bytes_sub(reply->text, 0, 200);

	if (remedy[0] && said.len && said.ptr[said.len - 1] == '.')
		said.len--;
	*ret_refused = true;
	return err_set(err, ERR_REDIS, "%.*s%s", BYTES_ARG(said), remedy);
}

/* Whether a refused step ends the connection; 1: ask again later. */
static int judge(enum step step, const struct reply *reply, bool *ret_refused, struct err *err)
{
	enum reply_error kind = reply_error_kind(reply);

	if (kind == REPLY_ERR_NONE)
		return 0;
	if (*transport_error_remedy(reply->text))
		return refused(ret_refused, reply, transport_error_remedy(reply->text), err);
	if (bytes_starts_with(reply->text, BYTES("DENIED")))
		return refused(ret_refused, reply, "", err);
	if (step == STEP_AUTH && kind == REPLY_ERR_WRONGPASS)
		return refused(ret_refused, reply,
			       ": check --user, and the password (--askpass or REDISCLI_AUTH)",
			       err);
	if (step == STEP_AUTH && kind != REPLY_ERR_LOADING && kind != REPLY_ERR_BUSY)
		return refused(ret_refused, reply, "", err);
	if (kind == REPLY_ERR_NOAUTH)
		return refused(ret_refused, reply,
			       ": give the password with --askpass or REDISCLI_AUTH", err);
	if (step == STEP_SELECT && kind != REPLY_ERR_LOADING && kind != REPLY_ERR_BUSY)
		return refused(
		    ret_refused, reply,
		    ": check the db number (--db, the URL's /N, the server's 'databases')",
		    err);
	if (step == STEP_READONLY && kind != REPLY_ERR_LOADING && kind != REPLY_ERR_BUSY)
		return refused(ret_refused, reply, ": READONLY lets a replica answer reads",
			       err);
	/* The rest is a courtesy: a user may lack the right to it. */
	return kind == REPLY_ERR_LOADING || kind == REPLY_ERR_BUSY ? 1 : 0;
}

uint32_t setup_parse_version(struct bytes text)
{
	uint32_t version = 0;

	for (int part = 0; part < 3; part++) {
		size_t dot = bytes_index(text, '.');
		uint64_t number = 0;

		if (num_parse_u64(bytes_sub(text, 0, dot), 0, 99, &number) < 0)
			return 0;
		version = version * 100 + (uint32_t)number;
		text = bytes_sub(text, dot + 1, text.len);
	}
	return version;
}

/*
 * Redis has CLIENT NO-TOUCH from 7.2 on. Redis 8.0 to 8.2 and Valkey 8 crash when a client that
 * asked for it wakes a blocked one or names a key in a slot that moves (redis/redis#14415,
 * valkey-io/valkey#2347). Exactly 7.2.4 is what a Valkey says of itself that was told to pass
 * for Redis.
 */
static bool has_safe_no_touch(bool valkey, uint32_t version)
{
	if (version < 70200 || version == 70204)
		return false;
	return version < 80000 || version >= (valkey ? 90000 : 80400);
}

/* https://redis.io/docs/latest/commands/hello */
static void read_hello(const struct reply *reply, struct setup_facts *facts)
{
	facts->version = 0;
	facts->valkey = false;
	for (size_t i = 0; i + 1 < reply->count; i += 2) {
		struct bytes name = reply->items[i]->text;
		struct bytes value = reply->items[i + 1]->text;

		if (bytes_equal_str(name, "version"))
			facts->version = setup_parse_version(value);
		else if (bytes_equal_str(name, "server"))
			facts->valkey = bytes_equal_str(value, "valkey");
		else if (bytes_equal_str(name, "mode")) {
			facts->cluster = bytes_equal_str(value, "cluster");
			facts->sentinel = bytes_equal_str(value, "sentinel");
		}
	}
	facts->no_touch = has_safe_no_touch(facts->valkey, facts->version);
}

static void ask_all(struct setup *setup)
{
	const struct target *target = setup->target;
	struct buf db = {0};

	begin(setup);
	if (target->password) {
		struct bytes argv[] = {BYTES("AUTH"), bytes_of(target->user),
				       bytes_of(target->password)};

		if (!target->user)
			argv[1] = argv[2];
		ask(setup, STEP_AUTH, argv, target->user ? 3 : 2);
	}
	if (target->db > 0) {
		buf_printf(&db, "%u", target->db);
		ask(setup, STEP_SELECT, (struct bytes[]){BYTES("SELECT"), buf_bytes(&db)}, 2);
		buf_release(&db);
	}
	ask(setup, STEP_SETNAME,
	    (struct bytes[]){BYTES("CLIENT"), BYTES("SETNAME"), BYTES("ccache")}, 3);
	ask(setup, STEP_HELLO, (struct bytes[]){BYTES("HELLO")}, 1);
	if (target->must_be_primary)
		ask(setup, STEP_ROLE, (struct bytes[]){BYTES("ROLE")}, 1);
	if (target->readonly)
		ask(setup, STEP_READONLY, (struct bytes[]){BYTES("READONLY")}, 1);
	ask(setup, STEP_PING, (struct bytes[]){BYTES("PING")}, 1);
}

/* The sentinels' word may be older than the server's own; who may not ask believes them. */
static bool is_demoted(const struct reply *role)
{
	return role->type == REPLY_ARRAY && role->count > 0 &&
	       !bytes_equal_str(role->items[0]->text, "master");
}

/* 0 ready, 1 ask again, -1 refused. */
static int read_all(struct setup *setup, struct setup_facts *facts, bool *ret_refused,
		    struct err *err)
{
	int again = 0;

	for (size_t i = 0; i < setup->answered; i++) {
		int verdict = judge(setup->steps[i], setup->replies[i], ret_refused, err);

		if (verdict < 0)
			return -1;
		if (setup->steps[i] == STEP_HELLO)
			read_hello(setup->replies[i], facts);
		if (setup->steps[i] == STEP_ROLE && is_demoted(setup->replies[i]))
			return err_set(err, ERR_REDIS,
				       "the sentinels name it as the primary, but it is a "
				       "replica: a failover may be under way");
		if (verdict > 0) {
			again = 1;
			err_set(err, ERR_REDIS, "%.*s",
				(int)bytes_sub(setup->replies[i]->text, 0, 200).len,
				setup->replies[i]->text.ptr);
		}
	}
	if (setup->answered < setup->asked)
		return err_set(err, ERR_REDIS, "the server closed the connection during setup");
	if (facts->sentinel && !setup->target->is_sentinel) {
		*ret_refused = true;
		return err_set(
		    err, ERR_REDIS,
		    "this is a Sentinel, which holds no keys: "
		    "redis-sentinel://HOST:PORT/DB?sentinelMasterId=NAME asks it for "
		    "its primary");
	}
	return again;
}

static int set_no_touch(struct setup *setup, struct err *err)
{
	begin(setup);
	ask(setup, STEP_NO_TOUCH,
	    (struct bytes[]){BYTES("CLIENT"), BYTES("NO-TOUCH"), BYTES("on")}, 3);
	return exchange(setup, err);
}

static int run(struct setup *setup, struct setup_facts *facts, bool *ret_refused,
	       struct err *err)
{
	struct err loading = {0};

	for (;;) {
		ask_all(setup);
		if (exchange(setup, err) < 0)
			break;
		int again = read_all(setup, facts, ret_refused, err);
		if (again < 0)
			break;
		if (again == 0)
			return facts->no_touch ? set_no_touch(setup, err) : 0;
		loading = *err;
		if (setup->target->asks_once || clock_until_ms(setup->deadline_ms) == 0 ||
		    transport_wait(NULL, 0, RETRY_MS, setup->cancel, err) < 0)
			break;
	}
	/* What the server said last explains more than that the time is over. */
	if (err_is_set(&loading) && err->kind == ERR_REDIS && !*ret_refused)
		*err = loading;
	return -1;
}

int setup_run(struct transport *transport, const struct target *target,
	      const volatile int *cancel, uint64_t deadline_ms, struct setup_facts *ret_facts,
	      bool *ret_refused, struct err *err)
{
	struct setup setup = {.transport = transport,
			      .target = target,
			      .cancel = cancel,
			      .deadline_ms = deadline_ms};
	struct setup_facts facts = {0};

	*ret_refused = false;
	setup.resp = resp_new(REPLY_MAX, on_reply, &setup);
	int status = run(&setup, &facts, ret_refused, err);
	if (status == 0)
		*ret_facts = facts;
	begin(&setup);
	buf_release(&setup.out);
	mem_arena_release(&setup.arena);
	resp_free(setup.resp);
	return status;
}
