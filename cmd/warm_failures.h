#ifndef CMD_WARM_FAILURES_H
#define CMD_WARM_FAILURES_H

#include "base/bytes.h"

struct err;

/* The file of --failures: a line for each id that failed, in the form that --ids reads. */
struct warm_failures;
/*
 * Creates or empties the file (0600). ERR_USAGE when it cannot be written, or is the input:
 * a file, "-", or NULL. After *cancel it waits for no reader.
 */
int warm_failures_open(const char *path, const char *input, const volatile int *cancel,
		       struct warm_failures **ret_failures, struct err *err);
/* Adds a line; a failure to write is told by the close. */
void warm_failures_add(struct warm_failures *failures, struct bytes vars);
/* 0, or -1 with ERR_OUTPUT when a line could not be written. NULL is nothing. Frees. */
int warm_failures_close(struct warm_failures *failures, struct err *err);

#endif
