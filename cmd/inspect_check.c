#include "inspect_check.h"

#include "app.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/audit.h"
#include "core/audit_tally.h"
#include "core/namespace.h"
#include "inspect_check_view.h"
#include "inspect_drift.h"
#include "opt/opt.h"
#include "out/progress.h"
#include "out/sink.h"
#include "replicas.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VALUE_DEFAULT (UINT64_C(1) << 20)

bool inspect_check_wanted(const struct inspect_check_options *options)
{
	return options->ttl || options->audit || options->drift != OPT_UNSET;
}

static struct audit_options make_options(const struct app *app,
					 const struct inspect_check_options *options,
					 const struct inspect_subject *subject)
{
	return (struct audit_options){.set = app_namespaces(app),
				      .keys = subject->keys,
				      .key_count = subject->key_count,
				      .filter = subject->filter,
				      .max_value = options->max_value == OPT_UNSET
						       ? MAX_VALUE_DEFAULT
						       : options->max_value,
				      .cancel = app->cancel};
}

enum exit_code inspect_check_gaps(struct app *app, const struct audit_result *result)
{
	enum exit_code code = EXIT_DONE;

	if (result->unread)
		app_warn(app,
			 "%" PRIu64 " values are longer than --max-value and were not read",
			 result->unread);
	if (result->denied) {
		app_warn(app, "this user may not run %s: the rules that need it were skipped",
			 result->denied);
		code = EXIT_PARTIAL;
	}
	if (result->fenced) {
		app_warn(app, "some keys are outside this user's key patterns: the rules that "
			      "need them were skipped");
		code = EXIT_PARTIAL;
	}
	if (result->absent)
		app_info(app, "%s", "the key is not in Redis");
	return code;
}

/* --- every rule --- */

struct audit_run {
	struct audit_tally tally;
	struct out_progress *progress;
};

static void on_progress(void *ctx, uint64_t keys)
{
	struct audit_run *run = ctx;

	out_progress_update(run->progress, keys, 0);
}

static int on_finding(void *ctx, const struct audit_finding *finding, struct err *err)
{
	struct audit_run *run = ctx;

	(void)err;
	audit_tally_add(&run->tally, finding);
	return 0;
}

static enum exit_code run_audit(struct app *app, const struct inspect_check_options *options,
				const struct inspect_subject *subject)
{
	struct audit_options audit = make_options(app, options, subject);
	struct audit_run run = {.progress = app_progress(app, "audit", 0)};
	struct audit_result result = {0};
	unsigned tries = 0;
	struct err err = {0};

	audit.rules = AUDIT_ALL_RULES;
	if (options->repair.repair) {
		out_progress_free(run.progress);
		return inspect_repair_run(app, &options->repair, &audit);
	}
	audit.lenient = true; /* there is more to check than TTLs */
	audit.finding = on_finding;
	audit.progress = on_progress;
	audit.ctx = &run;
	audit_tally_init(&run.tally, audit.set, (size_t)options->examples);
	int status = audit_run(app->redis, &audit, &result, &err);
	while (status != 0 && replicas_again(app, &result.scan, &tries, &err)) {
		audit_tally_release(&run.tally);
		audit_tally_init(&run.tally, audit.set, (size_t)options->examples);
		status = audit_run(app->redis, &audit, &result, &err);
	}
	out_progress_free(run.progress);

	struct sink *sink = app_sink(app, "inspect-audit", 1);
	inspect_check_view_audit(sink, app->target_text, &run.tally, &result);
	bool found = audit_tally_total(&run.tally, AUDIT_ERROR) ||
		     audit_tally_total(&run.tally, AUDIT_WARNING) || result.absent;
	enum exit_code code = app_finish(app, sink, found ? EXIT_FOUND : EXIT_DONE);
	code = exit_worst(code, inspect_check_gaps(app, &result));
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	audit_tally_release(&run.tally);
	return code;
}

/* --- TTLs alone --- */

static void on_ttl_key(void *ctx, const struct ns *ns, const struct scan_key *key,
		       uint64_t limit_ms)
{
	struct inspect_ttl *ttl = ctx;
	struct inspect_ttl_group *group = &ttl->groups[ns ? ns->index : ttl->count - 1];

	group->keys++;
	if (limit_ms > group->limit_ms)
		group->limit_ms = limit_ms;
	if (key->ttl_ms < 0) {
		group->no_ttl++;
		return;
	}
	if (!group->expiring++ || key->ttl_ms < group->shortest_ms)
		group->shortest_ms = key->ttl_ms;
	if (key->ttl_ms > group->longest_ms)
		group->longest_ms = key->ttl_ms;
}

static int on_violation(void *ctx, const struct audit_finding *finding, struct err *err)
{
	struct inspect_ttl *ttl = ctx;

	(void)err;
	ttl->violations++;
	ttl->groups[finding->ns->index].violations++;
	ttl->groups[finding->ns->index].over += finding->rule == AUDIT_TTL_OVER;
	if (!ttl->limit || ttl->listed < ttl->limit) {
		ttl->listed++;
		inspect_check_view_violation(ttl->sink, finding);
	}
	return 0;
}

static enum exit_code run_ttl(struct app *app, const struct inspect_check_options *options,
			      const struct inspect_subject *subject)
{
	struct audit_options audit = make_options(app, options, subject);
	struct audit_result result = {0};
	struct inspect_ttl ttl = {.limit = options->limit, .set = audit.set};
	unsigned tries = 0;
	struct err err = {0};

	ttl.count = nsset_count(audit.set) + 1;
	ttl.groups = mem_zalloc(ttl.count, sizeof *ttl.groups);
	audit.rules = AUDIT_TTL_RULES;
	audit.finding = on_violation;
	audit.key = on_ttl_key;
	audit.ctx = &ttl;
	ttl.sink = app_sink(app, "inspect-ttl", 1);
	inspect_check_view_violations_begin(ttl.sink);
	int status = audit_run(app->redis, &audit, &result, &err);
	/* what is printed stays */
	while (status != 0 && !ttl.violations &&
	       replicas_again(app, &result.scan, &tries, &err)) {
		memset(ttl.groups, 0, ttl.count * sizeof *ttl.groups);
		status = audit_run(app->redis, &audit, &result, &err);
	}

	inspect_check_view_ttl(&ttl, app->target_text, &result);
	enum exit_code code =
	    app_finish(app, ttl.sink, ttl.violations || result.absent ? EXIT_FOUND : EXIT_DONE);
	if (ttl.violations > ttl.listed)
		app_info(app,
			 "the first %" PRIu64 " of %" PRIu64 " violations; --limit 0 lists all",
			 ttl.listed, ttl.violations);
	code = exit_worst(code, inspect_check_gaps(app, &result));
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	free(ttl.groups);
	return code;
}

enum exit_code inspect_check_run(struct app *app, const struct inspect_check_options *options,
				 const struct inspect_subject *subject)
{
	if (options->drift != OPT_UNSET)
		return inspect_drift_run(app, options->drift, subject);
	return options->audit ? run_audit(app, options, subject)
			      : run_ttl(app, options, subject);
}
