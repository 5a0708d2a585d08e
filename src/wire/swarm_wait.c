#include "wire/swarm_private.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

/* How long a wait may last before the driver and *cancel are asked. */
#define TURN_MS 100
#define TURN_NS (TURN_MS * UINT64_C(1000000))

void swarm_wait_begin(void)
{
	/* Else a wait lasts up to 50 µs longer than asked for. */
	prctl(PR_SET_TIMERSLACK, 1UL);
}

/* Linux has epoll_pwait2 since 5.11; sandboxes that do not know it answer EPERM. */
static int wait_precisely(int epoll, struct epoll_event *events, uint64_t wait_ns)
{
	struct timespec span = {.tv_nsec = (long)wait_ns};
	struct pollfd watched = {.fd = epoll, .events = POLLIN};
	int ready = epoll_pwait2(epoll, events, SWARM_EVENTS, &span, NULL);

	if (ready >= 0 || (errno != ENOSYS && errno != EPERM))
		return ready;
	if (ppoll(&watched, 1, &span, NULL) < 0)
		return -1;
	return epoll_wait(epoll, events, SWARM_EVENTS, 0);
}

static int wait_until_due(const struct swarm *swarm, struct epoll_event *events)
{
	uint64_t wait_ns = TURN_NS;

	if (!swarm->over) {
		uint64_t now_ns = clock_mono_ns();

		if (swarm->due_ns <= now_ns)
			wait_ns = swarm->blocked ? TURN_NS : 0;
		else if (swarm->due_ns - now_ns < TURN_NS)
			wait_ns = swarm->due_ns - now_ns;
	}
	return wait_precisely(swarm->epoll, events, wait_ns);
}

int swarm_wait(const struct swarm *swarm, struct epoll_event *events)
{
	if (swarm->driver->due)
		return wait_until_due(swarm, events);
	return epoll_wait(swarm->epoll, events, SWARM_EVENTS, TURN_MS);
}
