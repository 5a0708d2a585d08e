#ifndef CORE_CODEC_H
#define CORE_CODEC_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* How a value's bytes are packed. Values are stored as the first three, the others are only
 * recognised. */
enum codec_kind {
	CODEC_NONE,
	CODEC_GZIP,    /* RFC 1952 */
	CODEC_ZSTD,    /* RFC 8878 */
	CODEC_ZLIB,    /* RFC 1950 */
	CODEC_DEFLATE, /* RFC 1951, without a header */
};
extern const char *const codec_names[];        /* by kind */
extern const char *const codec_stored_names[]; /* those that values are stored as;
						  NULL-terminated */

/* Whether and how the values of a namespace are packed. */
struct codec_policy {
	unsigned kind; /* CODEC_NONE, CODEC_GZIP or CODEC_ZSTD */
	uint64_t min;  /* values of fewer bytes stay plain */
};

/* No value that Redis could have held plain is longer (proto-max-bulk-len). */
#define CODEC_LIMIT ((size_t)512 << 20)

/* Appends the packed bytes; kind is CODEC_GZIP or CODEC_ZSTD, at its usual level. */
void codec_compress(enum codec_kind kind, struct bytes plain, struct buf *buf);
/*
 * gzip and zstd by their magic; zlib and bare deflate have none worth the name,
 * so they are told only when the bytes inflate to their very end (and bare
 * deflate only when they are no text and grow).
 */
enum codec_kind codec_detect(struct bytes b);
/*
 * Appends what packed expands to, all members or frames of it. -1 (ERR_ITEM)
 * when it ends early, is damaged, has bytes behind its end, or would expand
 * beyond limit bytes; then buf holds what came before.
 */
int codec_expand(enum codec_kind kind, struct bytes packed, size_t limit, struct buf *buf,
		 struct err *err);

/*
 * The bytes to store for value: packed in scratch (overwritten) when the
 * policy says so and it saves something, else value itself. A value that
 * itself looks packed is packed whatever its size: so codec_is_packed tells
 * for certain what codec_encode did, and every value reads back as it was.
 */
struct bytes codec_encode(const struct codec_policy *policy, struct bytes value,
			  struct buf *scratch);
/* True when stored bytes under this policy must be expanded to be read: they begin as gzip or
 * zstd do (either: the policy may have changed since). */
bool codec_is_packed(const struct codec_policy *policy, struct bytes stored);

#endif
