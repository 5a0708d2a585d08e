#ifndef CMD_INSPECT_DRIFT_H
#define CMD_INSPECT_DRIFT_H

#include "command.h"

#include <stdint.h>

struct inspect_subject;

#define INSPECT_DRIFT_MAX 10000

/* `inspect --drift N`: ccache.inspect-drift. */
enum exit_code inspect_drift_run(struct app *app, uint64_t sample,
				 const struct inspect_subject *subject);

#endif
