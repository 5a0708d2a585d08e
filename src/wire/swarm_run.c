#include "wire/swarm_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* With a schedule: how much may wait in one connection. The rest stays due. */
#define QUEUE_OPS ((size_t)4096)
#define QUEUE_BYTES ((size_t)1024 * 1024)

static void ring_grow(struct swarm_ring *ring, size_t least)
{
	size_t size = ring->size ? ring->size : 16;

	while (size < least)
		size *= 2;
	struct swarm_op *ops = mem_zalloc(size, sizeof *ops);
	for (size_t i = 0; i < ring->count; i++)
		ops[i] = ring->ops[(ring->head + i) & (ring->size - 1)];
	free(ring->ops);
	*ring = (struct swarm_ring){.ops = ops, .size = size, .count = ring->count};
}

static struct swarm_op *ring_add(struct swarm_ring *ring)
{
	if (ring->count == ring->size)
		ring_grow(ring, ring->count + 1);
	return &ring->ops[(ring->head + ring->count++) & (ring->size - 1)];
}

void swarm_append(struct swarm_link *link, const struct swarm_op *op, uint64_t now_ns)
{
	if (link->node->under_way++ == 0)
		link->node->progress_ns = now_ns;
	*ring_add(&link->ring) = *op;
	link->unsent++;
	for (uint8_t i = 0; i < op->tails; i++)
		swarm_append(link, &(struct swarm_op){.internal = true}, now_ns);
}

void swarm_mark(struct swarm_link *link)
{
	if (link->dirty)
		return;
	link->dirty = true;
	link->swarm->dirty[link->swarm->dirty_count++] = link;
}

/* Stamps what was queued since the last call, and sends it. */
static int dispatch(struct swarm_link *link, uint64_t now_ns, struct err *err)
{
	struct swarm_ring *ring = &link->ring;
	bool scheduled = link->swarm->driver->due != NULL;

	for (size_t i = ring->count - link->unsent; i < ring->count; i++) {
		struct swarm_op *op = &ring->ops[(ring->head + i) & (ring->size - 1)];

		/* Of one that was redirected the first time counts. */
		if (op->sent_ns > 0)
			continue;
		op->sent_ns = now_ns;
		if (!scheduled)
			op->due_ns = now_ns;
	}
	link->unsent = 0;
	if (link->waits_for_room || swarm_flush(link, err) == 0)
		return 0;
	link->swarm->failed = link->node;
	return -1;
}

static int dispatch_dirty(struct swarm *swarm, uint64_t now_ns, struct err *err)
{
	for (size_t i = 0; i < swarm->dirty_count; i++) {
		swarm->dirty[i]->dirty = false;
		if (dispatch(swarm->dirty[i], i ? clock_mono_ns() : now_ns, err) != 0)
			return -1;
	}
	swarm->dirty_count = 0;
	return 0;
}

/* False when the driver has nothing more. */
static bool queue_next(struct swarm *swarm, size_t client, uint64_t due_ns, uint64_t now_ns)
{
	struct swarm_link *link = swarm->slots ? NULL : &swarm->nodes[0]->links[client];
	struct swarm_op op = {.due_ns = due_ns};

	buf_clear(&swarm->scratch);
	if (!swarm->driver->next(swarm->driver->ctx, client, now_ns,
				 link ? &link->filling : &swarm->scratch, &op)) {
		swarm->over = true;
		return false;
	}
	swarm->under_way++;
	swarm->lanes[client]++;
	if (!link) {
		link = swarm_route(swarm, client, &op);
		if (!link)
			return true;
		buf_add(&link->filling, buf_bytes(&swarm->scratch));
		swarm_mark(link);
	}
	swarm_append(link, &op, now_ns);
	return true;
}

/* Closed loop: the next batch, whose commands go where their slots are. */
static int spread_batch(struct swarm *swarm, size_t client, struct err *err)
{
	for (size_t i = 0; i < swarm->depth && !swarm->over; i++)
		queue_next(swarm, client, 0, swarm->now_ns);
	return dispatch_dirty(swarm, clock_mono_ns(), err);
}

/* Puts the commands of the ring's first places there again, each with its tails behind it. */
static void append_with_tails(struct swarm_link *link, size_t count, uint64_t now_ns)
{
	struct swarm *swarm = link->swarm;

	memcpy(swarm->batch, link->ring.ops, count * sizeof *swarm->batch);
	for (size_t i = 0; i < count; i++)
		swarm_append(link, &swarm->batch[i], now_ns);
	link->unsent = 0;
}

