#include "bench_options.h"

#include "app.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/bench_prepare.h"
#include "core/namespace.h"
#include "wire/redis.h"

#include <stdlib.h>
#include <string.h>

#define BENCH_COMMAND_WORDS 60
#define SIZE_MAX_BYTES (UINT64_C(64) << 20)

/* --- defaults --- */

static void settle_number(uint64_t *number, uint64_t fallback)
{
	if (*number == OPT_UNSET)
		*number = fallback;
}

void bench_options_settle(struct bench_options *options)
{
	settle_number(&options->clients, 50);
	settle_number(&options->pipeline, 1);
	settle_number(&options->threads, 1);
	settle_number(&options->warm_up_ms, 0);
	settle_number(&options->keys, 10000);
	settle_number(&options->ttl_ms, 3600000);
	settle_number(&options->seed, 1);
	settle_number(&options->rounds, options->baseline ? 5 : 1);
	settle_number(&options->latency_ms, 100);
	if (options->miss < 0)
		options->miss = 0;
	if (options->max_regress < 0)
		options->max_regress = 0.1;
	if (options->pick < 0)
		options->pick = BENCH_UNIFORM;
	if (!options->size)
		options->size = "1KiB";
	if (!options->exponent)
		options->exponent = "0.99";
}

/* --- texts --- */

static int parse_share(struct bytes part, double *mix, struct err *err)
{
	size_t equals = bytes_index(part, '=');
	struct bytes name = bytes_sub(part, 0, equals);
	double share = 0;

	for (int kind = 0; kind < BENCH_KINDS; kind++) {
		if (!bytes_equal_str(name, bench_kind_names[kind]))
			continue;
		if (num_parse_real(bytes_sub(part, equals + 1, part.len), 0, 1e9, &share) != 0)
			break;
		mix[kind] = share;
		return 0;
	}
	return err_set(
	    err, ERR_USAGE,
	    "--mix: '%.*s' is not get=N, set=N, del=N or command=N (as in get=90,set=9,del=1)",
	    BYTES_ARG(bytes_sub(part, 0, 100)));
}

static int parse_mix(const struct bench_options *options, double *mix, struct err *err)
{
	const char *text = options->mix       ? options->mix
			   : options->command ? "command=1"
					      : "get=1";
	struct bytes rest = bytes_of(text);
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
	if ((mix[BENCH_COMMAND] > 0) != (options->command != NULL))
		return err_set(err, ERR_USAGE,
			       options->command
				   ? "--mix has no share for the --command: add command=N"
				   : "--mix command=N needs a --command");
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
		return err_set(
		    err, ERR_USAGE,
		    "--size '%s': 0 to 64MiB, as 512 or 1KiB, or a range as 100-4KiB", text);
	if (dash == all.len)
		max = min;
	if (min > max || max > SIZE_MAX_BYTES)
		return err_set(err, ERR_USAGE, "--size '%s': %s", text,
			       min > max ? "ends before it begins" : "at most 64MiB");
	*ret_min = (size_t)min;
	*ret_max = (size_t)max;
	return 0;
}

static int split_words(const char *option, const char *text, struct bench_words *words,
		       size_t *ret_count, struct err *err)
{
	size_t count = 0;

	if (opt_split_line(text, strlen(text), &words->words, &count, err) != 0)
		return err_wrap(err, "%s", option);
	if (count == 0 || count > BENCH_COMMAND_WORDS)
		return err_set(err, ERR_USAGE, "%s: 1 to %d words", option,
			       BENCH_COMMAND_WORDS);
	words->argv = mem_zalloc(count, sizeof *words->argv);
	for (size_t i = 0; i < count; i++)
		words->argv[i] = (struct bytes){words->words[i].ptr, words->words[i].len};
	*ret_count = count;
	return 0;
}

static int set_commands(const struct bench_options *options, struct bench_plan *plan,
			struct err *err)
{
	struct bench_job *job = &plan->job;

	if (options->command && split_words("--command", options->command, &plan->command,
					    &job->command_count, err) != 0)
		return -1;
	if (options->prepare && split_words("--prepare", options->prepare, &plan->prepare,
					    &job->prepare_count, err) != 0)
		return -1;
	job->command = plan->command.argv;
	job->prepare = plan->prepare.argv;
	return 0;
}

static int set_assertions(const struct bench_options *options, struct bench_plan *plan,
			  struct err *err)
{
	plan->assertions = mem_zalloc(options->assertions.count, sizeof *plan->assertions);
	for (size_t i = 0; i < options->assertions.count; i++)
		if (bench_assert_parse(options->assertions.items[i], &plan->assertions[i],
				       err) != 0)
			return -1;
	plan->assertion_count = options->assertions.count;
	return 0;
}

