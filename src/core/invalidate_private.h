#ifndef CORE_INVALIDATE_PRIVATE_H
#define CORE_INVALIDATE_PRIVATE_H

#include "core/invalidate.h"

struct redis;
struct scan_key;

/* What invalidate_condition needs to know of a key: probes for scan_run. */
unsigned invalidate_probes(const struct invalidate_target *target);
/* True when the key is one of the target's. *unknown_age counts those that are not for that. */
bool invalidate_accepts(const struct invalidate_target *target, const struct scan_key *key,
			uint64_t *unknown_age);
/* Of the key's namespace; 0: none. */
uint64_t invalidate_grace_ms(const struct nsset *set, struct bytes key);
/* Where the target's walk begins at a node. */
uint64_t invalidate_start(const struct invalidate_target *target, const struct redis *node);
int invalidate_refuse(const struct invalidate_target *target, struct err *err);

#endif
