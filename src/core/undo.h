#ifndef CORE_UNDO_H
#define CORE_UNDO_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct backup_reader;
struct err;
struct redis;

/* What a file would bring back now, by the server's clock. */
struct undo_plan {
	uint64_t changes; /* to be undone; a key that was saved in pages is one */
	uint64_t expired; /* of them: their time has passed */
	uint64_t bytes;   /* of the values */
};
int undo_plan(struct redis *redis, struct backup_reader *reader, struct undo_plan *ret_plan,
	      struct err *err);

/* changes = restored + kept + expired + failed */
struct undo_report {
	uint64_t changes;
	uint64_t restored;
	uint64_t kept;    /* somebody wrote there since, or it never changed: left as it is */
	uint64_t expired; /* its time has passed */
	uint64_t failed;
	struct buf problem;
	bool complete;
};

struct undo_job {
	struct redis *redis;
	struct backup_reader *reader;
	const volatile int *cancel; /* may be NULL */
	void (*progress)(void *ctx, uint64_t done, uint64_t failed);
	void *ctx;
};

/*
 * Undoes the file's changes from the last to the first. A removed key comes
 * back only where nothing is now, with the expiry it had; a changed one only
 * while it is still what the change made of it. Running it again finds
 * everything there. -1: ERR_REDIS, ERR_INTERRUPTED, ERR_ITEM (the file); the
 * report is true in either case. Release it.
 */
int undo_run(const struct undo_job *job, struct undo_report *ret_report, struct err *err);
void undo_report_release(struct undo_report *report);

#endif
