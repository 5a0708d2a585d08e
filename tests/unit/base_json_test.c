#include "base/buf.h"
#include "base/json.h"
#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int check_doc(struct bytes doc, unsigned flags, struct json_error *ret_error)
{
	return json_check(doc, flags, JSON_DEPTH_DATA, ret_error);
}

static const struct bytes accepted[] = {
    BYTES("null"),
    BYTES("true"),
    BYTES("false"),
    BYTES("0"),
    BYTES("-0"),
    BYTES("-1"),
    BYTES("10"),
    BYTES("0.5"),
    BYTES("1.10"),
    BYTES("0e1"),
    BYTES("0e+1"),
    BYTES("1E22"),
    BYTES("1E-2"),
    BYTES("123.456e78"),
    BYTES("1e999999"),
    BYTES("-0.0000000000000000000000000000000000000000000000000001"),
    BYTES("9007199254740993"),
    BYTES("123456789012345678901234567890"),
    BYTES("\"\""),
    BYTES("\"a\""),
    BYTES(" \t\r\n[ ]\r\n\t "),
    BYTES("[]"),
    BYTES("{}"),
    BYTES("[[]]"),
    BYTES("[null, 1, \"1\", {}]"),
    BYTES("{\"a\":1,\"a\":2}"),
    BYTES("{\"\":0}"),
    BYTES("{\"a\" : [ 1 , 2 ] , \"b\":{ } }"),
    BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    BYTES("\"\\u0000\\u0012\\uFFFF\\uaBcD\""),
    BYTES("\"\\uD83D\\uDe42\""),
    BYTES("\"\\ud800\\udc00\\udbff\\udfff\""),
    BYTES("\"\\\\u0000\""),
    BYTES("\"\x7f\""),
    BYTES("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
    BYTES("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
    BYTES("\"\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\""),
    BYTES("\"a//b/*c*/\""),
    BYTES("[\"01234567\",\"0123456\",\"01234567 1\"]"),
};

TEST(accepts_rfc_8259)
{
	for (size_t i = 0; i < COUNT(accepted); i++) {
		struct json_error error = {0};

		if (check_doc(accepted[i], JSON_STRICT, &error) < 0)
			printf("# %.*s: %s at %zu\n", BYTES_ARG(accepted[i]), error.what,
			       error.offset);
		CHECK_INT(check_doc(accepted[i], JSON_STRICT, &error), 0);
		CHECK_INT(check_doc(accepted[i], JSON_COMMENTS, &error), 0);
	}
}

struct refusal {
	struct bytes doc;
	size_t offset;
};

static const struct refusal refused[] = {
    /* no value, or an early end */
    {BYTES(""), 0},
    {BYTES(" \n"), 2},
    {BYTES("["), 1},
    {BYTES("[1"), 2},
    {BYTES("[1,"), 3},
    {BYTES("{"), 1},
    {BYTES("{\"a\""), 4},
    {BYTES("{\"a\":"), 5},
    {BYTES("{\"a\":1"), 6},
    {BYTES("{\"a\":1,"), 7},
    {BYTES("\""), 1},
    {BYTES("\"abcdefghij"), 11},
    {BYTES("\"\\"), 2},
    {BYTES("\"\\u12"), 5},
    {BYTES("[\"\\u12"), 6},
    {BYTES("-"), 1},
    {BYTES("1."), 2},
    {BYTES("1e"), 2},
    {BYTES("1e+"), 3},
    {BYTES("tru"), 3},
    {BYTES("n"), 1},
    /* structure */
    {BYTES("[1,]"), 3},
    {BYTES("{\"a\":1,}"), 7},
    {BYTES("[,1]"), 1},
    {BYTES("[1,,2]"), 3},
    {BYTES("[1 2]"), 3},
    {BYTES("[1}"), 2},
    {BYTES("{\"a\":1]"), 6},
    {BYTES("{\"a\" 1}"), 5},
    {BYTES("{\"a\"::1}"), 5},
    {BYTES("{\"a\":}"), 5},
    {BYTES("{:1}"), 1},
    {BYTES("{1:1}"), 1},
    {BYTES("{a:1}"), 1},
    {BYTES("{\"a\",1}"), 4},
    {BYTES("{\"a\":1 \"b\":2}"), 7},
    {BYTES("{,}"), 1},
    {BYTES("[:]"), 1},
    {BYTES("]"), 0},
    {BYTES("}"), 0},
    {BYTES("[]]"), 2},
    {BYTES("{}}"), 2},
    {BYTES("1 2"), 2},
    {BYTES("nullx"), 4},
    {BYTES("[]\0"), 2},
    {BYTES("1,"), 1},
    /* words and numbers */
    {BYTES("True"), 0},
    {BYTES("nUll"), 1},
    {BYTES("trux"), 3},
    {BYTES("NaN"), 0},
    {BYTES("nan"), 1},
    {BYTES("Infinity"), 0},
    {BYTES("-Infinity"), 1},
    {BYTES("01"), 0},
    {BYTES("-01"), 1},
    {BYTES("00"), 0},
    {BYTES("012.5"), 0},
    {BYTES("+1"), 0},
    {BYTES(".5"), 0},
    {BYTES("-.5"), 1},
    {BYTES("1.e1"), 2},
    {BYTES("1.2.3"), 3},
    {BYTES("1e1.5"), 3},
    {BYTES("1ee1"), 2},
    {BYTES("1e+-1"), 3},
    {BYTES("--1"), 1},
    {BYTES("- 1"), 1},
    {BYTES("0x10"), 1},
    {BYTES("1_000"), 1},
    {BYTES("1\xef\xbc\x91"), 1},
    /* strings */
    {BYTES("'a'"), 0},
    {BYTES("\"a\nb\""), 2},
    {BYTES("\"a\tb\""), 2},
    {BYTES("\"\0\""), 1},
    {BYTES("\"abcdefgh\x1f\""), 9},
    {BYTES("\"\\a\""), 2},
    {BYTES("\"\\'\""), 2},
    {BYTES("\"\\x41\""), 2},
    {BYTES("\"\\U0041\""), 2},
    {BYTES("\"\\\0\""), 2},
    {BYTES("\"\\\xc3\xab\""), 2},
    {BYTES("\"\\u00g0\""), 5},
    {BYTES("\"\\u 123\""), 3},
    {BYTES("\"\\u12\""), 5},
    /* surrogates */
    {BYTES("\"\\ud800\""), 1},
    {BYTES("\"\\udc00\""), 1},
    {BYTES("\"a\\udfff\\ud800\""), 2},
    {BYTES("\"\\ud800\\ud800\""), 1},
    {BYTES("\"\\ud800\\u0041\""), 1},
    {BYTES("\"\\ud800x\""), 1},
    {BYTES("\"\\ud800\\n\""), 1},
    {BYTES("\"\\ud800\\ue000\""), 1},
    {BYTES("\"\\ud83d\\ude4\""), 12},
    /* UTF-8 */
    {BYTES("\"\x80\""), 1},
    {BYTES("\"\xbf\""), 1},
    {BYTES("\"a\xc0\xaf\""), 2},
    {BYTES("\"\xc1\xbf\""), 1},
    {BYTES("\"\xe0\x9f\xbf\""), 1},
    {BYTES("\"\xf0\x8f\xbf\xbf\""), 1},
    {BYTES("\"\xed\xa0\x80\""), 1},
    {BYTES("\"\xed\xbf\xbf\""), 1},
    {BYTES("\"\xf4\x90\x80\x80\""), 1},
    {BYTES("\"\xf5\x80\x80\x80\""), 1},
    {BYTES("\"\xff\""), 1},
    {BYTES("\"\xc3\""), 1},
    {BYTES("\"\xe2\x82\""), 1},
    {BYTES("\"\xf0\x9f\x99"), 1},
    {BYTES("\xef\xbb\xbf{}"), 0},
    {BYTES("\xff\xfe[\0]\0"), 0},
    {BYTES("[\xc3\xab]"), 1},
    {BYTES("[\xc2\xa0]"), 1},
    /* blanks that are none */
    {BYTES("[\f]"), 1},
    {BYTES("[\v]"), 1},
    {BYTES("[\0]"), 1},
    {BYTES("\xe2\x81\xa0[]"), 0},
    /* comments */
    {BYTES("// x\n1"), 0},
    {BYTES("[1/**/]"), 2},
    {BYTES("1 # x"), 2},
};

TEST(refuses_with_offsets)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct json_error error = {0};
		int status = check_doc(refused[i].doc, JSON_STRICT, &error);

		if (status == 0 || error.offset != refused[i].offset)
			printf("# case %zu: %.*s\n", i, BYTES_ARG(refused[i].doc));
		CHECK_INT(status, -1);
		CHECK_INT(error.offset, refused[i].offset);
		CHECK(error.what != NULL);
	}
}

