#include "warm_options.h"

#include "base/err.h"
#include "core/warm.h"
#include "opt/opt.h"

#include <stddef.h>

#define AT(field) .offset = offsetof(struct warm_options, field)

static const char *const locked_names[] = {"fail", "ok", NULL};

const struct opt_row warm_option_rows[] = {
    {.name = "all",
     .type = OPT_FLAG,
     AT(all),
     .flags = OPT_SUBJECT,
     .help = "every namespace that has a source and a list of its ids"},
    {.name = "set",
     .type = OPT_TEXT,
     .arg = "NAME",
     AT(set),
     .flags = OPT_SUBJECT,
     .complete = OPT_COMPLETE_SET,
     .help = "the namespaces of a configured set: dashboard, campaign/42"},
    {.name = "ids",
     .type = OPT_TEXT,
     .arg = "FILE",
     AT(ids),
     .complete = OPT_COMPLETE_FILE,
     .help = "ids from a file, or - for standard input: one line each, vars separated by tabs, "
	     "or a JSON object"},
    {.name = "from",
     .type = OPT_TEXT,
     .arg = "FILE",
     AT(from),
     .flags = OPT_SUBJECT,
     .complete = OPT_COMPLETE_FILE,
     .help = "values from a file, or - for standard input, in place of a source: one JSON "
	     "object each line, {\"ns\": …, \"vars\": {…}, \"value\": …} or {\"key\": …, "
	     "\"value\": …}"},
    {.name = "existing",
     .type = OPT_FLAG,
     AT(existing),
     .help = "the keys that are cached now"},
    {.name = "if",
     .type = OPT_CHOICE,
     .arg = "WHEN",
     .choices = warm_policy_names,
     AT(policy),
     .help = "which keys that are there are fetched again; changed (the default): all, but "
	     "unchanged bytes only get their TTL renewed"},
    {.name = "expiring",
     .type = OPT_DURATION,
     .arg = "TIME",
     .max = UINT64_C(1) << 50,
     AT(expiring_ms),
     .help = "those that live for no more than this (as --if expiring; default a fifth of the "
	     "TTL)"},
    {.name = "ttl",
     .type = OPT_DURATION,
     .arg = "TIME",
     .min = 1000,
     .max = 0,
     AT(ttl_ms),
     .help = "store with this TTL in place of the namespace's"},
    {.name = "deadline",
     .type = OPT_DURATION,
     .arg = "TIME",
     .min = 1,
     .max = 0,
     AT(deadline_ms),
     .help = "begin nothing more after so long"},
    {.name = "until",
     .type = OPT_TEXT,
     .arg = "HH:MM",
     AT(until),
     .help = "begin nothing more from this local time on; already past means tomorrow"},
    {.name = "failures",
     .type = OPT_TEXT,
     .arg = "FILE",
     AT(failures),
     .complete = OPT_COMPLETE_FILE,
     .help = "write the ids that failed to a file that --ids reads (of --from the rows, "
	     "which it reads)"},
    {.name = "prune",
     .type = OPT_FLAG,
     AT(prune),
     .help = "drop a cached value whose source has nothing there any more"},
    {.name = "evict",
     .type = OPT_FLAG,
     AT(evict),
     .help = "go on even when the server evicts keys because of it, or has no room for "
	     "the rest"},
    {.name = "ephemeral",
     .type = OPT_FLAG,
     AT(ephemeral),
     .help = "keep no sidecars: no fencing, no conditional requests, no lease"},
    {.name = "if-locked",
     .type = OPT_CHOICE,
     .arg = "WHAT",
     .choices = locked_names,
     .fallback = "fail",
     AT(if_locked),
     .help = "when another run holds the lease: exit 6, or 0"},
    {.name = "dry-run",
     .type = OPT_FLAG,
     AT(dry_run),
     .help = "show what would be fetched, fetch and store nothing"},
    OPT_END,
};

int warm_options_check(const struct warm_options *options, const struct opt_words *words,
		       struct err *err)
{
	if (options->from && (options->all || options->set || options->ids ||
			      options->existing || words->count > 1))
		return err_set(err, ERR_USAGE,
			       "--from goes with one namespace at most, and no ids");
	if (words->count == 0 && !options->all && !options->set && !options->from)
		return err_set(err, ERR_USAGE,
			       "warm: name a namespace, or a set with --set, or take every one "
			       "with --all");
	if ((words->count > 0) + options->all + (options->set != NULL) > 1)
		return err_set(err, ERR_USAGE,
			       "a namespace, --all and --set exclude each other");
	if (options->ids && words->count != 1)
		return err_set(err, ERR_USAGE, "--ids goes with one namespace and no ids");
	if (options->existing && (options->ids || words->count > 1))
		return err_set(err, ERR_USAGE, "--existing says which keys: it takes no ids");
	if (options->failures && words->count == 0 && !options->from)
		return err_set(err, ERR_USAGE,
			       "--failures goes with one namespace, whose ids --ids reads "
			       "again, or with --from");
	if (options->expiring_ms != OPT_UNSET && options->policy >= 0 &&
	    options->policy != WARM_EXPIRING)
		return err_set(err, ERR_USAGE,
			       "--expiring is --if expiring: it does not go with --if %s",
			       warm_policy_names[options->policy]);
	if (options->from && (options->policy >= 0 || options->expiring_ms != OPT_UNSET))
		return err_set(
		    err, ERR_USAGE,
		    "--from writes every row: neither --if nor --expiring go with it");
	if (options->until && options->deadline_ms != OPT_UNSET)
		return err_set(err, ERR_USAGE, "--until and --deadline exclude each other");
	return 0;
}
