#include "base/priority.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Longer than anyone's who did not ask for more (some 3 ms): since Linux 6.12 a
 * process whose slice is shorter need not wait for the end of this one's.
 */
#define SLICE_NS UINT64_C(10000000)

void priority_give_way(struct priority *ret_before)
{
	struct priority before = {0};
	struct priority batch;

	*ret_before = before;
	if (syscall(SYS_sched_getattr, 0, &before, sizeof before, 0) != 0 ||
	    before.policy != SCHED_OTHER)
		return;
	batch = before;
	batch.size = sizeof batch;
	batch.policy = SCHED_BATCH;
	batch.slice_ns = SLICE_NS;
	if (syscall(SYS_sched_setattr, 0, &batch, 0) == 0)
		*ret_before = before;
}

void priority_restore(const struct priority *before)
{
	if (before->size)
		syscall(SYS_sched_setattr, 0, before, 0);
}
