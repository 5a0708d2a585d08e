#include "out/hint.h"

#include "base/buf.h"
#include "base/text.h"
#include "out/fit.h"
#include "out/terminal.h"

#include <stdio.h> /* readline.h needs FILE */
#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

enum { LEAST = 4 }; /* columns of a hint that is worth showing */

static bool shown;

static FILE *screen(void)
{
	return rl_outstream ? rl_outstream : stdout;
}

/* In a search, behind an argument's digits, in the middle of a line: what readline shows there
 * is not what is typed up to the cursor. */
static bool has_place(void)
{
	const char *mode = rl_variable_value("show-mode-in-prompt");
	unsigned long busy = RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG |
			     RL_STATE_VIMOTION | RL_STATE_MULTIKEY | RL_STATE_DONE;

	return rl_point == rl_end && rl_end > 0 && !RL_ISSTATE(busy) && rl_get_termcap("ce") &&
	       !(mode && strcmp(mode, "on") == 0);
}

static bool is_plain(const char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < ' ' || *line == 0x7f)
			return false; /* shown as ^X, in two columns */
	return true;
}

/* Appends hint in so many columns at most, "…" in place of what is cut. */
static void put_cut(struct buf *text, const struct buf *hint, size_t columns, bool utf8)
{
	size_t len = out_fit_len(buf_str(hint), columns);

	if (len < hint->len)
		len = out_fit_len(buf_str(hint), columns - 1);
	buf_add(text, (struct bytes){buf_str(hint), len});
	if (len < hint->len)
		buf_add_str(text, utf8 ? "…" : "~");
}

/* As the terminal can show it: escaped, "…" spelled where it has none. */
static void put_clean(struct buf *clean, const struct buf *hint, bool utf8)
{
	static const char dots[] = "…";
	struct buf plain = {0};
	const char *rest = buf_str(hint);

	for (const char *at; !utf8 && (at = strstr(rest, dots)); rest = at + sizeof dots - 1) {
		buf_add(&plain, (struct bytes){rest, (size_t)(at - rest)});
		buf_add_str(&plain, "...");
	}
	buf_add_str(&plain, rest);
	text_escape(clean, buf_bytes(&plain));
	buf_release(&plain);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Behind a blank, and never in the last column, where the cursor might go to the next line. */
static void draw(const struct out_terminal *terminal, const struct buf *hint, size_t room)
{
	struct buf text = {0};
	size_t brackets = terminal->colour ? 0 : 2;

	if (room < LEAST + brackets + 2)
		return;
	put_cut(&text, hint, room - brackets - 2, terminal->utf8);
	fprintf(screen(), "\0337%s%s%s%s\0338", is_blank(rl_line_buffer[rl_end - 1]) ? "" : " ",
		terminal->colour ? out_style(terminal, OUT_STYLE_DIM) : "(", buf_str(&text),
		terminal->colour ? out_style(terminal, OUT_STYLE_NONE) : ")");
	fflush(screen());
	shown = true;
	buf_release(&text);
}

void out_hint_show(const struct out_editor *editor, const struct out_terminal *terminal,
		   unsigned long prompt_columns)
{
	struct buf hint = {0};
	struct buf clean = {0};
	int rows = 0;
	int columns = 0;

	if (!editor->hint || !has_place() || !is_plain(rl_line_buffer))
		return;
	rl_get_screen_size(&rows, &columns);
	size_t used = prompt_columns + out_fit_columns(rl_line_buffer);
	if (columns <= 0 || used >= (size_t)columns)
		return;
	editor->hint(editor->ctx, (struct bytes){rl_line_buffer, (size_t)rl_end}, &hint);
	put_clean(&clean, &hint, terminal->utf8);
	if (clean.len)
		draw(terminal, &clean, (size_t)columns - used);
	buf_release(&hint);
	buf_release(&clean);
}

void out_hint_hide(void)
{
	if (!shown)
		return;
	shown = false;
	fputs("\033[J",
	      screen()); /* of a terminal made narrower it may have got a second line */
	fflush(screen());
}
