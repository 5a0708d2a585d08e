#ifndef CMD_INSPECT_OVERVIEW_H
#define CMD_INSPECT_OVERVIEW_H

#include "command.h"

#include <stdbool.h>
#include <stdint.h>

struct inspect_filter;

/*
 * The figures of every namespace (filter NULL), or of the filter's keys;
 * sample: from about so many random keys, OPT_UNSET: from all. Documents
 * ccache.inspect and ccache.inspect-sample.
 */
enum exit_code inspect_overview_run(struct app *app, const struct inspect_filter *filter,
				    uint64_t sample, bool gentle);

#endif
