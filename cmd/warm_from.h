#ifndef CMD_WARM_FROM_H
#define CMD_WARM_FROM_H

#include "command.h"
#include "core/warm.h"

#include <stdbool.h>
#include <stdint.h>

struct app;
struct err;
struct ns;
struct rowfile;
struct warm_report;

/* `warm --from FILE`: values from rows in place of a source. */
struct warm_from {
	struct rowfile *file;
	const struct ns *only;          /* NULL: the rows name their namespaces */
	int64_t ttl_ms;                 /* 0: the namespaces' */
	struct lease *lease;            /* may be NULL */
	struct warm_failures *failures; /* may be NULL */
	bool evict;
	bool dry_run;
	/* Called for each namespace that rows were of, and for rows of no known one (report->ns
	 * NULL). */
	void (*report)(void *ctx, const struct warm_report *report);
	void *ctx;
};
/* Stores the rows; failures are told. *ret_end says whether all had their turn, also of none.
 */
enum exit_code warm_from_run(struct app *app, const struct warm_from *from,
			     enum warm_end *ret_end);

#endif
