#ifndef CORE_RESUME_H
#define CORE_RESUME_H

#include <stddef.h>
#include <stdint.h>

struct backup_reader;
struct err;
struct redis;

#define RESUME_ID_SIZE 96

/*
 * Where a walk may go on: a SCAN cursor for each server (in a cluster every
 * primary has its own). It is good only on the same run of that server, for hash
 * seeds change with a restart, and only while it holds the same slots: what came
 * to it may lie before the cursor. Both are in the id that a cursor is kept under:
 * "RUN_ID", in a cluster "RUN_ID:SHA1", of the node's epoch and slots.
 * Zero-initialise, release.
 */
struct resume {
	struct resume_point {
		const struct redis *node;
		char id[RESUME_ID_SIZE]; /* "": not told, or slots are on their way */
		uint64_t cursor;         /* 0: the beginning */
	} * points;
	size_t count;
	size_t moved; /* servers that have a cursor, of when they held other slots */
};

/* Asks each server who it is; reader (may be NULL) has the cursors. -1: ERR_REDIS. */
int resume_init(struct resume *resume, struct redis *redis, const struct backup_reader *reader,
		struct err *err);
/*
 * After the walk: -1 with ERR_ITEM when slots came or went since resume_init at a server whose
 * walk did not begin at the beginning.
 */
int resume_check(const struct resume *resume, struct redis *redis, struct err *err);
void resume_release(struct resume *resume);
/* For scan_options: ctx is a struct resume. */
uint64_t resume_start(const struct resume *resume, const struct redis *node);
/* "" when it is not known. */
const char *resume_id(const struct resume *resume, const struct redis *node);

#endif
