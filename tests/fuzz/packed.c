/* A stored value: what wrote it, and what it expands to, whole and cut; and that what is packed
 * here comes back. */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "core/codec.h"
#include "core/serial.h"
#include "core/unpacked.h"

#define LIMIT ((size_t)1 << 20)

static void unpack(struct bytes stored, bool cut)
{
	struct unpacked unpacked = {0};

	unpacked_make(stored, cut, &unpacked);
	EXPECT(unpacked.value.len <= CODEC_LIMIT);
	unpacked_release(&unpacked);
}

static void expand(enum codec_kind kind, struct bytes packed)
{
	struct buf plain = {0};
	struct err err = {0};

	EXPECT((codec_expand(kind, packed, LIMIT, &plain, &err) != 0) == err_is_set(&err));
	EXPECT(plain.len <= LIMIT);
	if (!err_is_set(&err))
		serial_name(buf_bytes(&plain));
	buf_release(&plain);
}

static void there_and_back(unsigned kind, struct bytes value)
{
	const struct codec_policy policy = {.kind = kind, .min = 16};
	struct buf scratch = {0};
	struct buf plain = {0};
	struct err err = {0};
	struct bytes stored = codec_encode(&policy, value, &scratch);

	if (codec_is_packed(&policy, stored)) {
		EXPECT(codec_expand(codec_detect(stored), stored, LIMIT, &plain, &err) == 0);
		stored = buf_bytes(&plain);
	}
	EXPECT(bytes_equal(stored, value));
	buf_release(&scratch);
	buf_release(&plain);
}

FUZZ(packed)
{
	serial_name(input);
	unpack(input, false);
	unpack(bytes_sub(input, 0, input.len / 2), true);
	for (int kind = CODEC_GZIP; kind <= CODEC_DEFLATE; kind++)
		expand((enum codec_kind)kind, input);
	there_and_back(CODEC_GZIP, input);
	there_and_back(CODEC_ZSTD, input);
}
