#ifndef CORE_TRAFFIC_H
#define CORE_TRAFFIC_H

#include "base/err.h"
#include "core/topk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ns;
struct nsset;
struct target;

/*
 * The hit ratio of each namespace on any server, by watching its traffic for
 * a bounded time. MONITOR shows every command in the order in which the server
 * runs them. For a read of a key whose state is not known, PEXPIRETIME (or
 * PTTL, EXISTS) is asked on a second connection; that question shows up in
 * the same order, so when no write to the key stands between the two, its
 * answer tells whether the read was a hit. From then on the writes seen tell
 * the key's state, until its life ends.
 *
 * MONITOR is dangerous: the server buffers without limit for a client that
 * does not read. So a process of its own reads it, in a session of its own
 * that no key of the terminal stops, and it ends when its parent does, when
 * its parent is stopped, and at any of the limits; the parent ends it when it
 * is stopped or stands still.
 */
#define TRAFFIC_KEYS ((size_t)256 * 1024) /* followed at most: 20 MB of memory */

struct traffic_options {
	uint64_t duration_ms;
	uint64_t max_lines;
	uint64_t max_bytes;      /* read from MONITOR */
	uint64_t max_latency_ms; /* of the server as the probes see it; 0: no limit */
	size_t max_keys;         /* whose state is followed; beyond it fewer are */
};

enum traffic_end {
	TRAFFIC_WHOLE, /* the duration is over */
	TRAFFIC_INTERRUPTED,
	TRAFFIC_LINES,
	TRAFFIC_BYTES,
	TRAFFIC_LATENCY,
	TRAFFIC_BACKLOG,   /* the server had to buffer for us: more comes than can be read */
	TRAFFIC_SUSPENDED, /* this program was stopped (Ctrl-Z) */
	TRAFFIC_STUCK,     /* the reader was stopped or stood still, and was ended */
	TRAFFIC_LOST,      /* the connection, or the reader, broke: err says */
	TRAFFIC_DENIED,    /* this user may not run MONITOR, or nothing that looks a key up */
};
/* "the duration is over", "the line limit was reached", … */
const char *traffic_end_text(enum traffic_end end);

/* What was seen of one namespace. */
struct traffic_figures {
	uint64_t reads; /* of keys; an MGET of three counts three */
	uint64_t writes;
	uint64_t deletes;
	uint64_t expired; /* by keyspace notifications, where they are on */
	uint64_t evicted;
	/* of the reads, those of followed keys: hits + misses + fills + ambiguous + uncertain
	 */
	uint64_t hits;
	uint64_t misses;
	uint64_t fills;     /* the reader itself wrote the key before the probe came */
	uint64_t ambiguous; /* somebody else did, or it was deleted */
	uint64_t
	    uncertain; /* the key expired or was evicted around the read, or no answer came */
	uint64_t keys; /* distinct ones followed */
	/* what a read followed by a write of the same client was, where it is known */
	uint64_t fill_after_miss;
	uint64_t fill_after_hit;
	uint64_t sized_hits; /* hits on texts whose size is known */
	uint64_t sized_bytes;
	struct traffic_rates { /* a second; of several servers their sum */
		double reads;
		double writes;
		double deletes;
		double expired;
		bool bytes_known;
		double read_bytes; /* of texts */
	} rates;
	struct topk commands;
	struct topk clients;
	struct topk hot; /* keys, by reads */
};

/* A whole traffic, of one server or the sum of several; in shared memory, no pointers. */
struct traffic {
	enum traffic_end end; /* of several the worst */
	struct err err;
	unsigned servers;
	uint64_t started_ms; /* wall clock */
	uint64_t interval_us;
	uint64_t lines;
	uint64_t bytes;
	uint64_t probes;
	uint64_t probe_hits; /* what our own questions added to the server's counters */
	uint64_t probe_misses;
	uint64_t other_dbs; /* commands of other dbs, not looked at */
	uint64_t unreadable;
	double followed; /* share of the keyspace that was followed at the end; of several
			    the least, as the times below are the longest */
	uint64_t latency_before_us; /* median */
	uint64_t latency_us;
	uint64_t latency_worst_us;
	bool notifications;    /* expiries were heard, of every server */
	bool config_denied;    /* CONFIG GET: whether they are on could not be asked */
	bool subscribe_denied; /* they are on, but not for this user */
	bool counters_denied;  /* INFO: evictions cannot be taken into account */
	size_t count;
	/* between the processes */
	volatile uint64_t beat;
	volatile int stop;
	struct traffic_figures figures[]; /* one per namespace, then the unclassified */
};

struct traffic *traffic_new(const struct nsset *set);
void traffic_free(struct traffic *traffic);
/* A server to sample: each is read by a process of its own, all at once. */
struct traffic_job {
	const struct target *target;
	struct traffic *traffic;
};
/*
 * Samples; the options are each server's. 0 when there is something to look at
 * (traffic->end says why it ended, traffic->err what broke), -1 when nothing
 * could be begun.
 */
int traffic_run(const struct nsset *set, const struct traffic_job *jobs, size_t count,
		const struct traffic_options *options, const volatile int *cancel,
		struct err *err);
/* Adds what was seen of one server to a sum that began as traffic_new made it. */
void traffic_add(struct traffic *sum, const struct traffic *part);

/* A ratio with the 95 % interval by Wilson (1927) around it. */
struct traffic_ratio {
	bool known;
	double ratio;
	double low; /* what is unclear counted as misses */
	double high;
};
struct traffic_ratio traffic_ratio(const struct traffic_figures *figures);

/* The rates from the counts, once a sample is over. */
void traffic_settle(struct traffic *traffic);

#endif
