#include "invalidate.h"

#include "app.h"

#include "base/err.h"
#include "core/backup.h"
#include "core/namespace.h"
#include "core/resume.h"
#include "core/tally.h"
#include "core/throttle.h"
#include "core/witness.h"
#include "out/progress.h"
#include "wire/redis.h"

#include <stdlib.h>

/* One run, from the choice to the report. */
struct invalidation {
	struct app *app;
	const struct invalidate_options *options;
	const struct opt_words *words;
	struct invalidate_choice choice;
	struct invalidate_plan plan;
	struct invalidate_outcome outcome;
	struct throttle throttle;
	struct redis *second; /* of its own, for what is saved first */
	struct backup *backup;
	struct backup_origin origin;
	struct resume resume;
};

/* Whoever writes '*' for an id and meets nothing meant every id. */
static void warn_of_patterns(struct app *app, const struct invalidate_choice *choice,
			     const struct invalidate_plan *plan)
{
	if (choice->star && plan->keys == 0)
		app_warn(app, "ids are no patterns: --where %s='*' or --all",
			 template_var_name(choice->ns->key, 0));
}

static void warn_of_plan(const struct invalidation *run)
{
	struct app *app = run->app;

	if (run->resume.moved)
		app_info(app,
			 "slots moved between the cluster's nodes since that run: %zu of %zu "
			 "primaries are walked from the beginning again",
			 run->resume.moved, run->resume.count);

	warn_of_patterns(app, &run->choice, &run->plan);
	if (run->plan.unknown_age)
		app_warn(app,
			 "%llu keys were left out: how old they are cannot be told (no TTL, or "
			 "none that their namespace fixes)",
			 (unsigned long long)run->plan.unknown_age);
	if (!run->plan.listed && run->choice.target.referrers)
		app_info(app,
			 "too many keys to look for what refers to them: index keys and set "
			 "members may be left");
}

static void on_progress(void *ctx, uint64_t done, uint64_t failed)
{
	out_progress_update(ctx, done, failed);
}

/* Keys of several namespaces count as nobody's. */
static void count(const struct invalidation *run)
{
	const struct take_counts *counts = &run->outcome.report.counts;
	const struct nsset *set = app_namespaces(run->app);
	struct tally *tally = app_tally(run->app);
	const struct ns *ns = run->choice.ns;
	struct keylist_walk walk = {0};
	struct bytes key;

	if (!ns && keylist_next(&run->plan.list, &walk, &key)) {
		ns = nsset_classify(set, key, NULL);
		while (ns && keylist_next(&run->plan.list, &walk, &key))
			if (nsset_classify(set, key, NULL) != ns)
				ns = NULL;
	}
	tally_add(tally, ns, TALLY_INVALIDATED, counts->removed + counts->shortened);
	tally_add(tally, ns, TALLY_INVALIDATE_ERROR, counts->failed);
	app_tally_flush(run->app);
}

static int open_backup(struct invalidation *run, struct err *err)
{
	const struct invalidate_options *options = run->options;
	struct buf text = {0};
	size_t count = 0;

	if (backup_origin_ask(run->app->redis, "invalidate", &run->origin, err) != 0)
		return -1;
	if (options->no_backup || run->plan.list.count + run->plan.keys == 0)
		return 0;
	if (options->resume)
		return backup_reopen(options->resume, options->backup_limit, &run->backup, err);
	if (run->plan.bytes_known && !options->soft && run->plan.bytes > options->backup_limit)
		return err_set(err, ERR_REFUSED,
			       "what would be dropped takes more memory (%llu bytes) than "
			       "--backup-limit allows for its undo file; allow more, or do "
			       "without with --no-backup",
			       (unsigned long long)run->plan.bytes);
	struct bytes *words = invalidate_selection(options, run->words, &text, &count);
	int status = backup_create(options->backup, &run->origin, words, count,
				   options->backup_limit, &run->backup, err);
	free(words);
	buf_release(&text);
	return status;
}

