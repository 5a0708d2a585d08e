#include "core/bench_stampede.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/bench_random.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const bench_guard_names[] = {"none", "lock", "jitter", "early", NULL};

#define DIGITS_3 10
#define NS_PER_MS UINT64_C(1000000)
/* Readers look so often, and again so soon when another one has the lock. */
#define THINK_MS 10
#define RETRY_MS 5
#define JITTER 0.2
/* A holder lets its lock go; this is for one that dies. */
#define LOCK_MS "30000"
#define NAME_MAX_LEN 80

enum state {
	READING, /* about to GET */
	LOCKING, /* missed; about to SET NX */
	STORING, /* the source is at work; then about to SET */
};

struct reader {
	struct stampede *stampede;
	enum state state;
	uint64_t due_ns;
	uint64_t begin_ns; /* of the read */
	size_t key;
	bool served; /* an early refresh: the read was answered before */
	bool nil;
	int64_t left_ms; /* of the key's life */
};

struct stampede {
	struct redis *redis;
	const struct bench_stampede_plan *plan;
	enum bench_guard guard;
	struct bench_random random;
	struct reader *readers;
	size_t *fetching; /* per key */
	size_t fetching_all;
	char *value;
	struct bench_stampede *figures;
	struct err err;
};

/* --- the commands --- */

static struct bytes name_key(const struct stampede *stampede, size_t key, const char *what,
			     char *room)
{
	int len = snprintf(room, NAME_MAX_LEN, BENCH_PREFIX "%s:%s:%s:%zu", stampede->plan->run,
			   what, bench_guard_names[stampede->guard], key);

	return (struct bytes){room, (size_t)len};
}

static void on_reply(void *ctx, const struct reply *reply)
{
	struct reader *reader = ctx;

	if (reply->type == REPLY_ERROR && !err_is_set(&reader->stampede->err))
		redis_fail(reader->stampede->redis, reply, "bench --stampede",
			   BYTES(BENCH_PREFIX "*"), &reader->stampede->err);
	if (reply->type == REPLY_INTEGER)
		reader->left_ms = reply->integer;
	else
		reader->nil = reply->type == REPLY_NIL;
}

static int submit(struct reader *reader, const struct bytes *argv, size_t argc, struct err *err)
{
	return redis_submit(reader->stampede->redis,
			    &(struct redis_command){.argv = argv,
						    .argc = argc,
						    .flags = REDIS_IDEMPOTENT,
						    .fn = on_reply,
						    .ctx = reader},
			    err);
}

static int submit_set(struct reader *reader, struct err *err)
{
	struct stampede *stampede = reader->stampede;
	uint64_t ttl_ms = stampede->plan->ttl_ms;
	char name[NAME_MAX_LEN];
	char lock[NAME_MAX_LEN];
	char ttl[24];

	if (stampede->guard == BENCH_JITTER)
		ttl_ms -=
		    (uint64_t)((double)ttl_ms * JITTER * bench_random_real(&stampede->random));
	snprintf(ttl, sizeof ttl, "%" PRIu64, ttl_ms);
	const struct bytes set[] = {BYTES("SET"),
				    name_key(stampede, reader->key, "key", name),
				    {stampede->value, stampede->plan->value_size},
				    BYTES("PX"),
				    bytes_of(ttl)};
	const struct bytes unlock[] = {BYTES("UNLINK"),
				       name_key(stampede, reader->key, "lock", lock)};

	if (submit(reader, set, 5, err) != 0)
		return -1;
	return stampede->guard == BENCH_LOCK ? submit(reader, unlock, 2, err) : 0;
}

/* What the reader's state asks for. */
static int submit_step(struct reader *reader, struct err *err)
{
	struct stampede *stampede = reader->stampede;
	char name[NAME_MAX_LEN];
	struct bytes argv[6] = {BYTES("GET"), name_key(stampede, reader->key, "key", name)};

	switch (reader->state) {
	case READING:
		if (stampede->guard == BENCH_EARLY) {
			argv[0] = BYTES("PTTL");
			if (submit(reader, argv, 2, err) != 0)
				return -1;
			argv[0] = BYTES("GET");
		}
		return submit(reader, argv, 2, err);
	case LOCKING:
		argv[0] = BYTES("SET");
		argv[1] = name_key(stampede, reader->key, "lock", name);
		argv[2] = BYTES("1");
		argv[3] = BYTES("NX");
		argv[4] = BYTES("PX");
		argv[5] = BYTES(LOCK_MS);
		return submit(reader, argv, 6, err);
	case STORING:
		break;
	}
	return submit_set(reader, err);
}

/* --- what follows from the answers --- */

static void finish_read(struct reader *reader, uint64_t now_ns)
{
	if (!reader->served) {
		reader->stampede->figures->reads++;
		histogram_add(&reader->stampede->figures->times, now_ns - reader->begin_ns);
	}
	reader->served = false;
}

static void next_read(struct reader *reader, uint64_t now_ns)
{
	reader->state = READING;
	reader->key =
	    (size_t)bench_random_below(&reader->stampede->random, reader->stampede->plan->keys);
	reader->due_ns = reader->begin_ns = now_ns + THINK_MS * NS_PER_MS;
}

static void begin_fetch(struct reader *reader, uint64_t now_ns)
{
	struct stampede *stampede = reader->stampede;
	struct bench_stampede *figures = stampede->figures;

	reader->state = STORING;
	reader->due_ns = now_ns + stampede->plan->latency_ms * NS_PER_MS;
	figures->source_calls++;
	if (++stampede->fetching_all > figures->at_once)
		figures->at_once = stampede->fetching_all;
	if (++stampede->fetching[reader->key] > figures->at_once_per_key)
		figures->at_once_per_key = stampede->fetching[reader->key];
}

