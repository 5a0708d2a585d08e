/* Two sessions in one wait. */
#include "wire/redis.h"
#include "wire/redis_private.h"

#include <poll.h>

/* How late a cancelled wait notices it. */
#define SLICE_MS 50

static int shorter(int slice_ms, int timeout_ms)
{
	return timeout_ms >= 0 && timeout_ms < slice_ms ? timeout_ms : slice_ms;
}

int redis_step_beside(struct redis *redis, struct redis *other, struct err *err)
{
	struct redis *const sessions[] = {redis, other};
	struct pollfd fds[2];
	int timeout_ms = SLICE_MS;

	if (redis_turn(redis, err) != 0)
		return -1;
	redis_turn(other, NULL);
	if (redis_outstanding(redis) == 0)
		return 0;
	if (redis_is_cancelled(redis, err)) /* a step of its own gives up as it must */
		return redis_step(redis, err);
	for (size_t i = 0; i < 2; i++) {
		struct redis_wait wait;

		redis_wait(sessions[i], &wait);
		fds[i] = (struct pollfd){.fd = wait.fd, .events = wait.events};
		timeout_ms = shorter(timeout_ms, wait.timeout_ms);
	}
	poll(fds, 2, timeout_ms);
	return 0;
}
