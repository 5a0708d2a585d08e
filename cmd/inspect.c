#include "app.h"

#include "base/buf.h"
#include "base/err.h"
#include "core/inspect_filter.h"
#include "core/namespace.h"
#include "core/top.h"
#include "inspect_check.h"
#include "inspect_drift.h"
#include "inspect_key.h"
#include "inspect_list.h"
#include "inspect_overview.h"
#include "opt/opt.h"
#include "out/sink.h"
#include "replicas.h"
#include "where.h"
#include "wire/redis.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct inspect_options {
	const char *key;
	const char *match;
	struct opt_list where;
	uint64_t limit;
	bool summary;
	uint64_t sample;
	uint64_t top;
	int by;
	bool raw;
	uint64_t max_value;
	bool replica_reads;
	struct inspect_check_options check;
};

#define AT(field) .offset = offsetof(struct inspect_options, field)

static const struct opt_row rows[] = {
    {.name = "key",
     .type = OPT_TEXT,
     .arg = "KEY",
     AT(key),
     .flags = OPT_SUBJECT,
     .complete = OPT_COMPLETE_KEY,
     .help = "everything about this key, whatever its namespace"},
    {.name = "match",
     .type = OPT_TEXT,
     .arg = "GLOB",
     AT(match),
     .complete = OPT_COMPLETE_KEY,
     .flags = OPT_SUBJECT,
     .help = "list the keys that match"},
    {.name = "where",
     .type = OPT_LIST,
     .arg = "VAR=VALUE",
     AT(where),
     .complete = OPT_COMPLETE_VAR,
     .help = "list the namespace's keys whose var has this value"},
    {.name = "limit",
     .type = OPT_COUNT,
     .arg = "N",
     AT(limit),
     .help = "list at most N keys, or elements of one key; 0: all (default 100)"},
    {.name = "summary",
     .type = OPT_FLAG,
     AT(summary),
     .help = "of the chosen keys the figures in place of the list"},
    {.name = "sample",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     AT(sample),
     .help = "estimate the figures from about N random keys, with 95 % bounds"},
    {.name = "top",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = TOP_MAX,
     AT(top),
     .help = "the N first keys of all or of the chosen ones, as --by ranks them"},
    {.name = "by",
     .type = OPT_CHOICE,
     .arg = "WHAT",
     .choices = top_by_names,
     AT(by),
     .help = "--top: the largest (the default), longest idle, most used (LFU), longest or "
	     "shortest to live"},
    {.name = "raw",
     .type = OPT_FLAG,
     AT(raw),
     .help = "one key: its exact stored bytes and nothing else"},
    {.name = "max-value",
     .type = OPT_SIZE,
     .arg = "SIZE",
     .min = 1,
     .max = 512u << 20,
     AT(max_value),
     .help = "one key: read at most so much of a value (default 64KiB; over 64MiB with "
	     "--raw); --audit: check no longer ones (default 1MiB)"},
    {.name = "ttl",
     .type = OPT_FLAG,
     AT(check.ttl),
     .help = "check TTLs against their namespaces; exit 1 on a violation"},
    {.name = "audit",
     .type = OPT_FLAG,
     AT(check.audit),
     .help = "check every rule: TTL, type, JSON, indexes, sets, sidecars; exit 1 on a finding"},
    {.name = "repair",
     .type = OPT_FLAG,
     AT(check.repair.repair),
     .help = "--audit: set TTLs by policy, drop dangling index entries, set members and "
	     "sidecars; asks first"},
    {.name = "dry-run",
     .type = OPT_FLAG,
     AT(check.repair.dry_run),
     .help = "--repair: show the plan, change nothing"},
    {.name = "yes",
     .letter = 'y',
     .type = OPT_FLAG,
     AT(check.repair.yes),
     .help = "--repair: do not ask"},
    {.name = "max-keys",
     .type = OPT_COUNT,
     .arg = "N",
     AT(check.repair.max_keys),
     .help = "--repair: refuse more repairs (default 10000)"},
    {.name = "backup",
     .type = OPT_TEXT,
     .arg = "FILE",
     AT(check.repair.backup),
     .complete = OPT_COMPLETE_FILE,
     .help = "--repair: the undo file to write (default: one in the state directory)"},
    {.name = "no-backup",
     .type = OPT_FLAG,
     AT(check.repair.no_backup),
     .help = "--repair: record nothing: what is dropped is gone"},
    {.name = "drift",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = INSPECT_DRIFT_MAX,
     AT(check.drift),
     .help = "compare N random cached values with their source; exit 1 on a difference"},
    {.name = "examples",
     .type = OPT_COUNT,
     .arg = "N",
     .max = 1000,
     AT(check.examples),
     .help = "--audit: show N keys of each finding (default 3)"},
    {.name = "replica-reads",
     .type = OPT_FLAG,
     AT(replica_reads),
     .help = "read replicas, one for each primary that has a usable one"},
    OPT_END,
};

