#include "base/buf.h"
#include "base/text.h"
#include "check.h"

static void check_with(void (*append)(struct buf *, struct bytes), struct bytes in,
		       const char *want)
{
	struct buf buf = {0};

	append(&buf, in);
	CHECK_STR(buf_str(&buf), want);
	buf_release(&buf);
}

TEST(escape_leaves_ordinary_text)
{
	check_with(text_escape, BYTES(""), "");
	check_with(text_escape, BYTES("call:logs:507f\\n \"x\""), "call:logs:507f\\n \"x\"");
	check_with(text_escape, BYTES("Zoë 日本 🙂"), "Zoë 日本 🙂");
}

TEST(escape_controls)
{
	check_with(text_escape, BYTES("a\r\n\tb\0c\x1b[2J\x7f"),
		   "a\\r\\n\\tb\\x00c\\x1b[2J\\x7f");
	check_with(text_escape, BYTES("\xc2\x85 \xc2\x9b"), "\\u{85} \\u{9b}");
	check_with(text_escape,
		   BYTES("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8\xe2\x80\x8f\xd8\x9c"),
		   "\\u{202e}\\u{2066}\\u{2028}\\u{200f}\\u{61c}");
}

TEST(escape_stray_bytes)
{
	check_with(text_escape, BYTES("\xff\xc0\xafz\xe2\x82"), "\\xff\\xc0\\xafz\\xe2\\x82");
	check_with(text_escape, BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(quote_as_redis_cli)
{
	check_with(text_quote, BYTES(""), "\"\"");
	check_with(text_quote, BYTES("a\"b\\c\n\r\t\a\b\0\x7f\xc3\xab"),
		   "\"a\\\"b\\\\c\\n\\r\\t\\a\\b\\x00\\x7f\\xc3\\xab\"");
}

TEST(base64_rfc_vectors)
{
	check_with(text_base64, BYTES(""), "");
	check_with(text_base64, BYTES("f"), "Zg==");
	check_with(text_base64, BYTES("fo"), "Zm8=");
	check_with(text_base64, BYTES("foo"), "Zm9v");
	check_with(text_base64, BYTES("foob"), "Zm9vYg==");
	check_with(text_base64, BYTES("fooba"), "Zm9vYmE=");
	check_with(text_base64, BYTES("foobar"), "Zm9vYmFy");
	check_with(text_base64, BYTES("\xfb\xff\xfe\0"), "+//+AA==");
}

static void check_unbase64(struct bytes text, struct bytes want)
{
	struct buf buf = {0};

	CHECK_INT(text_unbase64(&buf, text), 0);
	CHECK_BYTES(buf_bytes(&buf), want);
	buf_release(&buf);
}

TEST(base64_and_back)
{
	static const char *const bad[] = {"Z",        "Zg",       "Zg=",  "Zh==", "Zm9=",
					  "Zg==Zg==", "Zm9vZ===", "====", "Z===", "Zm9v\n",
					  "Zm9v=",    "Zm 9",     "Zm-_"};
	struct buf text = {0}, buf = {0};
	char all[256];

	check_unbase64(BYTES(""), BYTES(""));
	check_unbase64(BYTES("Zg=="), BYTES("f"));
	check_unbase64(BYTES("Zm8="), BYTES("fo"));
	check_unbase64(BYTES("+//+AA=="), BYTES("\xfb\xff\xfe\0"));
	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (char)i;
	text_base64(&text, (struct bytes){all, sizeof all});
	check_unbase64(buf_bytes(&text), (struct bytes){all, sizeof all});
	buf_add_str(&buf, "x");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_INT(text_unbase64(&buf, bytes_of(bad[i])), -1);
		CHECK_STR(buf_str(&buf), "x");
	}
	buf_release(&text);
	buf_release(&buf);
}

TEST(nearest_word)
{
	static const char *const verbs[] = {"get",        "warm",  "inspect",
					    "invalidate", "stats", "statx"};

	CHECK_STR(text_nearest(BYTES("inspct"), verbs, 6), "inspect");
	CHECK_STR(text_nearest(BYTES("wram"), verbs, 6), "warm");
	CHECK_STR(text_nearest(BYTES("gte"), verbs, 6), "get");
	CHECK_STR(text_nearest(BYTES("invalidte"), verbs, 6), "invalidate");
	CHECK_STR(text_nearest(BYTES("staty"), verbs, 6), "stats");
	CHECK_STR(text_nearest(BYTES("statx"), verbs, 6), "statx");
	CHECK(text_nearest(BYTES("frobnicate"), verbs, 6) == NULL);
	CHECK(text_nearest(BYTES(""), verbs, 6) == NULL);
	CHECK(text_nearest(BYTES("x"), (const char *const[]){"y"}, 1) == NULL);
	CHECK(text_nearest(BYTES("get"), verbs, 0) == NULL);
}

TEST(glob_escape)
{
	struct bytes nasty = BYTES("a*b?c[d]e\\f^g-\0h");
	struct buf buf = {0};

	text_glob_escape(&buf, nasty);
	CHECK_BYTES(buf_bytes(&buf), BYTES("a\\*b\\?c\\[d]e\\\\f^g-\0h"));
	buf_release(&buf);
}

int main(void)
{
	RUN(escape_leaves_ordinary_text);
	RUN(escape_controls);
	RUN(escape_stray_bytes);
	RUN(quote_as_redis_cli);
	RUN(base64_rfc_vectors);
	RUN(base64_and_back);
	RUN(nearest_word);
	RUN(glob_escape);
	CHECK_DONE();
}
