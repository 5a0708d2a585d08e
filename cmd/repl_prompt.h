#ifndef CMD_REPL_PROMPT_H
#define CMD_REPL_PROMPT_H

#include "out/edit.h"

#include <stddef.h>

struct session;

/* A prompt: "production 10.0.0.5:6379/0 call-logs (read-only)> ". */
struct repl_prompt {
	struct out_prompt pieces[5];
	size_t count;
	char *target; /* owned: repl_prompt_release */
	char *ns;
};
/* Cut so that 30 columns, or half of a narrow terminal's, are left for typing. */
void repl_prompt_make(const struct session *session, unsigned width,
		      struct repl_prompt *ret_prompt);
void repl_prompt_release(struct repl_prompt *prompt);

#endif
