/*
 * What the nodes of a cluster say of it: each reply of the input is read as CLUSTER SLOTS, as
 * two tellings of CLUSTER NODES and as a redirection, copied, and shown.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/scan_slots.h"
#include "reply_view.h"
#include "wire/reply.h"
#include "wire/resp.h"
#include "wire/topology.h"

static void map(const struct reply *reply)
{
	struct topology topology;
	struct err err = {0};

	if (topology_read(reply, "asked", &topology, &err) != 0) {
		EXPECT(err_is_set(&err));
		return;
	}
	for (size_t slot = 0; slot < SLOT_COUNT; slot++)
		EXPECT(topology.owner[slot] < (int)topology.count);
	for (size_t i = 0; i < topology.count; i++) {
		int primary = topology.nodes[i].primary;

		EXPECT(topology.nodes[i].host[0] && primary >= 0 &&
		       primary < (int)topology.count);
	}
	topology_release(&topology);
}

static void slots(const struct reply *reply)
{
	struct scan_slots told = {0};
	struct scan_slots follows = {0};

	for (int i = 0; i < 2; i++) {
		scan_slots_told(&told, reply);
		scan_slots_follows(&follows, reply);
	}
	scan_slots_moved(&told);
	scan_slots_moved(&follows);
	scan_slots_release(&told);
	scan_slots_release(&follows);
}

static void show(const struct reply *reply)
{
	struct buf text = {0};

	reply_view(&text, reply, true);
	for (size_t i = 0; i < text.len; i++)
		EXPECT(text.ptr[i] == '\n' || (unsigned char)text.ptr[i] >= ' ');
	buf_clear(&text);
	reply_view(&text, reply, false);
	buf_release(&text);
}

static int on_reply(void *ctx, const struct reply *reply)
{
	struct mem_arena arena = {0};
	struct bytes host;
	uint16_t port = 0;

	(void)ctx;
	map(reply);
	slots(reply);
	reply_redirection(reply->text, &host, &port);
	reply_error_kind(reply);
	show(reply_copy(&arena, reply));
	mem_arena_release(&arena);
	return 0;
}

FUZZ(fleet)
{
	struct resp *resp = resp_new(1 << 20, on_reply, NULL);
	struct err err = {0};

	resp_feed(resp, input.ptr, input.len, &err);
	resp_free(resp);
}