/* XFetch: the nearer the end and the dearer the fetch, the likelier. */
static bool refreshes_early(const struct reader *reader)
{
	struct stampede *stampede = reader->stampede;
	double draw = -log(1 - bench_random_real(&stampede->random));

	return stampede->guard == BENCH_EARLY && reader->left_ms >= 0 &&
	       (double)stampede->plan->latency_ms * draw >= (double)reader->left_ms;
}

static void answered_read(struct reader *reader, uint64_t now_ns)
{
	if (reader->nil) {
		reader->stampede->figures->misses++;
		if (reader->stampede->guard == BENCH_LOCK) {
			reader->state = LOCKING;
			reader->due_ns = now_ns;
		} else {
			begin_fetch(reader, now_ns);
		}
		return;
	}
	finish_read(reader, now_ns);
	if (refreshes_early(reader)) {
		reader->served = true;
		begin_fetch(reader, now_ns);
	} else {
		next_read(reader, now_ns);
	}
}

static void answered(struct reader *reader, uint64_t now_ns)
{
	struct stampede *stampede = reader->stampede;

	switch (reader->state) {
	case READING:
		answered_read(reader, now_ns);
		break;
	case LOCKING:
		if (!reader->nil) {
			begin_fetch(reader, now_ns);
			break;
		}
		reader->state = READING;
		reader->due_ns = now_ns + RETRY_MS * NS_PER_MS;
		break;
	case STORING:
		stampede->fetching_all--;
		stampede->fetching[reader->key]--;
		finish_read(reader, now_ns);
		next_read(reader, now_ns);
		break;
	}
}

/* --- the loop --- */

/* All readers whose time has come, in one pipeline. Returns when the next one's comes. */
static int turn(struct stampede *stampede, uint64_t *ret_next_ns, struct err *err)
{
	uint64_t now_ns = clock_mono_ns();
	size_t count = stampede->plan->clients;
	uint64_t next_ns = UINT64_MAX;
	bool *asked = mem_zalloc(count, sizeof *asked);
	int status = 0;

	for (size_t i = 0; i < count && status == 0; i++)
		if (stampede->readers[i].due_ns <= now_ns) {
			asked[i] = true;
			status = submit_step(&stampede->readers[i], err);
		}
	if (status == 0)
		status = redis_drain(stampede->redis, 0, err);
	now_ns = clock_mono_ns();
	for (size_t i = 0; i < count && status == 0; i++) {
		if (asked[i])
			answered(&stampede->readers[i], now_ns);
		if (stampede->readers[i].due_ns < next_ns)
			next_ns = stampede->readers[i].due_ns;
	}
	free(asked);
	if (status == 0 && err_is_set(&stampede->err)) {
		*err = stampede->err;
		status = -1;
	}
	*ret_next_ns = next_ns;
	return status;
}

static int warm(struct stampede *stampede, struct err *err)
{
	for (size_t i = 0; i < stampede->plan->keys; i++) {
		struct reader reader = {.stampede = stampede, .key = i};

		if (submit_set(&reader, err) != 0 || redis_drain(stampede->redis, 0, err) != 0)
			return -1;
	}
	return 0;
}

static int loop(struct stampede *stampede, const volatile int *cancel, struct err *err)
{
	uint64_t begin_ns = clock_mono_ns();
	uint64_t end_ns = begin_ns + stampede->plan->duration_ms * NS_PER_MS;
	uint64_t next_ns = 0;

	for (size_t i = 0; i < stampede->plan->clients; i++) {
		struct reader *reader = &stampede->readers[i];

		reader->stampede = stampede;
		next_read(reader, begin_ns);
		reader->due_ns = reader->begin_ns =
		    begin_ns + bench_random_below(&stampede->random, THINK_MS * NS_PER_MS);
	}
	while (clock_mono_ns() < end_ns) {
		if (*cancel)
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		if (turn(stampede, &next_ns, err) != 0)
			return -1;
		uint64_t now_ns = clock_mono_ns();
		if (next_ns > now_ns)
			nanosleep(&(struct timespec){.tv_nsec = (long)((next_ns - now_ns) %
								       (1000 * NS_PER_MS))},
				  NULL);
	}
	return 0;
}

int bench_stampede_run(struct redis *redis, const struct bench_stampede_plan *plan,
		       enum bench_guard guard, const volatile int *cancel,
		       struct bench_stampede *ret_stampede, struct err *err)
{
	struct stampede stampede = {
	    .redis = redis, .plan = plan, .guard = guard, .figures = ret_stampede};

	*ret_stampede = (struct bench_stampede){0};
	histogram_init(&ret_stampede->times, DIGITS_3);
	bench_random_seed(&stampede.random, plan->seed);
	stampede.readers = mem_zalloc(plan->clients, sizeof *stampede.readers);
	stampede.fetching = mem_zalloc(plan->keys, sizeof *stampede.fetching);
	stampede.value = mem_alloc(plan->value_size + 1);
	memset(stampede.value, 'x', plan->value_size);
	int status = warm(&stampede, err);
	if (status == 0)
		status = loop(&stampede, cancel, err);
	free(stampede.readers);
	free(stampede.fetching);
	free(stampede.value);
	return status;
}
