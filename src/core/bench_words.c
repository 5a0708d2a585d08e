#include "core/bench_words.h"

#include <inttypes.h>

enum ns_type bench_words_type(const struct bench_family *family)
{
	return family->ns && family->ns->type != NS_ANY ? family->ns->type : NS_STRING;
}

size_t bench_words_read(enum ns_type type, struct bytes key, struct bytes *argv)
{
	argv[1] = key;
	switch (type) {
	case NS_HASH:
		argv[0] = BYTES("HGETALL");
		return 2;
	case NS_SET:
		argv[0] = BYTES("SMEMBERS");
		return 2;
	case NS_ZSET:
	case NS_LIST:
		argv[0] = type == NS_ZSET ? BYTES("ZRANGE") : BYTES("LRANGE");
		argv[2] = BYTES("0");
		argv[3] = BYTES("-1");
		return 4;
	case NS_STREAM:
	case NS_STRING:
	case NS_ANY:
		break;
	}
	argv[0] = BYTES("GET");
	return 2;
}

/* The texts "0:…" "1:…", so that no two are equal, or what names an element. */
static void make_texts(enum ns_type type, struct bytes value, struct buf *texts,
		       size_t *ret_ends)
{
	size_t piece = value.len / BENCH_ELEMENTS;

	buf_clear(texts);
	for (size_t i = 0; i < BENCH_ELEMENTS; i++) {
		buf_printf(texts, type == NS_HASH ? "field%zu" : "%zu:", i);
		/* Of a set the same bytes each time: it must not grow. */
		if (type != NS_HASH && piece > 2)
			buf_add(texts, bytes_sub(value, 0, piece - 2));
		ret_ends[i] = texts->len;
	}
}

static size_t write_elements(enum ns_type type, struct bytes key, struct bytes value,
			     struct buf *texts, struct bytes *argv)
{
	static const char *const scores[BENCH_ELEMENTS] = {"0", "1", "2", "3",
							   "4", "5", "6", "7"};
	size_t piece = value.len / BENCH_ELEMENTS;
	size_t ends[BENCH_ELEMENTS];
	size_t argc = 1;
	size_t from = 0;

	argv[argc++] = key;
	make_texts(type, value, texts, ends);
	for (size_t i = 0; i < BENCH_ELEMENTS; from = ends[i++]) {
		struct bytes text = bytes_sub(buf_bytes(texts), from, ends[i] - from);

		if (type == NS_ZSET)
			argv[argc++] = bytes_of(scores[i]);
		argv[argc++] = text;
		if (type == NS_HASH)
			argv[argc++] = bytes_sub(value, i * piece, piece);
	}
	return argc;
}

size_t bench_words_write(enum ns_type type, struct bytes key, struct bytes value,
			 uint64_t ttl_ms, struct buf *texts, struct bytes *argv)
{
	switch (type) {
	case NS_HASH:
		argv[0] = BYTES("HSET");
		return write_elements(type, key, value, texts, argv);
	case NS_SET:
		argv[0] = BYTES("SADD");
		return write_elements(type, key, value, texts, argv);
	case NS_ZSET:
		argv[0] = BYTES("ZADD");
		return write_elements(type, key, value, texts, argv);
	case NS_LIST:
		argv[0] = BYTES("LPUSH");
		return write_elements(type, key, value, texts, argv);
	case NS_STREAM:
	case NS_STRING:
	case NS_ANY:
		break;
	}
	buf_clear(texts);
	buf_printf(texts, "%" PRIu64, ttl_ms);
	argv[0] = BYTES("SET");
	argv[1] = key;
	argv[2] = value;
	argv[3] = BYTES("PX");
	argv[4] = buf_bytes(texts);
	return 5;
}

size_t bench_words_tails(enum ns_type type)
{
	switch (type) {
	case NS_HASH:
	case NS_SET:
	case NS_ZSET:
		return 1;
	case NS_LIST:
		return 2;
	case NS_STREAM:
	case NS_STRING:
	case NS_ANY:
		break;
	}
	return 0;
}

size_t bench_words_tail(enum ns_type type, size_t index, struct bytes key, uint64_t ttl_ms,
			struct buf *texts, struct bytes *argv)
{
	argv[1] = key;
	if (type == NS_LIST && index == 0) {
		argv[0] = BYTES("LTRIM");
		argv[2] = BYTES("0");
		argv[3] = BYTES("7"); /* BENCH_ELEMENTS - 1 */
		return 4;
	}
	buf_clear(texts);
	buf_printf(texts, "%" PRIu64, ttl_ms);
	argv[0] = BYTES("PEXPIRE");
	argv[2] = buf_bytes(texts);
	return 3;
}
