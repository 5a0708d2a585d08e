#ifndef CORE_BENCH_VERIFY_H
#define CORE_BENCH_VERIFY_H

#include "core/bench.h"

/*
 * Values that tell of themselves: which key they belong to, which write of it
 * they come from, and a checksum over all. Every key is written by one
 * connection alone, so its writes are in order; a read that was sent after the
 * write number n was answered must find n or a later one. Shared by the
 * threads of a run.
 */
struct bench_verify;

/* The least size of such a value. */
#define BENCH_VERIFY_SIZE 40
/* Numbers of writes are compared modulo this: they travel in a cookie. */
#define BENCH_VERIFY_MODULO (1U << 24)

struct bench_verify *bench_verify_new(const struct bench_job *job);
void bench_verify_free(struct bench_verify *verify);

/* Fills value for the key's write number; the same arguments give the same bytes. */
void bench_verify_fill(char *value, size_t size, unsigned family, uint64_t index,
		       uint32_t number);

/* Of a SET about to be sent: its number. */
uint32_t bench_verify_issue(struct bench_verify *verify, unsigned family, uint64_t index);
/* Of a SET that was answered; the answers of a key come in order. */
void bench_verify_settle(struct bench_verify *verify, unsigned family, uint64_t index,
			 bool stored);
/* Of a read about to be sent: the least number that it must find. */
uint32_t bench_verify_floor(const struct bench_verify *verify, unsigned family, uint64_t index);

enum bench_verdict {
	BENCH_RIGHT,
	BENCH_FOREIGN, /* the value of another key, or none of ours */
	BENCH_TORN,    /* the checksum does not fit */
	BENCH_STALE,   /* an older one than the last that was acknowledged */
};
extern const char *const bench_verdict_names[];
enum bench_verdict bench_verify_check(struct bytes value, unsigned family, uint64_t index,
				      uint32_t floor);

#endif
