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

int backup_origin_ask(struct redis *redis, const char *what, struct backup_origin *ret_origin,
		      struct err *err)
{
	struct backup_origin origin = {0};
	struct buf target = {0};
	const struct reply *reply = NULL;

	/* a cluster is known by its first primary */
	if (redis_nodes(redis, err) == 0)
		return -1;
	target_describe(redis_target(redis), &target);
	origin.db = redis_target(redis)->db;
	redis = redis_node(redis, 0);
	snprintf(origin.target, sizeof origin.target, "%s", buf_str(&target));
	buf_release(&target);
	snprintf(origin.what, sizeof origin.what, "%s", what);
	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "INFO", "server", NULL) != 0)
		return -1;
	if (reply->type == REPLY_STRING)
		copy(reply->text, "run_id", origin.run_id, sizeof origin.run_id);
	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "INFO", "replication",
			     NULL) != 0)
		return -1;
	if (reply->type == REPLY_STRING) {
		copy(reply->text, "master_replid", origin.replid, sizeof origin.replid);
		copy(reply->text, "master_replid2", origin.replid2, sizeof origin.replid2);
	}
	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "TIME", NULL) != 0)
		return -1;
	origin.made_ms = time_of(reply);
	*ret_origin = origin;
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