#define LIMIT_DEFAULT 100
#define EXAMPLES_DEFAULT 3
#define MAX_VALUE_DEFAULT (UINT64_C(64) * 1024)

/* What the words come down to, and with it which options have something to act on. */
enum subject { SUBJECT_OVERVIEW, SUBJECT_KEYS, SUBJECT_KEY };

/* Options of --repair without it, and it without --audit. */
static int check_repair(const struct inspect_options *options, struct err *err)
{
	const struct inspect_repair_options *repair = &options->check.repair;

	if (repair->repair && !options->check.audit)
		return err_set(err, ERR_USAGE, "--repair goes with --audit");
	if (repair->repair && options->replica_reads)
		return err_set(err, ERR_USAGE,
			       "--replica-reads reads what may be a moment old, and --repair "
			       "writes: leave one out");
	if (repair->backup && repair->no_backup)
		return err_set(err, ERR_USAGE, "--backup and --no-backup exclude each other");
	if (!repair->repair &&
	    (repair->dry_run || repair->yes || repair->max_keys != OPT_UNSET ||
	     repair->backup || repair->no_backup))
		return err_set(err, ERR_USAGE,
			       "--dry-run, --yes, --max-keys and --backup go with --repair");
	return 0;
}

/* What is shown or checked is read in one piece. */
static bool is_too_long(const struct inspect_options *options, bool in_parts, struct err *err)
{
	if (options->max_value == OPT_UNSET || options->max_value <= REDIS_VALUE_MAX ||
	    in_parts)
		return false;
	err_set(err, ERR_USAGE, "--max-value of more than 64MiB goes with one key's --raw");
	return true;
}

static int check_options(const struct app *app, const struct inspect_options *options,
			 enum subject subject, struct err *err)
{
	bool one = subject == SUBJECT_KEY;

	if (options->check.examples != OPT_UNSET && !options->check.audit)
		return err_set(err, ERR_USAGE, "--examples goes with --audit");
	if (!one && (options->raw || options->max_value != OPT_UNSET))
		return err_set(err, ERR_USAGE,
			       "--%s goes with one key: say --key, or a namespace and its ids",
			       options->raw ? "raw" : "max-value");
	if (is_too_long(options, options->raw, err))
		return -1;
	if (one && (options->summary || options->sample != OPT_UNSET ||
		    options->top != OPT_UNSET || options->by >= 0))
		return err_set(err, ERR_USAGE,
			       "--summary, --sample, --top and --by are of many keys, not of "
			       "one");
	if (subject == SUBJECT_OVERVIEW && options->limit != OPT_UNSET)
		return err_set(
		    err, ERR_USAGE,
		    "--limit goes with a list of keys: name a namespace, or --match");
	if (options->raw && options->limit != OPT_UNSET)
		return err_set(err, ERR_USAGE, "--limit counts elements: --raw has none");
	return options->raw ? app_check_value_output(app, "--raw", err) : 0;
}

/* --- checks --- */

static enum exit_code run_check(struct app *app, const struct inspect_options *options,
				struct inspect_subject subject)
{
	struct inspect_check_options check = options->check;
	struct err err = {0};

	if (options->raw)
		err_set(&err, ERR_USAGE,
			"--raw shows a value, --ttl and --audit check: choose");
	else if (options->summary || options->sample != OPT_UNSET ||
		 options->top != OPT_UNSET || options->by >= 0)
		err_set(&err, ERR_USAGE,
			"--summary, --sample and --top show, --ttl and --audit check: choose");
	else if (check.ttl && check.audit)
		err_set(&err, ERR_USAGE, "--audit checks TTLs, too: leave out --ttl");
	else if (check.drift != OPT_UNSET && (check.ttl || check.audit))
		err_set(&err, ERR_USAGE, "--drift is a check of its own: run it beside --%s",
			check.ttl ? "ttl" : "audit");
	else if (options->limit != OPT_UNSET && !check.ttl)
		err_set(&err, ERR_USAGE, "--limit goes with --ttl; --audit has --examples");
	else if (check.examples != OPT_UNSET && !check.audit)
		err_set(&err, ERR_USAGE, "--examples goes with --audit");
	else if (options->max_value != OPT_UNSET && !check.audit)
		err_set(&err, ERR_USAGE, "--max-value goes with --audit or one key's value");
	if (is_too_long(options, false, &err) || err_is_set(&err))
		return app_fail(app, &err);
	check.max_value = options->max_value;
	check.limit = options->limit == OPT_UNSET ? LIMIT_DEFAULT : options->limit;
	if (check.examples == OPT_UNSET)
		check.examples = EXAMPLES_DEFAULT;
	return inspect_check_run(app, &check, &subject);
}

