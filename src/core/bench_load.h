#ifndef CORE_BENCH_LOAD_H
#define CORE_BENCH_LOAD_H

#include "core/bench.h"
#include "core/bench_random.h"
#include "core/bench_words.h"

/*
 * The commands of a load: which operation on which key comes next, and its
 * bytes. One per thread; the job is borrowed.
 */
struct bench_load;

struct bench_verify;

/* verify: NULL unless values tell of themselves. */
struct bench_load *bench_load_new(const struct bench_job *job, uint64_t seed,
				  struct bench_verify *verify);
void bench_load_free(struct bench_load *load);

/* An operation as it fits into a cookie. */
struct bench_op {
	unsigned family;
	enum bench_kind kind;
	uint64_t index;  /* of the key; ≥ the family's keys: one that is not there */
	uint32_t number; /* --verify: of the write, or the least that a read must find */
};
#define BENCH_INDEX_BITS 32
#define BENCH_NUMBER_BITS 24
#define BENCH_KIND_BITS 3
static inline uint64_t bench_op_pack(struct bench_op op)
{
	uint64_t head = (uint64_t)op.family << BENCH_KIND_BITS | (uint64_t)op.kind;

	return (head << BENCH_NUMBER_BITS | op.number) << BENCH_INDEX_BITS | op.index;
}
static inline struct bench_op bench_op_unpack(uint64_t cookie)
{
	uint64_t head = cookie >> (BENCH_INDEX_BITS + BENCH_NUMBER_BITS);

	return (struct bench_op){
	    .family = (unsigned)(head >> BENCH_KIND_BITS),
	    .kind = (enum bench_kind)(head & ((1U << BENCH_KIND_BITS) - 1)),
	    .number = (uint32_t)(cookie >> BENCH_INDEX_BITS) & ((1U << BENCH_NUMBER_BITS) - 1),
	    .index = cookie & ((UINT64_C(1) << BENCH_INDEX_BITS) - 1),
	};
}

/* The next operation of that client (of all threads'). */
struct bench_op bench_load_pick(struct bench_load *load, size_t client);
/* Appends its command. */
void bench_load_write(struct bench_load *load, struct bench_op op, struct buf *out);
/*
 * The same for a batch, in room of the load's own: begin, add each, and have the
 * bytes of all, until the next begin. The caller may take the buffer and
 * leave an empty one.
 */
void bench_load_begin(struct bench_load *load);
void bench_load_add(struct bench_load *load, struct bench_op op);
struct buf *bench_load_batch(struct bench_load *load);
/* The same as words, valid until the next call; the value has the size of the last one. Returns
 * how many. */
size_t bench_load_words(struct bench_load *load, struct bench_op op, struct bytes *argv);
/* The words that write the key beforehand: the job's `prepare`, or a SET. */
size_t bench_load_prepare_words(struct bench_load *load, struct bench_op op,
				struct bytes *argv);
/*
 * How many further commands bench_load_write appends behind that one, whose
 * answers mean nothing: they give the TTL to what no SET has written.
 */
size_t bench_load_tails(const struct bench_load *load, struct bench_op op);
/* The words of one of them. */
size_t bench_load_tail_words(struct bench_load *load, struct bench_op op, size_t index,
			     struct bytes *argv);
/* The size of the value that the last command written carries. */
size_t bench_load_value_size(const struct bench_load *load);
/* The hash slot of the key that the last command written to out is about. */
unsigned bench_load_slot(const struct bench_load *load, const struct buf *out);

/* Appends the name of a family's key, as it is in Redis. ERR_USAGE: the namespace's template
 * does not take numbers. */
int bench_key(const struct bench_job *job, const struct bench_family *family, uint64_t index,
	      struct buf *buf, struct err *err);

#endif
