#ifndef CORE_TAKE_FLOW_H
#define CORE_TAKE_FLOW_H

#include "base/bytes.h"
#include "core/take.h"

#include <stddef.h>
#include <stdint.h>

struct scan;

/*
 * Takes keys as take_keys does, but does not wait for each batch: while some keys are dropped
 * others are saved, and others looked at. Every key's record is in the file before its drop is
 * sent. For a cluster and for a long link, see take_flows.
 */
struct take_flow;

#define TAKE_FLOW_FAR 24576 /* keys under way over a long link, in three trips each */

/* True where keys should go so; count: how many there are about. */
bool take_flows(const struct take_job *job, size_t count);
/*
 * Borrows job, whose soft_ms may change from key to key, and counts. room: how many keys may be
 * under way. The job's session is used by nobody else until it is freed.
 */
struct take_flow *take_flow_new(const struct take_job *job, size_t room,
				struct take_counts *counts);
/*
 * Takes one more key, which is copied; waits while there is no room. Where the keys come from a
 * walk, that goes on meanwhile (scan_step_beside); it may be NULL. -1 as take_keys:
 * nothing more is taken.
 */
int take_flow_add(struct take_flow *flow, struct bytes key, struct scan *walk, struct err *err);
/* What goes without waiting. */
int take_flow_turn(struct take_flow *flow, struct err *err);
/* How many keys were added, and how many of the first of them have come to their end. */
uint64_t take_flow_added(const struct take_flow *flow);
uint64_t take_flow_done(const struct take_flow *flow);
/* Waits for every key's end; what has none has failed. The counts are true then, in any case.
 */
int take_flow_settle(struct take_flow *flow, struct err *err);
void take_flow_free(struct take_flow *flow);

#endif
