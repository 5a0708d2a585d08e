#ifndef CMD_INSPECT_REPAIR_H
#define CMD_INSPECT_REPAIR_H

#include "command.h"

#include <stdbool.h>
#include <stdint.h>

struct audit_options;

struct inspect_repair_options {
	bool repair;
	bool dry_run;
	bool yes;
	uint64_t max_keys; /* OPT_UNSET: the default */
	const char *backup;
	bool no_backup;
};

/*
 * `inspect --audit --repair`: plan, consent, repairs, and an audit that says
 * what is left: ccache.inspect-repair. audit: what to look at, and how.
 */
enum exit_code inspect_repair_run(struct app *app, const struct inspect_repair_options *options,
				  const struct audit_options *audit);

#endif
