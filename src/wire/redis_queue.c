#include "wire/redis_queue.h"

#include "base/clock.h"
#include "wire/resp.h"
#include "wire/target.h"

#include <stdlib.h>
#include <string.h>

static struct redis_pending *slot(const struct redis_ring *ring, size_t index)
{
	return &ring->slots[(ring->head + index) & (ring->size - 1)];
}

static void grow(struct redis_ring *ring)
{
	size_t size = ring->size ? ring->size * 2 : 256;
	struct redis_pending *slots = mem_resize(NULL, size, sizeof *slots);

	for (size_t i = 0; i < ring->count; i++)
		slots[i] = *slot(ring, i);
	free(ring->slots);
	ring->slots = slots;
	ring->size = size;
	ring->head = 0;
}

/* Room for len bytes at the end of the queue. */
static char *add(struct redis *redis, const struct redis_command *command, size_t len)
{
	struct redis_ring *ring = &redis->ring;
	struct redis_pending pending = {
	    .len = len,
	    .expect = command->expect,
	    .weight = command->weight ? command->weight : 1,
	    .flags = command->flags,
	    .fn = command->fn,
	    .ctx = command->ctx,
	};

	pending.block = outq_add(&redis->out, len, &pending.at);
	if (ring->count == ring->size)
		grow(ring);
	*slot(ring, ring->count++) = pending;
	return pending.block->data + pending.at;
}

void redis_queue_add(struct redis *redis, const struct redis_command *command)
{
	size_t len = resp_command_size(command->argv, command->argc);

	resp_command_write(add(redis, command, len), command->argv, command->argc);
}

void redis_queue_add_raw(struct redis *redis, const struct redis_command *command,
			 struct bytes raw)
{
	memcpy(add(redis, command, raw.len), raw.ptr, raw.len);
}

/* A window as it is lasts a server about a long trip: a shorter one does not keep it waiting.
 */
#define STRETCH_MOST 16
#define STRETCH_REPLIES_MOST 4 /* what the server buffers counts against its maxmemory */

/* A limit as the trip stretches it. */
static size_t stretched(const struct redis *redis, size_t limit, size_t most)
{
	uint64_t trips = redis->trip_ns / REDIS_LONG_TRIP_NS;

	if (!redis->limits.stretch || redis->trip_ns == UINT64_MAX || trips < 2)
		return limit;
	return limit * (trips < most ? (size_t)trips : most);
}

static bool fits(const struct redis *redis, const struct redis_pending *pending)
{
	const struct redis_limits *limits = &redis->limits;

	return redis->flying_commands + pending->weight <=
		   stretched(redis, limits->commands, STRETCH_MOST) &&
	       redis->flying_bytes + pending->len <=
		   stretched(redis, limits->sent_bytes, STRETCH_MOST) &&
	       redis->flying_expect + pending->expect <=
		   stretched(redis, limits->reply_bytes, STRETCH_REPLIES_MOST);
}

void redis_queue_grant(struct redis *redis)
{
	struct redis_ring *ring = &redis->ring;

	/* What is held back goes before all that is new. */
	while (redis->refused == 0 && ring->granted < ring->count) {
		struct redis_pending *pending = slot(ring, ring->granted);

		if (pending->block) {
			if (redis->flying_commands > 0 && !fits(redis, pending))
				return;
			pending->flying = true;
			pending->alone_ns = redis->flying_commands == 0 ? clock_mono_ns() : 0;
			redis->flying_commands += pending->weight;
			redis->flying_bytes += pending->len;
			redis->flying_expect += pending->expect;
			outq_grant(pending->block, pending->at + pending->len);
		}
		ring->granted++;
	}
}

bool redis_queue_has_room(const struct redis *redis)
{
	const struct redis_limits *limits = &redis->limits;

	if (redis->ring.granted < redis->ring.count)
		return false;
	return redis->flying_commands == 0 ||
	       (redis->flying_commands <=
		    stretched(redis, limits->commands, STRETCH_MOST) / 2 &&
		redis->flying_bytes <= stretched(redis, limits->sent_bytes, STRETCH_MOST) / 2 &&
		redis->flying_expect <=
		    stretched(redis, limits->reply_bytes, STRETCH_REPLIES_MOST) / 2);
}

