#ifndef TESTS_UNIT_FLEET_H
#define TESTS_UNIT_FLEET_H

#include "client.h"
#include "server.h"

#include "wire/redis_private.h"
#include "wire/slot.h"

/*
 * A Redis Cluster of real servers: primaries that share the slots evenly, and,
 * behind them in the array, a replica of each when asked for.
 */
#define FLEET_MAX 8
#define FLEET_PRIMARIES 3
struct fleet {
	struct server servers[FLEET_MAX];
	struct client clients[FLEET_MAX]; /* each at its node alone */
	size_t count;
};

/* Nodes ask each other twice in this time; who is not heard of for so long is suspected. */
#define FLEET_TALKATIVE_MS "2000"

/* A command to one node, printf-formatted; words are split at blanks. The reply's text. */
static inline const struct reply *fleet_say(struct fleet *fleet, size_t node,
					    const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline const struct reply *fleet_say(struct fleet *fleet, size_t node,
					    const char *format, ...)
{
	static const struct reply none = {.type = REPLY_LOST};
	const struct reply *reply = &none;
	struct client *client = &fleet->clients[node];
	struct bytes argv[16];
	size_t argc = 0;
	char line[512];
	char *rest = line;
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	for (char *word; argc < 16 && (word = strtok_r(rest, " ", &rest));)
		argv[argc++] = bytes_of(word);
	redis_call(client->redis, argv, argc, REDIS_IDEMPOTENT, &reply, &client->err);
	return reply;
}

static inline bool fleet_says(struct fleet *fleet, size_t node, const char *command,
			      const char *part)
{
	const struct reply *reply = fleet_say(fleet, node, "%s", command);

	return reply->type == REPLY_STRING &&
	       memmem(reply->text.ptr, reply->text.len, part, strlen(part));
}

static inline bool fleet_agrees(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->count; i++) {
		char known[48];

		snprintf(known, sizeof known, "known_nodes:%zu", fleet->count);
		if (!fleet_says(fleet, i, "CLUSTER INFO", "cluster_state:ok") ||
		    !fleet_says(fleet, i, "CLUSTER INFO", "slots_pfail:0") ||
		    !fleet_says(fleet, i, "CLUSTER INFO", "slots_fail:0") ||
		    !fleet_says(fleet, i, "CLUSTER INFO", known))
			return false;
	}
	return true;
}

static inline void fleet_id(struct fleet *fleet, size_t node, char ret_id[48])
{
	const struct reply *reply = fleet_say(fleet, node, "CLUSTER MYID");

	snprintf(ret_id, 48, "%.*s", BYTES_ARG(reply->text));
}

/* The node that serves a slot, by the even sharing it began with. */
static inline size_t fleet_owner(unsigned slot)
{
	size_t node = slot / (SLOT_COUNT / FLEET_PRIMARIES);

	return node < FLEET_PRIMARIES ? node : FLEET_PRIMARIES - 1;
}

static inline bool fleet_replicates(struct fleet *fleet, size_t node)
{
	return fleet_says(fleet, node, "INFO replication", "master_link_status:up");
}

/* Of those that run. */
static inline void fleet_set(struct fleet *fleet, const char *timeout_ms,
			     const char *no_failover)
{
	for (size_t i = 0; i < fleet->count; i++)
		if (fleet->servers[i].pid > 0)
			fleet_say(
			    fleet, i,
			    "CONFIG SET cluster-node-timeout %s cluster-replica-no-failover %s",
			    timeout_ms, no_failover);
}

/* From now on the test's time; unless one was just suspected, who then would be as long. */
static inline bool fleet_settles(struct fleet *fleet, const char *node_timeout_ms)
{
	if (!fleet_agrees(fleet))
		return false;
	fleet_set(fleet, node_timeout_ms, "no");
	if (fleet_agrees(fleet))
		return true;
	fleet_set(fleet, FLEET_TALKATIVE_MS, "yes");
	return false;
}

static inline void fleet_connect(struct fleet *fleet, size_t node)
{
	client_unix(&fleet->clients[node], &fleet->servers[node], 0);
	fleet->clients[node].redis->settled = true; /* to this node alone */
}

