#ifndef OUT_SPARK_H
#define OUT_SPARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Appends one character for each value, its height against the greatest of
 * them: ▁ to █, · for none; 1 to 8 and . when ascii.
 */
void out_spark(struct buf *buf, const uint64_t *values, size_t count, bool ascii);
/* Appends a bar of share (0..1) of width columns, in eighths: ██▌; # when ascii. */
void out_bar(struct buf *buf, double share, size_t width, bool ascii);

#endif
