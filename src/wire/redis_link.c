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
#define VAIN_REST 4        /* a try in vain is followed by so much more time without one */
#define DOZE_MS 50         /* how late a cancelled rest notices it */
#define NODE_RETRY_MS 50   /* of one that is busy, or loads its data */
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

bool redis_is_cancelled(struct redis *redis, struct err *err)
{
	uint64_t now_ms = clock_mono_ms();

	if (!redis->cancel || !__atomic_load_n(redis->cancel, __ATOMIC_RELAXED)) {
		redis->cancelled_ms = 0;
		return false;
	}
	const struct redis_grace *grace = &redis->grace;
	if (redis->cancelled_ms == 0)
		redis->cancelled_ms = now_ms;
	uint64_t heard_ms =
	    redis->progress_ms > redis->cancelled_ms ? redis->progress_ms : redis->cancelled_ms;
	if (now_ms - heard_ms < grace->silent_ms &&
	    (grace->whole_ms == 0 || now_ms - redis->cancelled_ms < grace->whole_ms))
		return false;
	err_set(err, ERR_INTERRUPTED,
		grace->silent_ms ? "interrupted, and no answer came in time" : "interrupted");
	return true;
}

void redis_set_haste(struct redis *redis, uint64_t haste_ms)
{
	redis->haste_ms = haste_ms;
	if (redis->cluster)
		cluster_follow_cancel(redis->cluster);
}

/* How long one try takes of a node that was waited for in vain, by whoever needs it next. */
static uint64_t vain_ms(const struct redis *redis)
{
	uint64_t timeout_ms = redis_timeout_ms(redis);
	uint64_t part = timeout_ms / 4;

	return part > VAIN_LEAST_MS         ? part
	       : timeout_ms < VAIN_LEAST_MS ? timeout_ms
					    : VAIN_LEAST_MS;
}

uint64_t redis_timeout_ms(const struct redis *redis)
{
	uint64_t timeout_ms = redis->target->timeout_ms;

	bool hastes = redis->haste_ms && (timeout_ms == 0 || redis->haste_ms < timeout_ms);

	return hastes ? redis->haste_ms : timeout_ms;
}

/* --- a cluster's node --- */

bool redis_is_ill(const struct redis *redis)
{
	return redis->ill_ms != 0;
}

bool redis_is_out(const struct redis *redis, uint64_t more_ms)
{
	uint64_t timeout_ms = redis_timeout_ms(redis);

	return redis->ill_ms && timeout_ms &&
	       clock_mono_ms() >= redis->ill_ms + timeout_ms + more_ms;
}

bool redis_link_rests(const struct redis *redis)
{
	return redis->router && redis->put_off != REPLY_ERR_NONE &&
	       clock_until_ms(redis->due_ms) > 0;
}

static void fall_ill(struct redis *redis)
{
	uint64_t now = clock_mono_ms();

	if (redis->ill_ms == 0)
		redis->ill_ms = redis->progress_ms ? redis->progress_ms : now;
	redis->failed_ms = now;
	if (redis->due_ms <= now && redis_is_out(redis, 0))
		redis->due_ms = now + VAIN_REST * vain_ms(redis);
}

static bool is_forgotten(const struct redis *redis)
{
	uint64_t rest_ms = (VAIN_REST + 1) * vain_ms(redis) + redis_timeout_ms(redis);

	return redis->ill_ms && clock_mono_ms() >= redis->failed_ms + rest_ms;
}

void redis_link_wake(struct redis *redis)
{
	if (redis->demoted)
		redis_link_close(redis);
	redis->demoted = false;
	if (is_forgotten(redis))
		redis->ill_ms = redis->due_ms = 0;
}

/* It is there, and will not work: -1 with fault. */
static int rest(struct redis *redis, enum reply_error why)
{
	redis->put_off = why;
	if (redis->ill_ms == 0)
		redis->ill_ms = clock_mono_ms();
	redis->due_ms = clock_mono_ms() + NODE_RETRY_MS;
	return -1;
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
	uint64_t end_ms = redis->give_up_ms;

	target.timeout_ms = redis_is_out(redis, 0) ? vain_ms(redis) : redis_timeout_ms(redis);
	target.asks_once = redis->router != NULL;
	if (end_ms == 0)
		end_ms = target.timeout_ms ? clock_mono_ms() + target.timeout_ms : UINT64_MAX;
	if (dial_open(&target, redis->cancel, end_ms, &transport, &redis->facts, ret_refused,
		      err) < 0)
		return -1;
	redis->transport = transport;
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
	return redis->put_off == REPLY_ERR_BUSY && redis->retries <= 1;
}