/* Every prefix of a good object is bad, at its end: nothing reads on behind doc.len. */
TEST(prefixes_end_early)
{
	struct bytes doc = BYTES("{\"a\":[true,-1.5e+3,\"\\ud83d\\ude42\\n\",null],\"b\":{}}");

	for (size_t len = 0; len < doc.len; len++) {
		struct json_error error = {0};
		char *copy = malloc(len ? len : 1); /* exact, for the address sanitizer */

		memcpy(copy, doc.ptr, len);
		CHECK_INT(check_doc((struct bytes){copy, len}, JSON_STRICT, &error), -1);
		CHECK(error.offset <= len);
		free(copy);
	}
}

TEST(comments_with_the_flag)
{
	static const struct bytes good[] = {
	    BYTES("// one\n1"), BYTES("/**/1/* * / */"),
	    BYTES("1 // end"),  BYTES("{/*a*/\"a\"/*b*/:/*c*/1/*d*/,//e\r\"b\":2}"),
	    BYTES("[/*,*/]"),   BYTES("/***/1"),
	};
	static const struct refusal bad[] = {
	    {BYTES("1 /* x"), 2},  {BYTES("/"), 0},     {BYTES("/*/1"), 0},
	    {BYTES("// only"), 7}, {BYTES("1 / 2"), 2}, {BYTES("[1,/*x*/]"), 8},
	    {BYTES("[1,// x"), 7},
	};
	struct json_error error = {0};

	for (size_t i = 0; i < COUNT(good); i++) {
		CHECK_INT(check_doc(good[i], JSON_COMMENTS, &error), 0);
		CHECK_INT(check_doc(good[i], JSON_STRICT, &error), -1);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		CHECK_INT(check_doc(bad[i].doc, JSON_COMMENTS, &error), -1);
		CHECK_INT(error.offset, bad[i].offset);
	}
}

