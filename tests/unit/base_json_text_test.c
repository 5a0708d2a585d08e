#include "base/buf.h"
#include "base/json.h"
#include "check.h"

static void check_with(void (*append)(struct buf *, struct bytes), struct bytes in,
		       struct bytes want)
{
	struct buf buf = {0};

	append(&buf, in);
	CHECK_BYTES(buf_bytes(&buf), want);
	buf_release(&buf);
}

TEST(decode_strings)
{
	check_with(json_decode_string, BYTES("\"\""), BYTES(""));
	check_with(json_decode_string, BYTES("\"plain Zo\xc3\xab\""),
		   BYTES("plain Zo\xc3\xab"));
	check_with(json_decode_string, BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
		   BYTES("\"\\/\b\f\n\r\t"));
	check_with(json_decode_string, BYTES("\"a\\u0000b\""), BYTES("a\0b"));
	check_with(json_decode_string, BYTES("\"\\u0041\\u00e9\\u20AC\\uFFFF\""),
		   BYTES("A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf"));
	check_with(json_decode_string, BYTES("\"\\ud83d\\ude42!\""),
		   BYTES("\xf0\x9f\x99\x82!"));
	check_with(json_decode_string, BYTES("\"\\ud800\\udc00\\uDBFF\\uDFFF\""),
		   BYTES("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
	check_with(json_decode_string, BYTES("\"\\\\u0041\""), BYTES("\\u0041"));
}

TEST(quote_strings)
{
	check_with(json_quote, BYTES(""), BYTES("\"\""));
	check_with(json_quote, BYTES("a\"b\\c/d\b\f\n\r\t\0\x1f\x7f"),
		   BYTES("\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\""));
	check_with(json_quote, BYTES("Zo\xc3\xab"), BYTES("\"Zo\xc3\xab\""));
}

TEST(quote_then_decode_every_ascii)
{
	struct buf quoted = {0}, back = {0};
	struct json_error error;
	char all[128];

	for (int i = 0; i < 128; i++)
		all[i] = (char)i;
	json_quote(&quoted, (struct bytes){all, sizeof all});
	CHECK_INT(json_check(buf_bytes(&quoted), JSON_STRICT, 1, &error), 0);
	json_decode_string(&back, buf_bytes(&quoted));
	CHECK(bytes_equal(buf_bytes(&back), (struct bytes){all, sizeof all}));
	buf_release(&quoted);
	buf_release(&back);
}

TEST(scalars_as_text)
{
	static const char *const good[][2] = {
	    {"\"a\\nb\"", "a\nb"}, {"9007199254740993", "9007199254740993"},
	    {"1.10", "1.10"},      {"true", "true"},
	    {"false", "false"},
	};
	struct buf buf = {0};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		buf_clear(&buf);
		CHECK_INT(json_scalar_text(&buf, bytes_of(good[i][0])), 0);
		CHECK_STR(buf_str(&buf), good[i][1]);
	}
	buf_clear(&buf);
	CHECK_INT(json_scalar_text(&buf, BYTES("null")), -1);
	CHECK_INT(json_scalar_text(&buf, BYTES("[1]")), -1);
	CHECK_INT(json_scalar_text(&buf, BYTES("{}")), -1);
	CHECK_INT(buf.len, 0);
	buf_release(&buf);
}

int main(void)
{
	RUN(decode_strings);
	RUN(quote_strings);
	RUN(quote_then_decode_every_ascii);
	RUN(scalars_as_text);
	CHECK_DONE();
}
