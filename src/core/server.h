#ifndef CORE_SERVER_H
#define CORE_SERVER_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct redis;

/* Round trips and identity, for health checks. Empty strings: not allowed to ask. */
struct server_ping {
	char name[16]; /* "redis", "valkey": the server's own, as is its version */
	char version[32];
	char role[16];
	uint64_t connect_us;
	uint64_t min_us;
	uint64_t max_us;
};
int server_ping(struct redis *redis, unsigned count, struct server_ping *ret_ping,
		struct err *err);

/*
 * The figures of INFO that an operator asks for. Numbers are -1 when the
 * server did not say.
 */
struct server_info {
	bool denied;   /* this user may not run INFO: only keys is known */
	char name[16]; /* as server_ping's */
	char version[32];
	char role[16];
	char policy[32]; /* maxmemory_policy */
	int64_t uptime_s;
	int64_t clients;
	int64_t blocked_clients;
	int64_t used_memory;
	int64_t max_memory; /* 0: no limit */
	int64_t peak_memory;
	double fragmentation;
	int64_t ops_per_second;
	int64_t hits;
	int64_t misses;
	int64_t expired;
	int64_t evicted;
	int64_t connected_replicas;
	int64_t replica_lag_s; /* of a replica: since its last word from the primary; of a
				  primary: of the slowest of its replicas */
	int64_t keys;          /* DBSIZE of the selected db */
};
/* Nothing is known: every number -1, every text empty. */
void server_info_clear(struct server_info *info);
/* What an INFO text says; denied and keys are left as they are. */
void server_info_read(struct bytes info, struct server_info *ret_info);
/* Adds another server's: counts are summed, of times the greater (of uptime the lesser) and of
 * texts that differ "mixed" is what stands for both. */
void server_info_add(struct server_info *sum, const struct server_info *part);
int server_info(struct redis *redis, struct server_info *ret_info, struct err *err);
/* The value of "name:" in an INFO text, without the line end; empty when absent. */
struct bytes server_info_field(struct bytes info, const char *name);

#endif
