#include "warm_from.h"

#include "app.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/bulk.h"
#include "core/namespace.h"
#include "core/rowfile.h"
#include "out/progress.h"
#include "warm_failures.h"

#include <inttypes.h>
#include <stdlib.h>

/* Failed rows are named one by one up to here; --log-level debug names them all. */
#define NAMED_MAX 20

struct filling {
	struct app *app;
	struct out_progress *progress;
	struct warm_failures *failures;
	uint64_t named;
};

static void on_problem(void *ctx, const struct err *err)
{
	struct filling *filling = ctx;

	out_message(&filling->app->messages,
		    filling->named++ < NAMED_MAX ? OUT_WARNING : OUT_DEBUG, "%s", err->text);
}

static void on_failed(void *ctx, struct bytes text)
{
	struct filling *filling = ctx;

	warm_failures_add(filling->failures, text);
}

static void on_progress(void *ctx, uint64_t done, uint64_t failed, double share)
{
	struct filling *filling = ctx;

	if (share > 0) /* as many rows as there will be if they go on as long as these */
		out_progress_total(filling->progress, (uint64_t)((double)done / share));
	out_progress_update(filling->progress, done, failed);
}

enum exit_code warm_from_run(struct app *app, const struct warm_from *from)
{
	const struct nsset *set = app_namespaces(app);
	struct filling filling = {
	    .app = app, .progress = app_progress(app, "rows", 0), .failures = from->failures};
	struct bulk_job job = {.set = set,
			       .only = from->only,
			       .file = from->file,
			       .redis = app->redis,
			       .ttl_ms = from->ttl_ms,
			       .lease = from->lease,
			       .evict = from->evict,
			       .dry_run = from->dry_run,
			       .cancel = app->cancel,
			       .problem = on_problem,
			       .failed = from->failures ? on_failed : NULL,
			       .progress = on_progress,
			       .ctx = &filling};
	struct warm_report *reports = mem_zalloc(nsset_count(set) + 1, sizeof *reports);
	enum exit_code code = EXIT_DONE;
	struct err err = {0};
	int status = bulk_run(&job, reports, &err);

	out_progress_free(filling.progress);
	if (filling.named > NAMED_MAX)
		app_warn(app,
			 "%" PRIu64 " more rows like these; --log-level debug names them all",
			 filling.named - NAMED_MAX);
	for (size_t i = 0; i <= nsset_count(set); i++) {
		if (reports[i].requested || (from->only && reports[i].ns == from->only))
			from->report(from->ctx, &reports[i]);
		if (reports[i].failed)
			code = EXIT_PARTIAL;
	}
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	free(reports);
	return code;
}
