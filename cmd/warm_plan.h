#ifndef CMD_WARM_PLAN_H
#define CMD_WARM_PLAN_H

struct app;
struct sink;
struct warm_report;

/* What a dry run found: how many items would be fetched or stored (done), what they would take,
 * and a warning when the server has less. */
void warm_plan_tell(struct app *app, struct sink *sink, const struct warm_report *sum,
		    const char *done);

#endif
