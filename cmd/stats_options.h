#ifndef CMD_STATS_OPTIONS_H
#define CMD_STATS_OPTIONS_H

#include "opt/opt.h"

struct stats_options {
	bool scan;
	bool replica_reads;
	uint64_t sample_ms; /* OPT_UNSET: no sample */
	uint64_t max_lines;
	uint64_t max_bytes;
	uint64_t max_latency_ms;
	uint64_t top; /* OPT_UNSET: as the format has it */
	uint64_t watch_ms;
	const char *textfile;
	int metric_names;
	bool check;
	struct opt_list fail_if;
	bool reset;
	bool yes;
};
extern const struct opt_row stats_option_rows[];

struct err;
/* What excludes what: ERR_USAGE. */
int stats_options_check(const struct stats_options *options, struct err *err);

#endif
