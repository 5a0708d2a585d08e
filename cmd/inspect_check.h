#ifndef CMD_INSPECT_CHECK_H
#define CMD_INSPECT_CHECK_H

#include "command.h"

#include "base/bytes.h"
#include "inspect_repair.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_result;
struct inspect_filter;

/* The options of `inspect` that check instead of showing. */
struct inspect_check_options {
	bool ttl;
	bool audit;
	struct inspect_repair_options repair;
	uint64_t drift; /* samples; OPT_UNSET: none */
	uint64_t examples;
	uint64_t max_value; /* OPT_UNSET: the default */
	uint64_t limit;
};

/* What is checked: these keys, else the filter's, else everything. */
struct inspect_subject {
	const struct bytes *keys;
	size_t key_count;
	const struct inspect_filter *filter;
};

/* True when one of the options was given. */
bool inspect_check_wanted(const struct inspect_check_options *options);
/* The check that options ask for: ccache.inspect-ttl, -audit or -drift. */
enum exit_code inspect_check_run(struct app *app, const struct inspect_check_options *options,
				 const struct inspect_subject *subject);

/* Tells what stands behind a report that is not the whole truth; the exit code for it. */
enum exit_code inspect_check_gaps(struct app *app, const struct audit_result *result);

#endif
