#ifndef CORE_SCAN_H
#define CORE_SCAN_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct redis;

/*
 * What is asked about a key that SCAN yields; a mask, asked in this order:
 * what reading would reset comes first.
 */
enum scan_probe {
	SCAN_IDLE = 1, /* OBJECT IDLETIME */
	SCAN_FREQ = 2, /* OBJECT FREQ */
	SCAN_TTL = 4,  /* PTTL */
	SCAN_TYPE = 8, /* TYPE */
	SCAN_BYTES =
	    16 /* MEMORY USAGE, default samples: a million fields cost as little as one */
};

#define SCAN_TTL_NONE (-1)    /* the key lives for ever */
#define SCAN_TTL_GONE (-2)    /* the key vanished between SCAN and probe */
#define SCAN_TTL_UNKNOWN (-3) /* this user may not ask: only of a lenient walk */

struct scan;
struct scan_key {
	struct bytes key; /* valid inside the callback */
	unsigned asked;   /* probes; less those that were refused */
	bool lenient;     /* as in scan_options */
	bool forbidden;   /* a probe was refused because of this key */
	int64_t
	    ttl_ms;    /* or SCAN_TTL_NONE, SCAN_TTL_GONE, SCAN_TTL_UNKNOWN; 0 when not asked */
	int64_t bytes; /* these four: -1: not asked, not allowed, or gone */
	int64_t idle_s;
	int64_t freq;      /* under an LFU policy only */
	int type;          /* enum ns_type, NS_ANY: a module's */
	uint32_t tag;      /* the caller's own, 0 at first */
	struct scan *scan; /* the walk that came to it */
};

/* false ends the scan early (the rest of the page is dropped). */
typedef bool scan_key_fn(void *ctx, const struct scan_key *key);
/* The probes for one key, in place of scan_options.probes; may set its tag. */
typedef unsigned scan_probes_fn(void *ctx, struct scan_key *key);

/*
 * Every key of this node's pages so far was yielded; a walk on the same server
 * may start at cursor (0: it was all).
 */
typedef void scan_page_fn(void *ctx, const struct redis *node, uint64_t cursor);
#define SCAN_SKIP UINT64_MAX
/* The cursor to begin with at a node; SCAN_SKIP: it is left out. */
typedef uint64_t scan_start_fn(void *ctx, const struct redis *node);

struct scan_options {
	struct bytes match;      /* glob; empty: every key */
	uint64_t start;          /* the cursor to begin with; 0: the beginning */
	scan_start_fn *start_fn; /* or NULL: start */
	unsigned probes;
	scan_probes_fn *probes_of; /* or NULL: probes for each */
	bool gentle;  /* hold the server a tenth of a millisecond at a time; twice as long */
	bool lenient; /* go on where PTTL is refused: it is what most walks are for */
	bool own;     /* yield the keys that are ccache's own, too */
	size_t page;  /* SCAN's COUNT; 0: as many as the server does in well under 1 ms */
	scan_key_fn *fn;
	scan_page_fn *page_fn; /* may be NULL */
	void *ctx;
};

struct scan_result {
	uint64_t keys;      /* yielded, keys that are ccache's own left out */
	uint64_t own;       /* sidecars and the like, left out */
	uint64_t gone;      /* vanished before their probe (not yielded) */
	uint64_t hits;      /* probes that the server counts among its keyspace hits */
	uint64_t expected;  /* DBSIZE at the start, 0: not allowed to ask */
	uint64_t forbidden; /* keys yielded of which this user may not learn everything */
	unsigned denied; /* probes that this user may not send, or this server does not know */
	bool down;     /* some of these because the cluster is down: not all slots are served */
	bool complete; /* the cursor came back to 0 and fn never stopped it */
	bool broken;   /* it failed because the connection broke: it may be run again */
	bool lost;     /* it failed because a node is out of reach */
	bool moved;    /* it failed because slots moved from node to node meanwhile */
	bool resized;  /* the table changed its size, or may have: keys may have come twice */
};

/*
 * Walks the keyspace of the session's db, in a cluster all primaries at once:
 * the probes of one page travel with the SCAN of the next, so a page costs one
 * round trip, and pages are as long as the server takes well under 1 ms for.
 * Never KEYS. Memory is three pages per node. fn and page_fn are called outside
 * of the session's callbacks: they may submit to it. What was seen so far is in
 * *ret_result on failure too. A connection that breaks ends its node's walk:
 * after a restart a cursor would skip keys unsaid. A node that fails is named
 * in the end; the others are walked all the same. ERR_ITEM when slots moved
 * between nodes meanwhile: no walk can tell then whether it saw every key.
 */
int scan_run(struct redis *redis, const struct scan_options *options,
	     struct scan_result *ret_result, struct err *err);

/*
 * For fn: waits until `beside`, another session, has answered everything, as redis_drain does.
 * Over a long link the walk goes on meanwhile, as many pages as it has room for. Without a walk
 * (NULL) the same as redis_drain.
 */
int scan_drain_beside(struct scan *scan, struct redis *beside, struct err *err);
/* The same until something moved, as redis_step. */
int scan_step_beside(struct scan *scan, struct redis *beside, struct err *err);

/* True when what made the walk fail may be over soon: a repetition may see every key. */
bool scan_may_repeat(const struct scan_result *result);

/*
 * Sends one probe of a key; fn hears the answer, which scan_take puts into the
 * key: 0, or -1 with err when it was no answer to go on from.
 */
struct redis_command;
int scan_ask(struct redis *redis, enum scan_probe probe, struct bytes key,
	     const struct redis_command *how, struct err *err);
/* Says that the connection broke in the middle of a walk: -1. */
int scan_broke(const struct redis *redis, struct err *err);
struct reply;
int scan_take(const struct redis *redis, enum scan_probe probe, const struct reply *reply,
	      struct scan_key *key, struct scan_result *result, struct err *err);

#endif