/* --- all keys, or the filter's --- */

/* True when the keys are to be counted, not listed. */
static bool wants_figures(const struct inspect_options *options)
{
	return options->summary || options->sample != OPT_UNSET;
}

static int check_wide(const struct inspect_options *options, bool filtered, struct err *err)
{
	int kinds = options->summary + (options->sample != OPT_UNSET) +
		    (options->top != OPT_UNSET) + (options->limit != OPT_UNSET);

	if (options->by >= 0 && options->top == OPT_UNSET)
		return err_set(err, ERR_USAGE, "--by goes with --top");
	if (kinds > 1)
		return err_set(err, ERR_USAGE,
			       "choose one of --summary, --sample, --top and --limit");
	if (options->sample != OPT_UNSET && filtered)
		return err_set(
		    err, ERR_USAGE,
		    "--sample is of all keys; --summary counts those of a namespace or "
		    "pattern");
	if (options->summary && !filtered)
		return err_set(err, ERR_USAGE,
			       "--summary goes with a namespace or --match; without them the "
			       "figures are shown anyway");
	return 0;
}

static enum exit_code run_wide(struct app *app, const struct inspect_options *options,
			       const struct inspect_filter *filter, enum subject subject)
{
	struct inspect_filter all = {0};
	struct err err = {0};
	enum exit_code code;

	if (inspect_check_wanted(&options->check))
		return run_check(app, options, (struct inspect_subject){.filter = filter});
	if (check_options(app, options, subject, &err) != 0 ||
	    check_wide(options, filter != NULL, &err) != 0)
		return app_fail(app, &err);
	inspect_filter_init(&all, app_namespaces(app), NULL, NULL, 0, (struct bytes){NULL, 0},
			    NULL);
	if (options->top != OPT_UNSET)
		code = inspect_top_run(app, filter ? filter : &all, options->top,
				       options->by < 0 ? 0 : options->by);
	else if (!filter || wants_figures(options))
		code = inspect_overview_run(app, filter, options->sample);
	else
		code = inspect_list_run(
		    app, filter, options->limit == OPT_UNSET ? LIMIT_DEFAULT : options->limit);
	inspect_filter_release(&all);
	return code;
}

/* --- one key --- */

static enum exit_code run_key(struct app *app, const struct inspect_options *options,
			      struct bytes key)
{
	const struct inspect_key_options how = {
	    .raw = options->raw,
	    .max_value =
		options->max_value == OPT_UNSET ? MAX_VALUE_DEFAULT : options->max_value,
	    .limit = options->limit == OPT_UNSET ? LIMIT_DEFAULT : options->limit};
	struct err err = {0};

	if (inspect_check_wanted(&options->check))
		return run_check(app, options,
				 (struct inspect_subject){.keys = &key, .key_count = 1});
	if (check_options(app, options, SUBJECT_KEY, &err) != 0)
		return app_fail(app, &err);
	return inspect_key_run(app, &how, key);
}

static enum exit_code run_named_key(struct app *app, const struct inspect_options *options,
				    const struct ns *ns, const struct var *vars, size_t count)
{
	struct buf key = {0};
	struct err err = {0};
	enum exit_code code;

	if (ns_expand(app_namespaces(app), ns, vars, count, &key, &err) != 0)
		code = app_fail(app, &err);
	else
		code = run_key(app, options, buf_bytes(&key));
	buf_release(&key);
	return code;
}

