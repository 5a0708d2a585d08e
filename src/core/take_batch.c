#include "core/take_private.h"

#include "base/mem.h"

#include <stdlib.h>

/*
 * Whether keys go in a transaction or each by a script. One server does a transaction of many
 * keys with the least work; a cluster's keys share none, and over a long link it costs round
 * trips, of which a script needs the same few for as many keys as there are.
 */

/* A transaction is one slot's: in a cluster, one key's. */
static int take_each(const struct take_job *job, const struct bytes *keys, size_t count,
		     struct take_counts *counts, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct take_job one = *job;
		int status = -1;

		one.redis = redis_holder(job->redis, keys[i], err);
		if (one.redis)
			status = take_together(&one, &keys[i], 1, counts, err);
		else
			counts->failed++;
		if (status != 0) {
			counts->failed += count - i - 1;
			return -1;
		}
	}
	return 0;
}

static int take_transactions(const struct take_job *job, const struct bytes *keys, size_t count,
			     struct take_counts *counts, struct err *err)
{
	if (job->is_cluster)
		return take_each(job, keys, count, counts, err);
	for (size_t done = 0; done < count;) {
		size_t some = count - done < TAKE_BATCH ? count - done : TAKE_BATCH;
		int status = take_together(job, keys + done, some, counts, err);

		done += some;
		if (status != 0) {
			counts->failed += count - done;
			return -1;
		}
	}
	return 0;
}

static int take_scripts(const struct take_job *job, const struct bytes *keys, size_t count,
			struct take_counts *counts, struct err *err)
{
	struct bytes *alone = mem_zalloc(count, sizeof *alone);
	size_t alone_count = 0;
	int status = take_apart(job, keys, count, alone, &alone_count, counts, err);

	if (status == 0)
		status = take_transactions(job, alone, alone_count, counts, err);
	free(alone);
	return status;
}

static bool goes_by_script(const struct take_job *job, size_t count)
{
	bool few = count <= TAKE_BATCH; /* which one transaction does */

	return (job->is_cluster || (!few && redis_is_far(job->redis))) &&
	       redis_version(job->redis) >= TAKE_HAS_EXPIRETIME;
}

int take_keys(const struct take_job *job, const struct bytes *keys, size_t count,
	      struct take_counts *counts, struct err *err)
{
	counts->asked += count;
	return goes_by_script(job, count) ? take_scripts(job, keys, count, counts, err)
					  : take_transactions(job, keys, count, counts, err);
}

size_t take_batch(const struct take_job *job)
{
	struct err ignored = {0};
	size_t nodes;

	if (redis_is_far(job->redis))
		return TAKE_BATCH_MAX;
	nodes = job->is_cluster ? redis_nodes(job->redis, &ignored) : 1;
	if (nodes == 0)
		return TAKE_BATCH;
	return nodes * TAKE_BATCH < TAKE_BATCH_CLUSTER ? nodes * TAKE_BATCH
						       : TAKE_BATCH_CLUSTER;
}
