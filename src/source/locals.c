#include "source/local.h"

#include "base/clock.h"
#include "base/mem.h"
#include "source/command.h"
#include "source/fetch.h"
#include "source/file.h"

#include <stdlib.h>

static struct local *locals_for(struct locals *locals, const struct source_def *def)
{
	for (size_t i = 0; i < locals->count; i++)
		if (locals->list[i]->def == def)
			return locals->list[i];
	struct local *local = def->kind == SOURCE_COMMAND ? command_new(def) : file_new(def);

	local->done = locals->done;
	local->ctx = locals->ctx;
	locals->list = mem_resize(locals->list, locals->count + 1, sizeof *locals->list);
	locals->list[locals->count++] = local;
	return local;
}

void locals_push(struct locals *locals, struct fetch *fetch)
{
	struct local *local = locals_for(locals, fetch->request->source);

	fetch->next = NULL;
	if (local->last)
		local->last->next = fetch;
	else
		local->first = fetch;
	local->last = fetch;
	local->waiting++;
}

uint64_t locals_turn(struct locals *locals)
{
	uint64_t due_ns = LOCAL_NEVER;

	for (size_t i = 0; i < locals->count; i++) {
		struct local *local = locals->list[i];
		uint64_t own_ns = local->kind->turn(local, clock_mono_ns());

		if (own_ns < due_ns)
			due_ns = own_ns;
	}
	return due_ns;
}

struct curl_waitfd *locals_waits(struct locals *locals, size_t *ret_count)
{
	locals->waits.count = 0;
	for (size_t i = 0; i < locals->count; i++)
		locals->list[i]->kind->waits(locals->list[i], &locals->waits);
	*ret_count = locals->waits.count;
	local_wait(&locals->waits, -1, 0);
	return locals->waits.list;
}

struct fetch *locals_uproot(struct locals *locals)
{
	struct fetch *all = NULL;
	struct fetch *fetch = NULL;

	for (size_t i = 0; i < locals->count; i++) {
		while ((fetch = local_pop(locals->list[i])) != NULL) {
			fetch->next = all;
			all = fetch;
		}
		all = locals->list[i]->kind->uproot(locals->list[i], all);
	}
	return all;
}

void locals_release(struct locals *locals)
{
	for (size_t i = 0; i < locals->count; i++)
		locals->list[i]->kind->free(locals->list[i]);
	free(locals->list);
	free(locals->waits.list);
	*locals = (struct locals){0};
}
