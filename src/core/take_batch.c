#include "core/take_flow.h"
#include "core/take_private.h"

/*
 * Whether keys go in a transaction or each by a script. One server does a transaction of many
 * keys with the least work; a cluster's keys share none, and over a long link each of them
 * costs round trips, that those of a flow of scripts share.
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

int take_transactions(const struct take_job *job, const struct bytes *keys, size_t count,
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
	struct take_flow *flow = take_flow_new(job, count, counts);
	size_t added = 0;
	int status = 0;

	while (status == 0 && added < count)
		status = take_flow_add(flow, keys[added++], NULL, err);
	/* what was not taken any more has failed, too */
	counts->failed += count - take_flow_added(flow);
	counts->asked += count - take_flow_added(flow);
	if (take_flow_settle(flow, err) != 0)
		status = -1;
	take_flow_free(flow);
	return status;
}

bool take_flows(const struct take_job *job, size_t count)
{
	bool few = count <= TAKE_BATCH; /* which one transaction does */

	return (job->is_cluster || (!few && (job->is_far || redis_is_far(job->redis)))) &&
	       redis_version(job->redis) >= TAKE_HAS_EXPIRETIME;
}

int take_keys(const struct take_job *job, const struct bytes *keys, size_t count,
	      struct take_counts *counts, struct err *err)
{
	if (take_flows(job, count))
		return take_scripts(job, keys, count, counts, err);
	counts->asked += count;
	return take_transactions(job, keys, count, counts, err);
}

size_t take_batch(const struct take_job *job)
{
	struct err ignored = {0};
	size_t nodes = job->is_cluster ? redis_nodes(job->redis, &ignored) : 1;

	if (nodes == 0)
		return TAKE_BATCH;
	return nodes * TAKE_BATCH < TAKE_BATCH_CLUSTER ? nodes * TAKE_BATCH
						       : TAKE_BATCH_CLUSTER;
}
