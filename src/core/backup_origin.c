#include "core/backup.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "core/server.h"
#include "wire/redis.h"
#include "wire/target.h"

#include <stdio.h>
#include <string.h>

static void copy(struct bytes info, const char *name, char *text, size_t size)
{
	struct bytes value = server_info_field(info, name);

	if (value.len && value.len < size) {
		memcpy(text, value.ptr, value.len);
		text[value.len] = '\0';
	}
}

static int64_t time_of(const struct reply *reply)
{
	int64_t seconds = 0, micros = 0;

	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    num_parse_i64(reply->items[0]->text, 0, INT64_MAX / 1000 - 1, &seconds) != 0 ||
	    num_parse_i64(reply->items[1]->text, 0, 999999, &micros) != 0)
		return (int64_t)clock_wall_ms();
	return seconds * 1000 + micros / 1000;
}

static void on_server(void *ctx, const struct reply *reply)
{
	struct backup_origin *origin = ctx;

	if (reply->type == REPLY_STRING)
		copy(reply->text, "run_id", origin->run_id, sizeof origin->run_id);
}

static void on_replication(void *ctx, const struct reply *reply)
{
	struct backup_origin *origin = ctx;

	if (reply->type != REPLY_STRING)
		return;
	copy(reply->text, "master_replid", origin->replid, sizeof origin->replid);
	copy(reply->text, "master_replid2", origin->replid2, sizeof origin->replid2);
}

static void on_time(void *ctx, const struct reply *reply)
{
	struct backup_origin *origin = ctx;

	origin->made_ms = time_of(reply);
}

/* In one round trip. */
static int ask(struct redis *redis, struct backup_origin *origin, struct err *err)
{
	static const struct {
		struct bytes argv[2];
		size_t argc;
		redis_reply_fn *fn;
	} questions[] = {
	    {{{"INFO", 4}, {"server", 6}}, 2, on_server},
	    {{{"INFO", 4}, {"replication", 11}}, 2, on_replication},
	    {{{"TIME", 4}, {NULL, 0}}, 1, on_time},
	};

	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		const struct redis_command command = {.argv = questions[i].argv,
						      .argc = questions[i].argc,
						      .flags = REDIS_IDEMPOTENT,
						      .fn = questions[i].fn,
						      .ctx = origin};

		if (redis_submit(redis, &command, err) != 0)
			return -1;
	}
	return redis_drain(redis, 0, err);
}

int backup_origin_ask(struct redis *redis, const char *what, struct backup_origin *ret_origin,
		      struct err *err)
{
	struct backup_origin origin = {0};
	struct buf target = {0};

	/* a cluster is known by its first primary */
	if (redis_nodes(redis, err) == 0)
		return -1;
	target_describe(redis_target(redis), &target);
	origin.db = redis_target(redis)->db;
	snprintf(origin.target, sizeof origin.target, "%s", buf_str(&target));
	buf_release(&target);
	snprintf(origin.what, sizeof origin.what, "%s", what);
	if (ask(redis_node(redis, 0), &origin, err) != 0)
		return -1;
	*ret_origin = origin;
	return 0;
}

int backup_clock_ask(struct redis *redis, int64_t *ret_ms, struct err *err)
{
	const struct reply *reply = NULL;

	if (redis_nodes(redis, err) == 0 ||
	    redis_call_words(redis_node(redis, 0), REDIS_IDEMPOTENT, &reply, err, "TIME",
			     NULL) != 0)
		return -1;
	*ret_ms = time_of(reply);
	return 0;
}

/* Redis fills an id that it does not have with zeros. */
static bool same(const char *a, const char *b)
{
	return a[0] && strspn(a, "0") != strlen(a) && strcmp(a, b) == 0;
}

bool backup_same_server(const struct backup_origin *a, const struct backup_origin *b)
{
	return same(a->run_id, b->run_id) || same(a->replid, b->replid) ||
	       same(a->replid, b->replid2) || same(a->replid2, b->replid);
}
