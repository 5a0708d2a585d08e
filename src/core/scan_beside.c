#include "core/scan_private.h"

int scan_drain_beside(struct scan *scan, struct redis *beside, struct err *err)
{
	if (!scan || !redis_is_far(beside))
		return redis_drain(beside, 0, err);
	while (redis_outstanding(beside) > 0) {
		for (size_t i = 0; i < scan->count; i++)
			scan_advance(&scan->walks[i]);
		/* a walk that fails says so when it has its turn */
		if (redis_step_beside(beside, scan->redis, err) != 0)
			return -1;
	}
	return 0;
}
