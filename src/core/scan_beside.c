#include "core/scan_private.h"

int scan_step_beside(struct scan *scan, struct redis *beside, struct err *err)
{
	if (!scan || !(redis_is_far(beside) || redis_is_far(scan->redis)))
		return redis_step(beside, err);
	for (size_t i = 0; i < scan->count; i++)
		scan_advance(&scan->walks[i]);
	/* a walk that fails says so when it has its turn */
	return redis_step_beside(beside, scan->redis, err);
}

int scan_drain_beside(struct scan *scan, struct redis *beside, struct err *err)
{
	while (redis_outstanding(beside) > 0)
		if (scan_step_beside(scan, beside, err) != 0)
			return -1;
	return 0;
}
