#include "core/bench_hdr.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/*
 * HdrHistogram (Gil Tene), AbstractHistogram.encodeIntoCompressedByteBuffer and
 * ZigZagEncoding. Our histogram of 10 bits lays its counters out as one of 3
 * significant digits with 2048 sub-buckets and unit 1 does.
 */
#define COOKIE 0x1c849303U
#define COOKIE_COMPRESSED 0x1c849304U
#define COOKIE_LEB128 0x10U
#define DIGITS 3
#define HIGHEST_NS UINT64_C(3600000000000)

static void put_u32(struct buf *buf, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(buf, (char)(value >> shift));
}

static void put_u64(struct buf *buf, uint64_t value)
{
	put_u32(buf, (uint32_t)(value >> 32));
	put_u32(buf, (uint32_t)value);
}

/* ZigZag, then 7 bits a byte, the ninth byte whole. */
static void put_zigzag(struct buf *buf, int64_t value)
{
	uint64_t bits = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);

	for (int i = 0; i < 8; i++) {
		if (bits < 0x80) {
			buf_add_char(buf, (char)bits);
			return;
		}
		buf_add_char(buf, (char)(bits | 0x80));
		bits >>= 7;
	}
	buf_add_char(buf, (char)bits);
}

/* Counts in order; a run of n zeros is -n. */
static void put_counts(struct buf *buf, const struct histogram *times)
{
	uint64_t left = times->total;
	int64_t zeros = 0;

	for (size_t i = 0; left > 0; i++) {
		uint64_t count = times->counts[i];

		if (count == 0) {
			zeros++;
			continue;
		}
		if (zeros > 0)
			put_zigzag(buf, zeros == 1 ? 0 : -zeros);
		zeros = 0;
		put_zigzag(buf, (int64_t)count);
		left -= count;
	}
}

static void encode(const struct histogram *times, struct buf *out)
{
	struct buf counts = {0};

	put_counts(&counts, times);
	put_u32(out, COOKIE | COOKIE_LEB128);
	put_u32(out, (uint32_t)counts.len);
	put_u32(out, 0); /* normalizing index offset */
	put_u32(out, DIGITS);
	put_u64(out, 1);
	put_u64(out, times->max > HIGHEST_NS ? times->max : HIGHEST_NS);
	put_u64(out, UINT64_C(0x3ff0000000000000)); /* 1.0: integer to double ratio */
	buf_add(out, buf_bytes(&counts));
	buf_release(&counts);
}

static void put_histogram(const struct histogram *times, struct buf *log)
{
	struct buf plain = {0};
	struct buf packed = {0};

	encode(times, &plain);
	uLongf size = compressBound((uLong)plain.len);
	put_u32(&packed, COOKIE_COMPRESSED | COOKIE_LEB128);
	size_t at = packed.len;
	put_u32(&packed, 0);
	char *room = buf_reserve(&packed, size);
	/* Only a lack of room or of memory makes it fail. */
	if (compress((Bytef *)room, &size, (const Bytef *)plain.ptr, (uLong)plain.len) != Z_OK)
		abort();
	packed.len += size;
	for (int i = 0; i < 4; i++)
		packed.ptr[at + (size_t)i] = (char)(size >> (24 - 8 * i));
	text_base64(log, buf_bytes(&packed));
	buf_release(&plain);
	buf_release(&packed);
}

static void put_line(const struct bench_result *result, int kind, struct buf *log)
{
	struct bench_row row;

	bench_row_sum(result, kind, &row);
	const struct histogram *times = row.response.counts ? &row.response : &row.service;
	if (times->counts && times->total > 0) {
		if (kind >= 0)
			buf_printf(log, "Tag=%s,", bench_kind_names[kind]);
		buf_printf(log, "0.000,%.3f,%.3f,", (double)result->elapsed_ns / 1e9,
			   (double)times->max / 1e6);
		put_histogram(times, log);
		buf_add_char(log, '\n');
	}
	bench_row_release(&row);
}

void bench_hdr_log(const struct bench_result *result, uint64_t wall_ms, struct buf *buf)
{
	buf_add_str(buf, "#[Logged with ccache " CCACHE_VERSION "]\n"
			 "#[Histogram log format version 1.3]\n");
	buf_printf(buf, "#[StartTime: %.3f (seconds since epoch)]\n", (double)wall_ms / 1000);
	buf_add_str(buf, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
			 "\"Interval_Compressed_Histogram\"\n");
	put_line(result, -1, buf);
	for (int kind = 0; kind < BENCH_KINDS; kind++)
		put_line(result, kind, buf);
}
