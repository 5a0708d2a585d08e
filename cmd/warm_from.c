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

/* Failed rows are named one by one up to here, and the first that Redis failed in any case:
 * that names the node. --log-level debug names them all. */
#define NAMED_MAX 20

struct filling {
	struct app *app;
	struct out_progress *progress;
	struct warm_failures *failures;
	uint64_t named;
	uint64_t untold;
	bool redis_failed;
};

static void on_problem(void *ctx, const struct err *err)
{
	struct filling *filling = ctx;
	bool is_first = err->kind == ERR_REDIS && !filling->redis_failed;
	bool told = filling->named < NAMED_MAX || is_first;

	filling->redis_failed = filling->redis_failed || is_first;
	filling->named += told;
	filling->untold += !told;
	out_message(&filling->app->messages, told ? OUT_WARNING : OUT_DEBUG, "%s", err->text);
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

enum exit_code warm_from_run(struct app *app, const struct warm_from *from,
			     enum warm_end *ret_end)
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

	*ret_end = reports[0].end;
	out_progress_free(filling.progress);
	if (filling.untold)
		app_warn(app,
			 "%" PRIu64 " more rows like these; --log-level debug names them all",
			 filling.untold);
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
