#ifndef SOURCE_WINDOW_H
#define SOURCE_WINDOW_H

#include <stdint.h>

/*
 * How many requests may be under way at once: additive increase, one more per
 * window of successes and only while the window is filled; × 0.9 when the
 * source was overloaded, once per round trip (Chiu and Jain 1989; RFC 5681).
 */
struct window {
	double width; /* 1 … max */
	unsigned max;
	uint64_t cut_ns; /* the last decrease */
};

void window_init(struct window *window, unsigned initial, unsigned max);
unsigned window_size(const struct window *window);
/* A request succeeded while running, itself included, were under way. */
void window_grow(struct window *window, unsigned running);
/* A request that started then was turned away or timed out now. */
void window_shrink(struct window *window, uint64_t started_ns, uint64_t now_ns);

#endif
