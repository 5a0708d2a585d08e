#ifndef CMD_WARMING_H
#define CMD_WARMING_H

#include "command.h"

#include "core/warm.h"

#include <stdint.h>

struct app;
struct guard;
struct ns;
struct out_progress;
struct rowfile;
struct selection;
struct sink;
struct warm_failures;
struct warm_options;

/* One run of `warm`, over one namespace after the other. */
struct warming {
	struct app *app;
	const struct warm_options *options;
	struct sink *sink;
	struct out_progress *progress;
	struct guard *guard;
	struct warm_failures *failures;
	const struct ns *ns; /* whose turn it is; of rows: theirs alone, or NULL */
	const struct selection *selection;
	uint64_t deadline_ms;
	uint64_t named;    /* problems told so far */
	uint64_t untold;   /* those beyond */
	bool redis_failed; /* one of them was Redis' */
	struct warm_report sum;
};

/*
 * The items of selection, of warming->ns: under a lease where one is due, told, counted, a row
 * of the document. What it means for the exit code is returned.
 */
enum exit_code warming_run(struct warming *warming, struct selection *selection);
/* The same with the rows of a file in place of a source, of every namespace that they are of.
 */
enum exit_code warming_run_rows(struct warming *warming, struct rowfile *file);
/* Notes why not every item had its turn; the first reason stands. */
void warming_cut_short(struct warming *warming, enum warm_end end);

#endif
