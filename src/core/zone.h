#ifndef CORE_ZONE_H
#define CORE_ZONE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Time zones by name: "UTC" (or ""), "+02:00", "Europe/Berlin" (the system's
 * zoneinfo). Named zones switch the process's TZ for the moment of the call,
 * under a lock.
 */
struct zone_time {
	int year, month, day, hour; /* 1-based month and day */
};

bool zone_valid(struct bytes zone);
/* The wall clock of zone at a Unix time; zone must be valid. */
struct zone_time zone_at(struct bytes zone, int64_t unix_s);
/*
 * Reads "2025-03-26T08:15:00Z" (fraction and offset as in RFC 3339, a blank for
 * the T, no offset: UTC; or the date alone) or a Unix time (seconds; milliseconds
 * from 12 digits on). 0 or -1.
 */
int zone_parse_time(struct bytes text, int64_t *ret_unix_s);
/* Reads "2025-03-26", exactly. 0 or -1. *ret_days: since 1970-01-01. */
int zone_parse_day(struct bytes text, int64_t *ret_days);

#endif
