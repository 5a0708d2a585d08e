#include "opt/opt.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Reads a line and writes the words' bytes; both ends move forward only. */
struct splitter {
	const char *at;
	const char *end;
	char *out;
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char escaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'b':
		return '\b';
	case 'a':
		return '\a';
	default:
		return c;
	}
}

/* Copies what the backslash at splitter->at stands for, inside double quotes. */
static void copy_escape(struct splitter *splitter)
{
	const char *at = splitter->at;

	if (splitter->end - at >= 4 && at[1] == 'x' && hex_digit(at[2]) >= 0 &&
	    hex_digit(at[3]) >= 0) {
		*splitter->out++ = (char)(hex_digit(at[2]) << 4 | hex_digit(at[3]));
		splitter->at += 4;
	} else {
		*splitter->out++ = escaped(at[1]);
		splitter->at += 2;
	}
}

static bool at_escape(const struct splitter *splitter, char quote)
{
	if (*splitter->at != '\\' || splitter->end - splitter->at < 2)
		return false;
	return quote == '"' || splitter->at[1] == '\'';
}

/* Copies up to behind the closing quote; splitter->at stands on the opening one. */
static int copy_quoted(struct splitter *splitter, struct err *err)
{
	char quote = *splitter->at++;

	while (splitter->at < splitter->end && *splitter->at != quote) {
		if (at_escape(splitter, quote))
			copy_escape(splitter);
		else
			*splitter->out++ = *splitter->at++;
	}
	if (splitter->at == splitter->end)
		return err_set(err, ERR_USAGE, "the quote %c is not closed", quote);
	splitter->at++;
	if (splitter->at < splitter->end && !is_blank(*splitter->at))
		return err_set(err, ERR_USAGE, "a blank must follow the closing %c", quote);
	return 0;
}

static int copy_word(struct splitter *splitter, struct err *err)
{
	while (splitter->at < splitter->end && !is_blank(*splitter->at)) {
		if (*splitter->at == '"' || *splitter->at == '\'') {
			if (copy_quoted(splitter, err) < 0)
				return -1;
		} else {
			*splitter->out++ = *splitter->at++;
		}
	}
	return 0;
}

static void skip_blanks(struct splitter *splitter)
{
	while (splitter->at < splitter->end && is_blank(*splitter->at))
		splitter->at++;
}

int opt_split_line(const char *line, size_t len, struct opt_word **ret_words, size_t *ret_count,
		   struct err *err)
{
	/* Every word but the last is followed by a blank, so this many fit. */
	size_t most = len / 2 + 1;
	struct opt_word *words = mem_alloc(most * sizeof *words + len + 1);
	struct splitter splitter = {line, line + len, (char *)(words + most)};
	size_t count = 0;

	for (skip_blanks(&splitter); splitter.at < splitter.end; skip_blanks(&splitter)) {
		char *start = splitter.out;

		if (copy_word(&splitter, err) < 0) {
			free(words);
			return -1;
		}
		words[count++] = (struct opt_word){start, (size_t)(splitter.out - start)};
		*splitter.out++ = '\0';
	}
	*ret_words = words;
	*ret_count = count;
	return 0;
}
