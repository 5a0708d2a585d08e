#include "core/codec.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK ((size_t)64 * 1024)
#define GZIP_WINDOW (15 + 16) /* zlib: the largest window, with gzip's header */
#define ZLIB_WINDOW 15
#define DEFLATE_WINDOW (-15)
#define GZIP_MEMORY 8
#define INPUT_MOST ((size_t)1 << 30) /* zlib counts in unsigned int */

const char *const codec_names[] = {"none", "gzip", "zstd", "zlib", "deflate"};
const char *const codec_stored_names[] = {"none", "gzip", "zstd", NULL};

/* zlib allocates as everything else does: running out aborts in one place. */
static void *take(void *opaque, unsigned count, unsigned size)
{
	(void)opaque;
	return mem_resize(NULL, count, size);
}

static void give(void *opaque, void *ptr)
{
	(void)opaque;
	free(ptr);
}

static z_stream zlib_stream(void)
{
	return (z_stream){.zalloc = take, .zfree = give};
}

/* --- packing --- */

/* Moves the next part of the input into the stream. */
static void feed(z_stream *z, struct bytes *rest)
{
	size_t len = rest->len < INPUT_MOST ? rest->len : INPUT_MOST;

	if (z->avail_in || len == 0)
		return;
	z->next_in = (z_const Bytef *)rest->ptr;
	z->avail_in = (uInt)len;
	*rest = bytes_sub(*rest, len, rest->len);
}

static void compress_gzip(struct bytes plain, struct buf *buf)
{
	z_stream z = zlib_stream();
	int status = Z_OK;

	/* with allocations that cannot fail and constants for parameters neither call fails */
	deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
		     Z_DEFAULT_STRATEGY);
	while (status != Z_STREAM_END) {
		feed(&z, &plain);
		z.next_out = (Bytef *)buf_reserve(buf, CHUNK);
		z.avail_out = (uInt)CHUNK;
		status = deflate(&z, plain.len ? Z_NO_FLUSH : Z_FINISH);
		buf->len += CHUNK - z.avail_out;
	}
	deflateEnd(&z);
}

static void compress_zstd(struct bytes plain, struct buf *buf)
{
	size_t room = ZSTD_compressBound(plain.len);
	size_t len = ZSTD_compress(buf_reserve(buf, room), room, plain.ptr, plain.len,
				   ZSTD_CLEVEL_DEFAULT);

	if (ZSTD_isError(len)) /* the room is the bound: nothing but memory can lack */
		mem_check(NULL);
	buf->len += len;
}

void codec_compress(enum codec_kind kind, struct bytes plain, struct buf *buf)
{
	if (kind == CODEC_ZSTD)
		compress_zstd(plain, buf);
	else
		compress_gzip(plain, buf);
	buf_reserve(buf, 0)[0] = '\0';
}

/* --- expanding --- */

static int ends_early(enum codec_kind kind, struct err *err)
{
	return err_set(err, ERR_ITEM, "%s: the bytes end early", codec_names[kind]);
}

static int damaged(enum codec_kind kind, const char *what, struct err *err)
{
	return err_set(err, ERR_ITEM, "%s: damaged: %s", codec_names[kind], what);
}

static int too_big(enum codec_kind kind, struct bytes packed, size_t limit, struct err *err)
{
	struct buf sizes = {0};

	num_format_size(&sizes, packed.len);
	buf_add_str(&sizes, " expand to more than ");
	num_format_size(&sizes, limit);
	err_set(err, ERR_ITEM, "%s: %s: refused", codec_names[kind], buf_str(&sizes));
	buf_release(&sizes);
	return -1;
}

/* Output space for one step; one byte over the limit tells a value that is too big. */
static size_t reserve_step(struct buf *buf, size_t used, size_t limit)
{
	size_t room = limit - used < CHUNK ? limit - used + 1 : CHUNK;

	buf_reserve(buf, room);
	return room;
}

static int window_of(enum codec_kind kind)
{
	return kind == CODEC_GZIP   ? GZIP_WINDOW
	       : kind == CODEC_ZLIB ? ZLIB_WINDOW
				    : DEFLATE_WINDOW;
}

static int expand_zlib(enum codec_kind kind, struct bytes packed, size_t limit, struct buf *buf,
		       struct err *err)
{
	z_stream z = zlib_stream();
	struct bytes rest = packed;
	size_t start = buf->len;
	int status = Z_OK;

