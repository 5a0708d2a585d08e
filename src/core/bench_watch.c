#include "core/bench_watch.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/bench_prepare.h"
#include "core/server.h"
#include "wire/redis.h"
#include "wire/target.h"

#include <stdlib.h>
#include <string.h>

#define BEAT_MS 15000

static int64_t microseconds(struct bytes info, const char *field)
{
	double seconds = 0;

	if (num_parse_real(server_info_field(info, field), 0, 1e12, &seconds) != 0)
		return -1;
	return (int64_t)(seconds * 1e6);
}

static struct bench_watched ask(struct redis *redis)
{
	struct bench_watched figures = {-1, -1};
	const struct reply *reply = NULL;
	uint64_t evicted = 0;

	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, NULL, "INFO", "cpu", NULL) != 0 ||
	    reply->type != REPLY_STRING)
		return figures;
	int64_t user = microseconds(reply->text, "used_cpu_user");
	int64_t sys = microseconds(reply->text, "used_cpu_sys");
	if (user >= 0 && sys >= 0)
		figures.cpu_us = user + sys;
	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, NULL, "INFO", "stats", NULL) ==
		0 &&
	    reply->type == REPLY_STRING &&
	    num_parse_u64(server_info_field(reply->text, "evicted_keys"), 0, INT64_MAX,
			  &evicted) == 0)
		figures.evicted = (int64_t)evicted;
	return figures;
}

void bench_watch_begin(struct bench_watch *watch)
{
	watch->beat_ms = clock_mono_ms();
	bench_watch_release(watch);
	watch->count = redis_nodes(watch->redis, NULL);
	watch->before = mem_zalloc(watch->count, sizeof *watch->before);
	for (size_t i = 0; i < watch->count; i++)
		watch->before[i] = ask(redis_node(watch->redis, i));
}

void bench_watch_release(struct bench_watch *watch)
{
	free(watch->before);
	watch->before = NULL;
	watch->count = 0;
}

void bench_watch_beat(struct bench_watch *watch)
{
	if (!bench_writes(watch->job) || clock_mono_ms() - watch->beat_ms < BEAT_MS)
		return;
	watch->beat_ms = clock_mono_ms();
	bench_beat(watch->redis, watch->job);
}

/* What was not told of one server is not told of all. */
static void add(int64_t before, int64_t after, int64_t *sum)
{
	if (before < 0 || after < 0)
		*sum = -1;
	else if (*sum >= 0)
		*sum += after - before;
}

static void tell_node(const struct bench_watch *watch, size_t index, struct bench_watched after,
		      struct bench_result *result)
{
	const struct target *target = redis_target(redis_node(watch->redis, index));
	struct buf name = {0};

	buf_printf(&name, "%s:%u", target->host, target->port);
	for (size_t i = 0; i < result->node_count; i++)
		if (strcmp(result->nodes[i].name, buf_str(&name)) == 0 && after.cpu_us >= 0 &&
		    watch->before[index].cpu_us >= 0)
			result->nodes[i].cpu_us = after.cpu_us - watch->before[index].cpu_us;
	buf_release(&name);
}

void bench_watch_end(struct bench_watch *watch, struct bench_result *result)
{
	if (watch->count == 0)
		return;
	result->server_cpu_us = result->evicted = 0;
	for (size_t i = 0; i < watch->count; i++) {
		struct bench_watched after = ask(redis_node(watch->redis, i));

		add(watch->before[i].cpu_us, after.cpu_us, &result->server_cpu_us);
		add(watch->before[i].evicted, after.evicted, &result->evicted);
		if (result->node_count > 0)
			tell_node(watch, i, after, result);
	}
}
