#include "core/event_run.h"

#include "base/err.h"
#include "wire/redis.h"

/* One step's question. */
struct question {
	struct redis *redis;
	struct event_step *step;
	struct err *err; /* the first refusal */
};

static void on_exists(void *ctx, const struct reply *reply)
{
	const struct question *question = ctx;

	if (reply->type == REPLY_INTEGER)
		question->step->there = reply->integer ? EVENT_THERE : EVENT_NOT_THERE;
	else if (!err_is_set(question->err))
		redis_fail(question->redis, reply, "EXISTS", question->step->key,
			   question->err);
}

int event_look(struct redis *redis, const struct event_plan *plan, struct err *err)
{
	struct err refusal = {0};

	for (struct event_step *step = plan->first; step; step = step->next) {
		struct question *question = mem_arena_alloc(plan->arena, sizeof *question);
		const struct bytes argv[] = {BYTES("EXISTS"), step->key};
		const struct redis_command command = {.argv = argv,
						      .argc = 2,
						      .flags = REDIS_IDEMPOTENT,
						      .fn = on_exists,
						      .ctx = question};

		*question = (struct question){redis, step, &refusal};
		if (step->outcome == EVENT_SKIPPED || step->pattern || !step->ns)
			continue;
		if (redis_submit(redis, &command, err) != 0)
			return -1;
	}
	return redis_settle(redis, &refusal, err);
}
