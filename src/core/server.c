#include "core/server.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "wire/redis.h"

#include <stdio.h>
#include <string.h>

struct bytes server_info_field(struct bytes info, const char *name)
{
	size_t name_len = strlen(name);

	while (info.len > 0) {
		size_t end = bytes_index(info, '\n');
		struct bytes line = bytes_sub(info, 0, end);

		if (line.len > name_len && line.ptr[name_len] == ':' &&
		    memcmp(line.ptr, name, name_len) == 0) {
			struct bytes value = bytes_sub(line, name_len + 1, line.len);

			if (value.len && value.ptr[value.len - 1] == '\r')
				value.len--;
			return value;
		}
		info = bytes_sub(info, end + 1, info.len);
	}
	return (struct bytes){NULL, 0};
}

static void copy_field(struct bytes info, const char *name, char *text, size_t size)
{
	struct bytes value = server_info_field(info, name);

	if (value.len >= size)
		value.len = size - 1;
	if (value.len)
		memcpy(text, value.ptr, value.len);
	text[value.len] = '\0';
}

/* What runs there: "server_name" and its own version. Redis says its version alone, and a
 * Valkey's redis_version is that of the Redis it is compatible with. */
static void copy_identity(struct bytes info, char *name, size_t name_size, char *version,
			  size_t version_size)
{
	char told[16], field[sizeof told + sizeof "_version"];

	copy_field(info, "redis_version", version, version_size);
	snprintf(name, name_size, "%s", version[0] ? "redis" : "");
	copy_field(info, "server_name", told, sizeof told);
	snprintf(field, sizeof field, "%s_version", told);
	if (!told[0] || server_info_field(info, field).len == 0)
		return;
	snprintf(name, name_size, "%s", told);
	copy_field(info, field, version, version_size);
}

static int64_t number_field(struct bytes info, const char *name)
{
	int64_t value = -1;

	if (num_parse_i64(server_info_field(info, name), INT64_MIN, INT64_MAX, &value) != 0)
		return -1;
	return value;
}

/* "slave0:ip=…,port=…,state=online,offset=…,lag=1" */
static int64_t slowest_replica(struct bytes info)
{
	int64_t slowest = -1;

	for (unsigned i = 0; i < 64; i++) {
		char name[16];
		int64_t lag = -1;

		snprintf(name, sizeof name, "slave%u", i);
		struct bytes line = server_info_field(info, name);
		const char *at = line.len ? memmem(line.ptr, line.len, "lag=", 4) : NULL;
		if (!at)
			break;
		struct bytes rest = bytes_sub(line, (size_t)(at - line.ptr) + 4, line.len);
		num_parse_i64(bytes_sub(rest, 0, bytes_index(rest, ',')), 0, INT64_MAX, &lag);
		slowest = lag > slowest ? lag : slowest;
	}
	return slowest;
}

void server_info_read(struct bytes info, struct server_info *ret_info)
{
	copy_identity(info, ret_info->name, sizeof ret_info->name, ret_info->version,
		      sizeof ret_info->version);
	copy_field(info, "role", ret_info->role, sizeof ret_info->role);
	copy_field(info, "maxmemory_policy", ret_info->policy, sizeof ret_info->policy);
	ret_info->uptime_s = number_field(info, "uptime_in_seconds");
	ret_info->clients = number_field(info, "connected_clients");
	ret_info->blocked_clients = number_field(info, "blocked_clients");
	ret_info->used_memory = number_field(info, "used_memory");
	ret_info->max_memory = number_field(info, "maxmemory");
	ret_info->peak_memory = number_field(info, "used_memory_peak");
	ret_info->ops_per_second = number_field(info, "instantaneous_ops_per_sec");
	ret_info->hits = number_field(info, "keyspace_hits");
	ret_info->misses = number_field(info, "keyspace_misses");
	ret_info->expired = number_field(info, "expired_keys");
	ret_info->evicted = number_field(info, "evicted_keys");
	ret_info->connected_replicas = number_field(info, "connected_slaves");
	ret_info->replica_lag_s = number_field(info, "master_last_io_seconds_ago");
	if (ret_info->replica_lag_s < 0) /* of a replica whose link is down */
		ret_info->replica_lag_s = number_field(info, "master_link_down_since_seconds");
	if (ret_info->replica_lag_s < 0)
		ret_info->replica_lag_s = slowest_replica(info);
	if (num_parse_real(server_info_field(info, "mem_fragmentation_ratio"), 0, 1e9,
			   &ret_info->fragmentation) != 0)
		ret_info->fragmentation = -1;
}

void server_info_clear(struct server_info *info)
{
	*info = (struct server_info){.keys = -1};
	server_info_read((struct bytes){NULL, 0}, info);
}

