#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/codec.h"

#define LIMIT ((size_t)1 << 20)

static const enum codec_kind stored_kinds[] = {CODEC_GZIP, CODEC_ZSTD};

static struct bytes packed_of(enum codec_kind kind, struct bytes plain, struct buf *buf)
{
	buf_clear(buf);
	codec_compress(kind, plain, buf);
	return buf_bytes(buf);
}

/* What expanding says: "" when it went well. */
static const char *expand(enum codec_kind kind, struct bytes packed, size_t limit,
			  struct buf *ret_plain)
{
	static struct err err;

	err = (struct err){0};
	buf_clear(ret_plain);
	int status = codec_expand(kind, packed, limit, ret_plain, &err);
	CHECK((status == 0) == !err_is_set(&err));
	CHECK(status == 0 || err.kind == ERR_ITEM);
	return err.text;
}

/* len bytes of no pattern, the same in every run. */
static struct bytes noise(struct buf *buf, size_t len)
{
	unsigned long long state = 88172645463325252ull;

	buf_clear(buf);
	for (size_t i = 0; i < len; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		buf_add_char(buf, (char)(state >> 32));
	}
	return buf_bytes(buf);
}

TEST(what_is_packed_expands_to_itself)
{
	static const size_t lengths[] = {0, 1, 100, 65535, 65536, 65537, 300000};
	struct buf plain = {0}, packed = {0}, back = {0};

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
			struct bytes text = noise(&plain, lengths[i]);

			if (i % 2) /* also bytes that pack well */
				memset(plain.ptr, 'x', plain.len);
			packed_of(stored_kinds[k], text, &packed);
			CHECK_INT(codec_detect(buf_bytes(&packed)), stored_kinds[k]);
			CHECK_STR(expand(stored_kinds[k], buf_bytes(&packed), LIMIT, &back),
				  "");
			CHECK_BYTES(buf_bytes(&back), text);
		}
	buf_release(&plain);
	buf_release(&packed);
	buf_release(&back);
}

/* printf 'hello' | gzip -n, zstd -c, python's zlib.compress and the latter without header and
 * checksum. */
static const struct {
	enum codec_kind kind;
	struct bytes packed;
} foreign[] = {
    {CODEC_GZIP, BYTES("\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36"
		       "\x05\0\0\0")},
    {CODEC_ZSTD, BYTES("\x28\xb5\x2f\xfd\x04\x58\x29\0\0hello\xa3\x6d\x9f\x88")},
    {CODEC_ZLIB, BYTES("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\0\x06\x2c\x02\x15")},
};

TEST(what_others_packed_is_read)
{
	struct buf back = {0};

	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		CHECK_INT(codec_detect(foreign[i].packed), foreign[i].kind);
		CHECK_STR(expand(foreign[i].kind, foreign[i].packed, LIMIT, &back), "");
		CHECK_STR(buf_str(&back), "hello");
	}
	/* twice {"a":1,"b":[1,1,1,1,1,1,1,1,1,1]}, bare */
	struct bytes deflated = BYTES("\xab\x56\x4a\x54\xb2\x32\xd4\x51\x4a\x52\xb2\x8a\x36\xd4"
				      "\xc1\x80\xb1\xb5\xd5\x84\x14\0\0");
	CHECK_INT(codec_detect(deflated), CODEC_DEFLATE);
	CHECK_STR(expand(CODEC_DEFLATE, deflated, LIMIT, &back), "");
	CHECK_INT(back.len, 66);
	buf_release(&back);
}

TEST(members_and_frames_follow_each_other)
{
	struct buf twice = {0}, back = {0};

	for (size_t k = 0; k < 2; k++) {
		buf_clear(&twice);
		codec_compress(stored_kinds[k], BYTES("first,"), &twice);
		codec_compress(stored_kinds[k], BYTES("second"), &twice);
		CHECK_STR(expand(stored_kinds[k], buf_bytes(&twice), LIMIT, &back), "");
		CHECK_STR(buf_str(&back), "first,second");
	}
	buf_release(&twice);
	buf_release(&back);
}

