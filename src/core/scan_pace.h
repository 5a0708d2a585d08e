#ifndef CORE_SCAN_PACE_H
#define CORE_SCAN_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How many keys a page may have so that the server is held well under 1 ms by
 * it. All that is seen of the server is the time from one page to the next,
 * which bounds what a page costs it, less the round trip.
 */
#define SCAN_PACE_PAGES 8
struct scan_pace {
	size_t count; /* for the next SCAN */
	bool gentle;  /* as in scan_options */
	uint64_t asked_ns;
	uint64_t trip_ns;                   /* the shortest page so far bounds the round trip */
	uint64_t costs_ns[SCAN_PACE_PAGES]; /* of a key, of the last pages */
	size_t pages;
};
void scan_pace_init(struct scan_pace *pace, bool gentle);
void scan_pace_asked(struct scan_pace *pace);
/* A page came: so many bytes of keys in it. */
void scan_pace_answered(struct scan_pace *pace, size_t keys, size_t bytes);
/*
 * Of a gentle walk: how many commands make a window (redis_limits.in_turns). A
 * server answers all that it read at once before it turns to another client, so
 * this bounds how long that one waits; over a slow line it grows with the round
 * trip, for there most of them are on the way. A SCAN counts for as many probes
 * as take the same time.
 */
size_t scan_pace_window(const struct scan_pace *pace);
/* The link's trips are long: they bound what is done, not the server. */
bool scan_pace_is_far(const struct scan_pace *pace);
size_t scan_pace_weight(size_t page);
/* A window's answer is watched for, not slept for, where it comes within so long. */
#define SCAN_PACE_WATCH_US 200

#endif
