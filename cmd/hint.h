#ifndef CMD_HINT_H
#define CMD_HINT_H

#include "base/bytes.h"

struct buf;

/*
 * What may follow a line that is typed up to its end, in a few words: a verb's
 * synopsis, an option's argument and help, the vars that a namespace still needs, the
 * names that begin as the last word does. Appends nothing where there is nothing to
 * say, and looks nothing up in Redis. An out_hint_fn, ctx a session.
 */
void hint_line(void *ctx, struct bytes line, struct buf *ret_hint);

#endif
