#include "core/look_again.h"

#include "base/err.h"
#include "wire/redis.h"

#define PAGE 512

struct looking {
	struct redis *redis;
	struct question {
		struct looking *looking;
		struct bytes key;
		uint64_t index;
	} questions[PAGE];
	size_t count;
	struct look_again *look;
	struct err err;
};

static void on_exists(void *ctx, const struct reply *reply)
{
	const struct question *question = ctx;
	struct looking *looking = question->looking;

	if (reply->type != REPLY_INTEGER) {
		if (!err_is_set(&looking->err))
			redis_fail(looking->redis, reply, "EXISTS", question->key,
				   &looking->err);
		return;
	}
	if (reply->integer > 0 && looking->look->back++ < LOOK_AGAIN_SAMPLES) {
		looking->look->indexes[looking->look->sample.count] = question->index;
		keylist_add(&looking->look->sample, question->key);
	}
}

static int look_at_page(struct looking *looking, struct err *err)
{
	for (size_t i = 0; i < looking->count; i++) {
		const struct bytes argv[] = {BYTES("EXISTS"), looking->questions[i].key};

		if (redis_ask(looking->redis, argv, 2, 0, on_exists, &looking->questions[i],
			      err) != 0)
			return -1;
	}
	looking->count = 0;
	return redis_settle(looking->redis, &looking->err, err);
}

int look_again(struct redis *redis, const struct keylist *list, struct look_again *ret_look,
	       struct err *err)
{
	struct looking looking = {.redis = redis, .look = ret_look};
	uint64_t index = 0;
	struct keylist_walk walk = {0};
	struct bytes key;

	while (keylist_next(list, &walk, &key)) {
		looking.questions[looking.count++] =
		    (struct question){.looking = &looking, .key = key, .index = index};
		index++;
		if (looking.count == PAGE && look_at_page(&looking, err) != 0)
			return -1;
	}
	return look_at_page(&looking, err);
}
