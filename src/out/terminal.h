#ifndef OUT_TERMINAL_H
#define OUT_TERMINAL_H

#include <stdbool.h>

/* What a descriptor can show. */
struct out_terminal {
	bool is_tty;
	bool moves;  /* its cursor: TERM is neither empty nor "dumb" */
	bool colour; /* such a one, and NO_COLOR is empty or unset */
	bool utf8; /* by the locale's codeset: the program has called setlocale(LC_CTYPE, "") */
	unsigned width; /* columns, 20..; COLUMNS or 80 when unknown */
	unsigned height;
};
void out_terminal_query(int fd, struct out_terminal *ret_terminal);

enum out_style {
	OUT_STYLE_NONE,
	OUT_STYLE_BOLD,
	OUT_STYLE_DIM,
	OUT_STYLE_RED,
	OUT_STYLE_GREEN,
	OUT_STYLE_YELLOW,
	OUT_STYLE_CYAN
};
/* The sequence that starts a style, "" without colour; OUT_STYLE_NONE resets. */
const char *out_style(const struct out_terminal *terminal, enum out_style style);

/*
 * Asks on the terminal (/dev/tty) and reads a line: 1 when the answer is
 * expected (a full word, e.g. "yes" or a server's name; "y" counts for "yes"),
 * 0 when not (also at end of file, and when a signal came or *cancel was set), -1 when there
 * is no terminal to ask. What was typed before the question does not answer it.
 */
int out_confirm(const char *question, const char *expected, const volatile int *cancel);
/* Asks there without echo. 0 with a malloc'd line (wipe it), -1 without a terminal, 1 without
 * a line: its end, a signal or *cancel. */
int out_ask_secret(const char *question, const volatile int *cancel, char **ret_secret);

/* Appends "libsmartcols VERSION" and a line end. */
struct buf;
void out_describe_library(struct buf *buf);

#endif
