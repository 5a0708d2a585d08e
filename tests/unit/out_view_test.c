#include "check.h"

#include "base/buf.h"
#include "out/hexdump.h"
#include "out/jsonview.h"
#include "out/stream.h"
#include "out/terminal.h"
#include "out/view.h"

#include <sys/mman.h>
#include <unistd.h>

static const struct out_terminal plain = {.width = 80};
static const struct out_terminal colour = {.is_tty = true, .colour = true, .width = 80};

/* What is written between begin and end. */
static int fd;
static struct out_stream *stream;
static struct buf written;

static void begin(void)
{
	fd = memfd_create("view", MFD_CLOEXEC);
	stream = out_stream_new(fd, "the view");
}

static struct bytes end(void)
{
	char part[4096];
	off_t at = 0;

	CHECK_INT(out_stream_flush(stream, NULL), 0);
	out_stream_free(stream);
	buf_clear(&written);
	for (ssize_t n = 0; (n = pread(fd, part, sizeof part, at)) > 0; at += n)
		buf_add(&written, (struct bytes){part, (size_t)n});
	close(fd);
	return buf_bytes(&written);
}

static struct bytes json(const struct out_terminal *terminal, struct bytes doc, size_t max)
{
	begin();
	out_jsonview(stream, terminal, doc, max);
	return end();
}

static struct bytes dump(struct bytes b, size_t max)
{
	begin();
	out_hexdump(stream, b, max);
	return end();
}

static struct bytes pretty(struct bytes value)
{
	begin();
	out_view_pretty(stream, &plain, value);
	return end();
}

TEST(json_is_indented)
{
	CHECK_BYTES(json(&plain, BYTES("{\"a\":[1.10, {}],\"b\" :null,\"c\":[ ]}"), 4096),
		    BYTES("{\n  \"a\": [\n    1.10,\n    {}\n  ],\n  \"b\": null,\n"
			  "  \"c\": []\n}\n"));
	CHECK_BYTES(json(&plain, BYTES(" 12345678901234567890 "), 4096),
		    BYTES("12345678901234567890\n"));
}

#define CYAN "\033[36m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"
#define RESET "\033[0m"

TEST(json_is_coloured)
{
	CHECK_BYTES(json(&colour, BYTES("{\"k\":\"s\",\"n\":[-1e3,true,null]}"), 4096),
		    BYTES("{\n  " CYAN "\"k\"" RESET ": " GREEN "\"s\"" RESET ",\n  " CYAN
			  "\"n\"" RESET ": [\n    " YELLOW "-1e3" RESET ",\n    " DIM
			  "true" RESET ",\n    " DIM "null" RESET "\n  ]\n}\n"));
}

TEST(json_never_drives_the_terminal)
{
	CHECK_BYTES(json(&plain,
			 BYTES("[\"\x7f\",\"\xc2\x9b"
			       "31m\",\"\xe2\x80\xae\",\"\\u001b\",\"\xc3\xa9\"]"),
			 4096),
		    BYTES("[\n  \"\\x7f\",\n  \"\\u{9b}31m\",\n  \"\\u{202e}\",\n"
			  "  \"\\u001b\",\n  \"\xc3\xa9\"\n]\n"));
	/* no JSON from the third byte on: shown as what it is, escaped */
	CHECK_BYTES(json(&plain, BYTES("[1,\033[2J"), 4096), BYTES("[\n  1\n,\\x1b[2J\n"));
}

