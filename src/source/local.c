#include "source/local.h"

#include "base/mem.h"
#include "source/fetch.h"

struct fetch *local_pop(struct local *local)
{
	struct fetch *fetch = local->first;

	if (fetch) {
		local->first = fetch->next;
		local->waiting--;
		if (!local->first)
			local->last = NULL;
	}
	return fetch;
}

void local_wait(struct local_waits *waits, int fd, short events)
{
	if (waits->count == waits->size) {
		waits->size = waits->size ? waits->size * 2 : 16;
		waits->list = mem_resize(waits->list, waits->size, sizeof *waits->list);
	}
	waits->list[waits->count++] = (struct curl_waitfd){.fd = fd, .events = events};
}
