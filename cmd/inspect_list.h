#ifndef CMD_INSPECT_LIST_H
#define CMD_INSPECT_LIST_H

#include "command.h"

#include <stdbool.h>
#include <stdint.h>

struct inspect_filter;

/* The filter's keys as they come, at most limit of them (0: all). Document ccache.inspect-keys.
 */
enum exit_code inspect_list_run(struct app *app, const struct inspect_filter *filter,
				uint64_t limit);
/* The first `count` of the filter's keys by an enum top_by. Document ccache.inspect-top. */
enum exit_code inspect_top_run(struct app *app, const struct inspect_filter *filter,
			       uint64_t count, int by);

#endif
