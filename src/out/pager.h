#ifndef OUT_PAGER_H
#define OUT_PAGER_H

#include "base/bytes.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * A program that shows text a screen at a time: $PAGER (run by the shell, as
 * environ(7) has it), else less, else more.
 */
struct out_pager {
	pid_t pid;
	int fd; /* its standard input */
};
/* 0, or -1: there is none ($PAGER is empty or "cat"), or it does not start. */
int out_pager_start(struct out_pager *ret_pager);
/* Closes its input and waits until the user has left it. */
void out_pager_finish(struct out_pager *pager);

/* True when text takes more than `height` lines of `width` columns. */
bool out_pager_exceeds(struct bytes text, unsigned width, unsigned height);

#endif
