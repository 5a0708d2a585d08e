#ifndef CMD_STATS_WATCH_H
#define CMD_STATS_WATCH_H

#include "command.h"
#include "stats_view.h"

#include <stdint.h>

struct app;

/* Gathers and redraws every interval until it is interrupted, or Redis is gone. */
enum exit_code stats_watch(struct app *app, const struct stats_want *want,
			   const struct stats_show *show, uint64_t interval_ms);

#endif
