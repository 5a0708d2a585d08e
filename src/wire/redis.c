#include "wire/redis.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"
#include "wire/cluster.h"
#include "wire/redis_link.h"
#include "wire/redis_queue.h"
#include "wire/resp.h"
#include "wire/target.h"
#include "wire/transport.h"

#include <poll.h>
#include <stdlib.h>

/*
 * Windows: enough to keep the server busy across a round trip, little enough
 * that one client's replies do not make a nearly full server evict keys.
 */
static const struct redis_limits defaults = {
    .commands = 4096,
    .stretch = true,
    .sent_bytes = (size_t)1024 * 1024,
    .reply_bytes = (size_t)1024 * 1024,
    .max_bulk = REDIS_VALUE_MAX + 4096, /* and what stands around it */
};

/* A connection idle for so long is looked at before it is used: the server may have closed it.
 */
#define IDLE_MS 100
/* How late a cancelled wait for answers notices it. */
#define GRACE_CHECK_MS 50

enum io {
	IO_OK,
	IO_BROKEN, /* the connection is gone: it may be opened again */
	IO_FATAL,  /* the server cannot be understood */
};

struct redis *redis_new(const struct target *target, const volatile int *cancel)
{
	struct redis *redis = mem_zalloc(1, sizeof *redis);

	redis->target = target;
	redis->cancel = cancel;
	redis->limits = defaults;
	redis->trip_ns = UINT64_MAX;
	redis->input = mem_alloc(RESP_FEED);
	return redis;
}

struct redis *redis_new_plain(const struct target *target, const volatile int *cancel)
{
	struct redis *redis = redis_new(target, cancel);

	redis->settled = true;
	return redis;
}

struct redis *redis_new_node(const struct target *target, struct redis *router)
{
	struct redis *redis = redis_new(target, router->cancel);

	redis->limits = router->limits;
	redis->grace = router->grace;
	redis->haste_ms = router->haste_ms;
	redis->router = router;
	redis->reads_only = router->reads_only;
	redis->settled = true;
	return redis;
}

void redis_free(struct redis *redis)
{
	if (!redis)
		return;
	cluster_free(redis->cluster);
	redis_reader_free(redis->reader);
	redis_link_close(redis);
	redis_queue_release(redis);
	mem_arena_release(&redis->call_arena);
	free(redis->input);
	free(redis);
}

const volatile int *redis_set_cancel(struct redis *redis, const volatile int *cancel)
{
	const volatile int *before = redis->cancel;

	redis->cancel = cancel;
	if (redis->cluster)
		cluster_follow_cancel(redis->cluster);
	return before;
}

void redis_set_limits(struct redis *redis, const struct redis_limits *limits)
{
	redis->limits = *limits;
	if (redis->cluster)
		cluster_follow_limits(redis->cluster);
}

struct redis_limits redis_limits(const struct redis *redis)
{
	return redis->limits;
}

const struct target *redis_target(const struct redis *redis)
{
	return redis->target;
}

const struct redis_counts *redis_counts(const struct redis *redis)
{
	return redis->cluster ? cluster_counts(redis->cluster) : &redis->counts;
}

bool redis_is_connected(const struct redis *redis)
{
	return redis->transport || redis->cluster;
}

size_t redis_outstanding(const struct redis *redis)
{
	return redis->cluster ? cluster_outstanding(redis->cluster) : redis->ring.count;
}

static enum io write_out(struct redis *redis, bool *moved, struct err *err)
{
	const char *data = NULL;
	size_t len = 0;

	while (outq_next(&redis->out, &data, &len)) {
		size_t done = 0;

		switch (transport_send(redis->transport, data, len, &done, err)) {
		case TRANSPORT_OK:
			outq_sent(&redis->out, done);
			redis->counts.bytes_sent += done;
			*moved = true;
			break;
		case TRANSPORT_AGAIN:
			return IO_OK;
		case TRANSPORT_CLOSED:
			return IO_BROKEN;
		}
	}
	return IO_OK;
}

static enum io read_in(struct redis *redis, bool *moved, struct err *err)
{
	bool tls = redis->target->tls;

	/* TLS may hold decrypted bytes that the descriptor does not show. */
	while (redis->readable || tls) {
		size_t done = 0;

		switch (transport_recv(redis->transport, redis->input, RESP_FEED, &done, err)) {
		case TRANSPORT_OK:
			break;
		case TRANSPORT_AGAIN:
			redis->readable = false;
			return IO_OK;
		case TRANSPORT_CLOSED:
			return IO_BROKEN;
		}
		redis->counts.bytes_received += done;
		*moved = true;
		if (resp_feed(redis->resp, redis->input, done, err) < 0)
			return redis_queue_is_put_off(redis, err) ? IO_BROKEN : IO_FATAL;
		if (done < RESP_FEED)
			redis->readable = false;
	}
	return IO_OK;
}

void redis_flush(struct redis *redis)
{
	struct err found_again = {0};
	bool moved = false;

	if (redis->transport)
		write_out(redis, &moved, &found_again);
}

