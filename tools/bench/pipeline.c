/*
 * Pipelined GETs through a wire session against the same through redis-benchmark
 * and through a bare hiredis loop, on a server of the caller's:
 *
 *     pipeline unix PATH | tcp PORT [REQUESTS [DEPTH [VALUE-BYTES]]]
 *
 * Three interleaved rounds; each line is the median round: requests per second
 * and the client's CPU µs per request (user + system).
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "wire/redis.h"
#include "wire/target.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY "key:000000000000"
#define ROUNDS 3

struct job {
	const char *socket; /* NULL: tcp */
	const char *place;  /* the path or the port */
	size_t requests;
	size_t depth;
	size_t value;
};

struct figures {
	double per_second;
	double cpu_us;
};

static void die(const char *what)
{
	fprintf(stderr, "pipeline: %s\n", what);
	exit(1);
}

static size_t number(const char *text)
{
	uint64_t value = 0;

	if (num_parse_u64(bytes_of(text), 0, UINT32_MAX, &value) < 0)
		die("not a number");
	return (size_t)value;
}

static double cpu_us(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void count(void *ctx, const struct reply *reply)
{
	size_t *bytes = ctx;

	if (reply->type != REPLY_STRING)
		die("a GET was not answered with a string");
	*bytes += reply->text.len;
}

static struct redis *open_session(const struct job *job, struct target *target)
{
	target_init(target);
	if (job->socket)
		target->socket = mem_strdup(job->socket);
	else
		target->port = (uint16_t)number(job->place);
	return redis_new(target, NULL);
}

static void run_ours(const struct job *job)
{
	struct target target;
	struct redis *redis = open_session(job, &target);
	struct bytes argv[] = {BYTES("GET"), BYTES(KEY)};
	size_t bytes = 0;
	struct redis_command command = {.argv = argv,
					.argc = 2,
					.expect = job->value,
					.flags = REDIS_IDEMPOTENT,
					.fn = count,
					.ctx = &bytes};
	struct redis_limits limits = {.commands = job->depth,
				      .sent_bytes = 1 << 20,
				      .reply_bytes = (job->value + 1) * job->depth,
				      .max_bulk = 1 << 20};
	struct err err = {0};

	redis_set_limits(redis, &limits);
	for (size_t i = 0; i < job->requests; i++) {
		if (redis_submit(redis, &command, &err) < 0)
			die(err.text);
	}
	if (redis_drain(redis, 0, &err) < 0)
		die(err.text);
	if (bytes != job->requests * job->value)
		die("the values' bytes do not add up");
	redis_free(redis);
	target_release(&target);
}

static redisContext *open_bare(const struct job *job)
{
	redisContext *context = job->socket
				    ? redisConnectUnix(job->socket)
				    : redisConnect("127.0.0.1", (int)number(job->place));

	if (!context || context->err)
		die("hiredis cannot connect");
	return context;
}

static void run_bare(const struct job *job)
{
	redisContext *context = open_bare(job);

	for (size_t done = 0; done < job->requests; done += job->depth) {
		for (size_t i = 0; i < job->depth; i++)
			redisAppendCommand(context, "GET %s", KEY);
		for (size_t i = 0; i < job->depth; i++) {
			redisReply *reply = NULL;

			if (redisGetReply(context, (void **)&reply) != REDIS_OK ||
			    reply->type != REDIS_REPLY_STRING)
				die("hiredis got no string");
			freeReplyObject(reply);
		}
	}
	redisFree(context);
}

static void run_benchmark(const struct job *job)
{
	char requests[32];
	char depth[32];
	char *argv[] = {"redis-benchmark",
			job->socket ? "-s" : "-p",
			(char *)job->place,
			"-c",
			"1",
			"-q",
			"-n",
			requests,
			"-P",
			depth,
			"GET",
			KEY,
			NULL};
	int status = 0;

	snprintf(requests, sizeof requests, "%zu", job->requests);
	snprintf(depth, sizeof depth, "%zu", job->depth);
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		die("redis-benchmark failed");
}

static struct figures measure(const struct job *job, void (*run)(const struct job *), int who)
{
	double cpu = cpu_us(who);
	uint64_t start = clock_mono_us();

	run(job);
	double elapsed = (double)(clock_mono_us() - start);
	return (struct figures){
	    .per_second = (double)job->requests * 1e6 / elapsed,
	    .cpu_us = (cpu_us(who) - cpu) / (double)job->requests,
	};
}

static int compare(const void *a, const void *b)
{
	double x = ((const struct figures *)a)->per_second;
	double y = ((const struct figures *)b)->per_second;

	return (x > y) - (x < y);
}

static void prefill(const struct job *job)
{
	struct target target;
	struct redis *redis = open_session(job, &target);
	const struct reply *reply = NULL;
	struct err err = {0};
	struct bytes argv[] = {
	    BYTES("SET"), BYTES(KEY), {mem_zalloc(1, job->value), job->value}};

	if (redis_call(redis, argv, 3, REDIS_IDEMPOTENT, &reply, &err) < 0)
		die(err.text);
	free((void *)argv[2].ptr);
	redis_free(redis);
	target_release(&target);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(const struct job *);
		int who;
	} sides[] = {{"ccache wire", run_ours, RUSAGE_SELF},
		     {"bare hiredis", run_bare, RUSAGE_SELF},
		     {"redis-benchmark", run_benchmark, RUSAGE_CHILDREN}};
	struct figures figures[3][ROUNDS];

	if (argc < 3 || (strcmp(argv[1], "unix") != 0 && strcmp(argv[1], "tcp") != 0))
		die("usage: pipeline unix PATH | tcp PORT [REQUESTS [DEPTH [VALUE-BYTES]]]");
	signal(SIGPIPE, SIG_IGN);
	struct job job = {.socket = strcmp(argv[1], "unix") == 0 ? argv[2] : NULL,
			  .place = argv[2],
			  .requests = argc > 3 ? number(argv[3]) : 500000,
			  .depth = argc > 4 ? number(argv[4]) : 64,
			  .value = argc > 5 ? number(argv[5]) : 3};
	if (job.requests == 0 || job.depth == 0)
		die("REQUESTS and DEPTH are at least 1");
	job.requests -= job.requests % job.depth;
	prefill(&job);
	for (int round = 0; round < ROUNDS; round++) {
		for (int side = 0; side < 3; side++)
			figures[side][round] = measure(&job, sides[side].run, sides[side].who);
	}
	printf("%s, depth %zu, %zu-byte values, %zu requests\n", argv[1], job.depth, job.value,
	       job.requests);
	for (int side = 0; side < 3; side++) {
		qsort(figures[side], ROUNDS, sizeof figures[side][0], compare);
		printf("%-16s %10.0f/s %8.3f us CPU\n", sides[side].name,
		       figures[side][ROUNDS / 2].per_second, figures[side][ROUNDS / 2].cpu_us);
	}
	return 0;
}
