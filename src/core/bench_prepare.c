#include "core/bench_prepare.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/bench_load.h"
#include "core/bench_verify.h"
#include "core/server.h"
#include "wire/redis.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIVE_MS "60000"
#define ALIVE_KEY "cc:bench:alive:"
/* One of four beats may be missed: the run's end does not wait for it. */
#define BEAT_HASTE_MS 1000
#define UNLINK_BATCH 200
/* What a key costs the server beside its bytes, rounded up. */
#define KEY_OVERHEAD 160
/* The share of the free memory that a run may take. */
#define FREE_SHARE 0.8

void bench_name_run(struct bench_job *job)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < BENCH_RUN_LEN; i++)
		job->run[i] = letters[arc4random_uniform(sizeof letters - 1)];
	job->run[BENCH_RUN_LEN] = '\0';
}

bool bench_writes(const struct bench_job *job)
{
	for (size_t i = 0; i < job->family_count; i++)
		if (!job->families[i].live)
			return true;
	return false;
}

/* --- the entry --- */

static int check_reply(const struct redis *redis, const struct reply *reply,
		       const char *command, struct bytes key, struct err *err)
{
	if (reply->type == REPLY_ERROR || reply->type == REPLY_LOST)
		return redis_fail(redis, reply, command, key, err);
	return 0;
}

static void set_alive(struct redis *redis, const char *run, struct err *err)
{
	char key[sizeof ALIVE_KEY + BENCH_RUN_LEN];
	const struct reply *reply = NULL;

	snprintf(key, sizeof key, ALIVE_KEY "%s", run);
	(void)redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "SET", key, "1", "PX",
			       ALIVE_MS, NULL);
}

int bench_enter(struct redis *redis, const struct bench_job *job, struct err *err)
{
	const struct reply *reply = NULL;
	char host[256] = "";
	struct buf entry = {0};

	gethostname(host, sizeof host - 1);
	buf_printf(&entry, "%ld %" PRIu64 " %s", (long)getpid(), clock_wall_ms(), host);
	int status = redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "HSET",
				      BENCH_RUNS_KEY, job->run, buf_str(&entry), NULL);
	if (status == 0)
		status = check_reply(redis, reply, "HSET", BYTES(BENCH_RUNS_KEY), err);
	buf_release(&entry);
	if (status == 0)
		set_alive(redis, job->run, err);
	return status;
}

void bench_beat(struct redis *redis, const struct bench_job *job)
{
	redis_set_haste(redis, BEAT_HASTE_MS);
	set_alive(redis, job->run, NULL);
	redis_set_haste(redis, 0);
}

/* --- killed runs --- */

