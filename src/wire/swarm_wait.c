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

void swarm_wait_begin(struct swarm *swarm)
{
	/* Else a wait lasts up to 50 µs longer than asked for. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	swarm->least_ns = UINT64_MAX;
}

/* --- with a schedule --- */

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

/* --- closed loop --- */

/*
 * Who waits for answers is woken by the server, at its cost: an interrupt for an idle
 * processor takes it as long as several commands, and large answers that are read while it
 * writes the next make it write more slowly. So answers may gather while the server has
 * enough to do: for a third of the time that they queue there, which is what a batch takes
 * longer than the quickest one did. Few connections gather nothing, deep batches of small
 * answers need no gathering, and a timer of less than NAP_LEAST_NS is late. In a closed loop
 * the mean time of an answer is clients through rate (Little): what waits here did not wait
 * there.
 */
#define NAP_CLIENTS 16
#define NAP_DEEP 8
#define NAP_LARGE ((size_t)8 * 1024)
#define NAP_SHARE 3
#define NAP_LEAST_NS 25000
#define NAP_MOST_NS 1000000
/* Before a shorter nap a look tells whether anything is left to do: the server has little. */
#define NAP_LONG_NS 100000

static bool is_worth_it(const struct swarm *swarm)
{
	return swarm->clients >= NAP_CLIENTS &&
	       (swarm->depth < NAP_DEEP || swarm->last_read >= NAP_LARGE);
}

/* 0: none. */
static uint64_t nap_ns(const struct swarm *swarm)
{
	uint64_t nap = swarm->took_ns > swarm->least_ns
			   ? (swarm->took_ns - swarm->least_ns) / NAP_SHARE
			   : 0;

	if (nap < NAP_LEAST_NS || !is_worth_it(swarm))
		return 0;
	return nap < NAP_MOST_NS ? nap : NAP_MOST_NS;
}

/* When most clients were ready at once, it is we whom the others wait for. */
static bool is_ahead(const struct swarm *swarm)
{
	return swarm->ready < SWARM_EVENTS && (size_t)swarm->ready * 2 <= swarm->clients;
}

static int wait_for_some(const struct swarm *swarm, struct epoll_event *events)
{
	uint64_t nap = nap_ns(swarm);

	if (nap > 0 && (nap < NAP_LONG_NS || !is_ahead(swarm))) {
		int ready = epoll_wait(swarm->epoll, events, SWARM_EVENTS, 0);

		if (ready != 0)
			return ready;
	}
	if (nap > 0)
		nanosleep(&(struct timespec){.tv_nsec = (long)nap}, NULL);
	return epoll_wait(swarm->epoll, events, SWARM_EVENTS, TURN_MS);
}

int swarm_wait(struct swarm *swarm, struct epoll_event *events)
{
	swarm->ready =
	    swarm->driver->due ? wait_until_due(swarm, events) : wait_for_some(swarm, events);
	return swarm->ready;
}