/* Takes the oldest command off before its callback runs: that may submit. */
static void pop(struct redis *redis, const struct reply *reply)
{
	struct redis_ring *ring = &redis->ring;
	struct redis_pending pending = *slot(ring, 0);

	ring->head++;
	ring->count--;
	if (ring->granted > 0)
		ring->granted--;
	if (redis->refused > 0)
		redis->refused--;
	redis->counts.replies++;
	if (pending.alone_ns && reply->type != REPLY_LOST) {
		uint64_t took = clock_mono_ns() - pending.alone_ns;

		redis->trip_ns = took < redis->trip_ns ? took : redis->trip_ns;
		redis->trips++;
	}
	redis->in_callback = true;
	redis->answering = &pending;
	if (redis->router)
		redis->router->in_callback = true;
	if (pending.fn)
		pending.fn(pending.ctx, reply);
	redis->answering = NULL;
	redis->in_callback = false;
	if (redis->router)
		redis->router->in_callback = false;
}

static void pop_lost(struct redis *redis)
{
	struct reply lost = {.type = REPLY_LOST, .text = bytes_of(redis->fault.text)};

	while (redis->ring.count > 0 && !slot(&redis->ring, 0)->block)
		pop(redis, &lost);
}

void redis_queue_add_lost(struct redis *redis, const struct redis_command *command)
{
	struct redis_ring *ring = &redis->ring;

	if (!err_is_set(&redis->fault))
		err_set(&redis->fault, ERR_REDIS, "the connection was closed");
	if (ring->count == ring->size)
		grow(ring);
	*slot(ring, ring->count++) =
	    (struct redis_pending){.fn = command->fn, .ctx = command->ctx};
	redis_queue_grant(redis);
	pop_lost(redis);
}

/* Where the transport may have sent up to: TLS encrypts and sends parts of an unfinished offer.
 */
static bool started(const struct redis *redis, const struct redis_pending *pending)
{
	const struct outq_block *block = pending->block;

	return pending->at < (redis->target->tls ? block->offered : block->sent);
}

struct bytes redis_queue_raw(const struct redis *redis, bool *ret_started)
{
	const struct redis_pending *pending = redis->answering;

	*ret_started = !pending->block || started(redis, pending);
	if (!pending->block)
		return (struct bytes){0};
	return (struct bytes){pending->block->data + pending->at, pending->len};
}

/* True when all that was sent may be sent again, so that its order holds. */
static bool is_repeatable(const struct redis *redis)
{
	const struct redis_ring *ring = &redis->ring;

	for (size_t i = 0; i < ring->granted; i++) {
		const struct redis_pending *pending = slot(ring, i);

		if (!pending->block || (pending->flags & REDIS_BOUND) ||
		    (started(redis, pending) && !(pending->flags & REDIS_IDEMPOTENT)))
			return false;
	}
	return true;
}

/*
 * A server that loads its data, or runs a long script, answers if asked again a while later;
 * behind sentinels another server may be the primary by now. What was refused so was not
 * carried out.
 */
static bool is_refused(const struct redis *redis, const struct reply *reply)
{
	switch (reply_error_kind(reply)) {
	case REPLY_ERR_LOADING:
	case REPLY_ERR_BUSY:
		return !redis->impatient;
	case REPLY_ERR_READONLY:
		return redis->target->sentinel != NULL;
	default:
		return false;
	}
}

static int put_off(struct redis *redis, const struct reply *reply)
{
	err_set(&redis->fault, ERR_REDIS, "%.*s (%s)",
		BYTES_ARG(bytes_sub(reply->text, 0, 200)),
		redis_remedy(reply_error_kind(reply)));
	redis->put_off = reply_error_kind(reply);
	return -1;
}

bool redis_queue_is_put_off(const struct redis *redis, struct err *err)
{
	if (redis->put_off == REPLY_ERR_NONE)
		return false;
	*err = redis->fault;
	return true;
}

static void land(struct redis *redis, struct redis_pending *pending)
{
	if (!pending->flying)
		return;
	pending->flying = false;
	redis->flying_commands -= pending->weight;
	redis->flying_bytes -= pending->len;
	redis->flying_expect -= pending->expect;
}

void redis_queue_turn(struct redis *redis)
{
	if (!redis->limits.in_turns || redis->ring.granted == 0 ||
	    !slot(&redis->ring, 0)->flying)
		return;
	for (size_t i = 0; i < redis->ring.granted; i++)
		land(redis, slot(&redis->ring, i));
	redis_queue_grant(redis);
	redis_flush(redis);
}

/* The reply that those who are held back got, as if it came now. */
static struct reply refusal(const struct redis *redis)
{
	return (struct reply){.type = REPLY_ERROR, .text = buf_bytes(&redis->refusal)};
}

