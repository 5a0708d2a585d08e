/* Numbers, durations, sizes, ratios; texts made safe, quoted and packed, and back; globs; and
 * conditions over a document of `stats`. */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "core/predicate.h"
#include "core/server.h"

#define DOCUMENT                                                                               \
	"{\"hits\":12,\"memory\":null,\"role\":\"master\",\"namespaces\":"                     \
	"[{\"namespace\":\"lead\",\"hit_rate\":0.7,\"ttl_ms\":null}]}"

static void numbers(struct bytes text)
{
	uint64_t count = 7, ms = 7, size = 7;
	int64_t integer = 7;
	double real = 7, ratio = 7;
	struct buf made = {0};

	EXPECT(num_parse_u64(text, 3, 1000, &count) == 0 ? count >= 3 && count <= 1000
							 : count == 7);
	EXPECT(num_parse_i64(text, INT64_MIN, -1, &integer) == 0 ? integer < 0 : integer == 7);
	EXPECT(num_parse_real(text, -5, 5, &real) == 0 ? real >= -5 && real <= 5 : real == 7);
	EXPECT(num_parse_ratio(text, &ratio) == 0 ? ratio >= 0 && ratio <= 1 : ratio == 7);
	if (num_parse_duration_ms(text, &ms) == 0) {
		EXPECT(ms <= NUM_DURATION_MAX_MS);
		num_format_duration_ms(&made, (int64_t)ms);
		EXPECT(num_parse_duration_ms(buf_bytes(&made), &count) == 0 && count <= ms);
	}
	if (num_parse_size(text, &size) == 0)
		num_format_size(&made, size);
	num_format_count(&made, integer);
	buf_release(&made);
}

static void texts(struct bytes text)
{
	struct buf made = {0};
	struct buf back = {0};

	text_escape(&made, text);
	EXPECT(bytes_is_utf8(buf_bytes(&made)));
	for (size_t i = 0; i < made.len; i++)
		EXPECT((unsigned char)made.ptr[i] >= ' ' && made.ptr[i] != 0x7f);
	buf_clear(&made);
	text_quote(&made, text);
	buf_clear(&made);
	text_base64(&made, text);
	EXPECT(text_unbase64(&back, buf_bytes(&made)) == 0);
	EXPECT(bytes_equal(buf_bytes(&back), text));
	text_unbase64(&back, text);
	buf_clear(&made);
	text_glob_escape(&made, text);
	EXPECT(made.len >= text.len);
	buf_release(&made);
	buf_release(&back);
}

FUZZ(figures)
{
	enum predicate_result result;
	struct buf unknown = {0};
	struct err err = {0};
	struct bytes line = fuzz_part(&input, '\n');
	char *condition = mem_bytesdup(line);

	numbers(line);
	texts(line);
	server_info_field(input, condition);
	if (predicate_eval(condition, BYTES(DOCUMENT), &result, &unknown, &err) != 0)
		EXPECT(err_is_set(&err));
	free(condition);
	buf_release(&unknown);
}
