#include "core/event_run_private.h"

#include "core/guard.h"
#include "core/namespace.h"
#include "core/selection.h"
#include "core/warm.h"

#include <stdlib.h>
#include <string.h>

static int open_guard(struct event_runner *runner, struct err *err)
{
	if (runner->guard)
		return guard_reload(runner->guard, err);
	if (runner->denied)
		return 0;
	if (guard_new(runner->redis, &runner->guard, &runner->denied, err) == 0)
		return 0;
	return runner->denied ? 0 : -1;
}

static void on_problem(void *ctx, struct bytes key, const struct err *err)
{
	(void)key;
	event_step_problem(ctx, "%s", err->text);
}

static size_t fill_vars(const struct event_step *step, struct var *vars)
{
	const struct template *key = step->ns->key;
	size_t count = 0;

	for (size_t i = 0; i < template_var_count(key); i++)
		if (step->values[i].len)
			vars[count++] =
			    (struct var){bytes_of(template_var_name(key, i)), step->values[i]};
	return count;
}

static int warm_step(struct event_runner *runner, struct event_step *step,
		     struct fetcher *fetcher, struct err *err)
{
	struct var vars[TEMPLATE_VARS_MAX];
	size_t count = fill_vars(step, vars);
	struct selection *selection = selection_from_vars(step->ns, vars, count);
	struct warm_job job = {.set = runner->options.namespaces,
			       .ns = step->ns,
			       .selection = selection,
			       .redis = runner->redis,
			       .fetcher = fetcher,
			       .guard = runner->guard,
			       .policy = WARM_CHANGED,
			       .cancel = runner->options.cancel,
			       .problem = on_problem,
			       .ctx = step};
	struct warm_report report = {0};
	int status = warm_run(&job, &report, err);

	if (status == 0 && report.failed == 0) {
		step->outcome = report.absent ? EVENT_ABSENT : EVENT_WARMED;
		step->problem = NULL;
		step->keys = report.stored + report.renewed;
	}
	warm_report_release(&report);
	selection_free(selection);
	return status;
}

static int compare_keys(const void *a, const void *b)
{
	const struct event_step *left = *(struct event_step *const *)a;
	const struct event_step *right = *(struct event_step *const *)b;

	return bytes_compare(left->key, right->key);
}

int event_warms_run(struct event_runner *runner, struct err *err)
{
	struct event_step **steps = runner->warms.items;
	size_t count = runner->warms.count;
	struct fetcher *fetcher = NULL;

	if (count == 0)
		return 0;
	fetcher = runner->options.fetcher(runner->options.ctx, err);
	if (!fetcher || open_guard(runner, err) != 0)
		return -1;
	qsort(steps, count, sizeof(struct event_step *), compare_keys);
	for (size_t i = 0; i < count; i++) {
		bool again = i > 0 && bytes_equal(steps[i]->key, steps[i - 1]->key);

		if (again) { /* fetched a moment ago, after every event of this run */
			steps[i]->outcome = steps[i - 1]->outcome;
			steps[i]->problem = steps[i - 1]->problem;
		} else if (warm_step(runner, steps[i], fetcher, err) != 0) {
			return -1;
		}
	}
	runner->warms.count = 0;
	return 0;
}
