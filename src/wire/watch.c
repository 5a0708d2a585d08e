#include "wire/watch.h"

#include "base/clock.h"

#include <sched.h>

/* Whoever was pushed aside for so long is on a busy host: others need the CPU. */
#define ASIDE_NS UINT64_C(500000)
#define SKIP_ASIDE 256
#define SKIP_LATE 32

/* On the only CPU it would keep others from what it waits for. */
static bool is_alone(struct watch *watch)
{
	cpu_set_t set;

	if (watch->cpus == 0)
		watch->cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return watch->cpus == 1;
}

bool watch_for(struct watch *watch, struct pollfd *fds, nfds_t count, unsigned limit_us)
{
	uint64_t start = clock_mono_ns();
	uint64_t before = start;

	if (limit_us == 0 || is_alone(watch))
		return false;
	if (watch->skip > 0) {
		watch->skip--;
		return false;
	}
	while (before - start < (uint64_t)limit_us * 1000) {
		bool ready = poll(fds, count, 0) > 0;

		if (!ready)
			sched_yield();
		uint64_t now = clock_mono_ns();
		if (now - before > ASIDE_NS)
			watch->skip = SKIP_ASIDE;
		if (ready || watch->skip)
			return ready;
		before = now;
	}
	watch->skip = SKIP_LATE;
	return false;
}
