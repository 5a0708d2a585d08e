#include "wire/swarm_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

/* How long a wait may last before the driver and *cancel are asked. */
#define TURN_NS UINT64_C(100000000)
#define EVENTS 128
/* With a schedule: how much may wait in one connection. The rest stays due. */
#define QUEUE_OPS ((size_t)4096)
#define QUEUE_BYTES ((size_t)1024 * 1024)

static struct swarm_op *ring_add(struct swarm_ring *ring)
{
	if (ring->count == ring->size) {
		size_t size = ring->size ? ring->size * 2 : 16;
		struct swarm_op *ops = mem_zalloc(size, sizeof *ops);

		for (size_t i = 0; i < ring->count; i++)
			ops[i] = ring->ops[(ring->head + i) & (ring->size - 1)];
		free(ring->ops);
		*ring = (struct swarm_ring){.ops = ops, .size = size, .count = ring->count};
	}
	return &ring->ops[(ring->head + ring->count++) & (ring->size - 1)];
}

/* Stamps what was queued since the last call, and sends it. */
static int dispatch(struct swarm_client *client, uint64_t now_ns, struct err *err)
{
	struct swarm_ring *ring = &client->ring;
	bool scheduled = client->swarm->driver->due != NULL;

	for (size_t i = ring->count - client->unsent; i < ring->count; i++) {
		struct swarm_op *op = &ring->ops[(ring->head + i) & (ring->size - 1)];

		op->sent_ns = now_ns;
		if (!scheduled)
			op->due_ns = now_ns;
	}
	client->unsent = 0;
	return client->waits_for_room ? 0 : swarm_flush(client, err);
}

/* False when the driver has nothing more. */
static bool queue_next(struct swarm_client *client, uint64_t due_ns, uint64_t now_ns)
{
	struct swarm *swarm = client->swarm;
	uint64_t cookie = 0;

	if (!swarm->driver->next(swarm->driver->ctx, client->index, now_ns, &client->filling,
				 &cookie)) {
		swarm->over = true;
		return false;
	}
	if (swarm->under_way++ == 0)
		swarm->progress_ns = now_ns;
	*ring_add(&client->ring) = (struct swarm_op){.due_ns = due_ns, .cookie = cookie};
	client->unsent++;
	return true;
}

/* Closed loop: the next batch. */
static int refill(struct swarm_client *client, struct err *err)
{
	struct swarm *swarm = client->swarm;
	uint64_t now_ns = swarm->now_ns;

	for (size_t i = 0; i < swarm->depth && !swarm->over; i++)
		queue_next(client, 0, now_ns);
	if (client->unsent == 0)
		return 0;
	/* Preparing a batch takes time that is not the server's. */
	return dispatch(client, swarm->depth > 1 ? clock_mono_ns() : now_ns, err);
}

static int serve(struct swarm_client *client, uint32_t events, struct err *err)
{
	struct swarm *swarm = client->swarm;

	if ((events & EPOLLOUT) && swarm_flush(client, err) != 0)
		return -1;
	if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) && swarm_receive(client, err) != 0)
		return -1;
	if (!swarm->driver->due && client->ring.count == 0 && !swarm->over)
		return refill(client, err);
	return 0;
}

/* The next connection in turn that has room for another command; NULL: none. */
static struct swarm_client *with_room(struct swarm *swarm)
{
	for (size_t tried = 0; tried < swarm->count; tried++) {
		struct swarm_client *client = &swarm->clients[swarm->turn];

		swarm->turn = swarm->turn + 1 == swarm->count ? 0 : swarm->turn + 1;
		if (client->ring.count < QUEUE_OPS && client->filling.len < QUEUE_BYTES)
			return client;
	}
	return NULL;
}

/* Open loop: sends what is due. */
static int send_due(struct swarm *swarm, struct err *err)
{
	uint64_t now_ns = clock_mono_ns();

	while (!swarm->over && swarm->due_ns <= now_ns) {
		struct swarm_client *client = with_room(swarm);

		swarm->blocked = !client;
		if (!client || !queue_next(client, swarm->due_ns, now_ns))
			break;
		if (!client->dirty) {
			client->dirty = true;
			swarm->dirty[swarm->dirty_count++] = client;
		}
		swarm->due_ns = swarm->driver->due(swarm->driver->ctx);
		if (swarm->due_ns == SWARM_NEVER)
			swarm->over = true;
	}
	for (size_t i = 0; i < swarm->dirty_count; i++) {
		swarm->dirty[i]->dirty = false;
		if (dispatch(swarm->dirty[i], i ? clock_mono_ns() : now_ns, err) != 0)
			return -1;
	}
	swarm->dirty_count = 0;
	return 0;
}

