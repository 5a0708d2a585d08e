#ifndef SOURCE_DELAY_H
#define SOURCE_DELAY_H

#include <stddef.h>
#include <stdint.h>

struct fetch;

/* Fetches that sleep before their next try, earliest first (a binary heap). */
struct delay {
	struct delay_entry {
		uint64_t due_ns;
		struct fetch *fetch;
	} * entries;
	size_t count;
	size_t size;
};

void delay_add(struct delay *delay, struct fetch *fetch, uint64_t due_ns);
/* When the earliest wakes, UINT64_MAX when nobody sleeps. */
uint64_t delay_due_ns(const struct delay *delay);
/* Takes the earliest out; NULL when nobody sleeps. */
struct fetch *delay_pop(struct delay *delay);
void delay_release(struct delay *delay);

#endif