static struct buf nested(size_t depth, const char *open, const char *close)
{
	struct buf buf = {0};

	for (size_t i = 0; i < depth; i++)
		buf_add_str(&buf, open);
	buf_add_str(&buf, "1");
	for (size_t i = 0; i < depth; i++)
		buf_add_str(&buf, close);
	return buf;
}

TEST(depth_is_bounded)
{
	static const size_t depths[] = {1, 8, 9, JSON_DEPTH_CONFIG, JSON_DEPTH_DATA, 100000};

	for (size_t i = 0; i < COUNT(depths); i++) {
		struct buf arrays = nested(depths[i], "[", "]");
		struct buf objects = nested(depths[i], "{\"a\":", "}");
		struct json_error error = {0};
		bool fits = depths[i] <= JSON_DEPTH_DATA;

		CHECK_INT(check_doc(buf_bytes(&arrays), 0, &error), fits ? 0 : -1);
		CHECK_INT(check_doc(buf_bytes(&objects), 0, &error), fits ? 0 : -1);
		CHECK_INT(json_check(buf_bytes(&arrays), 0, (unsigned)depths[i] - 1, &error),
			  -1);
		CHECK_INT(error.offset, fits ? depths[i] - 1 : JSON_DEPTH_DATA);
		CHECK_STR(error.what, "nested too deeply");
		buf_release(&arrays);
		buf_release(&objects);
	}
}