TEST(every_truncation_is_told)
{
	struct buf plain = {0}, packed = {0}, back = {0};

	noise(&plain, 700);
	for (size_t k = 0; k < 2; k++) {
		packed_of(stored_kinds[k], buf_bytes(&plain), &packed);
		for (size_t len = 0; len < packed.len; len++) {
			const char *what =
			    expand(stored_kinds[k], bytes_sub(buf_bytes(&packed), 0, len),
				   LIMIT, &back);

			CHECK(strstr(what, ": the bytes end early") != NULL);
			CHECK(strncmp(what, codec_names[stored_kinds[k]], 4) == 0);
			CHECK(bytes_starts_with(buf_bytes(&plain), buf_bytes(&back)));
		}
	}
	for (size_t len = 0; len < foreign[2].packed.len; len++)
		CHECK_STR(
		    expand(CODEC_ZLIB, bytes_sub(foreign[2].packed, 0, len), LIMIT, &back),
		    "zlib: the bytes end early");
	buf_release(&plain);
	buf_release(&packed);
	buf_release(&back);
}

TEST(what_came_before_the_cut_is_kept)
{
	struct buf plain = {0}, packed = {0}, back = {0};

	for (size_t i = 0; i < 300000; i++)
		buf_add_char(&plain, (char)('a' + (i * i / 7) % 26));
	for (size_t k = 0; k < 2; k++) {
		packed_of(stored_kinds[k], buf_bytes(&plain), &packed);
		expand(stored_kinds[k], bytes_sub(buf_bytes(&packed), 0, packed.len - 20),
		       LIMIT, &back);
		CHECK(back.len > 50000);
		CHECK(bytes_starts_with(buf_bytes(&plain), buf_bytes(&back)));
	}
	buf_release(&plain);
	buf_release(&packed);
	buf_release(&back);
}

TEST(a_bomb_is_refused_at_the_limit)
{
	struct buf plain = {0}, packed = {0}, back = {0};

	memset(buf_reserve(&plain, 8 * LIMIT), 0, 8 * LIMIT);
	plain.len = 8 * LIMIT;
	for (size_t k = 0; k < 2; k++) {
		packed_of(stored_kinds[k], buf_bytes(&plain), &packed);
		const char *what = expand(stored_kinds[k], buf_bytes(&packed), LIMIT, &back);
		CHECK(strstr(what, "expand to more than 1 MiB: refused") != NULL);
		CHECK_INT(back.len, LIMIT);
		CHECK(back.size < 2 * LIMIT);
		CHECK_STR(expand(stored_kinds[k], buf_bytes(&packed), 8 * LIMIT, &back), "");
		CHECK(*expand(stored_kinds[k], buf_bytes(&packed), 8 * LIMIT - 1, &back));
		CHECK(*expand(stored_kinds[k], buf_bytes(&packed), 0, &back));
		buf_release(&back);
	}
	buf_release(&plain);
	buf_release(&packed);
	buf_release(&back);
}

TEST(damage_is_told)
{
	struct buf plain = {0}, packed = {0}, back = {0};

	noise(&plain, 500);
	packed_of(CODEC_GZIP, buf_bytes(&plain), &packed);
	packed.ptr[packed.len - 8] ^= 1; /* of the CRC */
	CHECK_STR(expand(CODEC_GZIP, buf_bytes(&packed), LIMIT, &back),
		  "gzip: damaged: incorrect data check");
	packed.ptr[packed.len - 8] ^= 1;
	buf_add_str(&packed, "tail");
	CHECK_STR(expand(CODEC_GZIP, buf_bytes(&packed), LIMIT, &back),
		  "gzip: damaged: incorrect header check");
	packed_of(CODEC_ZSTD, buf_bytes(&plain), &packed);
	buf_add_str(&packed, "tail");
	CHECK_STR(expand(CODEC_ZSTD, buf_bytes(&packed), LIMIT, &back),
		  "zstd: damaged: Unknown frame descriptor");
	CHECK_STR(expand(CODEC_ZLIB,
			 BYTES("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\0\x06\x2c\x02\x15!"), LIMIT,
			 &back),
		  "zlib: damaged: bytes behind its end");
	CHECK(*expand(CODEC_GZIP, BYTES("{\"a\":1}"), LIMIT, &back));
	CHECK(*expand(CODEC_ZSTD, BYTES("{\"a\":1}"), LIMIT, &back));
	/* a preset dictionary, which nobody gave us */
	CHECK_STR(expand(CODEC_ZLIB, BYTES("\x78\xbb\0\0\0\x01\x4b\x04\0"), LIMIT, &back),
		  "zlib: damaged: needs a dictionary");
	buf_release(&plain);
	buf_release(&packed);
	buf_release(&back);
}

