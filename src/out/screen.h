#ifndef OUT_SCREEN_H
#define OUT_SCREEN_H

#include "base/bytes.h"

struct out_stream;
struct out_terminal;

/*
 * Draws text over what stands on the terminal, from its first line on, and
 * clears what is left of the former picture. Lines beyond the terminal's height
 * are left out, so that nothing scrolls. The cursor stays below.
 */
void out_screen_draw(struct out_stream *stream, const struct out_terminal *terminal,
		     struct bytes text);

#endif
