#ifndef OUT_JSONVIEW_H
#define OUT_JSONVIEW_H

#include "base/bytes.h"

#include <stddef.h>

struct out_stream;
struct out_terminal;

/*
 * JSON for people: two blanks a level, names cyan, strings green, numbers
 * yellow, true false null dim (where the terminal has colour), characters that
 * drive a terminal escaped, a line end behind it. Tokens are shown as written.
 * After max bytes (colour not counted) it is cut with a line that says how much
 * of doc is missing. Of a doc that ends early or is no JSON any more, the rest
 * is shown as the text it is.
 */
void out_jsonview(struct out_stream *stream, const struct out_terminal *terminal,
		  struct bytes doc, size_t max);

#endif