TEST(plain_values_are_not_taken_for_packed)
{
	static const struct bytes plain[] = {
	    BYTES(""),
	    BYTES("x"),
	    BYTES("{}"),
	    BYTES("[]"),
	    BYTES("x\x9c"),
	    BYTES("{\"a\":1}"),
	    BYTES("\x1f\x8b"),
	    BYTES("\x28\xb5\x2f"),
	    BYTES("\x03\0"),
	    BYTES("hello"),
	    BYTES("\xff\xfe"),
	    BYTES("\x80\x04K\x01."),
	    BYTES("\x04\x08[\x08"),
	};
	struct buf some = {0};

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		CHECK_INT(codec_detect(plain[i]), CODEC_NONE);
	/* random bytes: one in millions may happen to inflate, none of these does */
	noise(&some, 100000);
	for (size_t at = 0; at < 90000; at++)
		CHECK_INT(codec_detect(bytes_sub(buf_bytes(&some), at, 8 + at % 90)),
			  CODEC_NONE);
	buf_release(&some);
}

TEST(a_policy_stores_what_is_smaller)
{
	struct codec_policy policy = {CODEC_ZSTD, 64};
	struct buf scratch = {0}, text = {0}, back = {0};

	for (size_t i = 0; i < 63; i++)
		buf_add_char(&text, 'a');
	CHECK(codec_encode(&policy, buf_bytes(&text), &scratch).ptr == text.ptr);
	buf_add_char(&text, 'a');
	struct bytes stored = codec_encode(&policy, buf_bytes(&text), &scratch);
	CHECK(stored.len < text.len);
	CHECK(codec_is_packed(&policy, stored));
	CHECK_STR(expand(CODEC_ZSTD, stored, LIMIT, &back), "");
	CHECK_BYTES(buf_bytes(&back), buf_bytes(&text));
	noise(&text, 200);
	CHECK(codec_encode(&policy, buf_bytes(&text), &scratch).ptr == text.ptr);
	policy.kind = CODEC_NONE;
	CHECK(!codec_is_packed(&policy, stored));
	memset(text.ptr, 'a', text.len);
	CHECK(codec_encode(&policy, buf_bytes(&text), &scratch).ptr == text.ptr);
	buf_release(&scratch);
	buf_release(&text);
	buf_release(&back);
}

/* An archive that a namespace holds must come back as the archive. */
TEST(a_value_that_looks_packed_reads_back_as_it_was)
{
	struct buf scratch = {0}, back = {0};

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < 2; i++) {
			struct codec_policy policy = {stored_kinds[k], 1000};
			struct bytes stored =
			    codec_encode(&policy, foreign[i].packed, &scratch);

			CHECK(codec_is_packed(&policy, stored));
			CHECK_INT(codec_detect(stored), stored_kinds[k]);
			CHECK_STR(expand(stored_kinds[k], stored, LIMIT, &back), "");
			CHECK_BYTES(buf_bytes(&back), foreign[i].packed);
		}
	buf_release(&scratch);
	buf_release(&back);
}

int main(void)
{
	RUN(what_is_packed_expands_to_itself);
	RUN(what_others_packed_is_read);
	RUN(members_and_frames_follow_each_other);
	RUN(every_truncation_is_told);
	RUN(what_came_before_the_cut_is_kept);
	RUN(a_bomb_is_refused_at_the_limit);
	RUN(damage_is_told);
	RUN(plain_values_are_not_taken_for_packed);
	RUN(a_policy_stores_what_is_smaller);
	RUN(a_value_that_looks_packed_reads_back_as_it_was);
	CHECK_DONE();
}
