#include "source/delay.h"

#include "base/mem.h"

#include <stdlib.h>

static void swap(struct delay *delay, size_t a, size_t b)
{
	struct delay_entry entry = delay->entries[a];

	delay->entries[a] = delay->entries[b];
	delay->entries[b] = entry;
}

void delay_add(struct delay *delay, struct fetch *fetch, uint64_t due_ns)
{
	if (delay->count == delay->size) {
		delay->size = delay->size ? delay->size * 2 : 16;
		delay->entries =
		    mem_resize(delay->entries, delay->size, sizeof *delay->entries);
	}
	size_t at = delay->count++;
	delay->entries[at] = (struct delay_entry){due_ns, fetch};
	for (; at > 0 && delay->entries[at].due_ns < delay->entries[(at - 1) / 2].due_ns;
	     at = (at - 1) / 2)
		swap(delay, at, (at - 1) / 2);
}

uint64_t delay_due_ns(const struct delay *delay)
{
	return delay->count ? delay->entries[0].due_ns : UINT64_MAX;
}

struct fetch *delay_pop(struct delay *delay)
{
	if (delay->count == 0)
		return NULL;
	struct fetch *fetch = delay->entries[0].fetch;
	size_t at = 0;

	delay->entries[0] = delay->entries[--delay->count];
	for (size_t child = 1; child < delay->count; child = 2 * at + 1) {
		if (child + 1 < delay->count &&
		    delay->entries[child + 1].due_ns < delay->entries[child].due_ns)
			child++;
		if (delay->entries[at].due_ns <= delay->entries[child].due_ns)
			break;
		swap(delay, at, child);
		at = child;
	}
	return fetch;
}

void delay_release(struct delay *delay)
{
	free(delay->entries);
	*delay = (struct delay){0};
}
