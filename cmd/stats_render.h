#ifndef CMD_STATS_RENDER_H
#define CMD_STATS_RENDER_H

#include "out/sink.h"
#include "stats_view.h"

struct buf;
struct err;
struct out_file;
struct out_terminal;

/* The document in memory. */
int stats_render(enum out_format format, const struct stats *stats,
		 const struct findings *findings, const struct stats_show *show,
		 struct buf *ret_text, struct err *err);
/* The page in memory, as it would be on terminal. */
int stats_render_page(const struct out_terminal *terminal, const struct stats_page *page,
		      struct buf *ret_text, struct err *err);
/* The metrics in a file: a reader sees the old ones or the new ones, whole. */
int stats_render_textfile(const struct out_file *file, const struct stats *stats,
			  const struct findings *findings, const struct stats_show *show,
			  struct err *err);

#endif