/* entry: "PID STARTED HOST" */
static bool process_is_gone(struct bytes entry)
{
	char host[256] = "";
	size_t first = bytes_index(entry, ' ');
	struct bytes rest = bytes_sub(entry, first + 1, entry.len);
	struct bytes name = bytes_sub(rest, bytes_index(rest, ' ') + 1, rest.len);
	uint64_t pid = 0;

	gethostname(host, sizeof host - 1);
	if (!bytes_equal_str(name, host) ||
	    num_parse_u64(bytes_sub(entry, 0, first), 1, INT32_MAX, &pid) != 0)
		return false;
	return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

static int is_killed(struct redis *redis, struct bytes run, struct bytes entry,
		     bool *ret_killed, struct err *err)
{
	struct buf key = {0};
	const struct reply *reply = NULL;

	buf_printf(&key, ALIVE_KEY "%.*s", BYTES_ARG(run));
	struct bytes argv[] = {BYTES("EXISTS"), buf_bytes(&key)};
	int status = redis_call(redis, argv, 2, REDIS_IDEMPOTENT, &reply, err);
	if (status == 0)
		status = check_reply(redis, reply, "EXISTS", argv[1], err);
	if (status == 0)
		*ret_killed = reply->integer == 0 || process_is_gone(entry);
	buf_release(&key);
	return status;
}

struct removal {
	uint64_t removed;
	struct err err;
	struct redis *redis;
};

static void on_removed(void *ctx, const struct reply *reply)
{
	struct removal *removal = ctx;

	if (reply->type == REPLY_INTEGER)
		removal->removed += (uint64_t)reply->integer;
	else if (!err_is_set(&removal->err))
		redis_fail(removal->redis, reply, "UNLINK", BYTES(BENCH_PREFIX "*"),
			   &removal->err);
}

static int unlink_page(const struct reply *keys, struct removal *removal, struct err *err)
{
	int status = 0;

	for (size_t i = 0; i < keys->count && status == 0; i++) {
		struct bytes argv[] = {BYTES("UNLINK"), keys->items[i]->text};

		status = redis_submit(removal->redis,
				      &(struct redis_command){.argv = argv,
							      .argc = 2,
							      .flags = REDIS_IDEMPOTENT,
							      .fn = on_removed,
							      .ctx = removal},
				      err);
	}
	return status;
}

static int sweep_node(struct redis *node, struct bytes pattern, struct removal *removal,
		      struct err *err)
{
	struct buf cursor = {0};
	int status = 0;

	buf_add_str(&cursor, "0");
	do {
		const struct reply *page = NULL;
		struct bytes scan[] = {BYTES("SCAN"), buf_bytes(&cursor), BYTES("MATCH"),
				       pattern,       BYTES("COUNT"),     BYTES("500")};

		status = redis_call(node, scan, 6, REDIS_IDEMPOTENT, &page, err);
		if (status == 0)
			status = check_reply(node, page, "SCAN", pattern, err);
		if (status != 0 || page->type != REPLY_ARRAY || page->count != 2)
			break;
		status = unlink_page(page->items[1], removal, err);
		buf_clear(&cursor);
		buf_add(&cursor, page->items[0]->text);
	} while (status == 0 && !bytes_equal_str(buf_bytes(&cursor), "0"));
	buf_release(&cursor);
	return status;
}

/* Every primary of a cluster holds some. */
static int sweep_run(struct redis *redis, struct bytes run, struct removal *removal,
		     struct err *err)
{
	struct buf pattern = {0};
	size_t count = redis_nodes(redis, err);
	int status = count > 0 ? 0 : -1;

	buf_printf(&pattern, BENCH_PREFIX "%.*s:*", BYTES_ARG(run));
	for (size_t i = 0; i < count && status == 0; i++)
		status = sweep_node(redis_node(redis, i), buf_bytes(&pattern), removal, err);
	if (status == 0)
		status = redis_drain(redis, 0, err);
	buf_release(&pattern);
	return status;
}

int bench_sweep_run(struct redis *redis, const char *run, struct err *err)
{
	struct removal removal = {.redis = redis};
	int status = sweep_run(redis, bytes_of(run), &removal, err);

	if (status == 0 && err_is_set(&removal.err)) {
		*err = removal.err;
		status = -1;
	}
	return status;
}

static int forget(struct redis *redis, struct bytes run, struct err *err)
{
	const struct reply *reply = NULL;
	struct buf key = {0};
	struct bytes remove[] = {BYTES("HDEL"), BYTES(BENCH_RUNS_KEY), run};

	buf_printf(&key, ALIVE_KEY "%.*s", BYTES_ARG(run));
	struct bytes unlink_alive[] = {BYTES("UNLINK"), buf_bytes(&key)};
	int status = redis_call(redis, unlink_alive, 2, REDIS_IDEMPOTENT, &reply, err);
	if (status == 0)
		status = redis_call(redis, remove, 3, REDIS_IDEMPOTENT, &reply, err);
	if (status == 0)
		status = check_reply(redis, reply, "HDEL", remove[1], err);
	buf_release(&key);
	return status;
}

int bench_sweep(struct redis *redis, uint64_t *ret_runs, uint64_t *ret_keys, struct err *err)
{
	const struct reply *reply = NULL;
	struct removal removal = {.redis = redis};
	struct mem_arena arena = {0};
	uint64_t runs = 0;
	int status = redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "HGETALL",
				      BENCH_RUNS_KEY, NULL);

	if (status == 0)
		status = check_reply(redis, reply, "HGETALL", BYTES(BENCH_RUNS_KEY), err);
	if (status != 0)
		return -1;
	const struct reply *entries = reply_copy(&arena, reply);
	for (size_t i = 0; i + 1 < entries->count && status == 0; i += 2) {
		struct bytes run = entries->items[i]->text;
		bool killed = false;

		/* Whatever else got in there names no keys of ours. */
		if (run.len != BENCH_RUN_LEN)
			continue;
		status = is_killed(redis, run, entries->items[i + 1]->text, &killed, err);
		if (status != 0 || !killed)
			continue;
		status = sweep_run(redis, run, &removal, err);
		if (status == 0)
			status = forget(redis, run, err);
		runs++;
	}
	mem_arena_release(&arena);
	if (status == 0 && err_is_set(&removal.err)) {
		*err = removal.err;
		status = -1;
	}
	*ret_runs = runs;
	*ret_keys = removal.removed;
	return status;
}

