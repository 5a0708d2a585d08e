#include "inspect_repair.h"

#include "app.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "consent.h"
#include "core/audit_tally.h"
#include "core/backup.h"
#include "core/namespace.h"
#include "core/repair.h"
#include "inspect_check.h"
#include "opt/opt.h"
#include "out/sink.h"
#include "session.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <stdlib.h>

#define MAX_KEYS_DEFAULT 10000

enum { P_CODE, P_NAMESPACE, P_PLANNED, P_REMAINING, P_COLUMNS };

static const struct out_column columns[P_COLUMNS] = {
    [P_CODE] = {.name = "code", .title = "CODE"},
    [P_NAMESPACE] = {.name = "namespace", .title = "NAMESPACE"},
    [P_PLANNED] = {.name = "planned", .title = "PLANNED", .unit = OUT_COUNT},
    [P_REMAINING] = {.name = "remaining", .title = "REMAINING", .unit = OUT_COUNT},
};
static const struct out_table table = {
    .name = "repairs", .columns = columns, .column_count = P_COLUMNS, .primary = true};

struct run {
	struct app *app;
	const struct inspect_repair_options *options;
	struct audit_options audit;
	struct audit_tally before; /* the plan */
	struct audit_tally after;
	struct audit_result result;
	struct repair repair;
	struct backup *backup;
	char *backup_path;
	bool carried_out;
};

static int on_count(void *ctx, const struct audit_finding *finding, struct err *err)
{
	(void)err;
	audit_tally_add(ctx, finding);
	return 0;
}

static int count(struct run *run, struct audit_tally *tally, struct err *err)
{
	struct audit_options audit = run->audit;

	audit_tally_init(tally, audit.set, 2);
	audit.finding = on_count;
	audit.key = NULL;
	audit.ctx = tally;
	return audit_run(run->app->redis, &audit, &run->result, err);
}

static uint64_t repairable(const struct audit_tally *tally)
{
	uint64_t total = 0;

	for (size_t i = 0; i < tally->count; i++)
		if (audit_rules[tally->counts[i].rule].repairable)
			total += tally->counts[i].count;
	return total;
}

/* --- consent --- */

static void tell_plan(struct run *run)
{
	for (size_t i = 0; i < run->before.count; i++) {
		const struct audit_count *found = &run->before.counts[i];
		const struct audit_rule_info *rule = &audit_rules[found->rule];

		if (found->count && rule->repairable)
			app_info(run->app, "%s: %" PRIu64 " × %s in %s, such as '%s'",
				 run->app->target_text, found->count, rule->code,
				 found->ns ? found->ns->name : "sidecars",
				 buf_str(&found->examples[0].key));
	}
}

static int consent(struct run *run, uint64_t planned, struct err *err)
{
	uint64_t most =
	    run->options->max_keys == OPT_UNSET ? MAX_KEYS_DEFAULT : run->options->max_keys;
	struct buf question = {0};

	if (planned > most)
		return err_set(err, ERR_REFUSED,
			       "%" PRIu64 " repairs are more than --max-keys %" PRIu64
			       "; nothing was repaired",
			       planned, most);
	run->repair.max = most;
	tell_plan(run);
	buf_add_str(&question, "Make ");
	num_format_count(&question, (int64_t)planned);
	buf_printf(&question, " %s on %s? [y/N] ", planned == 1 ? "repair" : "repairs",
		   run->app->target_text);
	return consent_ask(run->app, &question, run->options->yes, "nothing was repaired", err);
}

/* --- the work --- */

static int on_repair(void *ctx, const struct audit_finding *finding, struct err *err)
{
	return repair_apply(&((struct run *)ctx)->repair, finding, err);
}

static int open_backup(struct run *run, struct err *err)
{
	struct backup_origin origin = {0};

	if (run->options->no_backup)
		return 0;
	if (backup_origin_ask(run->app->redis, "inspect --repair", &origin, err) != 0 ||
	    backup_create(run->options->backup, &origin, NULL, 0, 0, &run->backup, err) != 0)
		return -1;
	run->repair.backup = run->backup;
	return 0;
}

