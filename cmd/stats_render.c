#include "stats_render.h"

#include "base/buf.h"
#include "base/err.h"
#include "out/file.h"
#include "out/stream.h"

#include <stdint.h>

/* Ends the sink, and takes what the stream kept. */
static int finish(struct sink *sink, struct out_stream *stream, struct buf *ret_text,
		  struct err *err)
{
	int status = sink_end(sink, err);

	sink_free(sink);
	if (status == 0)
		buf_add(ret_text, out_stream_kept(stream));
	out_stream_free(stream);
	return status;
}

int stats_render(enum out_format format, const struct stats *stats,
		 const struct findings *findings, const struct stats_show *show,
		 struct buf *ret_text, struct err *err)
{
	struct out_stream *stream = out_stream_new_kept(SIZE_MAX);
	struct sink *sink = sink_new(format, stream, NULL);

	sink_begin(sink, "stats", 1);
	stats_view_document(sink, stats, findings, show);
	return finish(sink, stream, ret_text, err);
}

int stats_render_page(const struct out_terminal *terminal, const struct stats_page *page,
		      struct buf *ret_text, struct err *err)
{
	struct out_stream *stream = out_stream_new_kept(SIZE_MAX);
	struct sink *sink = sink_new(OUT_TABLE, stream, terminal);

	sink_begin(sink, "stats", 1);
	stats_page_print(sink, page);
	return finish(sink, stream, ret_text, err);
}

int stats_render_textfile(const struct out_file *file, const struct stats *stats,
			  const struct findings *findings, const struct stats_show *show,
			  struct err *err)
{
	struct buf text = {0};
	int status = stats_render(OUT_PROM, stats, findings, show, &text, err);

	if (status == 0)
		status = out_file_replace(file, buf_bytes(&text), err);
	buf_release(&text);
	return status;
}
