#include "inspect_overview.h"

#include "app.h"
#include "base/clock.h"
#include "base/err.h"
#include "core/inspect.h"
#include "inspect_overview_view.h"
#include "opt/opt.h"
#include "out/progress.h"
#include "out/sink.h"
#include "replicas.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <sys/random.h>

static void on_progress(void *ctx, uint64_t keys)
{
	out_progress_update(ctx, keys, 0);
}

static uint64_t random_seed(void)
{
	uint64_t seed = clock_mono_ns();

	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0)
		return clock_mono_ns();
	return seed;
}

static int look(struct app *app, const struct inspect_filter *filter, uint64_t sample,
		struct inspect_overview *overview, struct err *err)
{
	struct inspect_options options = {
	    .filter = filter, .lenient = true, .progress = on_progress};

	if (sample != OPT_UNSET)
		return inspect_sample(app->redis, app_namespaces(app), sample, random_seed(),
				      overview, err);
	struct out_progress *progress = app_progress(app, "inspect", 0);
	options.ctx = progress;
	int status =
	    inspect_overview_of(app->redis, app_namespaces(app), &options, overview, err);
	out_progress_free(progress);
	return status;
}

void inspect_tell_denied(struct app *app, const struct scan_result *scan)
{
	if (scan->down) {
		app_warn(app, "the cluster is down, not all slots are served: no sizes, types "
			      "and TTLs where its nodes answer no reads (see 'cluster info')");
		return;
	}
	if (scan->denied & SCAN_BYTES)
		app_warn(app, "this user may not run MEMORY USAGE: no sizes");
	if (scan->denied & SCAN_TYPE)
		app_warn(app, "this user may not run TYPE: no wrong types");
	if (scan->denied & SCAN_TTL)
		app_warn(app, "this user may not run PTTL: no TTLs");
	if (scan->forbidden)
		app_warn(app,
			 "keys outside this user's key patterns: %" PRIu64
			 "; they are counted, and no more is known of them",
			 scan->forbidden);
}

enum exit_code inspect_overview_run(struct app *app, const struct inspect_filter *filter,
				    uint64_t sample)
{
	struct inspect_overview overview = {0};
	struct err err = {0};
	unsigned tries = 0;
	int status = look(app, filter, sample, &overview, &err);

	while (status != 0 && replicas_again(app, &overview.scan, &tries, &err)) {
		inspect_overview_release(&overview);
		status = look(app, filter, sample, &overview, &err);
	}
	struct sink *sink = app_sink(app, overview.sampled ? "inspect-sample" : "inspect", 1);

	if (overview.sampled)
		inspect_view_sample(sink, app->target_text, &overview);
	else
		inspect_view_overview(sink, app->target_text, &overview,
				      filter ? filter->ns : NULL);
	enum exit_code code = app_finish(app, sink, EXIT_DONE);
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	inspect_tell_denied(app, &overview.scan);
	if (status == 0 && sample != OPT_UNSET && !overview.sampled)
		app_info(app, "so few keys that all were looked at: no estimates");
	inspect_overview_release(&overview);
	return code;
}
