#include "source/window.h"

#define SHRINK 0.9

void window_init(struct window *window, unsigned initial, unsigned max)
{
	unsigned width = initial ? initial : 1;

	*window = (struct window){.width = width, .max = max > width ? max : width};
}

unsigned window_size(const struct window *window)
{
	return (unsigned)window->width;
}

void window_grow(struct window *window, unsigned running)
{
	if (running < window_size(window))
		return;
	window->width += 1 / window->width;
	if (window->width > window->max)
		window->width = window->max;
}

void window_shrink(struct window *window, uint64_t started_ns, uint64_t now_ns)
{
	/* What left before the last decrease says nothing about the window since. */
	if (started_ns < window->cut_ns)
		return;
	window->width = window->width * SHRINK > 1 ? window->width * SHRINK : 1;
	window->cut_ns = now_ns;
}
