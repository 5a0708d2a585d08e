#ifndef OUT_HINT_H
#define OUT_HINT_H

#include "out/edit.h"

struct out_terminal;

/*
 * The hint behind the line that readline edits now. It is no part of the line: it is
 * taken off the screen before readline gets the next key, so that readline finds the
 * screen as it left it.
 */

/* Shows what editor->hint has to say, if the cursor stands at the end of a line that leaves
 * room; prompt_columns is the width of the prompt. */
void out_hint_show(const struct out_editor *editor, const struct out_terminal *terminal,
		   unsigned long prompt_columns);
void out_hint_hide(void);

#endif