	inflateInit2(&z, window_of(kind));
	for (;;) {
		feed(&z, &rest);
		size_t room = reserve_step(buf, buf->len - start, limit);
		z.next_out = (Bytef *)buf->ptr + buf->len;
		z.avail_out = (uInt)room;
		status = inflate(&z, Z_NO_FLUSH);
		buf->len += room - z.avail_out;
		if (buf->len - start > limit)
			break;
		if (status == Z_STREAM_END && (z.avail_in || rest.len) && kind == CODEC_GZIP)
			status = inflateReset(&z); /* the next member: RFC 1952 §2.2 */
		if (status != Z_OK)
			break;
	}
	if (buf->len - start > limit) {
		buf->len = start + limit;
		status = too_big(kind, packed, limit, err);
	} else if (status == Z_STREAM_END) {
		status =
		    z.avail_in || rest.len ? damaged(kind, "bytes behind its end", err) : 0;
	} else if (status == Z_BUF_ERROR) {
		status = ends_early(kind, err);
	} else {
		status = damaged(kind, z.msg ? z.msg : "needs a dictionary", err);
	}
	inflateEnd(&z);
	return status;
}

static int expand_zstd(struct bytes packed, size_t limit, struct buf *buf, struct err *err)
{
	ZSTD_DCtx *context = mem_check(ZSTD_createDCtx());
	ZSTD_inBuffer in = {packed.ptr, packed.len, 0};
	size_t start = buf->len;
	size_t left = 1; /* 0: a frame has ended */
	int status = 0;

	while (status == 0 && (in.pos < in.size || left)) {
		size_t before = in.pos;
		ZSTD_outBuffer out = {NULL, reserve_step(buf, buf->len - start, limit), 0};

		out.dst = buf->ptr + buf->len;
		left = ZSTD_decompressStream(context, &out, &in);
		buf->len += out.pos;
		if (ZSTD_isError(left)) {
			status = damaged(CODEC_ZSTD, ZSTD_getErrorName(left), err);
		} else if (buf->len - start > limit) {
			buf->len = start + limit;
			status = too_big(CODEC_ZSTD, packed, limit, err);
		} else if (left && out.pos == 0 && in.pos == before) {
			status = ends_early(CODEC_ZSTD, err);
		}
	}
	ZSTD_freeDCtx(context);
	return status;
}

int codec_expand(enum codec_kind kind, struct bytes packed, size_t limit, struct buf *buf,
		 struct err *err)
{
	int status = kind == CODEC_ZSTD ? expand_zstd(packed, limit, buf, err)
					: expand_zlib(kind, packed, limit, buf, err);

	buf_reserve(buf, 0)[0] = '\0';
	return status;
}

/* --- telling --- */

static enum codec_kind kind_by_magic(struct bytes b)
{
	if (bytes_starts_with(b, BYTES("\x1f\x8b\x08")))
		return CODEC_GZIP;
	return bytes_starts_with(b, BYTES("\x28\xb5\x2f\xfd")) ? CODEC_ZSTD : CODEC_NONE;
}

/* Inflates without keeping: true when the stream ends where the bytes do. */
static bool inflates(enum codec_kind kind, struct bytes b, size_t *ret_len)
{
	unsigned char output[16 * 1024];
	z_stream z = zlib_stream();
	struct bytes rest = b;
	size_t len = 0;
	int status = Z_OK;

	inflateInit2(&z, window_of(kind));
	while (status == Z_OK && len <= CODEC_LIMIT) {
		feed(&z, &rest);
		z.next_out = output;
		z.avail_out = sizeof output;
		status = inflate(&z, Z_NO_FLUSH);
		len += sizeof output - z.avail_out;
	}
	bool whole = status == Z_STREAM_END && z.avail_in == 0 && rest.len == 0;
	inflateEnd(&z);
	*ret_len = len;
	return whole;
}

enum codec_kind codec_detect(struct bytes b)
{
	enum codec_kind kind = kind_by_magic(b);
	size_t len = 0;

	if (kind != CODEC_NONE || b.len < 2)
		return kind;
	if ((b.ptr[0] & 0x0f) == Z_DEFLATED && inflates(CODEC_ZLIB, b, &len))
		return CODEC_ZLIB;
	if (!bytes_is_utf8(b) && inflates(CODEC_DEFLATE, b, &len) && len > b.len)
		return CODEC_DEFLATE;
	return CODEC_NONE;
}

/* --- under a policy --- */

bool codec_is_packed(const struct codec_policy *policy, struct bytes stored)
{
	return policy->kind != CODEC_NONE && kind_by_magic(stored) != CODEC_NONE;
}

struct bytes codec_encode(const struct codec_policy *policy, struct bytes value,
			  struct buf *scratch)
{
	bool ambiguous = codec_is_packed(policy, value);

	if (policy->kind == CODEC_NONE || (value.len < policy->min && !ambiguous))
		return value;
	buf_clear(scratch);
	codec_compress((enum codec_kind)policy->kind, value, scratch);
	return ambiguous || scratch->len < value.len ? buf_bytes(scratch) : value;
}
