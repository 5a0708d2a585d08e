#include "signals.h"

#include "base/clock.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile int came;
static volatile sig_atomic_t patient;

static void on_signal(int number)
{
	if (came && !(patient && number == SIGINT))
		_exit(128 + number);
	/* Threads of a benchmark read it. */
	__atomic_store_n(&came, number, __ATOMIC_RELAXED);
}

void signals_catch(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

void signals_in_session(bool in_session)
{
	patient = in_session;
}

volatile int *signals_flag(void)
{
	return &came;
}

bool signals_wait(uint64_t ms)
{
	uint64_t deadline_ms = clock_mono_ms() + ms;
	sigset_t held;
	sigset_t before;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &held, &before);
	for (int left_ms; !came && (left_ms = clock_until_ms(deadline_ms)) > 0;) {
		struct timespec time = {left_ms / 1000, left_ms % 1000 * 1000000L};

		ppoll(NULL, 0, &time, &before);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return came != 0;
}