/* A namespace with ids is one key, with some of its vars (or none) a listing. */
static enum exit_code run_namespace(struct app *app, const struct inspect_options *options,
				    const struct opt_words *words)
{
	struct bytes *ids = app_words(app, words, 1);
	struct var vars[TEMPLATE_VARS_MAX];
	struct inspect_filter filter = {0};
	const struct ns *ns = NULL;
	size_t count = 0;
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (nsset_need_or_key(app_namespaces(app), app_bytes(app, words->items[0]), &ns,
			      &err) != 0 ||
	    ns_parse_vars(ns, ids, words->count - 1, true, vars, &count, &err) != 0 ||
	    where_parse(ns, &options->where, vars, &count, &err) != 0)
		goto out;
	if (options->where.count == 0 && count == template_var_count(ns->key)) {
		code = run_named_key(app, options, ns, vars, count);
		goto out;
	}
	if (inspect_filter_init(&filter, app_namespaces(app), ns, vars, count,
				(struct bytes){NULL, 0}, &err) == 0)
		code = run_wide(app, options, &filter, SUBJECT_KEYS);
out:
	if (err_is_set(&err))
		code = app_fail(app, &err);
	inspect_filter_release(&filter);
	free(ids);
	return code;
}

static enum exit_code run_match(struct app *app, const struct inspect_options *options)
{
	struct inspect_filter filter = {0};
	struct err err = {0};

	inspect_filter_init(&filter, app_namespaces(app), NULL, NULL, 0,
			    app_bytes(app, options->match), &err);
	enum exit_code code = run_wide(app, options, &filter, SUBJECT_KEYS);
	inspect_filter_release(&filter);
	return code;
}

static enum exit_code run_chosen(struct app *app, const struct inspect_options *options,
				 const struct opt_words *words)
{
	if (options->key)
		return run_key(app, options, app_bytes(app, options->key));
	if (options->match)
		return run_match(app, options);
	return words->count ? run_namespace(app, options, words)
			    : run_wide(app, options, NULL, SUBJECT_OVERVIEW);
}

static enum exit_code inspect_run(struct app *app, const void *values,
				  const struct opt_words *words)
{
	const struct inspect_options *options = values;
	struct replicas replicas;
	struct err err = {0};
	int kinds = (options->key != NULL) + (options->match != NULL) + (words->count > 0);

	if (kinds > 1)
		err_set(&err, ERR_USAGE, "inspect takes one of a namespace, --key and --match");
	else if (options->match && !options->match[0])
		err_set(
		    &err, ERR_USAGE,
		    "--match: an empty pattern; '*' matches every key, --key '' names the one "
		    "without a name");
	else if (options->where.count && words->count == 0)
		err_set(&err, ERR_USAGE, "--where goes with a namespace");
	else if (check_repair(options, &err) == 0 && kinds == 0 &&
		 !inspect_check_wanted(&options->check))
		check_options(app, options, SUBJECT_OVERVIEW, &err);
	if (err_is_set(&err))
		return app_fail(app, &err);
	if (!options->replica_reads)
		return run_chosen(app, options, words);
	if (replicas_begin(app, &replicas, &err) != 0)
		return app_fail(app, &err);
	enum exit_code code = run_chosen(app, options, words);
	replicas_end(app, &replicas);
	return code;
}

static const struct command_example examples[] = {
    {"ccache inspect", "every namespace: keys, bytes, TTLs"},
    {"ccache inspect call-logs", "its keys"},
    {"ccache inspect call-logs 507f1f77bcf86cd799439011",
     "one key: value, TTL against policy, size"},
    {"ccache inspect --ttl", "does every key keep to its TTL? exit code 1 when not"},
    {"ccache inspect --audit", "every rule; each finding has a code"},
    {"ccache inspect --audit --repair --dry-run", "what could be put right?"},
    {"ccache inspect call-logs --drift 20", "are cached values what the source says?"},
    {"ccache inspect lead --where organizationId=b0c1 -o ndjson --limit 0",
     "all keys with this var, for a script"},
    {NULL, NULL},
};

const struct command command_inspect = {
    .name = "inspect",
    .summary = "what is in the cache, how long it lives",
    .synopsis = "[NAMESPACE [VARS…] | --key KEY | --match GLOB] [--where VAR=VALUE] "
		"[--summary | --top N | --sample N | --ttl | --audit [--repair] | --drift N]",
    .text = "Walks with SCAN, never KEYS. A key that SCAN returns twice while the server "
	    "resizes its\n"
	    "table is counted twice. One key: exit code 1 when it is not there.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct inspect_options),
    .words = WORDS_NAMESPACE,
    .max_words = 1 + TEMPLATE_VARS_MAX,
    .needs = NEEDS_CONFIG | NEEDS_REDIS,
    .run = inspect_run,
};
