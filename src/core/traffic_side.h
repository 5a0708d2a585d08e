#ifndef CORE_TRAFFIC_SIDE_H
#define CORE_TRAFFIC_SIDE_H

#include "core/traffic_private.h"

struct tap;

/*
 * The questions that a sample asks beside MONITOR: the state of keys, sizes,
 * the server's latency and what it buffers for us. Their names are spelled in
 * a pattern of capitals of this run, so that their echo in MONITOR's order is
 * known from everybody else's commands, also on a unix socket where all
 * clients look alike.
 */
#define SIDE_RING 8192
#define SIDE_NAME 16
#define SIDE_LATENCIES 1024

enum side_name { SIDE_LOOKUP, SIDE_STRLEN, SIDE_PING, SIDE_INFO, SIDE_CLIENT, SIDE_NAMES };

struct side_probe {
	uint64_t hash;
	bool answered;
	bool failed;
	int64_t value;
};

struct traffic_side {
	struct traffic_judge *judge;
	struct traffic *traffic;
	struct redis *redis;
	struct tap *events; /* keyspace notifications, or NULL */
	struct resp *event_reader;
	unsigned lookup; /* index of the command that looks a key up */
	char names[SIDE_NAMES][SIDE_NAME];
	struct side_probe probes[SIDE_RING]; /* in the order they were asked */
	size_t asked;
	size_t answered;
	size_t echoed;
	uint64_t sizes[SIDE_RING]; /* hashes of keys whose STRLEN is under way */
	size_t sizes_asked;
	size_t sizes_answered;
	bool denied;        /* no command that looks a key up is allowed */
	uint64_t limit_us;  /* of the latency */
	unsigned strikes;   /* answers over it, running */
	uint64_t pinged_us; /* when the PING under way went out, 0: none */
	uint32_t latencies[SIDE_LATENCIES];
	size_t latency_count;
	const uint64_t *monitor_id;
	uint64_t backlog; /* bytes that the server holds for the MONITOR client */
	int64_t evicted;  /* -1: not known */
	uint64_t look;    /* how often it looked around */
};

/* -1 with ERR_REDIS; side->denied: no question may be asked. */
int traffic_side_open(struct traffic_side *side, struct traffic_judge *judge,
		      const struct target *target, const struct traffic_options *options,
		      struct err *err);
void traffic_side_close(struct traffic_side *side);

enum side_echo { SIDE_FOREIGN, SIDE_OWN, SIDE_LAST, SIDE_BROKEN };
/* Whose command this line is; of an own question its answer is judged, at its place. */
enum side_echo traffic_side_echo(struct traffic_side *side,
				 const struct monitor_command *command, struct err *err);
int traffic_side_ask_last(struct traffic_side *side, struct err *err);
/* A PING, and now and then what the server buffers and evicts. */
int traffic_side_look(struct traffic_side *side, struct err *err);
/* Notifications that have come; and the descriptor they come on, -1: none. */
void traffic_side_hear(struct traffic_side *side);
int traffic_side_fd(const struct traffic_side *side);
/* Whether the process that wants the sample is stopped. */
bool traffic_side_parent_stopped(void);

#endif