/* --- filling --- */

struct filling {
	struct redis *redis;
	const struct bench_job *job;
	struct err err;
	uint64_t done;
	uint64_t total;
};

static void on_filled(void *ctx, const struct reply *reply)
{
	struct filling *filling = ctx;

	filling->done++;
	if ((reply->type == REPLY_ERROR || reply->type == REPLY_LOST) &&
	    !err_is_set(&filling->err)) {
		redis_fail(filling->redis, reply, "SET", BYTES(BENCH_PREFIX "*"),
			   &filling->err);
	}
}

static bool reads(const struct bench_job *job)
{
	return job->mix[BENCH_GET] > 0 || job->mix[BENCH_COMMAND] > 0 ||
	       job->mix[BENCH_DEL] > 0;
}

/* The bytes that the job's keys may take. */
static double need_of(const struct bench_job *job)
{
	double need = 0;

	for (size_t i = 0; i < job->family_count; i++) {
		const struct bench_family *family = &job->families[i];
		size_t size = family->size_max;

		for (size_t j = 0; j < family->size_count; j++)
			size = family->sizes[j] > size ? family->sizes[j] : size;
		if (!family->live)
			need += (double)family->keys * (double)(size + KEY_OVERHEAD);
	}
	return need;
}

static int check_memory_of(struct redis *node, double need, struct err *err)
{
	struct server_info info = {0};

	if (server_info(node, &info, err) != 0)
		return -1;
	if (info.denied || info.max_memory <= 0)
		return 0;
	double left = ((double)info.max_memory - (double)info.used_memory) * FREE_SHARE;
	if (need <= left)
		return 0;
	struct buf text = {0};
	buf_add_str(&text, "the keys would take up to ");
	num_format_size(&text, (uint64_t)need);
	buf_add_str(&text, ", the server's maxmemory leaves ");
	num_format_size(&text, left > 0 ? (uint64_t)left : 0);
	err_set(err, ERR_REFUSED, "%s for them: fewer --keys or a smaller --size",
		buf_str(&text));
	buf_release(&text);
	return -1;
}

/* A cluster's nodes share the keys about evenly. */
static int check_memory(struct redis *redis, const struct bench_job *job, struct err *err)
{
	size_t count = redis_nodes(redis, err);
	int status = count > 0 ? 0 : -1;

	for (size_t i = 0; i < count && status == 0; i++)
		status =
		    check_memory_of(redis_node(redis, i), need_of(job) / (double)count, err);
	return status;
}

static int submit(struct filling *filling, const struct bytes *argv, size_t argc,
		  redis_reply_fn *fn, struct err *err)
{
	return redis_submit(filling->redis,
			    &(struct redis_command){.argv = argv,
						    .argc = argc,
						    .flags = REDIS_IDEMPOTENT,
						    .fn = fn,
						    .ctx = filling},
			    err);
}

/* Whatever is written gets a TTL. */
static int fill_key(struct filling *filling, struct bench_load *load, struct bench_op op,
		    struct err *err)
{
	const struct bench_family *family = &filling->job->families[op.family];
	struct bytes argv[BENCH_WORDS_MAX];
	size_t argc = bench_load_prepare_words(load, op, argv);
	struct buf key = {0};
	char ttl[24];
	int status = submit(filling, argv, argc, on_filled, err);

