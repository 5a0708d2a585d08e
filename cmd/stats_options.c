#include "stats_options.h"

#include "base/err.h"

#include <stddef.h>

#define AT(field) .offset = offsetof(struct stats_options, field)

static const char *const metric_names[] = {"callcache", "app", NULL};

const struct opt_row stats_option_rows[] = {
    {.name = "sample",
     .type = OPT_DURATION,
     .arg = "DURATION",
     AT(sample_ms),
     .min = 100,
     .max = 3600000,
     .help = "watch the traffic for so long (MONITOR): hit ratio of each namespace"},
    {.name = "scan",
     .type = OPT_FLAG,
     AT(scan),
     .help = "count keys, bytes and TTLs of each namespace now"},
    {.name = "max-lines",
     .type = OPT_COUNT,
     .arg = "N",
     .fallback = "5000000",
     .min = 1,
     AT(max_lines),
     .help = "end the sample after so many commands"},
    {.name = "max-bytes",
     .type = OPT_SIZE,
     .arg = "SIZE",
     .fallback = "512MiB",
     .min = 1,
     AT(max_bytes),
     .help = "end the sample after so many bytes from MONITOR"},
    {.name = "max-latency",
     .type = OPT_DURATION,
     .arg = "DURATION",
     .fallback = "100ms",
     AT(max_latency_ms),
     .help = "end the sample when the server answers slower three times running; 0: never"},
    {.name = "top",
     .type = OPT_COUNT,
     .arg = "N",
     .max = 48,
     AT(top),
     .help = "the N busiest commands, clients and keys of each namespace in the sample "
	     "(10 for programs, none in a table)"},
    {.name = "watch",
     .type = OPT_DURATION,
     .arg = "DURATION",
     .min = 100,
     .max = 86400000,
     AT(watch_ms),
     .flags = OPT_LIVE,
     .help = "redraw every so often, also after an outage; once when there is no terminal"},
    {.name = "check",
     .type = OPT_FLAG,
     AT(check),
     .help = "exit 1 when a sampled hit ratio is below its namespace's target"},
    {.name = "fail-if",
     .type = OPT_LIST,
     .arg = "EXPR",
     AT(fail_if),
     .help = "exit 1 when this holds, such as 'ns.lead.hit_ratio<0.7'; may be given again"},
    {.name = "replica-reads",
     .type = OPT_FLAG,
     AT(replica_reads),
     .help = "ask replicas, one for each primary that has a usable one: their figures, not "
	     "the primaries'"},
    {.name = "textfile",
     .type = OPT_TEXT,
     .arg = "FILE",
     AT(textfile),
     .complete = OPT_COMPLETE_FILE,
     .help = "write metrics there, in one step, in place of an answer"},
    {.name = "metric-names",
     .type = OPT_CHOICE,
     .arg = "NAMES",
     .fallback = "callcache",
     .choices = metric_names,
     AT(metric_names),
     .help = "app: own counters as cache_operations_total"},
    {.name = "reset",
     .type = OPT_FLAG,
     AT(reset),
     .help = "set the program's own counters to 0"},
    {.name = "yes", .letter = 'y', .type = OPT_FLAG, AT(yes), .help = "do not ask"},
    OPT_END,
};

int stats_options_check(const struct stats_options *options, struct err *err)
{
	bool sampled = options->sample_ms != OPT_UNSET;

	if (options->check && !sampled)
		return err_set(err, ERR_USAGE,
			       "--check compares sampled hit ratios with their targets: add "
			       "--sample 5s");
	if (options->replica_reads && (sampled || options->reset))
		return err_set(err, ERR_USAGE,
			       sampled ? "--sample watches what applications read, and most "
					 "read at the primaries: leave --replica-reads out"
				       : "--reset writes, which a replica does not take: leave "
					 "--replica-reads out");
	if (options->watch_ms != OPT_UNSET &&
	    (options->check || options->fail_if.count || options->textfile))
		return err_set(err, ERR_USAGE, "--watch goes on and on: without %s",
			       options->check           ? "--check"
			       : options->fail_if.count ? "--fail-if"
							: "--textfile");
	if (options->reset &&
	    (sampled || options->scan || options->check || options->fail_if.count ||
	     options->textfile || options->watch_ms != OPT_UNSET))
		return err_set(err, ERR_USAGE, "--reset goes alone");
	return 0;
}
