#include "signals.h"

#include "base/clock.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* timeout(1) and other wrappers send theirs to the program and to its group: that is once. */
#define ONCE_MS 100

static volatile int came;
static volatile int came_again;
static volatile sig_atomic_t at_prompt;
static volatile uint64_t last_ms;

static bool is_another(int number)
{
	uint64_t now_ms = clock_mono_ms();
	bool another = came && number != SIGHUP && now_ms - last_ms >= ONCE_MS;

	last_ms = came ? last_ms : now_ms;
	return another;
}

static void on_signal(int number)
{
	if (is_another(number)) {
		if (!at_prompt || number != SIGINT)
			_exit(128 + number);
		came_again = number;
	} else if (!came) {
		came_again = 0;
	}
	/* Threads of a benchmark read it. */
	if (!came || (at_prompt && number != SIGINT))
		__atomic_store_n(&came, number, __ATOMIC_RELAXED);
}

void signals_catch(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct sigaction before;

	sigfillset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL); /* else it was started by nohup */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGXFSZ, &action, NULL); /* a write over the limit fails, and is told */
}

void signals_at_prompt(bool is_prompt)
{
	at_prompt = is_prompt;
}

volatile int *signals_flag(void)
{
	return &came;
}

volatile int *signals_again(void)
{
	return &came_again;
}

bool signals_wait(uint64_t ms)
{
	uint64_t deadline_ms = clock_mono_ms() + ms;
	sigset_t held;
	sigset_t before;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &held, &before);
	for (int left_ms; !came && (left_ms = clock_until_ms(deadline_ms)) > 0;) {
		struct timespec time = {left_ms / 1000, left_ms % 1000 * 1000000L};

		ppoll(NULL, 0, &time, &before);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return came != 0;
}
