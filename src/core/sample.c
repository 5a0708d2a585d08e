#include "core/sample_private.h"

#include <stdlib.h>

#define KEYS_LEAST 512 /* of fewer no sample is taken */
#define RESTARTS 5

/* Every key of every node has the same chance: that its place is drawn. */
static void share_out(struct sampling *run)
{
	struct sample_result *result = run->result;
	double all = 0;

	for (size_t i = 0; i < run->count; i++)
		all += (double)run->nodes[i].tables.places;
	double keys = result->scan.expected ? (double)result->scan.expected : all;
	double share = (double)run->options->keys / keys;

	result->too_small = keys < KEYS_LEAST || all < KEYS_LEAST || share > 0.5;
	for (size_t i = 0; i < run->count; i++) {
		struct sample_node *node = &run->nodes[i];
		double places = share * (double)node->tables.places;
		double chance = (double)(buckets_random(&run->random) >> 11) * 0x1p-53;

		/* on average as many */
		node->wanted = result->too_small ? 0 : (uint64_t)(places + chance);
	}
}

static bool is_drawn(const struct sampling *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->nodes[i].done < run->nodes[i].wanted)
			return false;
	return true;
}

static int draw_all(struct sampling *run, struct err *err)
{
	if (sample_measure(run, err) != 0)
		return -1;
	share_out(run);
	while (!is_drawn(run) && !run->resized && !run->stopped)
		if (sample_round(run, err) != 0)
			return -1;
	return 0;
}

/* --- slots that move from node to node meanwhile --- */

static void on_slots(void *ctx, const struct reply *reply)
{
	scan_slots_told(&((struct sample_node *)ctx)->slots, reply);
}

static int ask_slots(struct sampling *run, struct err *err)
{
	const struct bytes argv[] = {BYTES("CLUSTER"), BYTES("NODES")};

	if (!redis_is_cluster(run->redis))
		return 0;
	for (size_t i = 0; i < run->count; i++)
		if (redis_submit(run->nodes[i].redis,
				 &(struct redis_command){.argv = argv,
							 .argc = 2,
							 .flags = REDIS_IDEMPOTENT,
							 .fn = on_slots,
							 .ctx = &run->nodes[i]},
				 err) != 0)
			return -1;
	return sample_drain(run, err);
}

static int check_slots(struct sampling *run, struct err *err)
{
	if (ask_slots(run, err) != 0)
		return -1;
	for (size_t i = 0; i < run->count; i++)
		if (scan_slots_moved(&run->nodes[i].slots))
			return err_set(err, ERR_ITEM,
				       "slots moved between the cluster's nodes meanwhile: no "
				       "sample is fair; run it again when the resharding is "
				       "over");
	return 0;
}

/* --- all of it --- */

static int draw_until_fair(struct sampling *run, struct err *err)
{
	int restarts = 0;

	if (ask_slots(run, err) != 0)
		return -1;
	do {
		if (run->resized)
			run->options->restart(run->options->ctx);
		run->resized = false;
		*run->result = (struct sample_result){0};
		if (draw_all(run, err) != 0)
			return -1;
	} while (run->resized && ++restarts <= RESTARTS);
	if (run->resized)
		return err_set(err, ERR_REDIS,
			       "the server resized its table %d times meanwhile: no sample is "
			       "fair; leave --sample out",
			       restarts);
	return check_slots(run, err);
}

/* What DBSIZE says, else what the drawn places tell of all. */
static uint64_t total_of(const struct sampling *run)
{
	double total = 0;

	for (size_t i = 0; i < run->count; i++) {
		const struct sample_node *node = &run->nodes[i];

		if (node->keys || !node->done)
			total += (double)node->keys;
		else
			total += (double)node->found * (double)node->tables.places /
				 (double)node->done;
	}
	return (uint64_t)total;
}

static void release(struct sampling *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct sample_node *node = &run->nodes[i];

		free(node->list);
		free(node->own_slots);
		mem_arena_release(&node->arena);
		sample_tables_release(&node->tables);
		scan_slots_release(&node->slots);
	}
	free(run->nodes);
}

int sample_run(struct redis *redis, const struct sample_options *options,
	       struct sample_result *ret_result, struct err *err)
{
	struct sampling run = {
	    .redis = redis, .options = options, .result = ret_result, .random = options->seed};
	struct err ignored = {0};

	*ret_result = (struct sample_result){0};
	run.count = redis_nodes(redis, err);
	if (run.count == 0)
		return -1;
	run.nodes = mem_zalloc(run.count, sizeof *run.nodes);
	for (size_t i = 0; i < run.count; i++) {
		run.nodes[i].run = &run;
		run.nodes[i].redis = redis_node(redis, i);
	}
	int status = draw_until_fair(&run, err);
	if (status != 0)
		redis_drain(redis, 0, &ignored);
	ret_result->scan.complete = status == 0 && !run.stopped;
	ret_result->total = total_of(&run);
	release(&run);
	return status;
}
