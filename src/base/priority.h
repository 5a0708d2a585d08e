#ifndef BASE_PRIORITY_H
#define BASE_PRIORITY_H

#include <stdint.h>

/* How the scheduler treats this thread (struct sched_attr, sched_setattr(2)). */
struct priority {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t unused;
	uint64_t slice_ns; /* sched_runtime: of a fair policy, since Linux 6.12 */
	uint64_t deadline_ns;
	uint64_t period_ns;
};

/*
 * From now on every other process of the host that wakes may push this thread
 * aside at once, and this one waits for its turn when it wakes. It gets no less
 * CPU time by that. *ret_before is for priority_restore; where nothing was
 * changed (not an ordinary policy, or refused), its size is 0.
 */
void priority_give_way(struct priority *ret_before);
void priority_restore(const struct priority *before);

#endif
