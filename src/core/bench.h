#ifndef CORE_BENCH_H
#define CORE_BENCH_H

#include "base/buf.h"
#include "base/bytes.h"
#include "core/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ns;
struct target;

/* Everything that a benchmark writes is named cc:bench:RUN:KEY. */
#define BENCH_PREFIX "cc:bench:"
#define BENCH_RUN_LEN 12
#define BENCH_FAMILIES_MAX 16
#define BENCH_THREADS_MAX 64
#define BENCH_CLIENTS_MAX 20000

enum bench_kind { BENCH_GET, BENCH_SET, BENCH_DEL, BENCH_COMMAND, BENCH_KINDS };
extern const char *const bench_kind_names[]; /* "get" "set" "del" "command", NULL */

enum bench_ids { BENCH_UNIFORM, BENCH_ZIPFIAN, BENCH_SEQUENTIAL };
extern const char *const bench_ids_names[]; /* NULL-terminated */

/* Names that are given instead of made: real keys to read, or ids from a file. */
struct bench_names {
	struct buf text;
	size_t *ends; /* count entries: where each ends in text */
	size_t count;
};
void bench_names_add(struct bench_names *names, struct bytes name);
struct bytes bench_names_at(const struct bench_names *names, size_t index);
void bench_names_release(struct bench_names *names);

/* Keys of one kind in the load: a namespace's, or plain ones. */
struct bench_family {
	const struct ns *ns; /* NULL: plain keys */
	const char *name;
	uint64_t keys;   /* that are there */
	uint64_t misses; /* further ones, for reads that shall find nothing */
	size_t size_min; /* of values, uniform between the two */
	size_t size_max;
	const size_t *sizes; /* sampled; NULL: between min and max */
	size_t size_count;
	uint64_t ttl_ms;
	const uint64_t *ttls; /* sampled; NULL: ttl_ms */
	size_t ttl_count;
	double weight;
	const struct bench_names *names; /* NULL: made of numbers */
	bool live;                       /* names are real keys: read only, no prefix */
};

/* What is to be done. */
struct bench_job {
	char run[BENCH_RUN_LEN + 1];
	struct bench_family families[BENCH_FAMILIES_MAX];
	size_t family_count;
	double mix[BENCH_KINDS];     /* shares of the operations, sum 1 */
	double miss;                 /* share of the reads that shall find nothing */
	const struct bytes *command; /* argv with {key} and {value}; for BENCH_COMMAND */
	size_t command_count;
	const struct bytes *prepare; /* writes a key in place of SET; NULL: SET */
	size_t prepare_count;
	enum bench_ids ids;
	double exponent; /* zipfian */
	uint64_t seed;

	size_t threads;
	size_t clients; /* of all threads */
	size_t depth;   /* closed loop: commands in a batch */
	double rate;    /* operations per second, open loop; 0: closed loop */
	double rate_to; /* at the end; 0: the same */
	bool poisson;
	uint64_t warm_up_ms;
	uint64_t duration_ms; /* 0: until requests */
	uint64_t requests;    /* 0: until duration */
	bool verify;
	bool cluster; /* the target is a node of a Redis Cluster */
};

/* What became of one kind of operation on one family. Times in ns. */
struct bench_row {
	uint64_t count; /* answered without error */
	uint64_t hits;
	uint64_t misses;
	uint64_t errors;
	uint64_t foreign;          /* --verify: values of another key */
	uint64_t torn;             /* values whose checksum does not fit */
	uint64_t stale;            /* values older than the last that was acknowledged */
	uint64_t value_bytes;      /* read and written */
	struct histogram service;  /* from the send; counts NULL: nothing yet */
	struct histogram response; /* from when it was due */
};

#define BENCH_ERRORS_MAX 16
struct bench_error {
	char code[32]; /* "OOM", "lost" */
	uint64_t count;
	char text[160];
};

/* What a node of a cluster answered. */
struct bench_node {
	char name[280]; /* host:port */
	uint64_t count; /* answered without error */
	uint64_t errors;
	uint64_t moved; /* sent elsewhere by it */
	uint64_t asked;
	uint64_t tried_again;
	struct histogram times; /* service times; counts NULL: nothing yet */
	int64_t cpu_us;         /* -1: not told */
};

/* One second of the run. */
struct bench_second {
	uint64_t count;
	uint64_t errors;
	uint64_t p50_ns; /* of response times */
	uint64_t p99_ns;
	uint64_t max_ns;
};

struct bench_result {
	struct bench_row rows[BENCH_FAMILIES_MAX][BENCH_KINDS];
	struct bench_error errors[BENCH_ERRORS_MAX];
	size_t error_count;
	uint64_t elapsed_ns;  /* from the first to the last measured answer */
	uint64_t scheduled;   /* open loop: that were due */
	uint64_t unsent;      /* of them never sent */
	double offered;       /* per second, open loop */
	struct histogram lag; /* from due to sent */
	uint64_t client_cpu_us;
	int64_t server_cpu_us; /* -1: not told */
	int64_t evicted;       /* keys that the server evicted meanwhile; -1: not told */
	struct bench_second *seconds;
	size_t second_count;
	struct bench_node *nodes; /* of a cluster */
	size_t node_count;
	bool partial; /* ended before its time */
	struct err *failure;
};

/* Who follows a run, in the calling thread. */
struct bench_follower {
	void *ctx;
	void (*begin)(void *ctx); /* when measuring begins */
	void (*second)(void *ctx, size_t second, const struct bench_second *figures);
};

/*
 * Runs the job: threads with their own connections to target. The keys must be there
 * (bench_prepare). 0; -1 with ERR_REDIS or ERR_INTERRUPTED when it ended before its
 * time: *ret_result holds what was measured, marked partial. Release in either case.
 */
int bench_run(const struct target *target, const struct bench_job *job,
	      const volatile int *cancel, const struct bench_follower *follower,
	      struct bench_result *ret_result, struct err *err);
void bench_result_release(struct bench_result *result);
/* Adds a further round's figures to all; its seconds are not kept. */
void bench_result_add(struct bench_result *all, const struct bench_result *round);
/* All rows, or those of one kind, in one. Release with bench_row_release. */
void bench_row_sum(const struct bench_result *result, int kind, struct bench_row *ret_row);
void bench_row_release(struct bench_row *row);

/* ERR_USAGE says which part of the job cannot be: no clients, threads over clients, … */
int bench_check(const struct bench_job *job, struct err *err);

#endif
