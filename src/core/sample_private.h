#ifndef CORE_SAMPLE_PRIVATE_H
#define CORE_SAMPLE_PRIVATE_H

#include "base/err.h"
#include "base/mem.h"
#include "core/sample.h"
#include "core/sample_tables.h"
#include "core/scan_slots.h"
#include "wire/redis.h"

struct reply;

/* Places a round: the server takes well under 1 ms for what it reads of them at once. */
#define SAMPLE_ROUND 256
/* Tries to learn a table's size: that all miss its highest bit has a chance of 2^-64. */
#define SAMPLE_PROBES 64

struct sampling;

/* A place of this round. */
struct sample_open {
	struct sample_node *node;
	struct sample_place place;
};

struct sample_drawn {
	struct scan_key key;
	uint32_t lot; /* the place that it came with */
	bool own;
};

/* One server's part: the same share of its places as of every other's. */
struct sample_node {
	struct sampling *run;
	struct redis *redis;
	struct scan_slots slots;
	/* what it has */
	struct sample_tables tables;
	uint64_t keys;  /* DBSIZE, 0: not allowed to ask */
	bool one_table; /* an answer came that no server with a table for each slot gives */
	uint16_t *own_slots;
	size_t own_count;
	size_t asked; /* of them */
	size_t heard;
	/* what is drawn */
	uint64_t wanted; /* places */
	uint64_t done;   /* of these */
	uint64_t found;  /* keys in them */
	/* this round */
	struct sample_open open[SAMPLE_ROUND];
	size_t due;
	uint64_t cursors[SAMPLE_PROBES];
	size_t answered;
	unsigned bits_seen; /* of the cursors that came back */
	uint64_t reconnects;
	struct mem_arena arena;
	struct sample_drawn *list;
	size_t count;
	size_t room;
	size_t at; /* the key whose probe is answered next */
	unsigned left;
	uint64_t lot; /* keys of its lot so far */
};

struct sampling {
	struct redis *redis;
	const struct sample_options *options;
	struct sample_result *result;
	struct sample_node *nodes;
	size_t count;
	uint64_t random;
	bool resized; /* what was drawn does not count */
	bool stopped;
	struct err err; /* that a callback met */
};

/* SCAN of one bucket that has keys, if there is one soon. */
int sample_scan(struct sample_node *node, uint64_t cursor, redis_reply_fn *fn, void *ctx,
		struct err *err);
/* An answer to it: the cursor and the keys; -1 when it is none. */
int sample_heard(struct sample_node *node, const struct reply *reply, uint64_t *ret_cursor,
		 const struct reply **ret_keys);
/* Waits for all that is under way. */
int sample_drain(struct sampling *run, struct err *err);

/* Learns which tables the nodes have and how large they are. */
int sample_measure(struct sampling *run, struct err *err);
/* Draws the next places of all nodes at once, and asks about their keys. */
int sample_round(struct sampling *run, struct err *err);

#endif