static enum exit_code carry_out(struct invalidation *run)
{
	struct app *app = run->app;
	const struct invalidate_options *options = run->options;
	struct out_progress *progress = app_progress(app, "invalidate", run->plan.keys);
	struct invalidate_job job = {.redis = app->redis,
				     .target = &run->choice.target,
				     .plan = &run->plan,
				     .second = run->second,
				     .backup = run->backup,
				     .soft = options->soft,
				     .soft_ms =
					 options->in_ms == OPT_UNSET ? 0 : options->in_ms,
				     .throttle = options->throttle ? &run->throttle : NULL,
				     .cancel = app->cancel,
				     .progress = on_progress,
				     .ctx = progress};
	struct err err = {0}, err_at_end = {0};
	enum exit_code code;
	struct witness *witness =
	    options->verify ? invalidate_watch(app, &run->plan.list) : NULL;
	int status = invalidate_run(&job, &run->outcome.report, &err);

	out_progress_free(progress);
	code = invalidate_close_undo(app, run->backup, &run->outcome.file, &err_at_end);
	count(run);
	if (status == 0 && options->verify) /* before our own fetches bring them back */
		code = exit_worst(
		    code, invalidate_verify(app, witness, &run->plan.list, &run->outcome));
	if (status == 0 && options->rewarm)
		code = exit_worst(code, invalidate_rewarm(app, &run->plan, &run->outcome));
	code = exit_worst(code, invalidate_print_report(app, &run->outcome));
	invalidate_warn(app, &run->outcome);
	invalidate_tell_undo(app, &run->outcome.file);
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	witness_free(witness);
	return code;
}

/* What the options say together, before anything is looked at. */
static int check_options(struct invalidation *run, struct err *err)
{
	const struct invalidate_options *options = run->options;

	if (options->backup && options->no_backup)
		return err_set(err, ERR_USAGE, "--backup and --no-backup exclude each other");
	if ((options->salvage || options->elsewhere) && !options->undo)
		return err_set(err, ERR_USAGE, "--%s goes with --undo",
			       options->salvage ? "salvage" : "elsewhere");
	if (options->throttle && throttle_parse(options->throttle, &run->throttle) != 0)
		return err_set(err, ERR_USAGE,
			       "--throttle '%s': write auto, or keys a second: 200/s",
			       options->throttle);
	return 0;
}

static int check_plan(const struct invalidation *run, struct err *err)
{
	if (run->plan.listed || !(run->options->verify || run->options->rewarm))
		return 0;
	return err_set(
	    err, ERR_REFUSED,
	    "--%s needs the names of all dropped keys at hand, and these are too many; "
	    "narrow the choice",
	    run->options->verify ? "verify" : "rewarm");
}

static enum exit_code invalidate(struct invalidation *run, const struct backup_reader *reader)
{
	struct app *app = run->app;
	const struct invalidate_options *options = run->options;
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (check_options(run, &err) != 0 ||
	    invalidate_choose(app, &run->choice, options, run->words, &err) != 0 ||
	    (run->choice.target.filter &&
	     resume_init(&run->resume, app->redis, reader, &err) != 0))
		goto out;
	run->choice.target.graced = options->soft && options->in_ms == OPT_UNSET;
	run->choice.target.resume = &run->resume;
	if (invalidate_plan(app->redis, &run->choice.target, &run->plan, &err) != 0)
		goto out;
	warn_of_plan(run);
	if (options->dry_run) {
		code = invalidate_print_plan(app, &run->plan);
		goto out;
	}
	if (check_plan(run, &err) != 0 ||
	    ((run->plan.keys > 0 || options->everything) &&
	     invalidate_consent(app, options, &run->choice, &run->plan, &err) != 0))
		goto out;
	run->second = redis_new(&app->target, app->cancel);
	redis_set_grace(run->second, REDIS_GRACE);
	run->outcome.soft = options->soft;
	if (open_backup(run, &err) == 0)
		code = carry_out(run);
out:
	if (err_is_set(&err))
		code = app_fail(app, &err);
	backup_free(run->backup);
	redis_free(run->second);
	invalidate_report_release(&run->outcome.report);
	keylist_release(&run->outcome.look.sample);
	invalidate_plan_release(&run->plan);
	invalidate_choice_release(&run->choice);
	resume_release(&run->resume);
	return code;
}

