#ifndef CMD_INSPECT_OVERVIEW_VIEW_H
#define CMD_INSPECT_OVERVIEW_VIEW_H

struct inspect_overview;
struct ns;
struct sink;

/* ccache.inspect; only: this namespace's row alone and its TTLs at length. NULL: all. */
void inspect_view_overview(struct sink *sink, const char *target,
			   const struct inspect_overview *overview, const struct ns *only);
/* ccache.inspect-sample: what the sample says of the whole. */
void inspect_view_sample(struct sink *sink, const char *target,
			 const struct inspect_overview *overview);

#endif
