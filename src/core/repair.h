#ifndef CORE_REPAIR_H
#define CORE_REPAIR_H

#include "base/err.h"
#include "core/audit.h"

#include <stdbool.h>
#include <stdint.h>

struct backup;
struct redis;

/*
 * Repairs what an audit finds and is safe to repair: a TTL that is missing or
 * too long becomes the policy's, a dangling index or orphan sidecar is dropped,
 * a dangling member leaves its set. Each is recorded first, then changed by a
 * script that does nothing unless the finding is still true (in a cluster the
 * other key of a relation may be in another slot: it is then asked just before).
 */
struct repair {
	struct redis *redis;   /* not the session that is audited */
	struct backup *backup; /* NULL: nothing is recorded */
	uint64_t max;          /* repairs at most; further ones are left */
	uint64_t done;
	uint64_t gone; /* not so any more when its turn came */
	uint64_t failed;
	uint64_t left;      /* beyond max */
	struct err problem; /* the first of the failed */
};

/* One finding. 0, also when it failed (counted); -1: Redis is lost, or the backup cannot be
 * written. */
int repair_apply(struct repair *repair, const struct audit_finding *finding, struct err *err);

#endif
