#ifndef OUT_VIEW_H
#define OUT_VIEW_H

#include "base/bytes.h"

struct out_stream;
struct out_terminal;

/*
 * A value for people: JSON indented and coloured (also its beginning, of a value
 * that was cut), other text with its control bytes escaped, bytes that are no
 * text as a hexdump; always with a line end; cut with a notice.
 */
void out_view_pretty(struct out_stream *stream, const struct out_terminal *terminal,
		     struct bytes value);
/* A value for whoever reads: to a terminal pretty, to a file or pipe its exact bytes. */
void out_view_value(struct out_stream *stream, const struct out_terminal *terminal,
		    struct bytes value);

#endif
