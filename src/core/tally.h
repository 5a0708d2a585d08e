#ifndef CORE_TALLY_H
#define CORE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ns;
struct nsset;
struct redis;

/*
 * The program's own counters: what get, warm, invalidate and events did, per
 * namespace, kept in Redis hashes `cc:c:NAMESPACE` (of keys that no namespace
 * claims: `cc:c:`) with a field for each `enum tally_what` ("get.hit") and
 * "since_ms", the wall clock when counting began. They see this program only,
 * never the applications.
 *
 * Counting is memory until a flush sends it, one HINCRBY for each figure that
 * moved, so it costs nothing that one can measure.
 */
enum tally_what {
	TALLY_GET_HIT,
	TALLY_GET_MISS,
	TALLY_GET_ERROR,   /* Redis failed the read */
	TALLY_SET,         /* stored, renewed or patched */
	TALLY_SET_ERROR,   /* Redis did not acknowledge the write */
	TALLY_INVALIDATED, /* a key that was there was dropped (or its life shortened) */
	TALLY_INVALIDATE_ERROR,
	TALLY_FETCHED, /* the source answered with a value, or that it is unchanged */
	TALLY_FETCH_ABSENT,
	TALLY_FETCH_ERROR,
	TALLY_WHATS,
};
/* "get", "hit": the labels of a figure. */
extern const char *const tally_operations[TALLY_WHATS];
extern const char *const tally_results[TALLY_WHATS];

struct tally;

/* Borrows set. A NULL tally is one that does not count: every function takes it. */
struct tally *tally_new(const struct nsset *set);
void tally_free(struct tally *tally);
/* ns NULL: a key that no namespace claims. */
void tally_add(struct tally *tally, const struct ns *ns, enum tally_what what, uint64_t count);
/*
 * Queues what was counted since the last flush, without waiting for answers
 * (a later drain or call of the session hears them); tally_free may come before
 * them. A broken connection loses a batch rather than count it twice; for a user
 * without the right to write there nothing is counted. -1: the session failed.
 */
int tally_flush(struct tally *tally, struct redis *redis, struct err *err);
/* tally_flush when the last one is a second ago; for long runs. */
int tally_beat(struct tally *tally, struct redis *redis, struct err *err);

/* The counters as Redis holds them. */
struct tally_figures {
	uint64_t counts[TALLY_WHATS];
	int64_t since_ms; /* 0: nothing was counted */
	bool known;       /* they were read */
};
/*
 * Reads them: figures has nsset_count + 1 entries, the last of what no
 * namespace claims. In a cluster with nodes out of reach (lost, may be empty)
 * those that they hold are left unknown, and each is asked where it lies.
 * *ret_denied: this user may not read them. -1 when others could not be read.
 */
int tally_read(const struct nsset *set, struct redis *redis, struct redis *const *lost,
	       size_t lost_count, struct tally_figures *figures, bool *ret_denied,
	       struct err *err);
/* Drops them all; *ret_dropped is how many namespaces had some. */
int tally_reset(const struct nsset *set, struct redis *redis, uint64_t *ret_dropped,
		struct err *err);

#endif
