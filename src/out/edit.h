#ifndef OUT_EDIT_H
#define OUT_EDIT_H

#include "out/terminal.h"

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A line typed on the terminal, with GNU readline: editing and key bindings
 * (~/.inputrc, where `$if ccache` may hold some for here), history and its
 * search, completion, hints. There is one terminal, so there is one editor.
 */

/* What may stand where the cursor is. Candidates are whole words, quoted as they must be typed.
 */
struct out_candidates {
	char **items; /* owned, as is each */
	size_t count;
	bool unfinished; /* no blank goes behind a single one: "name=" */
	bool files;      /* none of these: complete file names */
};
void out_candidates_add(struct out_candidates *list, struct bytes word);
void out_candidates_release(struct out_candidates *list);

/* Fills ret_list for line up to the cursor; start is where the word begins that is typed. */
typedef void out_complete_fn(void *ctx, struct bytes line, size_t start,
			     struct out_candidates *ret_list);

/*
 * Appends what may follow a line that is typed up to its end, shown dimly behind it (in
 * parentheses without colour), cut to what is left of the screen's width; nothing: no hint.
 */
struct buf;
typedef void out_hint_fn(void *ctx, struct bytes line, struct buf *ret_hint);

struct out_editor {
	out_complete_fn *complete;
	out_hint_fn *hint; /* or NULL */
	void *ctx;
	volatile int *cancel; /* the signal that came, 0: none */
	const char *program;  /* for ~/.inputrc */
};
void out_edit_begin(const struct out_editor *editor);

/* A prompt is made of pieces, each in a style. Control bytes are escaped. */
struct out_prompt {
	enum out_style style;
	const char *text;
};

enum out_edit_status {
	OUT_EDIT_LINE,   /* *ret_line is malloc'd */
	OUT_EDIT_CANCEL, /* Ctrl-C: what was typed is dropped, the flag cleared */
	OUT_EDIT_END,    /* Ctrl-D on an empty line, or the terminal went away */
	OUT_EDIT_SIGNAL, /* another signal; the flag stays */
};
enum out_edit_status out_edit_read(const struct out_terminal *terminal,
				   const struct out_prompt *pieces, size_t count,
				   char **ret_line);
/* True when the user has typed on meanwhile; for a completion that is still looking. */
bool out_edit_is_typing(void);

/* History: the newest `most` lines of a file. A file that is not there is an empty history. */
void out_history_load(const char *path, unsigned most);
/* Remembers a line (not twice in a row) and appends it to the file (mode 0600); -1 with errno.
 */
int out_history_add(const char *path, const char *line);
/* Cuts the file to its newest lines. */
void out_history_trim(const char *path, unsigned most);
size_t out_history_count(void);
const char *out_history_at(size_t index); /* NULL behind the newest */

/* Appends "readline VERSION" and a line end. */
void out_edit_describe_library(struct buf *buf);

#endif
