#include "bench_options.h"

#include "app.h"
#include "base/err.h"
#include "base/num.h"
#include "core/bench_prepare.h"
#include "core/namespace.h"

#include <stddef.h>
#include <string.h>

#define AT(field) .offset = offsetof(struct bench_options, field)
#define SIZE_MAX_BYTES (UINT64_C(64) << 20)

const struct opt_row bench_rows[] = {
    {.name = "max",
     .type = OPT_FLAG,
     AT(max),
     .help = "as fast as it goes (closed loop) instead of at a rate"},
    {.name = "clients",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = BENCH_CLIENTS_MAX,
     .fallback = "50",
     AT(clients),
     .help = "connections"},
    {.name = "pipeline",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = 4096,
     .fallback = "1",
     AT(pipeline),
     .help = "with --max: commands that each connection sends at once"},
    {.name = "threads",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = BENCH_THREADS_MAX,
     .fallback = "1",
     AT(threads),
     .help = "threads that the connections are shared among"},
    {.name = "rate",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = 100000000,
     AT(rate),
     .help = "operations per second that are sent, come what may (default 1000)"},
    {.name = "ramp-to",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = 100000000,
     AT(ramp_to),
     .help = "let the rate grow or fall to this until the end"},
    {.name = "poisson",
     .type = OPT_FLAG,
     AT(poisson),
     .help = "random distances between operations, as of independent users"},
    {.name = "duration",
     .type = OPT_DURATION,
     .arg = "TIME",
     .min = 1,
     .max = 86400000,
     AT(duration_ms),
     .help = "how long to measure (default 10s, or until --requests are made)"},
    {.name = "requests",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = 1000000000000,
     AT(requests),
     .help = "stop after so many operations"},
    {.name = "warm-up",
     .type = OPT_DURATION,
     .arg = "TIME",
     .max = 3600000,
     .fallback = "0",
     AT(warm_up_ms),
     .help = "run so long before measuring"},
    {.name = "mix",
     .type = OPT_TEXT,
     .arg = "get=N,set=N,del=N",
     AT(mix),
     .help = "shares of the operations (default get=1)"},
    {.name = "miss",
     .type = OPT_RATIO,
     .arg = "SHARE",
     .fallback = "0",
     AT(miss),
     .help = "share of the reads that ask for keys which are not there"},
    {.name = "keys",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = 1000000000,
     .fallback = "10000",
     AT(keys),
     .help = "keys of each namespace"},
    {.name = "size",
     .type = OPT_TEXT,
     .arg = "SIZE",
     .fallback = "1KiB",
     AT(size),
     .help = "bytes of a value, or a range as 100-4KiB"},
    {.name = "ttl",
     .type = OPT_DURATION,
     .arg = "TIME",
     .min = 1000,
     .max = 7 * UINT64_C(86400000),
     .fallback = "1h",
     AT(ttl_ms),
     .help = "life of the keys written, should they not be removed"},
    {.name = "pick",
     .type = OPT_CHOICE,
     .arg = "HOW",
     .choices = bench_ids_names,
     .fallback = "uniform",
     AT(pick),
     .help = "which keys are asked for"},
    {.name = "exponent",
     .type = OPT_TEXT,
     .arg = "X",
     .fallback = "0.99",
     AT(exponent),
     .help = "of --pick zipfian: how much the first keys are preferred"},
    {.name = "seed",
     .type = OPT_COUNT,
     .arg = "N",
     .fallback = "1",
     AT(seed),
     .help = "of the random choices: the same seed, the same load"},
    {.name = "yes",
     .letter = 'y',
     .type = OPT_FLAG,
     AT(yes),
     .help = "more than the default load on a server that is not on this machine"},
    {.name = "dry-run",
     .type = OPT_FLAG,
     AT(dry_run),
     .help = "say what would be done, do nothing"},
    OPT_END,
};

/* --- texts --- */

static int parse_share(struct bytes part, double *mix, struct err *err)
{
	size_t equals = bytes_index(part, '=');
	struct bytes name = bytes_sub(part, 0, equals);
	double share = 0;

	for (int kind = 0; kind < BENCH_COMMAND; kind++) {
		if (!bytes_equal_str(name, bench_kind_names[kind]))
			continue;
		if (num_parse_real(bytes_sub(part, equals + 1, part.len), 0, 1e9, &share) != 0)
			break;
		mix[kind] = share;
		return 0;
	}
	return err_set(err, ERR_USAGE,
		       "--mix: '%.*s' is not get=N, set=N or del=N (as in get=90,set=9,del=1)",
		       BYTES_ARG(bytes_sub(part, 0, 100)));
}

