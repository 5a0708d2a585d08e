#include "repl_prompt.h"

#include "app.h"
#include "session.h"

#include "base/mem.h"
#include "core/config.h"
#include "core/namespace.h"

#include <stdlib.h>
#include <string.h>

enum { TYPING = 30 }; /* columns left for it on a wide terminal, on a narrow one half */

static void add(struct repl_prompt *prompt, enum out_style style, const char *text)
{
	prompt->pieces[prompt->count++] = (struct out_prompt){style, text};
}

/* The end of text, which tells targets apart ("…cache-7.sock/0"), in so many columns. */
static char *cut(const char *text, size_t columns)
{
	size_t len = strlen(text);

	return len <= columns || columns < 2 ? mem_strdup(text)
					     : mem_printf("…%s", text + len - (columns - 1));
}

void repl_prompt_make(const struct session *session, unsigned width,
		      struct repl_prompt *ret_prompt)
{
	const struct app *app = session->app;
	bool production = config_is_production(app->config);
	const char *mark = session->read_only ? " (read-only)> " : "> ";
	size_t room = width < 60 ? width / 2 : width - TYPING;
	size_t fixed = strlen(mark) + (production ? strlen("production ") : 0) +
		       (session->ns ? strlen(session->ns->name) + 1 : 0);
	struct repl_prompt prompt = {
	    .target = cut(app->target_text, room > fixed + 6 ? room - fixed : 6),
	    .ns = session->ns ? mem_printf(" %s", session->ns->name) : NULL};

	if (production)
		add(&prompt, OUT_STYLE_RED, "production ");
	add(&prompt, OUT_STYLE_BOLD, prompt.target);
	if (prompt.ns)
		add(&prompt, OUT_STYLE_CYAN, prompt.ns);
	add(&prompt, OUT_STYLE_NONE, mark);
	*ret_prompt = prompt;
}

void repl_prompt_release(struct repl_prompt *prompt)
{
	free(prompt->target);
	free(prompt->ns);
}
