#include "app.h"

#include "base/err.h"
#include "bench_cached.h"
#include "bench_job.h"
#include "bench_measure.h"
#include "bench_options.h"
#include "bench_view.h"
#include "core/bench_prepare.h"
#include "opt/opt.h"
#include "out/file.h"
#include "out/progress.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <string.h>

/* What may be done to a server elsewhere without --yes. */
#define DEFAULT_RATE 1000
#define DEFAULT_CLIENTS 50
#define DEFAULT_MS 60000

static bool is_local(const struct target *target)
{
	return target->socket || strncmp(target->host, "127.", 4) == 0 ||
	       strcmp(target->host, "::1") == 0 || strcmp(target->host, "localhost") == 0;
}

/* Of a cluster: whether all its nodes are. */
static bool is_all_local(struct app *app)
{
	size_t count = redis_nodes(app->redis, NULL);

	for (size_t i = 0; i < count; i++)
		if (!is_local(redis_target(redis_node(app->redis, i))))
			return false;
	return is_local(&app->target);
}

static int check_consent(struct app *app, const struct bench_job *job, bool yes,
			 struct err *err)
{
	bool small = job->rate > 0 && job->rate <= DEFAULT_RATE &&
		     job->rate_to <= DEFAULT_RATE && job->clients <= DEFAULT_CLIENTS &&
		     job->duration_ms > 0 && job->duration_ms + job->warm_up_ms <= DEFAULT_MS;

	if (yes || small || is_all_local(app))
		return 0;
	return err_set(err, ERR_REFUSED,
		       "%s is not on this machine: more than %d operations/s, %d clients or "
		       "%d s there needs --yes",
		       app->target_text, DEFAULT_RATE, DEFAULT_CLIENTS, DEFAULT_MS / 1000);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	(void)total;
	out_progress_update(ctx, done, 0);
}

static int prepare(struct app *app, const struct bench_job *job, bool fill, struct err *err)
{
	struct out_progress *progress = NULL;
	uint64_t runs = 0;
	uint64_t keys = 0;
	uint64_t total = 0;

	if (!bench_writes(job))
		return 0;
	if (bench_sweep(app->redis, &runs, &keys, err) != 0)
		return -1;
	if (runs > 0)
		app_info(app, "removed %" PRIu64 " keys that %" PRIu64 " killed runs had left",
			 keys, runs);
	for (size_t i = 0; i < job->family_count; i++)
		total += job->families[i].keys;
	if (bench_enter(app->redis, job, err) != 0)
		return -1;
	if (!fill)
		return 0;
	progress = app_progress(app, "filling", total);
	int status = bench_fill(app->redis, job, on_progress, progress, err);
	out_progress_free(progress);
	return status;
}

/* A server that failed the run is not waited for as long again, nor one that is silent after a
 * signal: the next run sweeps. */
#define HASTE_MS 1000
#define CLEAN_MS 5000 /* after a signal */

/* Also after Ctrl-C: what was written goes. The second one leaves it to the next run. */
static int clean(struct app *app, const struct bench_job *job, bool scattered, bool hasty,
		 struct err *err)
{
	bool interrupted = *app->cancel && (scattered || bench_writes(job));
	const volatile int *cancel =
	    redis_set_cancel(app->redis, interrupted ? app->again : app->cancel);
	struct redis_grace grace = {.silent_ms = interrupted ? 0 : HASTE_MS,
				    .whole_ms = interrupted ? 0 : CLEAN_MS};
	uint64_t removed = 0;
	int status = 0;

	if (interrupted)
		app_info(app, "interrupted: removing the run's keys; once more leaves them to "
			      "the next run");
	grace = redis_set_grace(app->redis, grace);
	redis_set_haste(app->redis, hasty || interrupted ? HASTE_MS : 0);
	/* Keys of a stampede are named otherwise. */
	if (scattered)
		status = bench_sweep_run(app->redis, job->run, err);
	if (status == 0 && bench_writes(job))
		status = bench_clean(app->redis, job, &removed, err);

	redis_set_haste(app->redis, 0);
	redis_set_grace(app->redis, grace);
	redis_set_cancel(app->redis, cancel);
	if (status != 0)
		err_wrap(err, "keys " BENCH_PREFIX "%s:* may still be there", job->run);
	return status;
}

static enum exit_code run(struct app *app, const struct bench_options *given,
			  const struct opt_words *words)
{
	struct bench_options settled = *given;
	const struct bench_options *options = &settled;
	struct bench_plan plan;
	struct err err = {0};
	struct err cleaning = {0};
	bool stampede = options->stampede != OPT_UNSET;
	enum exit_code code = EXIT_DONE;

	bench_options_settle(&settled);
	if (bench_plan_make(app, options, words, &plan, &err) != 0 ||
	    check_consent(app, &plan.job, options->yes, &err) != 0) {
		code = app_fail(app, &err);
		goto out;
	}
	struct out_file job_file = {"--save-job", options->save_job, 0, app->cancel};
	if (options->save_job && bench_job_save(&job_file, options, words, &err) != 0) {
		code = app_fail(app, &err);
		goto out;
	}
	if (stampede || options->source)
		app_info(app, "%s: %s; keys " BENCH_PREFIX "%s:*", app->target_text,
			 stampede ? "readers who meet expired keys" : "reads through the cache",
			 plan.job.run);
	else
		bench_view_plan(app, &plan.job);
	if (options->dry_run)
		goto out;
	if (prepare(app, &plan.job, !stampede && !options->source, &err) != 0)
		code = app_fail(app, &err);
	else if (stampede)
		code = bench_stampede(app, options, &plan);
	else if (options->source)
		code = bench_saving(app, options, &plan);
	else
		code = bench_measure(app, options, &plan);
	if (clean(app, &plan.job, stampede, code == EXIT_REDIS, &cleaning) != 0) {
		code = exit_worst(code, app_fail(app, &cleaning));
		app_info(app, "the next bench on this server removes them");
	}
out:
	bench_plan_release(&plan);
	return code;
}

static enum exit_code bench_run_verb(struct app *app, const void *values,
				     const struct opt_words *words)
{
	const struct bench_options *options = values;
	struct bench_job_file *file = NULL;
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (redis_connect(app->redis, &err) != 0)
		return app_fail(app, &err);
	if (bench_job_load(options, words, &file, &err) != 0)
		return app_fail(app, &err);
	if (!file)
		return run(app, options, words);
	code = run(app, file->options, &(struct opt_words){file->words, file->word_count});
	bench_job_free(file);
	return code;
}

static const struct command_example examples[] = {
    {"ccache bench call-logs --duration 2s", "a thousand reads a second of call-logs' keys"},
    {"ccache bench --max --pipeline 16 --requests 20000", "as fast as it goes, plain keys"},
    {NULL, NULL},
};

const struct command command_bench = {
    .name = "bench",
    .summary = "how fast this server is for your namespaces",
    .synopsis = "[NAMESPACE…] [--max | --rate N] [--mix SHARES] [--duration TIME]",
    .text =
	"Keys are written under cc:bench:RUN: with a TTL and removed afterwards. Without "
	"--max\n"
	"operations are sent at a fixed rate, and their response time counts from when they "
	"were\n"
	"due: a server that stalls is not flattered.",
    .examples = examples,
    .rows = bench_rows,
    .options_size = sizeof(struct bench_options),
    .words = WORDS_NAMESPACES,
    .max_words = BENCH_FAMILIES_MAX,
    .needs = NEEDS_CONFIG | NEEDS_SOURCE | NEEDS_REDIS | NEEDS_WRITING,
    .run = bench_run_verb,
};
