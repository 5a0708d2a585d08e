#ifndef CMD_WARM_WHEN_H
#define CMD_WARM_WHEN_H

#include <stdint.h>

struct app;
struct err;

/*
 * The clock_mono_ms of the next time that local clocks show HH:MM; says so
 * when that is tomorrow. ERR_USAGE for anything else than HH:MM.
 */
int warm_when_until(struct app *app, const char *text, uint64_t *ret_deadline_ms,
		    struct err *err);

#endif