static void deliver(struct redis *redis, const struct reply *reply)
{
	struct redis_ring *ring = &redis->ring;

	land(redis, slot(ring, 0));
	pop(redis, reply);
	outq_answered(&redis->out);
	pop_lost(redis);
}

/*
 * Whoever is refused is held back until the others that were sent have their answers: if all
 * of them are refused, nothing ran, and they go again in their order.
 */
static int hold_back(struct redis *redis, const struct reply *reply)
{
	struct redis_ring *ring = &redis->ring;

	if (redis->refused++ == 0) {
		buf_clear(&redis->refusal);
		buf_add(&redis->refusal, reply->text);
	}
	if (redis->refused < ring->granted && started(redis, slot(ring, redis->refused)))
		return 0;
	return put_off(redis, reply);
}

/*
 * The server has come back in the middle of what was sent. A reading may come twice; else what
 * was refused can no longer go before what ran, and is told so.
 */
static int let_go(struct redis *redis, const struct redis_pending *pending)
{
	struct reply refused = refusal(redis);

	if (pending->flags & REDIS_IDEMPOTENT ||
	    reply_error_kind(&refused) == REPLY_ERR_READONLY)
		return put_off(redis, &refused);
	while (redis->refused > 0)
		deliver(redis, &refused);
	return 0;
}

int redis_queue_answer(struct redis *redis, const struct reply *reply)
{
	struct redis_ring *ring = &redis->ring;
	struct redis_pending *pending =
	    ring->granted > redis->refused ? slot(ring, redis->refused) : NULL;

	if (!pending || !pending->block || !started(redis, pending))
		return -1;
	if (is_refused(redis, reply) && !(pending->flags & REDIS_BOUND))
		return is_repeatable(redis) ? put_off(redis, reply) : hold_back(redis, reply);
	if (is_refused(redis, reply) && reply_error_kind(reply) == REPLY_ERR_READONLY)
		redis->demoted = true;
	if (redis->refused > 0 && let_go(redis, pending) != 0)
		return -1;
	redis->give_up_ms = redis->ill_ms = redis->due_ms = 0;
	redis->retries = 0;
	redis_queue_turn(redis);
	deliver(redis, reply);
	if (ring->granted < ring->count)
		redis_queue_grant(redis);
	return 0;
}

/* The server's last word on it is that it was refused. */
static bool was_refused(const struct redis *redis, size_t index)
{
	const struct redis_pending *pending = slot(&redis->ring, index);

	return index < redis->refused || (pending->refused && !started(redis, pending));
}

void redis_queue_restart(struct redis *redis)
{
	struct outq old = redis->out;

	redis->out = (struct outq){0};
	for (size_t i = 0; i < redis->ring.count; i++) {
		struct redis_pending *pending = slot(&redis->ring, i);

		pending->flying = false;
		if (!pending->block)
			continue;
		pending->refused = was_refused(redis, i);
		if ((pending->flags & REDIS_BOUND) ||
		    (started(redis, pending) && !(pending->flags & REDIS_IDEMPOTENT) &&
		     !pending->refused))
			pending->block = NULL;
		else
			pending->block = outq_move(&redis->out, pending->block, pending->at,
						   pending->len, &pending->at);
	}
	outq_release(&old);
	redis->ring.granted = redis->refused = 0;
	redis->flying_commands = redis->flying_bytes = redis->flying_expect = 0;
	pop_lost(redis);
	redis_queue_grant(redis);
}

void redis_queue_abandon(struct redis *redis)
{
	struct reply lost = {.type = REPLY_LOST, .text = bytes_of(redis->fault.text)};
	struct reply refused = refusal(redis);
	struct redis_ring *ring = &redis->ring;

	for (size_t i = 0; i < ring->count; i++)
		if (slot(ring, i)->block)
			slot(ring, i)->refused = was_refused(redis, i);
	struct outq old = redis->out;
	redis->out = (struct outq){0};
	ring->granted = redis->refused = 0;
	redis->flying_commands = redis->flying_bytes = redis->flying_expect = 0;
	redis->abandoning = true;
	while (ring->count > 0)
		pop(redis, slot(ring, 0)->block && slot(ring, 0)->refused ? &refused : &lost);
	redis->abandoning = false;
	outq_release(&old);
}

void redis_queue_release(struct redis *redis)
{
	outq_release(&redis->out);
	free(redis->ring.slots);
	buf_release(&redis->refusal);
}