static void check_tokens(struct bytes doc, const char *want)
{
	static const char events[] = "vkbe";
	struct json_reader reader;
	struct json_token token;
	struct buf got = {0};

	json_reader_init(&reader, doc, JSON_STRICT, JSON_DEPTH_DATA);
	while (json_read(&reader, &token) > 0) {
		CHECK(token.raw.ptr == doc.ptr + token.offset);
		buf_printf(&got, "%c%u%s@%zu:%.*s ", events[token.event], token.depth,
			   json_type_name(token.type), token.offset, BYTES_ARG(token.raw));
	}
	CHECK_STR(buf_str(&got), want);
	buf_release(&got);
}

TEST(tokens_with_offsets_and_depths)
{
	check_tokens(
	    BYTES(" {\"a\" : [1.10,\"x\"] , \"b\":{}}"),
	    "b0object@1:{ k1string@2:\"a\" b1array@8:[ v2number@9:1.10 v2string@14:\"x\" "
	    "e1array@17:] k1string@21:\"b\" b1object@25:{ e1object@26:} e0object@27:} ");
	check_tokens(BYTES("[true,false,null]"),
		     "b0array@0:[ v1true@1:true v1false@6:false v1null@12:null e0array@16:] ");
	check_tokens(BYTES("[[{}],9007199254740993]"),
		     "b0array@0:[ b1array@1:[ b2object@2:{ e2object@3:} e1array@4:] "
		     "v1number@6:9007199254740993 e0array@22:] ");
}

TEST(reader_stays_failed_and_stays_done)
{
	struct json_reader reader;
	struct json_token token;

	json_reader_init(&reader, BYTES("[1 2]"), JSON_STRICT, JSON_DEPTH_DATA);
	CHECK_INT(json_read(&reader, &token), 1);
	CHECK_INT(json_read(&reader, &token), 1);
	for (int i = 0; i < 3; i++)
		CHECK_INT(json_read(&reader, &token), -1);
	CHECK_INT(reader.error.offset, 3);
	json_reader_init(&reader, BYTES("1"), JSON_STRICT, JSON_DEPTH_DATA);
	CHECK_INT(json_read(&reader, &token), 1);
	for (int i = 0; i < 3; i++)
		CHECK_INT(json_read(&reader, &token), 0);
}

static void check_at(struct bytes doc, size_t offset, size_t want_line, size_t want_column)
{
	size_t line = 0, column = 0;

	json_locate(doc, offset, &line, &column);
	CHECK_INT(line, want_line);
	CHECK_INT(column, want_column);
}

TEST(locate_line_and_column)
{
	struct bytes doc = BYTES("a\nb\r\nc\rd\n\ne");

	check_at(doc, 0, 1, 1);
	check_at(doc, 1, 1, 2); /* the LF itself */
	check_at(doc, 2, 2, 1);
	check_at(doc, 3, 2, 2); /* the CR of CR LF */
	check_at(doc, 4, 2, 3); /* the LF of CR LF */
	check_at(doc, 5, 3, 1);
	check_at(doc, 7, 4, 1);
	check_at(doc, 9, 5, 1);
	check_at(doc, 10, 6, 1);
	check_at(doc, 11, 6, 2); /* the end */
	check_at(BYTES(""), 0, 1, 1);
	check_at(BYTES("a\r"), 2, 2, 1);
}

int main(void)
{
	RUN(accepts_rfc_8259);
	RUN(refuses_with_offsets);
	RUN(prefixes_end_early);
	RUN(comments_with_the_flag);
	RUN(depth_is_bounded);
	RUN(tokens_with_offsets_and_depths);
	RUN(reader_stays_failed_and_stays_done);
	RUN(locate_line_and_column);
	CHECK_DONE();
}
