#ifndef CORE_BENCH_WORDS_H
#define CORE_BENCH_WORDS_H

#include "base/buf.h"
#include "base/bytes.h"
#include "core/bench.h"
#include "core/namespace.h"

/*
 * The commands that read and write a whole value of each type: GET and SET,
 * HGETALL and HSET, SMEMBERS and SADD, ZRANGE and ZADD, LRANGE and LPUSH. A
 * value that is no string has BENCH_ELEMENTS elements, which share its size.
 */
#define BENCH_ELEMENTS 8
/* Of one command. */
#define BENCH_WORDS_MAX 64

enum ns_type bench_words_type(const struct bench_family *family);
/* These fill argv and return how many words there are; texts hold made ones. */
size_t bench_words_read(enum ns_type type, struct bytes key, struct bytes *argv);
/* value is one for SET; of others its pieces. */
size_t bench_words_write(enum ns_type type, struct bytes key, struct bytes value,
			 uint64_t ttl_ms, struct buf *texts, struct bytes *argv);
/* How many commands follow a write: the TTL that SET gives by itself; a list is cut. */
size_t bench_words_tails(enum ns_type type);
size_t bench_words_tail(enum ns_type type, size_t index, struct bytes key, uint64_t ttl_ms,
			struct buf *texts, struct bytes *argv);

#endif
