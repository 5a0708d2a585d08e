#include "core/scan_pace.h"

#include "base/clock.h"
#include "wire/redis.h"

#define TARGET_NS UINT64_C(700000)
#define COUNT_FIRST 32
#define COUNT_LEAST                                                                            \
	128 /* at worst some 0.2 ms; less would make a slow link or a busy host slower */
/* Twice as many take 4 % less in all, but another client waits a quarter longer. */
#define COUNT_MOST 256
#define COUNT_FAR 3072 /* over a long link, where a page costs a trip: 0.9 ms of the server */
#define REPLY_BYTES ((size_t)128 * 1024) /* of keys in one page: long keys make short pages */
/*
 * Probes in a gentle walk's window. On one host another client's p99 is then what
 * `redis-cli --memkeys` makes it, in about a fifth of its time: 56 take a twentieth
 * less, and make it a twelfth longer (tools/bench/inspect.sh).
 */
#define WINDOW 48
#define WINDOW_MOST 4096
/*
 * A page of COUNT_FAR keys, each with three probes. How long the server is held by these is
 * bounded by how much it reads at once, 16 to 32 KiB (Redis networking.c, readQueryFromClient).
 */
#define WINDOW_FAR 16384
#define WINDOW_TRIP_NS UINT64_C(100000) /* a window's own time on the server, about */
#define TRIPS_LEAST 16 /* pages before a trip is believed: the first may have been held up */
#define TRIPS_FAR 2    /* before one that is long: windows grow first, */
#define PAGES_FAR 4    /* then pages */

void scan_pace_init(struct scan_pace *pace, bool gentle)
{
	*pace =
	    (struct scan_pace){.count = COUNT_FIRST, .gentle = gentle, .trip_ns = UINT64_MAX};
}

bool scan_pace_is_far(const struct scan_pace *pace)
{
	return pace->pages >= TRIPS_FAR && pace->trip_ns >= REDIS_LONG_TRIP_NS;
}

size_t scan_pace_window(const struct scan_pace *pace)
{
	uint64_t trips = pace->trip_ns / WINDOW_TRIP_NS;

	if (scan_pace_is_far(pace))
		return WINDOW_FAR;
	if (pace->pages < TRIPS_LEAST || trips < 2)
		return WINDOW;
	return trips < WINDOW_MOST / WINDOW ? WINDOW * (size_t)trips : WINDOW_MOST;
}

/* Tried: to yield a key costs a server six sevenths of what a probe does. */
size_t scan_pace_weight(size_t page)
{
	return page - page / 7;
}

void scan_pace_asked(struct scan_pace *pace)
{
	pace->asked_ns = clock_mono_ns();
}

/* The least of the last pages: what a busy host delayed says nothing of the server. */
static uint64_t cost_of_key(struct scan_pace *pace, uint64_t held)
{
	uint64_t least = UINT64_MAX;

	pace->costs_ns[pace->pages++ % SCAN_PACE_PAGES] = held / pace->count;
	for (size_t i = 0; i < SCAN_PACE_PAGES && i < pace->pages; i++)
		least = pace->costs_ns[i] < least ? pace->costs_ns[i] : least;
	return least;
}

/*
 * With two probes a key a page fills two windows, a DBSIZE included: so one is always
 * queued before the SCAN that fills the next page has its answer. Where a pattern
 * leaves few keys, more.
 */
static size_t gentle_page(const struct scan_pace *pace, size_t keys)
{
	size_t full = scan_pace_window(pace) * 7 / 10;
	size_t page = keys ? full * pace->count / keys : COUNT_LEAST;

	if (page > COUNT_LEAST)
		page = COUNT_LEAST;
	return page > full ? page : full;
}

void scan_pace_answered(struct scan_pace *pace, size_t keys, size_t bytes)
{
	uint64_t took = clock_mono_ns() - pace->asked_ns;

	if (took < pace->trip_ns)
		pace->trip_ns = took;
	uint64_t cost = cost_of_key(pace, took - pace->trip_ns);
	size_t next =
	    cost * pace->count * 2 <= TARGET_NS ? pace->count * 2 : (size_t)(TARGET_NS / cost);
	if (next < COUNT_LEAST && (pace->gentle || pace->count >= COUNT_LEAST))
		next = COUNT_LEAST;
	if (next == 0)
		next = 1;
	/* Over a long link the trips differ by more than a page takes: there the cost says
	 * nothing. */
	if (scan_pace_is_far(pace) && pace->pages >= PAGES_FAR)
		next = COUNT_FAR;
	else if (next > COUNT_MOST)
		next = COUNT_MOST;
	if (pace->gentle && next > gentle_page(pace, keys))
		next = gentle_page(pace, keys);
	if (keys && bytes / keys * next > REPLY_BYTES)
		next = 1 + REPLY_BYTES / (bytes / keys);
	pace->count = next;
}
