#include "core/take_private.h"

#include "base/mem.h"

#include <stdlib.h>

/* Members on their way out of a set. */
struct members {
	struct take *take;
	struct bytes set;
	const struct bytes *members;
	size_t count;
	struct bytes *present; /* argv of SREM: command, set, members that are in it */
	size_t present_count;
	int64_t expires_ms;
};

static void on_ttl(void *ctx, const struct reply *reply)
{
	struct members *members = ctx;

	members->expires_ms = take_expiry(members->take, reply, members->set);
}

static void on_present(void *ctx, const struct reply *reply)
{
	struct members *members = ctx;

	if (reply->type != REPLY_ARRAY || reply->count != members->count) {
		take_refuse(members->take, reply, "SMISMEMBER", members->set);
		return;
	}
	for (size_t i = 0; i < reply->count; i++)
		if (reply->items[i]->type != REPLY_INTEGER)
			take_refuse(members->take, reply->items[i], "SMISMEMBER", members->set);
		else if (reply->items[i]->integer == 1)
			members->present[2 + members->present_count++] = members->members[i];
}

static int queue_remove(struct take *take, void *ctx)
{
	const struct members *members = ctx;

	return take_send(take, members->present, 2 + members->present_count, 0, take_on_queued,
			 take);
}

static void on_removed(void *ctx, const struct reply *reply)
{
	const struct members *members = ctx;
	const struct reply *answer = reply->count == 1 ? reply->items[0] : reply;

	if (answer->type == REPLY_INTEGER && answer->integer >= 0 &&
	    (uint64_t)answer->integer <= members->present_count)
		members->take->counts->unlinked += (uint64_t)answer->integer;
	else
		take_refuse(members->take, answer, "SREM", members->set);
}

static enum take_end attempt(struct members *members)
{
	struct take *take = members->take;
	struct bytes *argv = members->present; /* borrowed for the question */

	members->present_count = 0;
	argv[0] = BYTES("SMISMEMBER");
	argv[1] = members->set;
	for (size_t i = 0; i < members->count; i++)
		argv[2 + i] = members->members[i];
	if (take_begin(take, &members->set, 1) != 0 ||
	    take_ask_expiry(take, members->set, on_ttl, members) != 0 ||
	    take_send(take, argv, 2 + members->count, 0, on_present, members) != 0)
		return TAKE_STOP;
	enum take_end end = take_settle(take);
	if (end != TAKE_DONE || members->present_count == 0)
		return end;
	struct backup_record record = {.kind = BACKUP_REMOVED,
				       .key = members->set,
				       .expires_ms = members->expires_ms,
				       .items = members->present + 2,
				       .item_count = members->present_count};
	if (take_save(take, &record) != 0)
		return TAKE_STOP;
	argv[0] = BYTES("SREM");
	return take_commit(take, queue_remove, on_removed, members);
}

int take_members(const struct take_job *job, struct bytes set, const struct bytes *members,
		 size_t count, struct take_counts *counts, struct err *err)
{
	struct take_job here = *job;
	struct take take = {.job = &here, .counts = counts};
	struct members work = {.take = &take,
			       .set = set,
			       .members = members,
			       .count = count,
			       .present = mem_zalloc(count + 2, sizeof *work.present)};
	enum take_end end = TAKE_AGAIN;

	here.redis = redis_holder(job->redis, set, err);
	if (!here.redis) {
		free(work.present);
		return -1;
	}
	for (unsigned try = 0; try < TAKE_TRIES && end == TAKE_AGAIN; try++) {
		end = attempt(&work);
		if (take.executed)
			break;
		if (end != TAKE_DONE && take_give_back(&take) != 0)
			end = TAKE_STOP;
		counts->again += end == TAKE_AGAIN;
	}
	free(work.present);
	if (end == TAKE_AGAIN && err_is_set(&take.broke)) {
		take.err = take.broke;
		end = TAKE_STOP;
	}
	if (end == TAKE_STOP) {
		*err = take.err;
		counts->denied = take.denied;
		return -1;
	}
	if (end != TAKE_DONE && counts->problem.len == 0)
		buf_add_str(&counts->problem,
			    err_is_set(&take.refusal)
				? take.refusal.text
				: "a set's members could not be taken out: it is "
				  "written again and again");
	return 0;
}
