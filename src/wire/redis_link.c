#include "wire/redis_link.h"

#include "base/buf.h"
#include "base/clock.h"
#include "wire/cluster.h"
#include "wire/dial.h"
#include "wire/redis_queue.h"
#include "wire/resp.h"
#include "wire/target.h"
#include "wire/transport.h"

#include <string.h>
#include <sys/ioctl.h>

/* The systems' own reconnect schedule. */
#define RETRY_STEP_MS 50
#define RETRY_MAX_MS 1000
#define VAIN_LEAST_MS 500
#define QUEUE_CHECK_MS 200 /* without an answer, before the kernel is asked what it holds */

struct redis_grace redis_set_grace(struct redis *redis, struct redis_grace grace)
{
	struct redis_grace before = redis->grace;

	redis->grace = grace;
	redis->cancelled_ms = 0;
	if (redis->cluster)
		cluster_follow_cancel(redis->cluster);
	return before;
}

void redis_set_haste(struct redis *redis, uint64_t haste_ms)
{
	redis->haste_ms = haste_ms;
	if (redis->cluster)
		cluster_follow_cancel(redis->cluster);
}

/* A node that was waited for in vain is tried again and again, by whoever needs it next. */
static uint64_t vain_ms(uint64_t timeout_ms)
{
	uint64_t part = timeout_ms / 4;

	return part > VAIN_LEAST_MS         ? part
	       : timeout_ms < VAIN_LEAST_MS ? timeout_ms
					    : VAIN_LEAST_MS;
}

uint64_t redis_timeout_ms(const struct redis *redis)
{
	uint64_t timeout_ms = redis->target->timeout_ms;

	if (redis->router && redis->given_up)
		timeout_ms = vain_ms(timeout_ms);
	bool hastes = redis->haste_ms && (timeout_ms == 0 || redis->haste_ms < timeout_ms);

	return hastes ? redis->haste_ms : timeout_ms;
}

static uint64_t deadline(const struct redis *redis)
{
	if (redis_timeout_ms(redis) == 0)
		return UINT64_MAX;
	return clock_mono_ms() + redis_timeout_ms(redis);
}

static int on_reply(void *ctx, const struct reply *reply)
{
	return redis_queue_answer(ctx, reply);
}

bool redis_link_drains(const struct redis *redis)
{
	int queued = 0;

	if (!redis->transport || redis->target->socket)
		return true;
	return clock_mono_ms() - redis->progress_ms > QUEUE_CHECK_MS &&
	       ioctl(transport_fd(redis->transport), TIOCOUTQ, &queued) == 0 && queued > 0;
}

static int open_once(struct redis *redis, bool *ret_refused, struct err *err)
{
	struct target target = *redis->target;
	struct transport *transport = NULL;
	uint64_t end_ms = redis->give_up_ms ? redis->give_up_ms : deadline(redis);

	target.timeout_ms = redis_timeout_ms(redis);
	if (dial_open(&target, redis->cancel, end_ms, &transport, &redis->facts, ret_refused,
		      err) < 0)
		return -1;
	redis->transport = transport;
	redis->given_up = false;
	redis->opened++;
	redis->resp = resp_new(redis->limits.max_bulk, on_reply, redis);
	redis->readable = false;
	redis->progress_ms = clock_mono_ms();
	return 0;
}

static int back_off(struct redis *redis, struct err *err)
{
	unsigned wait = redis->retries * RETRY_STEP_MS;
	int left = clock_until_ms(redis->give_up_ms);

	redis->retries++;
	if (wait > RETRY_MAX_MS)
		wait = RETRY_MAX_MS;
	return transport_wait(NULL, 0, (int)wait < left ? (int)wait : left, redis->cancel, err);
}

/* It can be reached, and breaks whenever something is asked: that has the same end. */
static int despair(const struct redis *redis, struct err *err)
{
	bool busy = redis->put_off != REPLY_ERR_NONE;

	return err_set(err, ERR_REDIS, "%s%s", redis->fault.text,
		       busy ? "" : ", again and again: its log may say why");
}

/* The same server process as before: it was only busy. */
static bool is_resumed(const struct redis *redis)
{
	return redis->put_off == REPLY_ERR_BUSY && redis->retries == 1;
}

int redis_link_open(struct redis *redis, struct err *err)
{
	/* A node that breaks again before it answered is its cluster's business; and one that
	 * breaks while older commands of its keys may wait there to be sent again. */
	if (redis->router && (redis->retries > 1 ||
			      (redis->retries == 1 && cluster_waits(redis->router->cluster))))
		return err_set(err, redis->fault.kind, "%s", redis->fault.text);
	if (redis->give_up_ms == 0 && redis->was_open && !redis->router)
		redis->give_up_ms = deadline(redis);
	bool again = redis->give_up_ms != 0;
	struct err why = {0};

	for (;;) {
		bool refused = false;

		if (again && back_off(redis, err) < 0)
			return -1;
		if (redis->retries > 1 && err_is_set(&redis->fault) && !err_is_set(&why) &&
		    clock_until_ms(redis->give_up_ms) == 0)
			return despair(redis, err);
		why = (struct err){0};
		if (open_once(redis, &refused, &why) == 0) {
			redis->counts.reconnects += redis->was_open && !is_resumed(redis);
			redis->put_off = REPLY_ERR_NONE;
			redis->was_open = true;
			return 0;
		}
		if (!again || refused || why.kind != ERR_REDIS ||
		    clock_until_ms(redis->give_up_ms) == 0)
			return err_set(err, why.kind, "%s", why.text);
	}
}

void redis_link_close(struct redis *redis)
{
	transport_close(redis->transport);
	resp_free(redis->resp);
	redis->transport = NULL;
	redis->resp = NULL;
}

void redis_link_broken(struct redis *redis, const struct err *why)
{
	redis_link_close(redis);
	if (redis->ring.count == 0) { /* nobody waits: the next command has its own time */
		redis->give_up_ms = 0;
		redis->retries = 0;
		return;
	}
	redis->fault = *why;
	if (redis->router)
		redis->retries++;
	else if (redis->give_up_ms == 0)
		redis->give_up_ms = deadline(redis);
	redis_queue_restart(redis);
}

/* A node that never answered, where nobody but the cluster says that it is. */
static void name_origin(const struct redis *redis, struct err *err)
{
	const struct target *seed = redis->router ? redis->router->target : NULL;
	struct buf place = {0};

	if (!seed || redis->opened > 0 || err->kind != ERR_REDIS || seed->socket ||
	    strcmp(seed->host, redis->target->host) == 0)
		return;
	target_describe_place(seed, &place);
	err_set(err, ERR_REDIS,
		"%s (so the cluster at %s announces it: set cluster-announce-ip or "
		"-hostname there, or take --proxy into its network)",
		err->text, buf_str(&place));
	buf_release(&place);
}

int redis_link_fail(struct redis *redis, struct err *err)
{
	struct buf name = {0};

	name_origin(redis, err);
	redis->fault = *err; /* without the name: redis_fail puts it */
	target_describe(redis->target, &name);
	err_wrap(err, "redis %s", buf_str(&name));
	buf_release(&name);
	redis_link_close(redis);
	redis->give_up_ms = 0;
	redis->retries = 0;
	redis->was_open = false;
	redis->given_up = true;
	redis_queue_abandon(redis);
	return -1;
}
