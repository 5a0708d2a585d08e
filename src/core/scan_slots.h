#ifndef CORE_SCAN_SLOTS_H
#define CORE_SCAN_SLOTS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply;

/*
 * Whether a cluster's node kept its slots during a walk. What a node says of
 * itself in CLUSTER NODES (redis.io/docs/latest/commands/cluster-nodes) shows
 * slots on their way ("[93->-ID]", "[93-<-ID]"), and a slot that went and came
 * back has raised the epoch of whom it came to. Zero-initialise.
 */
struct scan_slots {
	struct buf first;   /* epoch and slots, as told first */
	struct buf primary; /* of a replica: the id of its primary, as told first */
	bool told;
	bool moved;
	bool unknown; /* CLUSTER NODES was refused */
};

/* An answer to CLUSTER NODES. */
void scan_slots_told(struct scan_slots *slots, const struct reply *reply);
/* A replica's answer to it: one that follows another primary now had other keys before. */
void scan_slots_follows(struct scan_slots *slots, const struct reply *reply);
bool scan_slots_moved(const struct scan_slots *slots);
/*
 * The slots that the node told first, in order, into an array of SLOT_COUNT; all
 * there are when it told none.
 */
size_t scan_slots_list(const struct scan_slots *slots, uint16_t *ret_slots);
void scan_slots_release(struct scan_slots *slots);

#endif
