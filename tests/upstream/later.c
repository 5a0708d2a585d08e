#include "later.h"

#include "base/clock.h"
#include "base/mem.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct sleeper {
	struct sleeper *next;
	struct MHD_Connection *connection;
	uint64_t due_ns;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t
    earlier; /* on the monotonic clock: a sleeper came in front of all others */
static struct sleeper *sleepers; /* by due time */

/* The sleepers that are due, taken from the list; waits until there is one. */
static struct sleeper *take_due(void)
{
	struct sleeper *due = NULL;
	struct sleeper **end = &due;

	pthread_mutex_lock(&lock);
	while (!sleepers || sleepers->due_ns > clock_mono_ns()) {
		if (!sleepers || sleepers->due_ns == LATER_HOLD) {
			pthread_cond_wait(&earlier, &lock);
			continue;
		}
		struct timespec until = {.tv_sec = (time_t)(sleepers->due_ns / 1000000000u),
					 .tv_nsec = (long)(sleepers->due_ns % 1000000000u)};
		pthread_cond_timedwait(&earlier, &lock, &until);
	}
	for (uint64_t now = clock_mono_ns(); sleepers && sleepers->due_ns <= now;
	     end = &(*end)->next) {
		*end = sleepers;
		sleepers = sleepers->next;
	}
	*end = NULL;
	pthread_mutex_unlock(&lock);
	return due;
}

static void resume_all(struct sleeper *due)
{
	while (due) {
		struct sleeper *next = due->next;

		MHD_resume_connection(due->connection);
		free(due);
		due = next;
	}
}

static void *run(void *unused)
{
	(void)unused;
	for (;;)
		resume_all(take_due());
	return NULL;
}

void later_init(void)
{
	pthread_condattr_t attributes;
	pthread_t thread;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&earlier, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&thread, NULL, run, NULL))
		abort();
	pthread_detach(thread);
}

void later_resume(struct MHD_Connection *connection, uint64_t delay_ms)
{
	struct sleeper *sleeper = mem_zalloc(1, sizeof(*sleeper));

	sleeper->connection = connection;
	sleeper->due_ns =
	    delay_ms == LATER_HOLD ? LATER_HOLD : clock_mono_ns() + delay_ms * 1000000u;
	MHD_suspend_connection(connection);
	pthread_mutex_lock(&lock);
	struct sleeper **at = &sleepers;
	while (*at && (*at)->due_ns <= sleeper->due_ns)
		at = &(*at)->next;
	sleeper->next = *at;
	*at = sleeper;
	if (sleepers == sleeper)
		pthread_cond_signal(&earlier);
	pthread_mutex_unlock(&lock);
}

void later_release(void)
{
	struct sleeper *held;
	struct sleeper **at = &sleepers;

	pthread_mutex_lock(&lock);
	while (*at && (*at)->due_ns != LATER_HOLD) /* they stand last */
		at = &(*at)->next;
	held = *at;
	*at = NULL;
	pthread_mutex_unlock(&lock);
	resume_all(held);
}