/* Takes the batch that the driver has written to the ring's first places. */
static void take_batch(struct swarm_link *link, size_t count, uint64_t now_ns)
{
	struct swarm_op *ops = link->ring.ops;
	unsigned tails = 0;

	for (size_t i = 0; i < count; i++) {
		ops[i] = (struct swarm_op){.due_ns = now_ns,
					   .sent_ns = now_ns,
					   .cookie = ops[i].cookie,
					   .tails = ops[i].tails};
		tails += ops[i].tails;
	}
	link->swarm->under_way += count;
	link->swarm->lanes[link->client] += count;
	if (tails > 0) {
		append_with_tails(link, count, now_ns);
		return;
	}
	if (link->node->under_way == 0)
		link->node->progress_ns = now_ns;
	link->node->under_way += count;
	link->ring.count = count;
}

/* The same for one server: nothing is under way on the link. */
static int send_batch(struct swarm *swarm, size_t client, struct err *err)
{
	const struct swarm_driver *driver = swarm->driver;
	struct swarm_link *link = &swarm->nodes[0]->links[client];
	struct buf *bytes = NULL;
	uint64_t now_ns = swarm->now_ns;

	if (link->ring.size < swarm->depth)
		ring_grow(&link->ring, swarm->depth);
	link->ring.head = 0;
	size_t count =
	    driver->batch(driver->ctx, client, now_ns, swarm->depth, link->ring.ops, &bytes);
	swarm->over = count < swarm->depth;
	if (count == 0)
		return 0;
	/* Preparing a batch takes time that is not the server's. */
	if (count > 1)
		now_ns = clock_mono_ns();
	take_batch(link, count, now_ns);
	if (swarm_offer(link, bytes, err) == 0)
		return 0;
	swarm->failed = link->node;
	return -1;
}

int swarm_refill(struct swarm *swarm, size_t client, struct err *err)
{
	return swarm->slots ? spread_batch(swarm, client, err) : send_batch(swarm, client, err);
}

static int serve(struct swarm_link *link, uint32_t events, struct err *err)
{
	struct swarm *swarm = link->swarm;

	if ((events & EPOLLOUT) && swarm_flush(link, err) != 0) {
		swarm->failed = link->node;
		return -1;
	}
	if ((events & ~(uint32_t)EPOLLOUT) &&
	    swarm_receive(link, events & EPOLLRDHUP, err) != 0)
		return -1;
	/* At one server a batch ends with its tails: send_batch begins the ring anew. */
	if (!swarm->driver->due && swarm->lanes[link->client] == 0 && !swarm->over &&
	    (swarm->slots || link->ring.count == 0))
		return swarm_refill(swarm, link->client, err);
	return 0;
}

static bool has_room(const struct swarm *swarm, size_t client)
{
	if (swarm->lanes[client] >= QUEUE_OPS)
		return false;
	for (size_t i = 0; i < swarm->node_count; i++)
		if (swarm->nodes[i]->links[client].filling.len >= QUEUE_BYTES)
			return false;
	return true;
}

/* The next client in turn that has room for another command; swarm->clients: none. */
static size_t with_room(struct swarm *swarm)
{
	for (size_t tried = 0; tried < swarm->clients; tried++) {
		size_t client = swarm->turn;

		swarm->turn = swarm->turn + 1 == swarm->clients ? 0 : swarm->turn + 1;
		if (has_room(swarm, client))
			return client;
	}
	return swarm->clients;
}

/* Open loop: sends what is due. */
static int send_due(struct swarm *swarm, struct err *err)
{
	uint64_t now_ns = clock_mono_ns();

	while (!swarm->over && swarm->due_ns <= now_ns) {
		size_t client = with_room(swarm);

		swarm->blocked = client == swarm->clients;
		if (swarm->blocked || !queue_next(swarm, client, swarm->due_ns, now_ns))
			break;
		if (!swarm->slots)
			swarm_mark(&swarm->nodes[0]->links[client]);
		swarm->due_ns = swarm->driver->due(swarm->driver->ctx);
		if (swarm->due_ns == SWARM_NEVER)
			swarm->over = true;
	}
	return dispatch_dirty(swarm, now_ns, err);
}

static int check_progress(struct swarm *swarm, uint64_t now_ns, struct err *err)
{
	uint64_t limit_ms = swarm->target->timeout_ms;

	for (size_t i = 0; i < swarm->node_count; i++) {
		const struct swarm_node *node = swarm->nodes[i];

		if (node->under_way == 0 || now_ns < node->progress_ns ||
		    (now_ns - node->progress_ns) / 1000000 < limit_ms)
			continue;
		swarm->failed = node;
		return err_set(err, ERR_REDIS,
			       "no answer for %llu ms with %zu commands under way (--timeout)",
			       (unsigned long long)limit_ms, node->under_way);
	}
	return 0;
}