static void opened(struct redis *redis)
{
	redis->counts.reconnects += redis->was_open && !is_resumed(redis);
	redis->put_off = REPLY_ERR_NONE;
	redis->was_open = true;
}

/* A node that never answered, where nobody but the cluster says that it is. */
static void name_origin(const struct redis *redis, struct err *err)
{
	const struct target *seed = redis->router->target;
	struct buf place = {0};

	if (redis->opened > 0 || err->kind != ERR_REDIS || seed->socket ||
	    strcmp(seed->host, redis->target->host) == 0)
		return;
	target_describe_place(seed, &place);
	err_set(err, ERR_REDIS,
		"%s (so the cluster at %s announces it: set cluster-announce-ip or "
		"-hostname there, or take --proxy into its network)",
		err->text, buf_str(&place));
	buf_release(&place);
}

/* One try, that neither waits for who is busy nor comes too often to who is out. */
static int open_node(struct redis *redis, struct err *err)
{
	struct reply said = {.type = REPLY_ERROR};
	bool refused = false;

	/* A node that breaks again before it answered is its cluster's business; and one that
	 * breaks while older commands of its keys may wait there to be sent again. */
	if (redis->retries > 1 ||
	    (redis->retries == 1 && cluster_waits(redis->router->cluster)) ||
	    clock_until_ms(redis->due_ms) > 0 ||
	    (redis->put_off != REPLY_ERR_NONE && redis_is_out(redis, 0)))
		return err_set(err, redis->fault.kind, "%s", redis->fault.text);
	if (redis->ring.count == 0) /* else it has been waited for since then */
		redis->progress_ms = clock_mono_ms();
	if (open_once(redis, &refused, err) == 0) {
		opened(redis);
		return 0;
	}
	said.text = bytes_of(err->text);
	enum reply_error kind = reply_error_kind(&said);
	if (redis->impatient || (kind != REPLY_ERR_BUSY && kind != REPLY_ERR_LOADING)) {
		name_origin(redis, err);
		return -1;
	}
	err_set(&redis->fault, ERR_REDIS, "%.*s (%s)", BYTES_ARG(bytes_sub(said.text, 0, 200)),
		redis_remedy(kind));
	*err = redis->fault;
	return rest(redis, kind);
}

int redis_link_open(struct redis *redis, struct err *err)
{
	if (redis->router)
		return open_node(redis, err);
	if (redis->give_up_ms == 0 && redis->was_open)
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
			opened(redis);
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
	if (redis->router && redis->put_off != REPLY_ERR_NONE)
		rest(redis, redis->put_off);
	else if (redis->router)
		redis->retries++;
	else if (redis->give_up_ms == 0)
		redis->give_up_ms = deadline(redis);
	redis_queue_restart(redis);
}

int redis_link_fail(struct redis *redis, struct err *err)
{
	struct buf name = {0};

	redis->fault = *err; /* without the name: redis_fail puts it */
	target_describe(redis->target, &name);
	err_wrap(err, "redis %s", buf_str(&name));
	buf_release(&name);
	redis_link_close(redis);
	redis->give_up_ms = 0;
	redis->retries = 0;
	redis->was_open = false;
	if (redis->router) {
		redis->put_off = REPLY_ERR_NONE;
		if (redis->fault.kind != ERR_INTERRUPTED)
			fall_ill(redis);
	}
	redis_queue_abandon(redis);
	return -1;
}

int redis_link_doze(struct redis *redis, struct err *err)
{
	int left_ms = clock_until_ms(redis->due_ms);

	if (redis_is_cancelled(redis, err) ||
	    transport_wait(NULL, 0, left_ms < DOZE_MS ? left_ms : DOZE_MS,
			   redis->grace.silent_ms ? NULL : redis->cancel, err) < 0)
		return redis_link_fail(redis, err);
	return 0;
}
