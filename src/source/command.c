#include "source/command.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "source/fetch.h"
#include "source/local.h"
#include "source/worker.h"

#include <stdlib.h>

/* How long a process that could serve more waits for more to come. */
#define LINGER_NS 2000000U

struct command {
	struct local local;
	struct worker **workers;
	unsigned running; /* the first of them */
	size_t seen;      /* waiting, when it last changed */
	uint64_t seen_ns;
};

static unsigned width(const struct command *command)
{
	return command->local.def->concurrency ? command->local.def->concurrency : 1;
}

static bool is_idle(const struct command *command)
{
	for (unsigned i = 0; i < command->running; i++)
		if (worker_unanswered(command->workers[i]))
			return false;
	return true;
}

/* True when what waits is worth a process. Else *ret_wait_ns is when time alone makes it so. */
static bool is_ripe(struct command *command, uint64_t now_ns, uint64_t *ret_wait_ns)
{
	const struct local *local = &command->local;

	*ret_wait_ns = LOCAL_NEVER;
	if (local->waiting == 0 || command->running >= width(command))
		return false;
	if (local->waiting >= local->def->batch)
		return true;
	if (local->waiting != command->seen) {
		command->seen = local->waiting;
		command->seen_ns = now_ns;
	}
	if (!is_idle(command))
		return false;
	if (now_ns - command->seen_ns >= LINGER_NS)
		return true;
	*ret_wait_ns = LINGER_NS - (now_ns - command->seen_ns);
	return false;
}

static void start_one(struct command *command, uint64_t now_ns)
{
	struct local *local = &command->local;
	size_t batch = local->def->batch ? local->def->batch : 1;
	size_t count = local->waiting < batch ? local->waiting : batch;
	struct fetch **asked = mem_zalloc(count, sizeof *asked);

	for (size_t i = 0; i < count; i++) {
		asked[i] = local_pop(local);
		fetch_launch(asked[i]);
	}
	command->seen = local->waiting;
	breaker_start(&local->breaker);
	struct worker *worker = worker_start(local, asked, count, now_ns);
	if (worker)
		command->workers[command->running++] = worker;
}

static uint64_t move_workers(struct command *command, uint64_t now_ns)
{
	uint64_t due_ns = LOCAL_NEVER;

	for (unsigned i = 0; i < command->running;) {
		struct worker *worker = command->workers[i];
		uint64_t own_ns = LOCAL_NEVER;

		if (worker_turn(worker, now_ns, &own_ns)) {
			worker_free(worker);
			breaker_abandon(
			    &command->local.breaker); /* if it said nothing of use */
			command->workers[i] = command->workers[--command->running];
			continue;
		}
		if (own_ns < due_ns)
			due_ns = own_ns;
		i++;
	}
	return due_ns;
}

/* Those that wait now: the program failed too often to be started again. */
static void refuse_waiting(struct local *local)
{
	struct fetch *fetch = NULL;

	for (size_t left = local->waiting; left > 0 && (fetch = local_pop(local)); left--) {
		struct local_result result = {.cause = SOURCE_CAUSE_BREAKER};
		struct err err = {0};

		breaker_explain(&local->breaker, local->def->name, local->def->argv[0], &err);
		local->done(local->ctx, fetch, &result, &err);
	}
}

static uint64_t turn(struct local *local, uint64_t now_ns)
{
	struct command *command = (struct command *)local;
	unsigned budget = width(command); /* a program that cannot start must not spin here */
	uint64_t due_ns = move_workers(command, now_ns);
	uint64_t ripe_ns = LOCAL_NEVER;

	while (budget-- && !breaker_refuses(&local->breaker, clock_mono_ns()) &&
	       is_ripe(command, clock_mono_ns(), &ripe_ns)) {
		start_one(command, clock_mono_ns());
		due_ns = 0; /* what it takes and gives at once */
	}
	if (breaker_refuses(&local->breaker, clock_mono_ns()) && !local->breaker.trying)
		refuse_waiting(local);
	return ripe_ns < due_ns ? ripe_ns : due_ns;
}

static void waits(const struct local *local, struct local_waits *list)
{
	const struct command *command = (const struct command *)local;

	for (unsigned i = 0; i < command->running; i++)
		worker_waits(command->workers[i], list);
}

static struct fetch *uproot(struct local *local, struct fetch *list)
{
	struct command *command = (struct command *)local;

	for (unsigned i = 0; i < command->running; i++)
		list = worker_uproot(command->workers[i], list);
	return list;
}

static void release(struct local *local)
{
	struct command *command = (struct command *)local;

	uproot(local, NULL); /* all get TERM before one is waited for */
	for (unsigned i = 0; i < command->running; i++)
		worker_free(command->workers[i]);
	free(command->workers);
	free(command);
}

static const struct local_kind kind = {turn, waits, uproot, release};

struct local *command_new(const struct source_def *def)
{
	struct command *command = mem_zalloc(1, sizeof *command);

	command->local = (struct local){.kind = &kind, .def = def};
	breaker_init(&command->local.breaker, def->retry.cap_ms);
	command->workers = mem_zalloc(width(command), sizeof(struct worker *));
	return &command->local;
}
