/* Where commands end on a line, and what is being typed at its end. */
#include "check.h"

#include "base/buf.h"
#include "opt/opt.h"

#include <stdlib.h>
#include <string.h>

/* The commands of a line, each in brackets. */
static const char *commands(const char *line)
{
	static struct buf text;
	size_t len = strlen(line);

	buf_clear(&text);
	for (size_t from = 0; from <= len;) {
		size_t end = opt_command_end(line, len, from);

		buf_printf(&text, "[%.*s]", (int)(end - from), line + from);
		from = end + 1;
	}
	return buf_str(&text);
}

TEST(a_semicolon_outside_quotes_ends_a_command)
{
	CHECK_STR(commands("a"), "[a]");
	CHECK_STR(commands("a b; c"), "[a b][ c]");
	CHECK_STR(commands("a;;b;"), "[a][][b][]");
	CHECK_STR(commands("a \";\" b; c"), "[a \";\" b][ c]");
	CHECK_STR(commands("a ';\\'' ;c"), "[a ';\\'' ][c]");
	CHECK_STR(commands("a \"\\\";\"; c"), "[a \"\\\";\"][ c]");
	CHECK_STR(commands("a \"open; c"), "[a \"open; c]");
}

TEST(a_comment_reaches_to_the_end_of_the_line)
{
	CHECK_STR(commands("# a; b"), "[# a; b]");
	CHECK_STR(commands("a; # b; c"), "[a][ # b; c]");
	CHECK_STR(commands("get #1; b"), "[get #1][ b]");
}

/* "COUNT|LAST|START|QUOTE" */
static const char *typing(const char *line)
{
	static struct buf text;
	struct opt_typing typed = {0};

	buf_clear(&text);
	if (opt_split_typing(line, strlen(line), &typed) != 0)
		return "refused";
	buf_printf(&text, "%zu|%.*s|%zu|%c", typed.count, (int)typed.last.len, typed.last.ptr,
		   typed.start, typed.quote ? typed.quote : '-');
	free(typed.words);
	return buf_str(&text);
}

TEST(the_word_that_is_typed)
{
	CHECK_STR(typing(""), "0||0|-");
	CHECK_STR(typing("get"), "0|get|0|-");
	CHECK_STR(typing("get "), "1||4|-");
	CHECK_STR(typing("get call-l"), "1|call-l|4|-");
	CHECK_STR(typing("get \"a b"), "1|a b|4|\"");
	CHECK_STR(typing("get 'a b"), "1|a b|4|'");
	CHECK_STR(typing("get \"a\\x41"), "1|aA|4|\"");
	CHECK_STR(typing("get \"a\\"), "1|a|4|\"");
	CHECK_STR(typing("get \"\""), "1||4|-");
	CHECK_STR(typing("a \"b\"c d"), "refused");
}

static const char *quoted(const char *word, size_t len)
{
	static struct buf text;

	buf_clear(&text);
	opt_quote_word(&text, word, len);
	return buf_str(&text);
}

TEST(a_quoted_word_reads_back)
{
	static const char *const words[] = {"plain", "a b", "a;b", "",
					    "it's",  "\"",  "#x",  "a\\b"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		struct opt_word *read = NULL;
		size_t count = 0;
		const char *line = quoted(words[i], strlen(words[i]));

		CHECK_INT(opt_split_line(line, strlen(line), &read, &count, NULL), 0);
		CHECK_INT(count, 1);
		CHECK_STR(read[0].ptr, words[i]);
		free(read);
	}
	CHECK_STR(quoted("plain", 5), "plain");
	CHECK_STR(quoted("a\0b", 3), "\"a\\x00b\"");
}

int main(void)
{
	RUN(a_semicolon_outside_quotes_ends_a_command);
	RUN(a_comment_reaches_to_the_end_of_the_line);
	RUN(the_word_that_is_typed);
	RUN(a_quoted_word_reads_back);
	CHECK_DONE();
}
