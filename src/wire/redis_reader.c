/* A session that reads replicas: of one server here, of a cluster's nodes in cluster_nodes.c.
 */
#include "base/buf.h"
#include "wire/cluster.h"
#include "wire/redis_link.h"
#include "wire/replica.h"
#include "wire/route.h"
#include "wire/sentinel.h"
#include "wire/target.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	struct mem_arena arena;  /* of the strings below */
	struct target replica;   /* the session's target once one was chosen */
	const struct target *of; /* the caller's */
	bool is_replica;
	struct buf primary;
	int64_t behind;
	struct buf why;
};

struct redis *redis_new_reader(const struct target *target, const volatile int *cancel)
{
	struct redis *redis = redis_new(target, cancel);

	redis->reads_only = true;
	redis->reader = mem_zalloc(1, sizeof *redis->reader);
	redis->reader->of = target;
	redis->reader->behind = -1;
	return redis;
}

struct redis *redis_new_beside(const struct redis *redis, const volatile int *cancel)
{
	return redis->reader ? redis_new_reader(redis->reader->of, cancel)
			     : redis_new(redis->target, cancel);
}

void redis_reader_free(struct reader *reader)
{
	if (!reader)
		return;
	mem_arena_release(&reader->arena);
	buf_release(&reader->primary);
	buf_release(&reader->why);
	free(reader);
}

int redis_reader_check(struct redis *redis, struct bytes name, struct err *err)
{
	if (route_is_read(name))
		return 0;
	err_set(&redis->fault, ERR_REDIS, "'%.*s' is no read: it is not sent to a replica",
		BYTES_ARG(name));
	return err_set(err, ERR_REDIS, "%s", redis->fault.text);
}

bool redis_is_reader(const struct redis *redis)
{
	return redis->reader != NULL;
}

/* The target with another place. */
static struct target at_place(const struct target *target, const struct replica_place *place)
{
	struct target at = *target;

	at.sentinel = NULL;
	at.must_be_primary = false;
	at.socket = NULL;
	memcpy(&at.host, &place->host, sizeof at.host); /* borrowed, never written to */
	at.port = place->port;
	return at;
}

/* The user named a replica: that one. */
static void stay(struct reader *reader, const struct replica_word *word)
{
	const struct target primary = at_place(reader->of, &word->primary);

	reader->is_replica = true;
	target_describe_place(&primary, &reader->primary);
	if (!word->is_linked)
		buf_printf(&reader->why, "its link to its primary %s is down: it may be old",
			   buf_str(&reader->primary));
}

static void choose(struct redis *redis, const struct target *primary,
		   const struct replica_places *places)
{
	struct reader *reader = redis->reader;
	struct target *candidates =
	    mem_arena_alloc(&reader->arena, (places->count + 1) * sizeof *candidates);

	for (size_t i = 0; i < places->count; i++)
		candidates[i] = at_place(reader->of, &places->ptr[i]);
	size_t chosen = replica_choose(primary, candidates, places->count, redis->cancel,
				       &reader->behind, &reader->why);
	if (chosen == places->count)
		return;
	redis_link_close(redis);
	reader->is_replica = true;
	reader->replica = candidates[chosen];
	target_describe_place(primary, &reader->primary);
	redis->target = &reader->replica;
}

int redis_reader_settle(struct redis *redis, struct err *err)
{
	struct reader *reader = redis->reader;
	struct target primary = sentinel_found(reader->of);
	struct replica_word word;
	struct err why = {0};

	if (reader->of->sentinel) {
		if (sentinel_replicas(reader->of, redis->cancel, &reader->arena, &word.replicas,
				      &why) == 0)
			choose(redis, &primary, &word.replicas);
	} else if (replica_look(&primary, redis->cancel, &reader->arena, &word, &why) == 0) {
		if (word.is_replica)
			stay(reader, &word);
		else
			choose(redis, &primary, &word.replicas);
	}
	if (why.kind == ERR_INTERRUPTED || (redis->cancel && *redis->cancel))
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (err_is_set(&why))
		buf_add_str(&reader->why, why.text);
	return redis->transport || redis_link_open(redis, err) == 0
		   ? 0
		   : redis_link_fail(redis, err);
}

int redis_reader_choose_again(struct redis *redis, struct err *err)
{
	struct reader *reader = redis->reader;

	redis_link_close(redis);
	redis->target = reader->of;
	redis->settled = redis->was_open = false;
	reader->is_replica = false;
	reader->behind = -1;
	buf_clear(&reader->primary);
	buf_clear(&reader->why);
	return redis_connect(redis, err);
}

void redis_place(struct redis *redis, size_t index, struct redis_place *ret_place)
{
	const struct reader *reader = redis->reader;

	if (redis->cluster) {
		cluster_place(redis->cluster, index, ret_place);
		return;
	}
	*ret_place = (struct redis_place){
	    .target = redis->target,
	    .is_replica = reader->is_replica,
	    .primary = reader->is_replica ? buf_str(&reader->primary) : NULL,
	    .behind = reader->behind,
	    .why = reader->why.len ? buf_str(&reader->why) : NULL,
	};
}

struct redis *redis_node_primary(struct redis *redis, size_t index)
{
	return redis->cluster ? cluster_primary_of(redis->cluster, index) : redis;
}