static int carry_out(struct run *run, struct err *err)
{
	struct audit_options audit = run->audit;
	struct audit_result result = {0};
	bool kept = false;

	if (open_backup(run, err) != 0)
		return -1;
	run->carried_out = true;
	run->repair.redis = redis_new(redis_target(run->app->redis), run->app->cancel);
	redis_set_grace(run->repair.redis, REDIS_GRACE);
	audit.finding = on_repair;
	audit.key = NULL;
	audit.ctx = run;
	int status = audit_run(run->app->redis, &audit, &result, err);
	redis_free(run->repair.redis);
	if (run->backup && backup_finish(run->backup, &kept, status == 0 ? err : NULL) != 0)
		status = -1;
	if (kept)
		run->backup_path = mem_strdup(backup_path(run->backup));
	backup_free(run->backup);
	/* what is left says whether it worked */
	return status == 0 ? count(run, &run->after, err) : -1;
}

/* --- the report --- */

static void add(struct sink *sink, const char *name, const char *title, struct out_value value)
{
	const struct out_column column = {.name = name, .title = title, .unit = OUT_COUNT};

	sink_field(sink, &column, value);
}

static enum exit_code print_report(struct run *run, uint64_t planned)
{
	struct sink *sink = app_sink(run->app, "inspect-repair", 1);
	const struct repair *repair = &run->repair;
	bool counted = run->after.count > 0;
	const struct audit_tally *now = counted ? &run->after : &run->before;
	uint64_t remaining =
	    audit_tally_total(now, AUDIT_ERROR) + audit_tally_total(now, AUDIT_WARNING);

	add(sink, "target", "Target", out_str(run->app->target_text));
	add(sink, "planned", "Planned", out_uint(planned));
	add(sink, "repaired", "Repaired", out_uint(repair->done));
	add(sink, "gone", "Not so any more", out_uint(repair->gone));
	add(sink, "failed", "Failed", out_uint(repair->failed));
	add(sink, "remaining", "Findings left", out_uint(remaining));
	add(sink, "backup", "Undo file", out_str(run->backup_path));
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < run->before.count; i++) {
		const struct audit_count *found = &run->before.counts[i];

		if (found->count && audit_rules[found->rule].repairable)
			sink_row(sink, (struct out_value[P_COLUMNS]){
					   [P_CODE] = out_str(audit_rules[found->rule].code),
					   [P_NAMESPACE] =
					       out_str(found->ns ? found->ns->name : "(none)"),
					   [P_PLANNED] = out_uint(found->count),
					   [P_REMAINING] = out_uint(now->counts[i].count),
				       });
	}
	sink_table_end(sink);
	enum exit_code code = app_finish(run->app, sink, remaining ? EXIT_FOUND : EXIT_DONE);
	if (repair->failed) {
		app_error(run->app, "%s", repair->problem.text);
		code = exit_worst(code, EXIT_PARTIAL);
	}
	return code;
}

enum exit_code inspect_repair_run(struct app *app, const struct inspect_repair_options *options,
				  const struct audit_options *audit)
{
	struct run run = {.app = app, .options = options, .audit = *audit};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;
	uint64_t planned = 0;

	if (session_is_read_only(app) && !options->dry_run) {
		err_set(&err, ERR_REFUSED, "this session is read-only: --repair writes");
		return app_fail(app, &err);
	}
	int status = count(&run, &run.before, &err);
	planned = repairable(&run.before);
	if (status == 0 && planned && !options->dry_run)
		status = consent(&run, planned, &err);
	if (status == 0 && planned && !options->dry_run)
		status = carry_out(&run, &err);
	if (status == 0 || run.carried_out)
		code = print_report(&run, planned);
	code = exit_worst(code, inspect_check_gaps(app, &run.result));
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	audit_tally_release(&run.before);
	audit_tally_release(&run.after);
	free(run.backup_path);
	return code;
}
