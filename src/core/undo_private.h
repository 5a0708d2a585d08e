#ifndef CORE_UNDO_PRIVATE_H
#define CORE_UNDO_PRIVATE_H

#include "base/err.h"
#include "core/backup.h"
#include "core/undo.h"
#include "wire/redis.h"

/* A key that is being put together from its pages, from the last to the first. */
struct undo_pages {
	bool under_way;
	bool skip;            /* it is there, has expired, or cannot be put together */
	bool begun;           /* the temporary key has its own TTL */
	uint64_t next_number; /* of the record that must come */
	int64_t expires_ms;
	struct buf key;
	struct buf temp; /* what it is called until it is whole */
	enum { PAGES_REFUSED = -1, PAGES_UNKNOWN, PAGES_YES, PAGES_NO } answer;
};

struct undo {
	const struct undo_job *job;
	struct undo_report *report;
	int64_t now_ms; /* the server's clock when mono_ms was read */
	uint64_t mono_ms;
	struct undo_pages pages;
	struct err err;
};

bool undo_is_page(const struct backup_record *record);
bool undo_has_expired(const struct undo *undo, int64_t expires_ms);
int undo_send(struct undo *undo, const struct bytes *argv, size_t argc, redis_reply_fn *fn);
/* Counts a change that failed, and keeps why. */
void undo_refuse(struct undo *undo, const struct reply *reply, const char *command);
/* One page. */
int undo_page(struct undo *undo, const struct backup_record *record);
/* The file ended, or another key begins: what was not whole fails. */
int undo_pages_end(struct undo *undo);

#endif
