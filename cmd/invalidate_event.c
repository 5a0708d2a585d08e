#include "invalidate.h"

#include "app.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/backup.h"
#include "core/event_feed.h"
#include "core/event_run.h"
#include "core/namespace.h"
#include "invalidate_event_fetch.h"
#include "out/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

const char *const event_bad_names[] = {"skip", "stop", NULL};

bool event_options_asked(const struct event_options *options)
{
	return options->event || options->follow || options->data || options->explain;
}

/* --- the payload --- */

static int read_all(int fd, const char *name, struct buf *data, struct err *err)
{
	if (buf_read_fd(data, fd, EVENT_DATA_MAX) == 0)
		return 0;
	if (errno == EINTR)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (errno == EFBIG)
		return err_set(err, ERR_USAGE, "--data %s: longer than %zu MiB", name,
			       EVENT_DATA_MAX >> 20);
	return err_set(err, ERR_USAGE, "--data %s: %s", name, strerror(errno));
}

static int read_data(const struct app *app, const char *said, struct buf *data, struct err *err)
{
	if (strcmp(said, "-") == 0)
		return read_all(STDIN_FILENO, said, data, err);
	if (said[0] != '@') {
		buf_add(data, app_bytes(app, said));
		return 0;
	}
	int fd = open(said + 1, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_USAGE, "--data %s: %s", said, strerror(errno));
	int status = read_all(fd, said, data, err);
	close(fd);
	return status;
}

/* --- what is told --- */

static const struct out_column columns[] = {
    {.name = "event", .title = "EVENT", .flags = OUT_DETAIL},
    {.name = "rule", .title = "RULE"},
    {.name = "action", .title = "ACTION"},
    {.name = "namespace", .title = "NAMESPACE", .flags = OUT_MINOR},
    {.name = "key", .title = "KEY", .flags = OUT_SHRINK},
    {.name = "outcome", .title = "OUTCOME"},
    {.name = "keys", .title = "KEYS", .unit = OUT_COUNT, .flags = OUT_MINOR},
    {.name = "exists", .title = "THERE", .flags = OUT_DETAIL},
    {.name = "why", .title = "WHY", .flags = OUT_SHRINK},
};

/* What the step would come to, by what --explain saw. */
static const char *outlook(const struct event_step *step)
{
	bool makes = step->action == EVENT_SET || step->action == EVENT_INDEX ||
		     step->action == EVENT_COUNT || step->action == EVENT_WARM ||
		     (step->action == EVENT_UPSERT && step->ns->members_of);

	if (step->outcome != EVENT_PENDING)
		return event_outcome_names[step->outcome];
	if (step->pattern)
		return "would do, every match";
	return step->there == EVENT_NOT_THERE && !makes ? event_outcome_names[EVENT_ABSENT]
							: "would do";
}

static void put_steps(struct sink *sink, const struct event_plan *plan, bool explain)
{
	static const struct out_table table = {.name = "steps",
					       .columns = columns,
					       .column_count = sizeof columns / sizeof *columns,
					       .primary = true};

	sink_table_begin(sink, &table);
	for (const struct event_step *step = plan->first; step; step = step->next) {
		const char *why = step->problem ? step->problem : step->reason;

		sink_row(
		    sink,
		    (struct out_value[]){
			out_str(plan->name), out_uint(step->number),
			out_str(event_action_names[step->action]),
			out_str(step->ns ? step->ns->name : NULL),
			step->key.len ? out_text(step->key) : OUT_NONE,
			out_str(explain ? outlook(step) : event_outcome_names[step->outcome]),
			explain ? OUT_NONE : out_uint(step->keys),
			step->there == EVENT_NOT_LOOKED ? OUT_NONE
							: out_bool(step->there == EVENT_THERE),
			out_str(why)});
	}
	sink_table_end(sink);
}

static enum exit_code print_event(struct app *app, const struct event_plan *plan, bool explain,
				  const struct invalidate_undo_file *file)
{
	static const struct out_column target = {.name = "target", .title = "Target"};
	static const struct out_column name = {.name = "event", .title = "Event"};
	static const struct out_column steps = {
	    .name = "steps_planned", .title = "Steps", .unit = OUT_COUNT};
	static const struct out_column keys = {
	    .name = "keys", .title = "Touched", .unit = OUT_COUNT};
	static const struct out_column failed = {
	    .name = "failed", .title = "Failed", .unit = OUT_COUNT, .flags = OUT_WARN};
	struct sink *sink = app_sink(app, explain ? "event-explain" : "event", 1);
	uint64_t counts[EVENT_OUTCOMES] = {0};
	uint64_t touched = 0;

	for (const struct event_step *step = plan->first; step; step = step->next) {
		counts[step->outcome]++;
		touched += step->keys;
	}
	sink_field(sink, &target, out_str(app->target_text));
	sink_field(sink, &name, out_str(plan->name));
	sink_field(sink, &steps, out_uint(plan->count));
	if (!explain) {
		sink_field(sink, &keys, out_uint(touched));
		sink_field(sink, &failed, out_uint(counts[EVENT_FAILED]));
	}
	put_steps(sink, plan, explain);
	if (!explain)
		invalidate_put_undo(sink, file);
	return app_finish(app, sink,
			  counts[EVENT_FAILED] || (!explain && counts[EVENT_PENDING])
			      ? EXIT_PARTIAL
			      : EXIT_DONE);
}

