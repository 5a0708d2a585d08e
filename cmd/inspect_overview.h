#ifndef CMD_INSPECT_OVERVIEW_H
#define CMD_INSPECT_OVERVIEW_H

#include "command.h"

#include <stdbool.h>
#include <stdint.h>

struct inspect_filter;
struct scan_result;

/*
 * The figures of every namespace (filter NULL), or of the filter's keys;
 * sample: from about so many random keys, OPT_UNSET: from all. Documents
 * ccache.inspect and ccache.inspect-sample.
 */
enum exit_code inspect_overview_run(struct app *app, const struct inspect_filter *filter,
				    uint64_t sample);

/* Says what this user may not learn, and which figures lack for it. */
void inspect_tell_denied(struct app *app, const struct scan_result *scan);

#endif