TEST(json_is_cut_with_a_notice)
{
	struct bytes doc = BYTES("{\"a\":\"0123456789\",\"b\":2}");

	CHECK_BYTES(json(&plain, doc, 15), BYTES("{\n  \"a\": \"01234\n… 13 bytes more\n"));
	CHECK_BYTES(json(&plain, doc, 2), BYTES("{\n… 23 bytes more\n"));
	CHECK_BYTES(json(&plain, doc, 0), BYTES("… 24 bytes more\n"));
	CHECK_BYTES(json(&colour, doc, 15),
		    BYTES("{\n  " CYAN "\"a\"" RESET ": " GREEN "\"01234" RESET "\n" DIM
			  "… 13 bytes more" RESET "\n"));
	/* never through a character */
	CHECK_BYTES(json(&plain, BYTES("\"\xc3\xa9\xc3\xa9\""), 4),
		    BYTES("\"\xc3\xa9\n… 3 bytes more\n"));
	/* whole at just its length */
	CHECK_BYTES(json(&plain, doc, 33),
		    BYTES("{\n  \"a\": \"0123456789\",\n  \"b\": 2\n}\n"));
	CHECK_BYTES(json(&plain, doc, 32),
		    BYTES("{\n  \"a\": \"0123456789\",\n  \"b\": 2\n… 1 bytes more\n"));
}

TEST(json_that_ends_early_is_shown_to_its_end)
{
	CHECK_BYTES(pretty(BYTES("{\"a\":[1,\"some te")),
		    BYTES("{\n  \"a\": [\n    1\n,\"some te\n"));
	CHECK_BYTES(pretty(BYTES("{\"a\":")), BYTES("{\n  \"a\": \n:\n"));
	CHECK_BYTES(pretty(BYTES("[")), BYTES("[\n"));
}

/* printf 'The quick brown fox\0\n\377' | xxd */
TEST(hexdump_is_as_xxd_prints)
{
	CHECK_BYTES(
	    dump(BYTES("The quick brown fox\0\n\xff"), 100),
	    BYTES("00000000: 5468 6520 7175 6963 6b20 6272 6f77 6e20  The quick brown \n"
		  "00000010: 666f 7800 0aff                           fox...\n"));
	CHECK_BYTES(dump(BYTES("abc"), 100),
		    BYTES("00000000: 6162 63                                  abc\n"));
	CHECK_BYTES(dump(BYTES(""), 100), BYTES(""));
	CHECK_BYTES(dump(BYTES("abcdef"), 2),
		    BYTES("00000000: 6162                                     ab\n"
			  "… 4 bytes more\n"));
}

TEST(a_value_is_shown_by_what_it_is)
{
	CHECK_BYTES(pretty(BYTES("{\"a\":1}")), BYTES("{\n  \"a\": 1\n}\n"));
	CHECK_BYTES(pretty(BYTES("two\nlines \033[2J")), BYTES("two\nlines \\x1b[2J\n"));
	CHECK_BYTES(pretty(BYTES("cut caf\xc3")), BYTES("cut caf\\xc3\n"));
	CHECK_BYTES(pretty(BYTES("\x80\x04K\1.")),
		    BYTES("00000000: 8004 4b01 2e                             ..K..\n"));
	CHECK_BYTES(pretty(BYTES("{not json")), BYTES("{not json\n"));
	begin();
	out_view_value(stream, &plain, BYTES("{\"a\":1}\0"));
	CHECK_BYTES(end(), BYTES("{\"a\":1}\0"));
}

TEST(a_huge_value_is_cut)
{
	struct buf value = {0};

	buf_add_str(&value, "[0");
	for (unsigned i = 0; i < 400000; i++)
		buf_add_str(&value, ",1");
	buf_add_char(&value, ']');
	struct bytes shown = pretty(buf_bytes(&value));
	CHECK(shown.len > 200000 && shown.len < 270000);
	CHECK(strstr(buf_str(&written), " bytes more\n") != NULL);
	memset(value.ptr, '\xff', value.len);
	shown = pretty(buf_bytes(&value));
	CHECK(shown.len < 20000);
	CHECK(strstr(buf_str(&written), "… 795907 bytes more\n") != NULL);
	buf_release(&value);
}

int main(void)
{
	RUN(json_is_indented);
	RUN(json_is_coloured);
	RUN(json_never_drives_the_terminal);
	RUN(json_is_cut_with_a_notice);
	RUN(json_that_ends_early_is_shown_to_its_end);
	RUN(hexdump_is_as_xxd_prints);
	RUN(a_value_is_shown_by_what_it_is);
	RUN(a_huge_value_is_cut);
	buf_release(&written);
	CHECK_DONE();
}