int event_open_backup(struct app *app, const struct event_request *request, bool by_default,
		      struct backup **ret_backup, struct err *err)
{
	struct backup_origin origin;

	if (request->no_backup || (!request->backup && !by_default))
		return 0;
	if (backup_origin_ask(app->redis, "event", &origin, err) != 0)
		return -1;
	return backup_create(request->backup, &origin, NULL, 0, request->backup_limit,
			     ret_backup, err);
}

static enum exit_code run_event(struct app *app, struct event_plan *plan, struct backup *backup)
{
	struct event_runner_options runner_options = {.redis = app->redis,
						      .namespaces = app_namespaces(app),
						      .fetcher = event_fetcher,
						      .ctx = app,
						      .backup = backup,
						      .cancel = app->cancel};
	struct event_runner *runner = event_runner_new(&runner_options);
	struct invalidate_undo_file file = {0};
	struct err err = {0}, err_at_end = {0};
	int status = event_run(runner, &plan, 1, &err);
	enum exit_code code = invalidate_close_undo(app, backup, &file, &err_at_end);

	event_tally(app_tally(app), plan);
	app_tally_flush(app);
	code = exit_worst(code, print_event(app, plan, false, &file));

	for (const struct event_step *step = plan->first; step; step = step->next)
		if (step->outcome == EVENT_FAILED)
			app_warn(app, "rule %zu (%s): %s", step->number,
				 event_action_names[step->action], step->problem);
	invalidate_tell_undo(app, &file);
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	event_runner_free(runner);
	return code;
}

static enum exit_code carry_out(struct app *app, const struct event_request *request,
				struct event_plan *plan)
{
	struct backup *backup = NULL;
	struct err err = {0};
	enum exit_code code;

	if (plan->count && event_open_backup(app, request, true, &backup, &err) != 0)
		return app_fail(app, &err);
	code = run_event(app, plan, backup);
	backup_free(backup);
	return code;
}

/* A server that cannot be asked only leaves open what is there. */
static enum exit_code explain_event(struct app *app, const struct event_plan *plan)
{
	struct err err = {0};

	if (event_look(app->redis, plan, &err) != 0)
		app_warn(app, "what is there was not looked at: %s", err.text);
	return print_event(app, plan, true, NULL);
}

static int check_options(const struct event_options *options,
			 const struct event_request *request, struct err *err)
{
	const char *others = request->others;
	bool dry_run = request->dry_run;

	if (others)
		return err_set(err, ERR_USAGE, "--%s and %s exclude each other",
			       options->follow ? "follow" : "event", others);
	if (options->follow && (options->event || options->data))
		return err_set(err, ERR_USAGE, "--follow and --%s exclude each other",
			       options->event ? "event" : "data");
	if (options->follow && (options->explain || dry_run))
		return err_set(err, ERR_USAGE, "--%s goes with --event, not with --follow",
			       options->explain ? "explain" : "dry-run");
	if (!options->follow && !options->event)
		return err_set(err, ERR_USAGE, "--%s goes with --event NAME",
			       options->explain ? "explain" : "data");
	if (!options->follow && !options->data)
		return err_set(err, ERR_USAGE,
			       "--event %s: its payload is missing: --data JSON, @FILE or -",
			       options->event);
	if (request->backup && request->no_backup)
		return err_set(err, ERR_USAGE, "--backup and --no-backup exclude each other");
	return 0;
}

static enum exit_code one_event(struct app *app, const struct event_options *options,
				const struct event_request *request)
{
	bool explain = options->explain || request->dry_run;
	struct event_set *set = event_set_new(app->config);
	struct mem_arena arena = {0};
	struct event_plan plan = {
	    .arena = &arena, .explain = explain, .max_keys = request->max_keys};
	struct buf data = {0};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (read_data(app, options->data, &data, &err) == 0) {
		struct event event = {.name = app_bytes(app, options->event),
				      .data = buf_bytes(&data)};

		if (event_plan(set, &event, &plan, &err) == 0)
			code = explain ? explain_event(app, &plan)
				       : carry_out(app, request, &plan);
	}
	if (err_is_set(&err))
		code = app_fail(app, &err);
	buf_release(&data);
	mem_arena_release(&arena);
	event_set_free(set);
	return code;
}

enum exit_code event_verb(struct app *app, const struct event_options *options,
			  const struct event_request *request)
{
	struct err err = {0};

	if (check_options(options, request, &err) != 0)
		return app_fail(app, &err);
	if (options->follow)
		return event_verb_follow(app, options, request);
	return one_event(app, options, request);
}
