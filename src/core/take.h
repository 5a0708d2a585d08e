#ifndef CORE_TAKE_H
#define CORE_TAKE_H

#include "base/buf.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backup;
struct err;
struct redis;

/*
 * Takes keys out of Redis, or shortens their life, such that nothing is lost
 * that was not saved: WATCH, look, write the records, then MULTI … EXEC. A
 * value that somebody writes in between makes EXEC do nothing: its records are
 * voided, and the key is looked at anew. In a cluster, whose keys share no
 * transaction, and over a long link a script compares before it removes. Values over TAKE_LARGE
 * bytes of memory are saved in pages, so that no command holds the server for long.
 */
struct take_job {
	/* A session of its own (EXEC ends every WATCH of a connection), connected. Borrowed. */
	struct redis *redis;
	bool is_cluster;
	bool is_far;                /* over a long link, as is known before redis tells it */
	struct backup *backup;      /* NULL: nothing is saved */
	bool soft;                  /* shorten the life instead of ending it */
	uint64_t soft_ms;           /* in which it ends */
	const volatile int *cancel; /* may be NULL */
};

#define TAKE_BATCH 128          /* keys at once of one server */
#define TAKE_BATCH_CLUSTER 1024 /* of a cluster */
#define TAKE_LARGE (64 * 1024)

/* What the server acknowledged: asked = removed + shortened + kept + gone + failed. */
struct take_counts {
	uint64_t asked;
	uint64_t removed;
	uint64_t shortened;
	uint64_t kept; /* soft: lives shorter anyway */
	uint64_t gone; /* not there (any more) */
	uint64_t failed;
	uint64_t unsure;    /* of kept, gone and failed: sent, and the answer never came */
	uint64_t again;     /* times that somebody wrote in between */
	uint64_t unlinked;  /* members taken out of sets */
	bool denied;        /* -1 because this user may not (NOPERM) */
	bool sizes_denied;  /* MEMORY USAGE is refused: large values are saved in one piece */
	struct buf problem; /* the first failure of a key alone */
};

/* How many keys at once it should be given from now on, at most TAKE_BATCH_CLUSTER. */
size_t take_batch(const struct take_job *job);
/*
 * Up to take_batch keys. -1 when going on makes no sense:
 * ERR_REDIS (lost, or refusing), ERR_OUTPUT or ERR_REFUSED (the undo file), ERR_INTERRUPTED.
 * The counts are true in either case. Every key's sidecar goes first, in the same transaction.
 */
int take_keys(const struct take_job *job, const struct bytes *keys, size_t count,
	      struct take_counts *counts, struct err *err);
/* Takes up to TAKE_BATCH members out of a set. The same errors. */
int take_members(const struct take_job *job, struct bytes set, const struct bytes *members,
		 size_t count, struct take_counts *counts, struct err *err);

#endif
