#ifndef OUT_STDERR_H
#define OUT_STDERR_H

#include "base/bytes.h"

/*
 * Standard error, which the whole process shares: messages, bars, help. A failure is not told,
 * there is nowhere to. After *cancel a reader that does not read is waited for a second, once.
 */
void out_stderr_heed(const volatile int *cancel);
void out_stderr_write(struct bytes b);

#endif
