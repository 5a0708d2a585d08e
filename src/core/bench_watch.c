#include "core/bench_watch.h"

#include "base/clock.h"
#include "base/num.h"
#include "core/bench_prepare.h"
#include "core/server.h"
#include "wire/redis.h"

#define BEAT_MS 15000

static int64_t microseconds(struct bytes info, const char *field)
{
	double seconds = 0;

	if (num_parse_real(server_info_field(info, field), 0, 1e12, &seconds) != 0)
		return -1;
	return (int64_t)(seconds * 1e6);
}

static void ask(struct redis *redis, int64_t *ret_cpu_us, int64_t *ret_evicted)
{
	const struct reply *reply = NULL;
	uint64_t evicted = 0;

	*ret_cpu_us = *ret_evicted = -1;
	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, NULL, "INFO", "cpu", NULL) != 0 ||
	    reply->type != REPLY_STRING)
		return;
	int64_t user = microseconds(reply->text, "used_cpu_user");
	int64_t sys = microseconds(reply->text, "used_cpu_sys");
	if (user >= 0 && sys >= 0)
		*ret_cpu_us = user + sys;
	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, NULL, "INFO", "stats", NULL) ==
		0 &&
	    reply->type == REPLY_STRING &&
	    num_parse_u64(server_info_field(reply->text, "evicted_keys"), 0, INT64_MAX,
			  &evicted) == 0)
		*ret_evicted = (int64_t)evicted;
}

void bench_watch_begin(struct bench_watch *watch)
{
	watch->beat_ms = clock_mono_ms();
	ask(watch->redis, &watch->cpu_us, &watch->evicted);
}

void bench_watch_beat(struct bench_watch *watch)
{
	if (!bench_writes(watch->job) || clock_mono_ms() - watch->beat_ms < BEAT_MS)
		return;
	watch->beat_ms = clock_mono_ms();
	bench_beat(watch->redis, watch->job);
}

void bench_watch_end(struct bench_watch *watch, struct bench_result *result)
{
	int64_t cpu_us = -1;
	int64_t evicted = -1;

	ask(watch->redis, &cpu_us, &evicted);
	if (cpu_us >= 0 && watch->cpu_us >= 0)
		result->server_cpu_us = cpu_us - watch->cpu_us;
	if (evicted >= 0 && watch->evicted >= 0)
		result->evicted = evicted - watch->evicted;
}
