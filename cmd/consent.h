#ifndef CMD_CONSENT_H
#define CMD_CONSENT_H

#include <stdbool.h>

struct app;
struct buf;
struct err;

/*
 * Asks on the terminal whether the plan that was shown may be carried out, unless
 * it was said beforehand (--yes). question is released. -1 with ERR_REFUSED:
 * there is no terminal, or the answer was not yes; undone completes "not
 * confirmed; …": "nothing was dropped".
 */
int consent_ask(const struct app *app, struct buf *question, bool given, const char *undone,
		struct err *err);

#endif
