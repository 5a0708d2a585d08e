/*
 * Preloaded (LD_PRELOAD) into a program: its wall clock is off by as many seconds as the file
 * $CLOCK_OFFSET says now; none while that is empty or missing. Its monotonic clock runs RATE
 * times as fast from the moment on that it sees the file $CLOCK_HASTE.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define RATE 20
#define SECOND 1000000000LL

static time_t offset(void)
{
	const char *path = getenv("CLOCK_OFFSET");
	FILE *file = path ? fopen(path, "re") : NULL;
	char text[32] = "0";

	if (!file)
		return 0;
	if (!fgets(text, sizeof text, file))
		text[0] = '0';
	fclose(file);
	return strtol(text, NULL, 10);
}

static void hasten(struct timespec *tp)
{
	static _Atomic long long since;
	const char *path = getenv("CLOCK_HASTE");
	long long now = tp->tv_sec * SECOND + tp->tv_nsec;
	long long from = atomic_load(&since);

	if (from == 0 && path && access(path, F_OK) == 0) {
		atomic_compare_exchange_strong(&since, &from, now);
		from = atomic_load(&since);
	}
	if (from == 0 || from >= now)
		return;
	now += (now - from) * (RATE - 1);
	tp->tv_sec = now / SECOND;
	tp->tv_nsec = now % SECOND;
}

int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
	static int (*real)(clockid_t, struct timespec *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	int status = real(clock_id, tp);
	if (status == 0 && (clock_id == CLOCK_REALTIME || clock_id == CLOCK_REALTIME_COARSE))
		tp->tv_sec += offset();
	else if (status == 0 &&
		 (clock_id == CLOCK_MONOTONIC || clock_id == CLOCK_MONOTONIC_COARSE))
		hasten(tp);
	return status;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec at;

	(void)tz;
	if (clock_gettime(CLOCK_REALTIME, &at) != 0)
		return -1;
	tv->tv_sec = at.tv_sec;
	tv->tv_usec = at.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *timer)
{
	struct timespec at;

	if (clock_gettime(CLOCK_REALTIME, &at) != 0)
		return -1;
	if (timer)
		*timer = at.tv_sec;
	return at.tv_sec;
}
