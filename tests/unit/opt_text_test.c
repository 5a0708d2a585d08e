#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "opt/opt.h"

static const char *const formats[] = {"table", "json", "prom", NULL};
static const struct opt_row rows[] = {
    {.name = "host", .letter = 'h', .type = OPT_TEXT, .arg = "HOST", .help = "server name"},
    {.name = "timeout",
     .type = OPT_DURATION,
     .arg = "DURATION",
     .fallback = "5s",
     .help = "give up after this long without any progress of the command that waits"},
    {.name = "output",
     .letter = 'o',
     .type = OPT_CHOICE,
     .arg = "FORMAT",
     .choices = formats,
     .help = "how the answer is written",
     .fallback = "table"},
    {.name = "where", .type = OPT_LIST, .arg = "NAME=VALUE", .help = "only these vars"},
    {.name = "progress",
     .type = OPT_CHOICE,
     .arg = "MODE",
     .choices = formats,
     .help = "'show' how \\far",
     .flags = OPT_OPTIONAL},
    {.name = "colour", .type = OPT_FLAG, .help = "colours", .flags = OPT_NEGATABLE},
    {.name = "a-very-long-option-name-indeed",
     .type = OPT_TEXT,
     .arg = "VALUE",
     .help = "long"},
    OPT_END,
};

TEST(help_wide)
{
	struct buf buf = {0};

	opt_help(&buf, rows, 80);
	CHECK_STR(
	    buf_str(&buf),
	    "  -h, --host HOST         server name\n"
	    "      --timeout DURATION  give up after this long without any progress of the\n"
	    "                          command that waits (default: 5s)\n"
	    "  -o, --output FORMAT     how the answer is written (table, json, prom; default:\n"
	    "                          table)\n"
	    "      --where NAME=VALUE  only these vars (may be repeated)\n"
	    "      --progress[=MODE]   'show' how \\far (table, json, prom)\n"
	    "      --[no-]colour       colours\n"
	    "      --a-very-long-option-name-indeed VALUE\n"
	    "                          long\n");
	buf_release(&buf);
}

TEST(help_fits_any_width)
{
	struct buf buf = {0};

	for (unsigned width = 0; width <= 200; width++) {
		size_t longest = 0;

		buf_clear(&buf);
		opt_help(&buf, rows, width);
		for (struct bytes left = buf_bytes(&buf); left.len;) {
			size_t line = bytes_index(left, '\n');

			longest = line > longest ? line : longest;
			left = bytes_sub(left, line + 1, left.len);
		}
		CHECK(longest <= (width < 44 ? 44 : width > 100 ? 100 : width));
	}
	buf_release(&buf);
}

TEST(mdoc)
{
	struct buf buf = {0};

	opt_mdoc(&buf, rows);
	CHECK_STR(buf_str(&buf),
		  ".It Fl h , Fl -host Ar HOST\nserver name.\n"
		  ".It Fl -timeout Ar DURATION\n"
		  "give up after this long without any progress of the command that "
		  "waits.\nThe default is\n.Cm 5s .\n"
		  ".It Fl o , Fl -output Ar FORMAT\nhow the answer is written.\n"
		  "One of\n.Cm table ,\n.Cm json ,\n.Cm prom .\n"
		  "The default is\n.Cm table .\n"
		  ".It Fl -where Ar NAME=VALUE\nonly these vars.\nMay be repeated.\n"
		  ".It Fl -progress Ns Op = Ns Ar MODE\n\\&'show' how \\efar.\n"
		  "One of\n.Cm table ,\n.Cm json ,\n.Cm prom .\n"
		  ".It Fl -colour , Fl -no-colour\ncolours.\n"
		  ".It Fl -a-very-long-option-name-indeed Ar VALUE\nlong.\n");
	buf_release(&buf);
}

/* Words of a line, joined with "|"; the error's text when it is refused. */
static void expect_words(struct bytes line, struct bytes want)
{
	struct opt_word *words = NULL;
	size_t count = 0;
	struct buf got = {0};
	struct err err = {0};

	if (opt_split_line(line.ptr, line.len, &words, &count, &err) < 0) {
		CHECK_INT(err.kind, ERR_USAGE);
		buf_add_str(&got, err.text);
	}
	for (size_t i = 0; i < count; i++) {
		CHECK_INT(words[i].ptr[words[i].len], 0);
		buf_add_str(&got, i ? "|" : "");
		buf_add(&got, (struct bytes){words[i].ptr, words[i].len});
	}
	CHECK_BYTES(buf_bytes(&got), want);
	free(words);
	buf_release(&got);
}

TEST(split_line)
{
	expect_words(BYTES(""), BYTES(""));
	expect_words(BYTES(" \t\r\n"), BYTES(""));
	expect_words(BYTES("  get  call:logs:1\t x\n"), BYTES("get|call:logs:1|x"));
	expect_words(BYTES("a b c d e f"), BYTES("a|b|c|d|e|f"));
	expect_words(BYTES("\"\" ''"), BYTES("|"));
	expect_words(BYTES("foo\"bar baz\" 'a b'"), BYTES("foobar baz|a b"));
	expect_words(BYTES("\"\\n\\r\\t\\b\\a\\\\\\\"\\q\""), BYTES("\n\r\t\b\a\\\"q"));
	expect_words(BYTES("\"\\x00\\xfF\\x4\" z"), BYTES("\0\xffx4|z"));
	expect_words(BYTES("'\\n\\' \"'"), BYTES("\\n' \""));
	expect_words(BYTES("a\\nb"), BYTES("a\\nb"));
	expect_words(BYTES("a\0b \0"), BYTES("a\0b|\0"));
}

TEST(split_line_refuses)
{
	expect_words(BYTES("\"abc"), BYTES("the quote \" is not closed"));
	expect_words(BYTES("'abc"), BYTES("the quote ' is not closed"));
	expect_words(BYTES("\"abc\\\""), BYTES("the quote \" is not closed"));
	expect_words(BYTES("\"abc\\"), BYTES("the quote \" is not closed"));
	expect_words(BYTES("'abc\\"), BYTES("the quote ' is not closed"));
	expect_words(BYTES("\"a\"b"), BYTES("a blank must follow the closing \""));
	expect_words(BYTES("'a'\"b\""), BYTES("a blank must follow the closing '"));
}

int main(void)
{
	RUN(help_wide);
	RUN(help_fits_any_width);
	RUN(mdoc);
	RUN(split_line);
	RUN(split_line_refuses);
	CHECK_DONE();
}