	if (!filling->job->prepare) {
		for (size_t i = 0; i < bench_load_tails(load, op) && status == 0; i++) {
			argc = bench_load_tail_words(load, op, i, argv);
			status = submit(filling, argv, argc, NULL, err);
		}
		return status;
	}
	if (status == 0)
		status = bench_key(filling->job, family, op.index, &key, err);
	snprintf(ttl, sizeof ttl, "%" PRIu64, family->ttl_ms);
	const struct bytes expire[] = {BYTES("PEXPIRE"), buf_bytes(&key), bytes_of(ttl)};
	if (status == 0)
		status = submit(filling, expire, 3, NULL, err);
	buf_release(&key);
	return status;
}

int bench_fill(struct redis *redis, const struct bench_job *job, bench_progress_fn *fn,
	       void *ctx, struct err *err)
{
	struct filling filling = {.redis = redis, .job = job};
	struct bench_load *load = NULL;
	struct bench_verify *verify = NULL;
	int status = check_memory(redis, job, err);

	if (status != 0 || !reads(job))
		return status;
	if (job->verify)
		verify = bench_verify_new(job);
	load = bench_load_new(job, job->seed ^ 1, verify);
	for (size_t i = 0; i < job->family_count; i++)
		filling.total += job->families[i].live ? 0 : job->families[i].keys;
	for (unsigned f = 0; f < job->family_count && status == 0; f++) {
		uint64_t keys = job->families[f].live ? 0 : job->families[f].keys;

		for (uint64_t i = 0; i < keys && status == 0; i++) {
			status = fill_key(&filling, load, (struct bench_op){f, BENCH_SET, i, 0},
					  err);
			if (err_is_set(&filling.err))
				status = -1;
			if (fn && i % 1024 == 0)
				fn(ctx, filling.done, filling.total);
		}
	}
	if (redis_drain(redis, 0, status == 0 ? err : NULL) != 0)
		status = -1;
	if (err_is_set(&filling.err)) {
		*err = filling.err;
		status = -1;
	}
	bench_load_free(load);
	bench_verify_free(verify);
	return status;
}

/* --- cleaning --- */

static int unlink_keys(struct redis *redis, const struct bench_job *job,
		       const struct bench_family *family, struct removal *removal,
		       struct err *err)
{
	/* A command of a cluster touches one slot. */
	size_t batch = job->cluster ? 1 : UNLINK_BATCH;
	struct bytes argv[UNLINK_BATCH + 1];
	struct buf names[UNLINK_BATCH] = {0};
	size_t argc = 1;
	int status = 0;

	argv[0] = BYTES("UNLINK");
	for (uint64_t i = 0; i < family->keys && status == 0; i++) {
		struct buf *name = &names[argc - 1];

		buf_clear(name);
		status = bench_key(job, family, i, name, err);
		argv[argc++] = buf_bytes(name);
		if (status != 0 || (argc <= batch && i + 1 < family->keys))
			continue;
		status = redis_submit(redis,
				      &(struct redis_command){.argv = argv,
							      .argc = argc,
							      .flags = REDIS_IDEMPOTENT,
							      .fn = on_removed,
							      .ctx = removal},
				      err);
		argc = 1;
	}
	for (size_t i = 0; i < UNLINK_BATCH; i++)
		buf_release(&names[i]);
	return status;
}

int bench_clean(struct redis *redis, const struct bench_job *job, uint64_t *ret_removed,
		struct err *err)
{
	struct removal removal = {.redis = redis};
	int status = 0;

	for (size_t i = 0; i < job->family_count && status == 0; i++)
		if (!job->families[i].live)
			status = unlink_keys(redis, job, &job->families[i], &removal, err);
	if (status == 0)
		status = redis_drain(redis, 0, err);
	if (status == 0 && err_is_set(&removal.err)) {
		*err = removal.err;
		status = -1;
	}
	if (status == 0)
		status = forget(redis, bytes_of(job->run), err);
	*ret_removed = removal.removed;
	return status;
}
