#ifndef CORE_TRAFFIC_PRIVATE_H
#define CORE_TRAFFIC_PRIVATE_H

#include "core/monitor.h"
#include "core/traffic.h"

struct redis;

/* --- followed keys (traffic_keys.c) --- */

enum key_state { KEY_UNKNOWN, KEY_PRESENT, KEY_ABSENT };

#define LIFE_UNKNOWN (-2)
#define LIFE_NONE (-1)

struct traffic_key {
	uint64_t hash; /* 0: free */
	int64_t expires_ms;
	uint64_t reader; /* hash of the client that read it last and has not written since */
	uint64_t waiting_us; /* when the first of the waiting reads was */
	uint32_t waiting;    /* reads whose outcome the next probe tells */
	uint32_t value_len;  /* + 1; 0: not known */
	uint32_t ns;
	uint8_t state;
	uint8_t last_hit; /* the outcome of the reader's read: 1 hit, 0 miss, 2 unknown */
	bool probed;      /* a probe is under way */
	bool sized;       /* a STRLEN was sent */
	bool read;        /* ever */
};

struct traffic_keys {
	struct traffic_key *slots;
	size_t size; /* a power of two */
	size_t count;
	size_t max;
	uint64_t threshold; /* keys whose hash is above are not followed */
};
void traffic_keys_init(struct traffic_keys *keys, size_t max);
void traffic_keys_release(struct traffic_keys *keys);
bool traffic_keys_follows(const struct traffic_keys *keys, uint64_t hash);
struct traffic_key *traffic_keys_find(const struct traffic_keys *keys, uint64_t hash);
/* Finds or makes it; when the table is full, half of the keyspace is followed no more, and it
 * may be NULL. */
struct traffic_key *traffic_keys_make(struct traffic_keys *keys, uint64_t hash);
/* Forgets what is known of every key. */
void traffic_keys_doubt(struct traffic_keys *keys);
/* Follows half as many keys. */
void traffic_keys_halve(struct traffic_keys *keys);

/* --- what a stream of commands tells (traffic_judge.c) --- */

struct traffic_judge {
	const struct nsset *set;
	struct traffic *traffic;
	struct traffic_keys keys;
	uint64_t db;
	bool closed; /* reads and writes are counted no more, but what they change is seen */
	uint64_t script_client; /* who called the script whose commands come now */
	struct buf script_name;
	/* Asked for the state of a key; false: no room. */
	bool (*probe)(void *ctx, uint64_t hash, struct bytes key);
	/* Asked for the size of a text. */
	void (*measure)(void *ctx, uint64_t hash, struct bytes key);
	void *ctx;
};
/* A command of somebody, in the server's order. */
void traffic_judge_command(struct traffic_judge *judge, const struct monitor_command *command);
/*
 * The answer of a probe, at its place in the order: LIFE_NONE, an expiry, or
 * present false. failed: there was none.
 */
struct traffic_answer {
	uint64_t time_us;
	bool failed;
	bool present;
	int64_t expires_ms;
};
void traffic_judge_answer(struct traffic_judge *judge, uint64_t hash,
			  const struct traffic_answer *answer);
void traffic_judge_size(struct traffic_judge *judge, uint64_t hash, uint64_t len);
/* A notification that the key expired or was evicted. */
void traffic_judge_event(struct traffic_judge *judge, struct bytes name, bool evicted);
/* No more comes: what still waits stays unclear. */
void traffic_judge_end(struct traffic_judge *judge);

/* --- the reader's process (traffic_reader.c) --- */

void traffic_reader_run(const struct nsset *set, const struct target *target,
			const struct traffic_options *options, struct traffic *traffic);

#endif