/* Of a cluster: what was redirected goes on. */
static int pump(struct swarm *swarm, struct err *err)
{
	if (!swarm->pump)
		return 0;
	uint64_t now_ns = clock_mono_ns();
	if (swarm_route_pump(swarm, now_ns, err) != 0)
		return -1;
	return dispatch_dirty(swarm, now_ns, err);
}

/* 0 to go on, 1 when the driver wants to end, -1. */
static int between_turns(struct swarm *swarm, const volatile int *cancel, int ready,
			 struct err *err)
{
	const struct swarm_driver *driver = swarm->driver;

	if (cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED))
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	uint64_t now_ns = ready > 0 ? swarm->now_ns : clock_mono_ns();
	if (driver->turn && !driver->turn(driver->ctx, now_ns))
		return 1;
	/* One of several nodes may be silent while the others talk. */
	return ready > 0 && swarm->node_count == 1 ? 0 : check_progress(swarm, now_ns, err);
}

/* How many connections had something to tell, or -1. */
static int watch(struct swarm *swarm, struct err *err)
{
	struct epoll_event events[SWARM_EVENTS];
	int ready = swarm_wait(swarm, events);

	if (ready < 0)
		return errno == EINTR ? 0
				      : err_set(err, ERR_REDIS, "epoll: %s", strerror(errno));
	for (int i = 0; i < ready; i++)
		if (serve(events[i].data.ptr, events[i].events, err) != 0)
			return -1;
	return ready;
}

static int loop(struct swarm *swarm, const volatile int *cancel, struct err *err)
{
	while (!swarm->over || swarm->under_way > 0) {
		int ready = swarm->in_order ? swarm_order_turn(swarm, err) : watch(swarm, err);

		if (ready < 0)
			return -1;
		if (swarm->driver->due && send_due(swarm, err) != 0)
			return -1;
		if (pump(swarm, err) != 0)
			return -1;
		int verdict = between_turns(swarm, cancel, ready, err);
		if (verdict != 0)
			return verdict < 0 ? -1 : 0;
	}
	return 0;
}

static void lose(struct swarm_link *link, const struct reply *lost, uint64_t now_ns)
{
	const struct swarm_driver *driver = link->swarm->driver;
	struct swarm_ring *ring = &link->ring;

	for (; ring->count > 0; ring->count--, ring->head++) {
		struct swarm_op *op = &ring->ops[ring->head & (ring->size - 1)];

		op->node = (uint16_t)link->node->index;
		if (!op->internal)
			driver->done(driver->ctx, op, lost, now_ns);
	}
}

static void lose_parked(struct swarm *swarm, struct swarm_parking *parking,
			const struct reply *lost, uint64_t now_ns)
{
	for (size_t i = 0; i < parking->count; i++) {
		struct swarm_op *op = &parking->items[i].op;

		if (op->sent_ns == 0 && !swarm->driver->due)
			op->due_ns = now_ns;
		swarm->driver->done(swarm->driver->ctx, op, lost, now_ns);
	}
	parking->count = 0;
}

static void give_up(struct swarm *swarm, const struct err *why)
{
	const struct reply lost = {.type = REPLY_LOST, .text = bytes_of(why->text)};
	uint64_t now_ns = clock_mono_ns();

	for (size_t n = 0; n < swarm->node_count; n++)
		for (size_t i = 0; i < swarm->clients; i++)
			lose(&swarm->nodes[n]->links[i], &lost, now_ns);
	lose_parked(swarm, &swarm->returned, &lost, now_ns);
	lose_parked(swarm, &swarm->waiting, &lost, now_ns);
	swarm->under_way = 0;
}

static int start(struct swarm *swarm, struct err *err)
{
	swarm_wait_begin();
	swarm->now_ns = clock_mono_ns();
	if (swarm->driver->due) {
		swarm->due_ns = swarm->driver->due(swarm->driver->ctx);
		swarm->over = swarm->due_ns == SWARM_NEVER;
		return 0;
	}
	swarm->turn = 0;
	for (size_t i = 0; i < swarm->clients; i++) {
		swarm->now_ns = clock_mono_ns();
		if (swarm_refill(swarm, i, err) != 0)
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
		target_describe(swarm->failed ? &swarm->failed->target : swarm->target,
				&server);
		err_wrap(&why, "redis %s", buf_str(&server));
		buf_release(&server);
	}
	if (err)
		*err = why;
	return -1;
}
