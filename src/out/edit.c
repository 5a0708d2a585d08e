#include "out/edit.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "out/fit.h"
#include "out/hint.h"
#include "out/tty.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h> /* readline.h needs FILE */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

/* readline itself is one set of globals; this is what its callbacks need. */
static struct {
	struct out_editor editor;
	struct out_tty_guard guard;
	char *line;
	bool done;
} edit;

static volatile sig_atomic_t resized;

static void on_resize(int number)
{
	(void)number;
	resized = 1;
}

/* --- completion --- */

void out_candidates_add(struct out_candidates *list, struct bytes word)
{
	list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
	list->items[list->count++] = mem_bytesdup(word);
}

void out_candidates_release(struct out_candidates *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct out_candidates){0};
}

static size_t common_len(const char *a, const char *b)
{
	size_t len = 0;

	while (a[len] && a[len] == b[len])
		len++;
	while (len && ((unsigned char)a[len] & 0xc0) == 0x80)
		len--; /* not inside a character */
	return len;
}

/* As readline wants them: what they have in common first (a single one: itself), a NULL last.
 */
static char **as_matches(struct out_candidates *list)
{
	char **matches = mem_zalloc(list->count + 2, sizeof *matches);
	size_t shared = strlen(list->items[0]);

	for (size_t i = 1; i < list->count; i++) {
		size_t len = common_len(list->items[0], list->items[i]);

		shared = len < shared ? len : shared;
	}
	matches[0] = mem_bytesdup((struct bytes){list->items[0], shared});
	for (size_t i = 0; list->count > 1 && i < list->count; i++)
		matches[i + 1] = mem_strdup(list->items[i]);
	return matches;
}

static char **complete(const char *text, int start, int end)
{
	struct out_candidates list = {0};
	struct bytes line = {rl_line_buffer, (size_t)end};
	char **matches = NULL;

	(void)text;
	rl_attempted_completion_over = 1;
	if (edit.editor.complete)
		edit.editor.complete(edit.editor.ctx, line, (size_t)start, &list);
	if (list.files && list.count == 0)
		rl_attempted_completion_over = 0;
	rl_completion_append_character = list.unfinished ? '\0' : ' ';
	if (list.count)
		matches = as_matches(&list);
	out_candidates_release(&list);
	return matches;
}

bool out_edit_is_typing(void)
{
	struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};

	return (edit.editor.cancel && *edit.editor.cancel) || poll(&ready, 1, 0) > 0;
}

/* --- a line --- */

void out_edit_begin(const struct out_editor *editor)
{
	struct sigaction action = {.sa_handler = on_resize};

	edit.editor = *editor;
	sigaction(SIGWINCH, &action, NULL);
	rl_readline_name = editor->program;
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = " \t\n;";
	rl_completer_quote_characters = "\"'";
	using_history();
}

static void on_line(char *line)
{
	edit.line = line;
	edit.done = true;
	rl_callback_handler_remove();
}

/* Returns the columns that the piece takes. */
static size_t put_piece(struct buf *prompt, const struct out_terminal *terminal,
			const struct out_prompt *piece)
{
	struct buf text = {0};
	const char *start = out_style(terminal, piece->style);
	bool styled = piece->style != OUT_STYLE_NONE && start[0];

	if (styled)
		buf_printf(prompt, "%c%s%c", RL_PROMPT_START_IGNORE, start,
			   RL_PROMPT_END_IGNORE);
	text_escape(&text, bytes_of(piece->text));
	buf_add(prompt, buf_bytes(&text));
	if (styled)
		buf_printf(prompt, "%c%s%c", RL_PROMPT_START_IGNORE,
			   out_style(terminal, OUT_STYLE_NONE), RL_PROMPT_END_IGNORE);
	size_t columns = out_fit_columns(buf_str(&text));
	buf_release(&text);
	return columns;
}

static FILE *screen(void)
{
	return rl_outstream ? rl_outstream : stdout;
}

/* Leaves the line as it is on the screen, whatever state readline is in (a search, an
 * argument).
 */
static void drop_line(const char *mark)
{
	rl_callback_sigcleanup(); /* a search ends, and draws its prompt once more */
	rl_point = rl_end;
	rl_redisplay();
	/* before readline lets go of the terminal, which moves the cursor to the left */
	fprintf(screen(), "%s\n", mark);
	fflush(screen());
	rl_free_line_state();
	rl_callback_handler_remove();
}

/* Signals come in only while it waits, so that none is missed just before. */
static bool wait_for_key(const sigset_t *signals)
{
	struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};

	if (edit.editor.cancel && *edit.editor.cancel)
		return false;
	return ppoll(&ready, 1, NULL, signals) > 0;
}

/* The terminal is as a shell knows it while a signal stops the program or ends it. */
static void obey(int number, const sigset_t *signals)
{
	sigset_t held;

	if (number == SIGCONT)
		out_tty_foreground(STDIN_FILENO, edit.editor.cancel);
	else if (fputc('\n', screen()) != EOF) /* the shell goes on below */
		fflush(screen());
	rl_cleanup_after_signal();
	out_tty_unguard(&edit.guard);
	pthread_sigmask(SIG_SETMASK, signals, &held);
	raise(number);
	out_tty_foreground(STDIN_FILENO, edit.editor.cancel);
	pthread_sigmask(SIG_SETMASK, &held, NULL);
	out_tty_guard(&edit.guard);
	rl_reset_after_signal();
	rl_on_new_line();
	rl_forced_update_display();
}

static enum out_edit_status edit_line(const struct out_terminal *terminal,
				      size_t prompt_columns, const sigset_t *signals)
{
	volatile int *cancel = edit.editor.cancel;

	for (int noted = 0; !edit.done; noted = out_tty_noted()) {
		if (noted)
			obey(noted, signals);
		if (!out_edit_is_typing())
			out_hint_show(&edit.editor, terminal, prompt_columns);
		bool key = wait_for_key(signals);
		out_hint_hide();
		if (key) {
			rl_callback_read_char();
		} else if (cancel && *cancel == SIGINT) {
			drop_line("^C");
			*cancel = 0;
			return OUT_EDIT_CANCEL;
		} else if (cancel && *cancel) {
			drop_line("");
			return OUT_EDIT_SIGNAL;
		} else if (resized) {
			resized = 0;
			rl_resize_terminal();
		}
	}
	return edit.line ? OUT_EDIT_LINE : OUT_EDIT_END;
}

enum out_edit_status out_edit_read(const struct out_terminal *terminal,
				   const struct out_prompt *pieces, size_t count,
				   char **ret_line)
{
	struct buf prompt = {0};
	size_t columns = 0;
	sigset_t held;
	sigset_t signals;

	for (size_t i = 0; i < count; i++)
		columns += put_piece(&prompt, terminal, &pieces[i]);
	edit.done = false;
	edit.line = NULL;
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGWINCH);
	out_tty_guarded(&held);
	out_tty_foreground(STDIN_FILENO, edit.editor.cancel);
	pthread_sigmask(SIG_BLOCK, &held, &signals);
	out_tty_guard(&edit.guard);
	if (resized && !(resized = 0))
		rl_resize_terminal(); /* it changed while a verb ran */
	rl_callback_handler_install(buf_str(&prompt), on_line);
	enum out_edit_status status = edit_line(terminal, columns, &signals);
	out_tty_unguard(&edit.guard);
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	buf_release(&prompt);
	if (status == OUT_EDIT_LINE)
		*ret_line = edit.line;
	return status;
}

void out_edit_describe_library(struct buf *buf)
{
	buf_printf(buf, "readline %s\n", rl_library_version);
}