static inline void fleet_start(struct fleet *fleet, bool replicas, const char *node_timeout_ms)
{
	const char *const extra[] = {"--cluster-enabled",
				     "yes",
				     "--cluster-node-timeout",
				     FLEET_TALKATIVE_MS,
				     "--cluster-replica-no-failover",
				     "yes",
				     "--repl-diskless-sync-delay",
				     "0",
				     NULL};
	unsigned share = SLOT_COUNT / FLEET_PRIMARIES;

	*fleet = (struct fleet){.count = replicas ? 2 * FLEET_PRIMARIES : FLEET_PRIMARIES};
	for (size_t i = 0; i < fleet->count; i++) {
		server_start(&fleet->servers[i], true, extra);
		fleet_connect(fleet, i);
	}
	for (unsigned i = 0; i < FLEET_PRIMARIES; i++)
		fleet_say(fleet, i, "CLUSTER ADDSLOTSRANGE %u %u", i * share,
			  i + 1 < FLEET_PRIMARIES ? (i + 1) * share - 1 : SLOT_COUNT - 1);
	/* Else the nodes settle it by raising epochs, and a slot moved meanwhile comes back. */
	for (size_t i = 0; i < fleet->count; i++)
		fleet_say(fleet, i, "CLUSTER SET-CONFIG-EPOCH %zu", i + 1);
	for (size_t i = 1; i < fleet->count; i++)
		fleet_say(fleet, 0, "CLUSTER MEET 127.0.0.1 %u", fleet->servers[i].port);
	CHECK(SERVER_UNTIL(fleet_agrees(fleet)));
	for (size_t i = FLEET_PRIMARIES; i < fleet->count; i++) {
		char id[48];

		fleet_id(fleet, i - FLEET_PRIMARIES, id);
		CHECK(SERVER_UNTIL(fleet_say(fleet, i, "CLUSTER REPLICATE %s", id)->type ==
				   REPLY_STATUS));
		CHECK(SERVER_UNTIL(fleet_replicates(fleet, i)));
	}
	CHECK(SERVER_UNTIL(fleet_settles(fleet, node_timeout_ms)));
}

static inline void fleet_stop(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->count; i++) {
		client_close(&fleet->clients[i]);
		server_stop(&fleet->servers[i]);
	}
}

/* Moves a slot between primaries, its keys with it, as redis-cli --cluster reshard does. */
static inline void fleet_announce_move(struct fleet *fleet, unsigned slot, size_t from,
				       size_t to)
{
	char source[48];
	char target[48];

	fleet_id(fleet, from, source);
	fleet_id(fleet, to, target);
	CHECK_INT(fleet_say(fleet, to, "CLUSTER SETSLOT %u IMPORTING %s", slot, source)->type,
		  REPLY_STATUS);
	CHECK_INT(fleet_say(fleet, from, "CLUSTER SETSLOT %u MIGRATING %s", slot, target)->type,
		  REPLY_STATUS);
}

static inline void fleet_move_key(struct fleet *fleet, const char *key, size_t from, size_t to)
{
	CHECK_INT(fleet_say(fleet, from, "MIGRATE 127.0.0.1 %u %s 0 5000",
			    fleet->servers[to].port, key)
		      ->type,
		  REPLY_STATUS);
}

static inline void fleet_finish_move(struct fleet *fleet, unsigned slot, size_t from, size_t to)
{
	char target[48];

	fleet_id(fleet, to, target);
	fleet_say(fleet, to, "CLUSTER SETSLOT %u NODE %s", slot, target);
	fleet_say(fleet, from, "CLUSTER SETSLOT %u NODE %s", slot, target);
}

/* A line to a node from a connection of its own, which is left open; what it answers first. */
static inline int fleet_hail(struct fleet *fleet, size_t node, const char *line, char *answer,
			     size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", fleet->servers[node].socket);
	CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	CHECK(write(fd, line, strlen(line)) == (ssize_t)strlen(line));
	ssize_t len = answer ? read(fd, answer, size - 1) : 0;
	if (answer)
		answer[len > 0 ? len : 0] = '\0';
	return fd;
}

static inline bool fleet_hears(struct fleet *fleet, size_t node, const char *line,
			       const char *part)
{
	char answer[200];

	close(fleet_hail(fleet, node, line, answer, sizeof answer));
	return strstr(answer, part) != NULL;
}

/* A script that runs until it is killed. Returns its connection. */
static inline int fleet_keep_busy(struct fleet *fleet, size_t node)
{
	fleet_say(fleet, node, "CONFIG SET lua-time-limit 1");
	int fd = fleet_hail(fleet, node, "EVAL \"while true do end\" 0\r\n", NULL, 0);
	CHECK(SERVER_UNTIL(fleet_hears(fleet, node, "PING\r\n", "BUSY")));
	return fd;
}

static inline void fleet_let_be(struct fleet *fleet, size_t node, int fd)
{
	fleet_hears(fleet, node, "SCRIPT KILL\r\n", "OK");
	CHECK(SERVER_UNTIL(fleet_hears(fleet, node, "PING\r\n", "PONG")));
	close(fd);
}

#endif
