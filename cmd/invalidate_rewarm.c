#include "invalidate.h"

#include "app.h"

#include "base/err.h"
#include "core/guard.h"
#include "core/namespace.h"
#include "core/selection_keys.h"
#include "core/warm.h"
#include "source/fetch.h"

#include <inttypes.h>

static void on_problem(void *ctx, struct bytes key, const struct err *err)
{
	(void)key;
	out_message(ctx, OUT_DEBUG, "%s", err->text);
}

/* True when the plan holds a key of ns that a source could bring back. */
static bool has_keys(const struct app *app, const struct ns *ns,
		     const struct invalidate_plan *plan)
{
	struct keylist_walk walk = {0};
	struct bytes key;

	while (ns->step_count && keylist_next(&plan->list, &walk, &key))
		if (nsset_classify(app_namespaces(app), key, NULL) == ns)
			return true;
	return false;
}

static enum exit_code rewarm_one(struct app *app, const struct ns *ns, struct guard *guard,
				 const struct invalidate_plan *plan,
				 struct invalidate_outcome *outcome)
{
	struct selection *selection = selection_from_keys(app_namespaces(app), ns, &plan->list);
	struct warm_job job = {.set = app_namespaces(app),
			       .ns = ns,
			       .selection = selection,
			       .redis = app->redis,
			       .fetcher = app->fetcher,
			       .guard = guard,
			       .policy = WARM_CHANGED,
			       .cancel = app->cancel,
			       .problem = on_problem,
			       .ctx = &app->messages};
	struct warm_report report = {0};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (warm_run(&job, &report, &err) != 0)
		code = app_fail(app, &err);
	outcome->rewarmed += report.stored + report.renewed;
	outcome->rewarm_failed += report.failed;
	if (report.failed) {
		app_warn(app,
			 "%s: %" PRIu64 " keys could not be fetched again; --log-level debug "
			 "says why",
			 ns->name, report.failed);
		code = exit_worst(code, EXIT_PARTIAL);
	}
	warm_report_release(&report);
	selection_free(selection);
	return code;
}

enum exit_code invalidate_rewarm(struct app *app, const struct invalidate_plan *plan,
				 struct invalidate_outcome *outcome)
{
	struct guard *guard = NULL;
	struct err err = {0};
	bool denied = false;
	enum exit_code code = EXIT_DONE;

	outcome->rewarm = true;
	if (!app->fetcher)
		app->fetcher = fetcher_new("ccache/" CCACHE_VERSION, app->cancel, &err);
	if (!app->fetcher)
		return app_fail(app, &err);
	if (guard_new(app->redis, &guard, &denied, &err) != 0 && !denied)
		return app_fail(app, &err);
	for (size_t i = 0; i < nsset_count(app_namespaces(app)); i++) {
		const struct ns *ns = nsset_at(app_namespaces(app), i);

		if (has_keys(app, ns, plan))
			code = exit_worst(code, rewarm_one(app, ns, guard, plan, outcome));
	}
	guard_free(guard);
	return code;
}
