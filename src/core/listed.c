#include "core/listed.h"

#include "base/buf.h"
#include "base/clock.h"
#include "core/namespace.h"
#include "core/relation.h"
#include "core/store.h"

#include <inttypes.h>
#include <stdio.h>

const struct ns *listed_next(const struct nsset *set, const struct ns *ns,
			     const struct ns *after)
{
	for (size_t i = after ? after->index + 1 : 0; i < nsset_count(set); i++) {
		const struct ns *list = nsset_at(set, i);

		if (list->members_of == ns && relation_is_known(ns, list, list->member))
			return list;
	}
	return NULL;
}

/* The set's key, and which of key's values it lists. */
static int find(const struct nsset *set, const struct ns *ns, const struct ns *list,
		struct bytes key, struct buf *ret_key, struct bytes *ret_member,
		struct bytes *values, struct err *err)
{
	int member = template_var_index(ns->key, bytes_of(list->member));

	template_match(ns->key, key, values);
	*ret_member = values[member];
	return relation_follow(set, ns, values, list, list->member, values[member], ret_key,
			       err);
}

static void on_added(void *ctx, const struct reply *reply)
{
	struct listed *listed = ctx;

	/* a lost one is lost with the next, which tells it */
	if (reply->type != REPLY_INTEGER && reply_error_kind(reply) != REPLY_ERR_LOST)
		redis_fail(listed->redis, reply, "SADD", (struct bytes){NULL, 0}, &listed->err);
}

static void on_life(void *ctx, const struct reply *reply)
{
	struct listed *listed = ctx;

	if (listed->heard)
		*listed->heard = true;
	listed->fn(listed->ctx, reply);
}

static int submit_life(const struct ns *list, struct bytes key, const struct bytes *values,
		       struct listed *listed, struct err *err)
{
	int64_t ttl_ms = store_ttl_ms(list, values, -1, clock_wall_ms());
	char room[24];
	int len = snprintf(room, sizeof room, "%" PRId64, ttl_ms > 0 ? ttl_ms : 1);
	const struct bytes argv[] = {ttl_ms == STORE_TTL_NONE ? BYTES("PERSIST")
							      : BYTES("PEXPIRE"),
				     key,
				     {room, (size_t)len}};

	return redis_ask(listed->redis, argv, ttl_ms == STORE_TTL_NONE ? 2 : 3, 0, on_life,
			 listed, err);
}

int listed_add(struct redis *redis, const struct nsset *set, const struct ns *ns,
	       const struct ns *list, struct bytes key, struct listed *listed,
	       redis_reply_fn *fn, void *ctx, struct err *err)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	struct bytes of_set[TEMPLATE_VARS_MAX];
	struct bytes member = {NULL, 0};
	struct buf name = {0};
	bool heard = false;

	*listed = (struct listed){.redis = redis, .heard = &heard, .fn = fn, .ctx = ctx};
	int status = find(set, ns, list, key, &name, &member, values, err);
	if (status == 0) {
		const struct bytes argv[] = {BYTES("SADD"), buf_bytes(&name), member};
		struct redis_command command = {.argv = argv,
						.argc = 3,
						.flags = REDIS_IDEMPOTENT,
						.fn = on_added,
						.ctx = listed};

		template_match(list->key, buf_bytes(&name), of_set);
		status = redis_submit(redis, &command, err);
		if (status == 0)
			status = submit_life(list, buf_bytes(&name), of_set, listed, err);
	}
	buf_release(&name);
	if (heard) /* listed may be gone by now */
		return 0;
	listed->heard = NULL;
	return status;
}

int listed_remove(struct redis *redis, const struct nsset *set, const struct ns *ns,
		  const struct ns *list, struct bytes key, redis_reply_fn *fn, void *ctx,
		  struct err *err)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	struct bytes member = {NULL, 0};
	struct buf name = {0};
	int status = find(set, ns, list, key, &name, &member, values, err);

	if (status == 0) {
		const struct bytes argv[] = {BYTES("SREM"), buf_bytes(&name), member};
		struct redis_command command = {
		    .argv = argv, .argc = 3, .flags = REDIS_IDEMPOTENT, .fn = fn, .ctx = ctx};

		status = redis_submit(redis, &command, err);
	}
	buf_release(&name);
	return status;
}
