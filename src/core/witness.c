#include "core/witness_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "wire/redis.h"
#include "wire/target.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000 /* for a reader that must connect, or catch up */
#define TURN_MS 2

struct witness {
	const struct keylist *keys;
	struct watcher {
		pid_t pid;
		struct witness_sight *sight;
	} * watchers;
	size_t count;
};

static size_t size_of(const struct witness *witness)
{
	return sizeof(struct witness_sight) + witness->keys->count;
}

/* No connection of the parent's may outlive it, and no key of the terminal reaches this. */
static _Noreturn void be_reader(const struct target *target, const struct keylist *keys,
				struct witness_sight *sight, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	close_range(0, ~0U, 0);
	witness_read(target, keys, sight);
	_exit(0);
}

static int start(struct witness *witness, struct redis *node, struct err *err)
{
	struct watcher *watcher = &witness->watchers[witness->count];
	pid_t parent = getpid();

	watcher->sight = mmap(NULL, size_of(witness), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (watcher->sight == MAP_FAILED)
		return err_set(err, ERR_REDIS, "MONITOR: no memory to share: %s",
			       strerror(errno));
	snprintf(watcher->sight->mark, WITNESS_MARK, "%08x%08x", arc4random(), arc4random());
	watcher->pid = fork();
	if (watcher->pid == 0)
		be_reader(redis_target(node), witness->keys, watcher->sight, parent);
	if (watcher->pid < 0) {
		munmap(watcher->sight, size_of(witness));
		return err_set(err, ERR_REDIS, "MONITOR: no process: %s", strerror(errno));
	}
	witness->count++;
	return 0;
}

/* Waits until it is in that state. */
static int await(const struct watcher *watcher, int state, struct err *err)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while ((int)watcher->sight->state < state && clock_mono_ms() < until_ms)
		poll(NULL, 0, TURN_MS);
	if (watcher->sight->state == WITNESS_BROKEN) {
		*err = watcher->sight->err;
		return -1;
	}
	if ((int)watcher->sight->state < state)
		return err_set(err, ERR_REDIS, "MONITOR: it did not answer within %d s",
			       PATIENCE_MS / 1000);
	return 0;
}

int witness_begin(struct redis *redis, const struct keylist *keys, struct witness **ret_witness,
		  struct err *err)
{
	struct witness *witness = mem_zalloc(1, sizeof *witness);
	size_t nodes = redis_nodes(redis, err);
	int status = nodes ? 0 : -1;

	witness->keys = keys;
	witness->watchers = mem_zalloc(nodes ? nodes : 1, sizeof *witness->watchers);
	for (size_t i = 0; i < nodes && status == 0; i++)
		status = start(witness, redis_node(redis, i), err);
	for (size_t i = 0; i < witness->count && status == 0; i++)
		status = await(&witness->watchers[i], WITNESS_WATCHING, err);
	if (status == 0)
		*ret_witness = witness;
	else
		witness_free(witness);
	return status;
}

int witness_end(struct witness *witness, struct redis *redis, struct err *err)
{
	size_t nodes = redis_nodes(redis, err);
	int status = nodes == witness->count ? 0 : -1;

	if (nodes && status != 0)
		err_set(err, ERR_REDIS, "MONITOR: the cluster has other primaries by now");
	for (size_t i = 0; i < witness->count && status == 0; i++) {
		const struct reply *reply = NULL;

		status = redis_call_words(redis_node(redis, i), REDIS_IDEMPOTENT, &reply, err,
					  "PING", witness->watchers[i].sight->mark, NULL);
	}
	for (size_t i = 0; i < witness->count && status == 0; i++)
		status = await(&witness->watchers[i], WITNESS_DONE, err);
	return status;
}

const struct witness_writer *witness_of(const struct witness *witness, uint64_t index)
{
	for (size_t i = 0; i < witness->count; i++) {
		const struct witness_sight *sight = witness->watchers[i].sight;
		size_t number = sight->by[index];

		if (number > 0 && number <= sight->writer_count)
			return &sight->writers[number - 1];
	}
	return NULL;
}

void witness_free(struct witness *witness)
{
	if (!witness)
		return;
	for (size_t i = 0; i < witness->count; i++) {
		struct watcher *watcher = &witness->watchers[i];

		kill(watcher->pid, SIGKILL);
		while (waitpid(watcher->pid, NULL, 0) < 0 && errno == EINTR)
			;
		munmap(watcher->sight, size_of(witness));
	}
	free(witness->watchers);
	free(witness);
}
