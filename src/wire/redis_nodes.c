/* The servers behind a session: one, or the nodes of a cluster. */
#include "wire/cluster.h"
#include "wire/redis.h"
#include "wire/redis_link.h"
#include "wire/redis_private.h"
#include "wire/slot.h"

size_t redis_nodes(struct redis *redis, struct err *err)
{
	if (redis_connect(redis, err) < 0)
		return 0;
	if (redis->cluster)
		cluster_renew(redis->cluster);
	return redis->cluster ? cluster_primaries(redis->cluster) : 1;
}

bool redis_is_cluster(const struct redis *redis)
{
	return redis->cluster != NULL;
}

#define TRIPS_LEAST 8

bool redis_is_far(struct redis *redis)
{
	bool far = redis->trips >= TRIPS_LEAST && redis->trip_ns >= REDIS_LONG_TRIP_NS;

	for (size_t i = 0; redis->cluster && i < cluster_primaries(redis->cluster); i++)
		far = far || redis_is_far(cluster_primary(redis->cluster, i));
	return far;
}

struct redis *redis_node(struct redis *redis, size_t index)
{
	return redis->cluster ? cluster_primary(redis->cluster, index) : redis;
}

int redis_recover(struct redis *redis, struct err *err)
{
	if (redis->cluster)
		return cluster_recover(redis->cluster, err);
	return redis->reader ? redis_reader_choose_again(redis, err)
			     : redis_connect(redis, err);
}

struct redis *redis_holder(struct redis *redis, struct bytes key, struct err *err)
{
	if (redis_connect(redis, err) < 0)
		return NULL;
	if (!redis->cluster)
		return redis;
	struct redis *owner = cluster_owner(redis->cluster, slot_of(key));
	if (!owner)
		err_set(err, ERR_REDIS, "no node of the cluster serves the key's slot %u",
			slot_of(key));
	return owner;
}
