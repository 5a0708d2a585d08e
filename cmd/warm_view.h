#ifndef CMD_WARM_VIEW_H
#define CMD_WARM_VIEW_H

#include <stdint.h>

struct sink;
struct warm_report;

/* The document ccache.warm: a row for each namespace, then the sums. */
void warm_view_begin(struct sink *sink);
void warm_view_row(struct sink *sink, const struct warm_report *report);
/* Adds a report's counts to sum. */
void warm_view_add(struct warm_report *sum, const struct warm_report *report);
void warm_view_end(struct sink *sink, const char *target, const struct warm_report *sum,
		   uint64_t took_ms);

#endif
