#ifndef CMD_INSPECT_GROUP_VIEW_H
#define CMD_INSPECT_GROUP_VIEW_H

#include "out/sink.h"

struct buf;
struct inspect_group;

/* What overview and sample show of a group's TTLs. buf holds the text until the row is out. */
struct out_value inspect_view_quantile(const struct inspect_group *group, double share);
/* The histogram: for people as a line of bars, for programs [{"le_ms":1000,"keys":3},…]. */
struct out_value inspect_view_bands(const struct sink *sink, const struct inspect_group *group,
				    struct buf *buf);
/* The histogram as a table of its own, for people only. */
void inspect_view_band_table(struct sink *sink, const struct inspect_group *group);
const char *inspect_view_name(const struct inspect_group *group);

#endif
