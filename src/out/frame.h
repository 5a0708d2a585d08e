#ifndef OUT_FRAME_H
#define OUT_FRAME_H

#include "base/bytes.h"

#include <stdbool.h>

struct out_stream;
struct out_terminal;

/*
 * Draws a screen anew, without flicker: a title and as many lines of body as
 * fit, cut to the width; the last line says how many are missing. first: the
 * screen is cleared before.
 */
void out_frame_draw(struct out_stream *stream, const struct out_terminal *terminal,
		    const char *title, struct bytes body, bool first);

#endif