static int wait_for_events(const struct swarm *swarm, struct epoll_event *events)
{
	uint64_t wait_ns = TURN_NS;

	if (!swarm->driver->due)
		return epoll_wait(swarm->epoll, events, EVENTS, (int)(TURN_NS / 1000000));
	if (!swarm->over) {
		uint64_t now_ns = clock_mono_ns();

		if (swarm->due_ns <= now_ns)
			wait_ns = swarm->blocked ? TURN_NS : 0;
		else if (swarm->due_ns - now_ns < TURN_NS)
			wait_ns = swarm->due_ns - now_ns;
	}
	struct timespec span = {.tv_nsec = (long)wait_ns};
	return epoll_pwait2(swarm->epoll, events, EVENTS, &span, NULL);
}

static int check_progress(const struct swarm *swarm, uint64_t now_ns, struct err *err)
{
	uint64_t limit_ms = swarm->target->timeout_ms;

	if (swarm->under_way == 0 || now_ns < swarm->progress_ns ||
	    (now_ns - swarm->progress_ns) / 1000000 < limit_ms)
		return 0;
	return err_set(err, ERR_REDIS,
		       "no answer for %llu ms with %zu commands under way (--timeout)",
		       (unsigned long long)limit_ms, swarm->under_way);
}

/* 0 to go on, 1 when the driver wants to end, -1. */
static int between_turns(struct swarm *swarm, const volatile int *cancel, int ready,
			 struct err *err)
{
	const struct swarm_driver *driver = swarm->driver;

	if (cancel && *cancel)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (ready < 0 && errno != EINTR)
		return err_set(err, ERR_REDIS, "epoll: %s", strerror(errno));
	uint64_t now_ns = ready > 0 ? swarm->now_ns : clock_mono_ns();
	if (driver->turn && !driver->turn(driver->ctx, now_ns))
		return 1;
	return ready > 0 ? 0 : check_progress(swarm, now_ns, err);
}

static int loop(struct swarm *swarm, const volatile int *cancel, struct err *err)
{
	struct epoll_event events[EVENTS];

	while (!swarm->over || swarm->under_way > 0) {
		int ready = wait_for_events(swarm, events);

		for (int i = 0; i < ready; i++)
			if (serve(events[i].data.ptr, events[i].events, err) != 0)
				return -1;
		if (swarm->driver->due && send_due(swarm, err) != 0)
			return -1;
		int verdict = between_turns(swarm, cancel, ready, err);
		if (verdict != 0)
			return verdict < 0 ? -1 : 0;
	}
	return 0;
}

static void give_up(struct swarm *swarm, const struct err *why)
{
	const struct reply lost = {.type = REPLY_LOST, .text = bytes_of(why->text)};
	uint64_t now_ns = clock_mono_ns();

	for (size_t i = 0; i < swarm->count; i++) {
		struct swarm_ring *ring = &swarm->clients[i].ring;

		for (; ring->count > 0; ring->count--, ring->head++)
			swarm->driver->done(swarm->driver->ctx,
					    &ring->ops[ring->head & (ring->size - 1)], &lost,
					    now_ns);
	}
	swarm->under_way = 0;
}

static int start(struct swarm *swarm, struct err *err)
{
	swarm->now_ns = swarm->progress_ns = clock_mono_ns();
	if (swarm->driver->due) {
		/* Else a wait lasts up to 50 µs longer than asked for. */
		prctl(PR_SET_TIMERSLACK, 1UL);
		swarm->due_ns = swarm->driver->due(swarm->driver->ctx);
		swarm->over = swarm->due_ns == SWARM_NEVER;
		return 0;
	}
	for (size_t i = 0; i < swarm->count; i++) {
		swarm->now_ns = clock_mono_ns();
		if (refill(&swarm->clients[i], err) != 0)
			return -1;
	}
	return 0;
}

int swarm_run(struct swarm *swarm, const volatile int *cancel, struct err *err)
{
	struct err why = {0};
	struct buf server = {0};
	int status = start(swarm, &why);

	if (status == 0)
		status = loop(swarm, cancel, &why);
	if (status == 0)
		return 0;
	if (why.kind == ERR_REDIS) {
		give_up(swarm, &why);
		target_describe(swarm->target, &server);
		err_wrap(&why, "redis %s", buf_str(&server));
		buf_release(&server);
	}
	if (err)
		*err = why;
	return -1;
}
