/*
 * What a server answers, read at once and byte by byte: the first way finds most replies where
 * they lie, the second has the reader put them together. Both must hear the same.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "wire/resp.h"

#define REPLY_MAX 2000

static void write_down(struct buf *out, const struct reply *reply)
{
	buf_printf(out, "%d %lld %zu %zu\n", (int)reply->type, (long long)reply->integer,
		   reply->text.len, reply->count);
	buf_add(out, reply->text);
	for (size_t i = 0; i < reply->count; i++)
		write_down(out, reply->items[i]);
}

static int on_reply(void *ctx, const struct reply *reply)
{
	write_down(ctx, reply);
	return 0;
}

static int hear(struct bytes input, size_t piece, struct buf *out)
{
	struct resp *resp = resp_new(REPLY_MAX, on_reply, out);
	struct err err = {0};
	int status = 0;

	for (size_t at = 0; at < input.len && status == 0; at += piece) {
		struct bytes part = bytes_sub(input, at, piece);

		status = resp_feed(resp, part.ptr, part.len, &err);
	}
	EXPECT(status == 0 || err_is_set(&err));
	resp_free(resp);
	return status;
}

FUZZ(resp)
{
	struct buf whole = {0};
	struct buf slow = {0};
	size_t piece = input.len > 0 ? 2 + (unsigned char)input.ptr[0] % 31 : 1;

	int status = hear(input, input.len + 1, &whole);
	EXPECT(hear(input, 1, &slow) == status);
	EXPECT(bytes_equal(buf_bytes(&whole), buf_bytes(&slow)));
	buf_clear(&slow);
	EXPECT(hear(input, piece, &slow) == status);
	EXPECT(bytes_equal(buf_bytes(&whole), buf_bytes(&slow)));
	buf_release(&whole);
	buf_release(&slow);
}