static int parse_mix(const char *text, double *mix, struct err *err)
{
	struct bytes rest = bytes_of(text ? text : "get=1");
	double sum = 0;

	while (rest.len > 0) {
		size_t comma = bytes_index(rest, ',');

		if (parse_share(bytes_sub(rest, 0, comma), mix, err) != 0)
			return -1;
		rest = bytes_sub(rest, comma + 1, rest.len);
	}
	for (int kind = 0; kind < BENCH_KINDS; kind++)
		sum += mix[kind];
	if (sum <= 0)
		return err_set(err, ERR_USAGE, "--mix '%s' leaves nothing to do", text);
	for (int kind = 0; kind < BENCH_KINDS; kind++)
		mix[kind] /= sum;
	return 0;
}

static int parse_size(const char *text, size_t *ret_min, size_t *ret_max, struct err *err)
{
	struct bytes all = bytes_of(text);
	size_t dash = bytes_index(all, '-');
	uint64_t min = 0;
	uint64_t max = 0;

	if (num_parse_size(bytes_sub(all, 0, dash), &min) != 0 ||
	    (dash < all.len && num_parse_size(bytes_sub(all, dash + 1, all.len), &max) != 0))
		return err_set(err, ERR_USAGE,
			       "--size '%s': a size as 512 or 1KiB, or a range as 100-4KiB",
			       text);
	if (dash == all.len)
		max = min;
	if (min > max || max > SIZE_MAX_BYTES)
		return err_set(err, ERR_USAGE, "--size '%s': %s", text,
			       min > max ? "ends before it begins" : "at most 64MiB");
	*ret_min = (size_t)min;
	*ret_max = (size_t)max;
	return 0;
}

/* --- the plan --- */

static int add_family(struct bench_job *job, const struct ns *ns,
		      const struct bench_options *options, struct err *err)
{
	struct bench_family *family = &job->families[job->family_count];

	if (job->family_count == BENCH_FAMILIES_MAX)
		return err_set(err, ERR_USAGE, "at most %d namespaces at once",
			       BENCH_FAMILIES_MAX);
	*family = (struct bench_family){
	    .ns = ns,
	    .name = ns ? ns->name : "(plain)",
	    .keys = options->keys,
	    .misses = options->keys,
	    .ttl_ms = options->ttl_ms,
	    .weight = 1,
	};
	if (ns && template_var_count(ns->key) == 0) {
		family->keys = 1;
		if (options->miss > 0)
			return err_set(err, ERR_USAGE,
				       "--miss: namespace %s is a single key: there is no "
				       "other one to miss",
				       ns->name);
	}
	job->family_count++;
	return parse_size(options->size, &family->size_min, &family->size_max, err);
}

static int add_families(struct app *app, const struct bench_options *options,
			const struct opt_words *words, struct bench_job *job, struct err *err)
{
	if (words->count == 0)
		return add_family(job, NULL, options, err);
	for (size_t i = 0; i < words->count; i++) {
		const struct ns *ns = NULL;

		if (nsset_need(app_namespaces(app), bytes_of(words->items[i]), &ns, err) != 0 ||
		    add_family(job, ns, options, err) != 0)
			return -1;
	}
	return 0;
}

static int set_load(const struct bench_options *options, struct bench_job *job, struct err *err)
{
	bool rated = options->rate != OPT_UNSET;

	if (options->max && (rated || options->poisson || options->ramp_to != OPT_UNSET))
		return err_set(err, ERR_USAGE, "--max and --%s exclude each other",
			       rated              ? "rate"
			       : options->poisson ? "poisson"
						  : "ramp-to");
	job->clients = (size_t)options->clients;
	job->threads = (size_t)options->threads;
	job->depth = (size_t)options->pipeline;
	job->rate = options->max ? 0 : rated ? (double)options->rate : 1000;
	job->rate_to = options->ramp_to != OPT_UNSET ? (double)options->ramp_to : 0;
	job->poisson = options->poisson;
	job->warm_up_ms = options->warm_up_ms;
	job->requests = options->requests == OPT_UNSET ? 0 : options->requests;
	job->duration_ms = options->duration_ms != OPT_UNSET ? options->duration_ms
			   : job->requests                   ? 0
							     : 10000;
	job->miss = options->miss;
	job->ids = (enum bench_ids)options->pick;
	job->seed = options->seed;
	if (num_parse_real(bytes_of(options->exponent), 0.01, 10, &job->exponent) != 0)
		return err_set(err, ERR_USAGE, "--exponent '%s': a number within 0.01 and 10",
			       options->exponent);
	return parse_mix(options->mix, job->mix, err);
}

int bench_plan_make(struct app *app, const struct bench_options *options,
		    const struct opt_words *words, struct bench_plan *ret_plan, struct err *err)
{
	struct bench_job *job = &ret_plan->job;

	*ret_plan = (struct bench_plan){0};
	bench_name_run(job);
	if (set_load(options, job, err) != 0 ||
	    add_families(app, options, words, job, err) != 0)
		return -1;
	return bench_check(job, err);
}

void bench_plan_release(struct bench_plan *plan)
{
	(void)plan;
}
