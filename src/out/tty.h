#ifndef OUT_TTY_H
#define OUT_TTY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* It is a shell's or another job's that has the terminal. */
bool out_tty_is_behind(int fd);
/*
 * Waits until this process may change the terminal: from the background it is stopped, as
 * by the kernel, until `fg`. 0; -1 when it may not (nobody could send it `fg`, the terminal is
 * gone, SIGTTOU is ignored), or when *cancel was set.
 */
int out_tty_foreground(int fd, const volatile int *cancel);

/*
 * While the terminal's modes are changed: signals that would stop or end the program there
 * are noted, and obeyed when the modes are as they were.
 */
struct out_tty_guard {
	struct sigaction former[3];
};
void out_tty_guard(struct out_tty_guard *guard);
void out_tty_unguard(const struct out_tty_guard *guard);
/* Those signals; they should be held but for where a program waits. */
void out_tty_guarded(sigset_t *signals);
/* The one that came, and forgets it; 0: none. SIGCONT: somebody may have changed the modes. */
int out_tty_noted(void);

/* The longest line of a terminal (termios(3)), and its end. */
enum { OUT_TTY_LINE = 4096 };
/*
 * Writes text to /dev/tty and reads a line there, with or without echo; whatever
 * signal comes, the terminal is then as it was. 0 with the line, without its end and
 * NUL-terminated; -1 without a terminal; 1 without a line: its end, a signal, *cancel.
 */
int out_tty_ask(const char *text, bool echo, const volatile int *cancel,
		char ret_line[OUT_TTY_LINE]);

#endif