/* --source and --stampede are measurements of another kind. */
static int check_cached(const struct bench_options *options, const struct bench_job *job,
			struct err *err)
{
	bool stampede = options->stampede != OPT_UNSET;

	if (options->source && stampede)
		return err_set(err, ERR_USAGE, "--source and --stampede exclude each other");
	if (options->source && (job->family_count != 1 || !job->families[0].ns))
		return err_set(err, ERR_USAGE, "--source goes with one namespace");
	if (options->source && !job->families[0].ns->steps)
		return err_set(err, ERR_USAGE, "--source: namespace %s has no source",
			       job->families[0].ns->name);
	if ((options->source || stampede) &&
	    (options->max || options->baseline || options->hdr || options->verify ||
	     options->read_live || options->assertions.count > 0))
		return err_set(err, ERR_USAGE,
			       "--%s measures something else: leave --max, --baseline, --hdr, "
			       "--verify, --read-live and --assert out",
			       stampede ? "stampede" : "source");
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

/* Keys and sizes that are given by a file or by what is in Redis. */
static int find_names(struct app *app, const struct bench_options *options,
		      struct bench_plan *plan, size_t i, struct err *err)
{
	struct bench_family *family = &plan->job.families[i];
	const struct nsset *set = app_namespaces(app);

	if (options->ids && (!family->ns || plan->job.family_count > 1))
		return err_set(err, ERR_USAGE, "--ids FILE goes with one namespace");
	if (options->ids && options->read_live)
		return err_set(err, ERR_USAGE, "--ids and --read-live exclude each other");
	if (options->ids &&
	    bench_keys_from_file(set, family->ns, options->ids, &plan->names[i], err) != 0)
		return -1;
	if (options->read_live &&
	    bench_keys_from_live(app->redis, set, family->ns, (size_t)family->keys,
				 &plan->names[i], err) != 0)
		return -1;
	if (options->ids || options->read_live) {
		family->names = &plan->names[i];
		family->keys = plan->names[i].count;
		family->live = options->read_live;
	}
	if (options->sample == OPT_UNSET && options->sample_ttl)
		return err_set(err, ERR_USAGE, "--sample-ttl goes with --sample");
	if (options->sample == OPT_UNSET)
		return 0;
	struct bench_sample *sample = &plan->samples[i];
	if (bench_sample_live(app->redis, set, family->ns, (size_t)options->sample, sample,
			      err) != 0)
		return -1;
	if (options->sample_ttl && sample->ttl_count == 0)
		return err_set(err, ERR_ITEM, "--sample-ttl: no key of %s has a TTL",
			       family->name);
	family->sizes = sample->sizes;
	family->size_count = sample->size_count;
	if (options->sample_ttl) {
		family->ttls = sample->ttls;
		family->ttl_count = sample->ttl_count;
	}
	return 0;
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
	job->verify = options->verify;
	job->ids = (enum bench_ids)options->pick;
	job->seed = options->seed;
	if (num_parse_real(bytes_of(options->exponent), 0.01, 10, &job->exponent) != 0)
		return err_set(err, ERR_USAGE, "--exponent '%s': a number within 0.01 and 10",
			       options->exponent);
	return parse_mix(options, job->mix, err);
}

int bench_plan_make(struct app *app, const struct bench_options *options,
		    const struct opt_words *words, struct bench_plan *ret_plan, struct err *err)
{
	struct bench_job *job = &ret_plan->job;

	*ret_plan = (struct bench_plan){0};
	bench_name_run(job);
	job->cluster = redis_is_cluster(app->redis);
	if (set_load(options, job, err) != 0 || set_commands(options, ret_plan, err) != 0 ||
	    set_assertions(options, ret_plan, err) != 0 ||
	    add_families(app, options, words, job, err) != 0)
		return -1;
	for (size_t i = 0; i < job->family_count; i++)
		if (find_names(app, options, ret_plan, i, err) != 0)
			return -1;
	if (check_cached(options, job, err) != 0)
		return -1;
	/* The source gives its own ids. */
	if (!options->source && bench_check(job, err) != 0)
		return -1;
	return bench_check_commands(app->redis, job, err);
}

void bench_plan_release(struct bench_plan *plan)
{
	for (size_t i = 0; i < BENCH_FAMILIES_MAX; i++) {
		bench_names_release(&plan->names[i]);
		bench_sample_release(&plan->samples[i]);
	}
	free(plan->command.words);
	free(plan->command.argv);
	free(plan->prepare.words);
	free(plan->prepare.argv);
	free(plan->assertions);
}
