#ifndef CORE_RESUME_H
#define CORE_RESUME_H

#include <stddef.h>
#include <stdint.h>

struct backup_reader;
struct err;
struct redis;

/*
 * Where a walk may go on: a SCAN cursor for each server (in a cluster every
 * primary has its own), good only on the same run of that server, for hash
 * seeds change with a restart. Zero-initialise, release.
 */
struct resume {
	struct resume_point {
		const struct redis *node;
		char run_id[48]; /* "": not told */
		uint64_t cursor; /* 0: the beginning */
	} * points;
	size_t count;
};

/* Asks each server for its run; reader (may be NULL) has the cursors. -1: ERR_REDIS. */
int resume_init(struct resume *resume, struct redis *redis, const struct backup_reader *reader,
		struct err *err);
void resume_release(struct resume *resume);
/* For scan_options: ctx is a struct resume. */
uint64_t resume_start(const struct resume *resume, const struct redis *node);
/* "" when it is not known. */
const char *resume_run_id(const struct resume *resume, const struct redis *node);

#endif