/* Writes and reads what goes without waiting. */
static enum io exchange(struct redis *redis, bool *moved, struct err *err)
{
	struct err reading = {0};
	enum io written = write_out(redis, moved, err);

	if (written == IO_OK)
		return read_in(redis, moved, err);
	/* A server that closes may have said why: what it sent before still counts. */
	redis->readable = true;
	if (read_in(redis, moved, &reading) == IO_FATAL) {
		*err = reading;
		return IO_FATAL;
	}
	return IO_BROKEN;
}

static int turn(struct redis *redis, bool *moved, struct err *err)
{
	uint64_t received = redis->counts.bytes_received;
	struct err why = {0};

	if (!redis->transport) {
		if (redis->ring.count == 0)
			return 0;
		if (redis_link_rests(redis))
			return 0;
		if (redis_link_open(redis, &why) < 0 && redis_link_rests(redis))
			return 0;
		if (!redis->transport) {
			*err = why;
			return redis_link_fail(redis, err);
		}
	}
	bool drains = redis_link_drains(redis);
	switch (exchange(redis, moved, &why)) {
	case IO_OK:
		break;
	case IO_BROKEN:
		redis_link_broken(redis, &why);
		*moved = drains = true;
		break;
	case IO_FATAL:
		err_set(err, why.kind, "%s", why.text);
		return redis_link_fail(redis, err);
	}
	if (redis->counts.bytes_received != received || (*moved && drains))
		redis->progress_ms = clock_mono_ms();
	return 0;
}

static int time_out(struct redis *redis, struct err *err)
{
	struct buf after = {0};

	num_format_duration_ms(&after, (int64_t)redis_timeout_ms(redis));
	err_set(err, ERR_REDIS, "no answer within %s", buf_str(&after));
	buf_release(&after);
	return redis_link_fail(redis, err);
}

static short wanted_events(struct redis *redis)
{
	const char *data = NULL;
	size_t len = 0;

	return (short)(POLLIN | (outq_next(&redis->out, &data, &len) ? POLLOUT : 0));
}

/* Milliseconds until the timeout strikes; -1: it cannot. */
static int patience(const struct redis *redis)
{
	if (redis->ring.count == 0 || redis_timeout_ms(redis) == 0)
		return -1;
	return clock_until_ms(redis->progress_ms + redis_timeout_ms(redis));
}

static int check_cancel(struct redis *redis, struct err *err)
{
	return redis_is_cancelled(redis, err) ? redis_link_fail(redis, err) : 0;
}

void redis_heard(struct redis *redis, short events)
{
	if (events == 0)
		return;
	redis->readable = true;
	if (events & POLLIN)
		redis_queue_turn(redis);
}

/* A turn, and a wait if there was nothing to do. */
static int step(struct redis *redis, struct err *err)
{
	bool moved = false;

	if (turn(redis, &moved, err) < 0 || check_cancel(redis, err) < 0)
		return -1;
	if (moved || redis->ring.count == 0)
		return 0;
	if (!redis->transport)
		return redis_link_doze(redis, err);
	int left_ms = patience(redis);
	struct pollfd wanted = {.fd = transport_fd(redis->transport),
				.events = wanted_events(redis)};

	if (watch_for(&redis->watch, &wanted, 1, redis->limits.watch_us)) {
		redis_heard(redis, wanted.revents);
		return 0;
	}
	bool is_slice = redis->grace.silent_ms && (left_ms < 0 || left_ms > GRACE_CHECK_MS);
	int ready = transport_wait(redis->transport, wanted_events(redis),
				   is_slice ? GRACE_CHECK_MS : left_ms,
				   redis->grace.silent_ms ? NULL : redis->cancel, err);
	if (ready < 0)
		return redis_link_fail(redis, err);
	if (ready == 0)
		return is_slice ? 0 : time_out(redis, err);
	redis->readable = true;
	return 0;
}

/* What the first connection finds: a server, or a node of a cluster. */
static int settle(struct redis *redis, struct err *err)
{
	if (redis_link_open(redis, err) < 0)
		return redis_link_fail(redis, err);
	redis->settled = true;
	if (!redis->facts.cluster)
		return redis->reader ? redis_reader_settle(redis, err) : 0;
	redis->cluster = cluster_new(redis, err);
	redis_link_close(redis);
	redis->settled = redis->cluster != NULL;
	return redis->cluster ? 0 : -1;
}

int redis_connect(struct redis *redis, struct err *err)
{
	err = err ? err : &redis->unheard;
	if (redis->cluster || redis->transport)
		return 0;
	if (!redis->settled)
		return settle(redis, err);
	while (redis_link_open(redis, err) < 0)
		if (!redis_link_rests(redis))
			return redis_link_fail(redis, err);
		else if (redis_link_doze(redis, err) < 0)
			return -1;
	return 0;
}

/* The first command after a pause: the clock starts anew, and a connection that was closed
 * meanwhile is left. */