static enum exit_code resume(struct app *app, const struct invalidate_options *options,
			     const struct opt_words *words)
{
	struct invalidate_resumed resumed = {0};
	struct invalidation run = {
	    .app = app, .options = &resumed.options, .words = &resumed.words};
	struct err err = {0};
	enum exit_code code;

	if (words->count)
		err_set(&err, ERR_USAGE,
			"--resume goes on with the file's own selection: no "
			"namespace, no ids");
	else
		invalidate_resume(app, options, &resumed, &err);
	code = err_is_set(&err) ? app_fail(app, &err) : invalidate(&run, resumed.reader);
	invalidate_resumed_release(&resumed);
	return code;
}

/* What names keys, and so does not go with events; NULL: nothing. */
static const char *beside_events(const struct invalidate_options *options,
				 const struct opt_words *words)
{
	return words->count           ? "a namespace"
	       : options->keys.count  ? "--key"
	       : options->keys_file   ? "--keys"
	       : options->match       ? "--match"
	       : options->tag         ? "--tag"
	       : options->where.count ? "--where"
	       : options->all         ? "--all"
	       : options->everything  ? "--everything"
	       : options->undo        ? "--undo"
	       : options->resume      ? "--resume"
				      : NULL;
}

static enum exit_code invalidate_run_verb(struct app *app, const void *values,
					  const struct opt_words *words)
{
	struct invalidate_options options = *(const struct invalidate_options *)values;
	struct invalidation run = {.app = app, .options = &options, .words = words};

	struct event_request request = {
	    .max_keys = options.max_keys == OPT_UNSET ? INVALIDATE_MAX_KEYS : options.max_keys,
	    .dry_run = options.dry_run,
	    .others = beside_events(&options, words),
	    .backup = options.backup,
	    .no_backup = options.no_backup,
	    .backup_limit = options.backup_limit};

	if (event_options_asked(&options.events))
		return event_verb(app, &options.events, &request);
	options.soft = options.soft || options.in_ms != OPT_UNSET;
	if (options.undo)
		return invalidate_undo(app, &options, words);
	if (options.resume)
		return resume(app, &options, words);
	return invalidate(&run, NULL);
}

static const struct command_example examples[] = {
    {"ccache invalidate call-logs 507f1f77bcf86cd799439011", "one key; asks on a terminal"},
    {"ccache invalidate lead-conversations --where leadId=42 --dry-run", "what would go?"},
    {"ccache invalidate --match 'campaign_*' --yes", "by pattern, from a script"},
    {"ccache invalidate dashboard-summary --in 30s --yes", "let it end soon, not now"},
    {"ccache invalidate --undo dropped.undo", "take a run back"},
    {NULL, NULL},
};

const struct command command_invalidate = {
    .name = "invalidate",
    .summary = "drop keys: plan, confirm, do, tell; and take it back",
    .synopsis = "NAMESPACE IDS… | NAMESPACE --where VAR=VALUE | NAMESPACE --all | --key KEY | "
		"--keys FILE | --match GLOB | --tag TAG | --undo FILE | --resume FILE | "
		"--event NAME --data JSON | --follow SOURCE",
    .text =
	"Shows server, count, bytes and a sample, then asks; without a terminal it needs "
	"--yes.\n"
	"Refuses (exit code 7) more than --max-keys keys and patterns that match everything.\n"
	"What it drops is saved first; --undo brings it back.",
    .examples = examples,
    .rows = invalidate_rows,
    .options_size = sizeof(struct invalidate_options),
    .words = WORDS_NAMESPACE,
    .max_words = (size_t)-1,
    .needs = NEEDS_CONFIG | NEEDS_REDIS_WRITE,
    .run = invalidate_run_verb,
};
