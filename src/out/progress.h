#ifndef OUT_PROGRESS_H
#define OUT_PROGRESS_H

#include <stdint.h>

struct out_terminal;

/*
 * One line on standard error that redraws at most ten times a second: bar,
 * count, rate and ETA (unknown total: a count and a rate). Modes: off, bar
 * (terminals), lines (a plain line every 5 s, for logs).
 */
enum out_progress_mode { OUT_PROGRESS_OFF, OUT_PROGRESS_BAR, OUT_PROGRESS_LINES };
struct out_progress;
struct out_progress *out_progress_new(enum out_progress_mode mode,
				      const struct out_terminal *terminal, const char *verb,
				      uint64_t total /* 0: unknown */);
void out_progress_update(struct out_progress *progress, uint64_t done, uint64_t failed);
/* The total became known. */
void out_progress_total(struct out_progress *progress, uint64_t total);
/* Clears the line and frees; NULL is nothing. */
void out_progress_free(struct out_progress *progress);
/* Clears the line that a bar has drawn, if any, so that another line can be written; the next
 * update redraws. */
void out_progress_hide(void);

#endif
