#include "core/take_clock.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/take_private.h"

#include <stdlib.h>

struct take_clock {
	const struct redis *node;
	int64_t told_ms; /* 0: not */
	/* Our own clock then: its answer may be long here before the slowest node's is. */
	uint64_t heard_ms;
	struct err err;
};

static void on_time(void *ctx, const struct reply *reply)
{
	struct take_clock *clock = ctx;

	clock->heard_ms = clock_mono_ms();
	if (reply->type != REPLY_LOST && take_read_time(reply, &clock->told_ms) != 0)
		redis_fail(clock->node, reply, "TIME", (struct bytes){NULL, 0}, &clock->err);
}

int take_clocks_ask(struct take_clocks *clocks, struct redis *redis, struct err *err)
{
	const struct bytes argv[] = {BYTES("TIME")};

	take_clocks_release(clocks);
	clocks->count = redis_nodes(redis, err);
	if (clocks->count == 0)
		return -1;
	clocks->items = mem_zalloc(clocks->count, sizeof *clocks->items);
	for (size_t i = 0; i < clocks->count; i++) {
		struct redis *node = redis_node(redis, i);
		struct redis_command command = {.argv = argv,
						.argc = 1,
						.flags = REDIS_IDEMPOTENT,
						.fn = on_time,
						.ctx = &clocks->items[i]};

		clocks->items[i].node = node;
		if (redis_submit(node, &command, err) != 0)
			return -1;
	}
	if (redis_drain(redis, 0, err) != 0)
		return -1;
	for (size_t i = 0; i < clocks->count; i++) {
		clocks->lacking = clocks->lacking || clocks->items[i].told_ms == 0;
		if (err_is_set(&clocks->items[i].err)) {
			*err = clocks->items[i].err;
			return -1;
		}
	}
	return 0;
}

int64_t take_clocks_now(struct take_clocks *clocks, struct redis *redis, struct bytes key)
{
	struct err ignored = {0};
	const struct redis *holder = redis_holder(redis, key, &ignored);

	for (size_t i = 0; i < clocks->count; i++) {
		const struct take_clock *clock = &clocks->items[i];

		if (clock->node == holder && clock->told_ms != 0)
			return clock->told_ms + (int64_t)(clock_mono_ms() - clock->heard_ms);
	}
	clocks->lacking = true;
	return 0;
}

void take_clocks_release(struct take_clocks *clocks)
{
	free(clocks->items);
	*clocks = (struct take_clocks){0};
}