/* --- the sum of several --- */

static void add_text(char *sum, size_t size, const char *part)
{
	if (part[0] && strcmp(sum, part) != 0)
		snprintf(sum, size, "%s", sum[0] ? "mixed" : part);
}

static int64_t added(int64_t sum, int64_t part)
{
	return sum < 0 ? part : part < 0 ? sum : sum + part;
}

void server_info_add(struct server_info *sum, const struct server_info *part)
{
	double resident = sum->fragmentation * (double)sum->used_memory +
			  part->fragmentation * (double)part->used_memory;
	bool limited = sum->max_memory != 0 && part->max_memory != 0;

	add_text(sum->name, sizeof sum->name, part->name);
	add_text(sum->version, sizeof sum->version, part->version);
	add_text(sum->role, sizeof sum->role, part->role);
	add_text(sum->policy, sizeof sum->policy, part->policy);
	sum->denied = sum->denied || part->denied;
	if (sum->uptime_s < 0 || (part->uptime_s >= 0 && part->uptime_s < sum->uptime_s))
		sum->uptime_s = part->uptime_s;
	if (sum->fragmentation < 0 || sum->used_memory <= 0)
		sum->fragmentation = part->fragmentation;
	else if (part->fragmentation >= 0 && part->used_memory > 0)
		sum->fragmentation =
		    resident / ((double)sum->used_memory + (double)part->used_memory);
	sum->used_memory = added(sum->used_memory, part->used_memory);
	sum->max_memory = limited ? added(sum->max_memory, part->max_memory) : 0;
	sum->peak_memory = added(sum->peak_memory, part->peak_memory);
	sum->clients = added(sum->clients, part->clients);
	sum->blocked_clients = added(sum->blocked_clients, part->blocked_clients);
	sum->ops_per_second = added(sum->ops_per_second, part->ops_per_second);
	sum->hits = added(sum->hits, part->hits);
	sum->misses = added(sum->misses, part->misses);
	sum->expired = added(sum->expired, part->expired);
	sum->evicted = added(sum->evicted, part->evicted);
	sum->connected_replicas = added(sum->connected_replicas, part->connected_replicas);
	sum->keys = added(sum->keys, part->keys);
	if (part->replica_lag_s > sum->replica_lag_s)
		sum->replica_lag_s = part->replica_lag_s;
}

static bool is_denied(const struct reply *reply)
{
	enum reply_error kind = reply_error_kind(reply);

	return kind == REPLY_ERR_NOPERM || kind == REPLY_ERR_UNKNOWN_COMMAND;
}

int server_info(struct redis *redis, struct server_info *ret_info, struct err *err)
{
	const struct reply *reply = NULL;
	struct server_info info = {.fragmentation = -1, .keys = -1};

	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "INFO", NULL) != 0)
		return -1;
	info.denied = is_denied(reply);
	if (!info.denied && reply->type != REPLY_STRING)
		return redis_fail(redis, reply, "INFO", (struct bytes){NULL, 0}, err);
	server_info_read(info.denied ? (struct bytes){NULL, 0} : reply->text, &info);
	if (!info.denied && !info.version[0])
		return redis_fail(redis, reply, "INFO", (struct bytes){NULL, 0}, err);
	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "DBSIZE", NULL) != 0)
		return -1;
	if (reply->type == REPLY_INTEGER)
		info.keys = reply->integer;
	*ret_info = info;
	return 0;
}

int server_ping(struct redis *redis, unsigned count, struct server_ping *ret_ping,
		struct err *err)
{
	struct server_ping ping = {.min_us = UINT64_MAX};
	const struct reply *reply = NULL;
	uint64_t start = clock_mono_us();

	if (redis_connect(redis, err) != 0)
		return -1;
	ping.connect_us = clock_mono_us() - start;
	for (unsigned i = 0; i < count; i++) {
		start = clock_mono_us();
		if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "PING", NULL) != 0)
			return -1;
		uint64_t took = clock_mono_us() - start;

		if (reply->type == REPLY_ERROR && reply_error_kind(reply) != REPLY_ERR_NOPERM)
			return redis_fail(redis, reply, "PING", (struct bytes){NULL, 0}, err);
		ping.min_us = took < ping.min_us ? took : ping.min_us;
		ping.max_us = took > ping.max_us ? took : ping.max_us;
	}
	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "INFO", NULL) != 0)
		return -1;
	if (reply->type == REPLY_STRING) {
		copy_identity(reply->text, ping.name, sizeof ping.name, ping.version,
			      sizeof ping.version);
		copy_field(reply->text, "role", ping.role, sizeof ping.role);
	}
	*ret_ping = ping;
	return 0;
}