static void wake(struct redis *redis, uint64_t idle_ms)
{
	uint64_t now = clock_mono_ms();
	struct err why = {0};
	bool moved = false;

	if (redis->transport && now - redis->progress_ms >= idle_ms) {
		redis->readable = true;
		if (read_in(redis, &moved, &why) != IO_OK)
			redis_link_close(redis);
	}
	redis->progress_ms = now;
	redis_link_wake(redis);
}

void redis_refresh(struct redis *redis)
{
	if (redis->cluster || redis->ring.count > 0)
		return;
	wake(redis, 0);
	redis->was_open = redis->transport != NULL;
}

void redis_put(struct redis *redis, const struct redis_command *command, struct bytes raw)
{
	if (redis->ring.count == 0 && !redis->in_callback)
		wake(redis, IDLE_MS);
	redis->counts.commands++;
	if ((command->flags & REDIS_BOUND) && !redis->transport) {
		redis_queue_add_lost(redis, command);
		return;
	}
	if (command->argc > 0)
		redis_queue_add(redis, command);
	else
		redis_queue_add_raw(redis, command, raw);
	if (redis->ring.granted + 1 == redis->ring.count)
		redis_queue_grant(redis);
}

bool redis_has_full_block(const struct redis *redis)
{
	return redis->out.at && redis->out.at != redis->out.tail;
}

/* It meets a server that is out of reach, or may not be sent: it is answered all the same. */
static int refuse(struct redis *redis, const struct redis_command *command)
{
	struct reply lost = {.type = REPLY_LOST, .text = bytes_of(redis->fault.text)};

	redis->abandoning = true;
	if (command->fn)
		command->fn(command->ctx, &lost);
	redis->abandoning = false;
	return -1;
}

int redis_submit(struct redis *redis, const struct redis_command *command, struct err *err)
{
	bool moved = false;

	err = err ? err : &redis->unheard;
	if (redis->abandoning)
		return err_set(err, redis->fault.kind, "%s", redis->fault.text);
	if (redis->reads_only && redis_reader_check(redis, command->argv[0], err) < 0)
		return refuse(redis, command);
	if (!redis->settled && settle(redis, err) < 0)
		return refuse(redis, command);
	if (redis->cluster)
		return cluster_submit(redis->cluster, command, err);
	const struct outq_block *block = redis->out.tail;
	redis_put(redis, command, (struct bytes){0});
	if (redis->in_callback || (command->flags & REDIS_NO_WAIT))
		return 0;
	if (redis->ring.granted == redis->ring.count)
		return block && block != redis->out.tail ? turn(redis, &moved, err) : 0;
	while (!redis_queue_has_room(redis)) {
		if (step(redis, err) < 0)
			return -1;
	}
	return 0;
}

int redis_drain(struct redis *redis, size_t outstanding, struct err *err)
{
	err = err ? err : &redis->unheard;
	if (redis->cluster)
		return cluster_drain(redis->cluster, outstanding, err);
	while (redis->ring.count > outstanding) {
		if (step(redis, err) < 0)
			return -1;
	}
	return 0;
}

int redis_step(struct redis *redis, struct err *err)
{
	err = err ? err : &redis->unheard;
	return redis->cluster ? cluster_step(redis->cluster, err) : step(redis, err);
}

void redis_wait(struct redis *redis, struct redis_wait *ret_wait)
{
	*ret_wait = (struct redis_wait){.fd = -1, .timeout_ms = -1};
	if (redis->cluster) {
		cluster_wait(redis->cluster, ret_wait);
	} else if (redis->transport) {
		ret_wait->fd = transport_fd(redis->transport);
		ret_wait->events = wanted_events(redis);
		ret_wait->timeout_ms = patience(redis);
	} else if (redis->ring.count > 0) {
		ret_wait->timeout_ms =
		    redis_link_rests(redis) ? clock_until_ms(redis->due_ms) : 0;
	}
}

int redis_advance(struct redis *redis, bool *moved, struct err *err)
{
	bool now = false;

	if (turn(redis, &now, err) < 0)
		return -1;
	if (redis->transport && patience(redis) == 0) {
		/* Another node may have kept us from looking: what has come meanwhile counts.
		 */
		redis->readable = true;
		if (turn(redis, &now, err) < 0)
			return -1;
		if (redis->transport && patience(redis) == 0)
			return time_out(redis, err);
	}
	*moved = *moved || now;
	return redis->grace.silent_ms ? check_cancel(redis, err) : 0;
}

int redis_turn(struct redis *redis, struct err *err)
{
	bool moved = false;

	err = err ? err : &redis->unheard;
	if (redis->cluster)
		return cluster_turn(redis->cluster, err);
	redis->readable = true;
	return redis_advance(redis, &moved, err);
}

void redis_give_up(struct redis *redis, const struct err *why)
{
	redis->fault = *why;
	redis_link_close(redis);
	redis->put_off = REPLY_ERR_NONE;
	redis->retries = 0;
	redis_queue_abandon(redis);
}
