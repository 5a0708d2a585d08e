#ifndef CMD_WARM_OPTIONS_H
#define CMD_WARM_OPTIONS_H

#include "opt/opt.h"

#include <stdbool.h>
#include <stdint.h>

struct err;

/* What `warm` can be told; the rows fill it. */
struct warm_options {
	bool all;
	const char *set;
	const char *ids;
	const char *from;
	bool existing;
	int policy;
	uint64_t expiring_ms;
	uint64_t ttl_ms;
	uint64_t deadline_ms;
	const char *until;
	const char *failures;
	bool prune;
	bool evict;
	bool ephemeral;
	int if_locked;
	bool dry_run;
};

extern const struct opt_row warm_option_rows[];
/* ERR_USAGE for options and words that do not go together. */
int warm_options_check(const struct warm_options *options, const struct opt_words *words,
		       struct err *err);

#endif
