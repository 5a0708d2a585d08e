#include "opt/opt.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

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

/* Copies what the backslash at splitter->at stands for, inside double quotes. */
static void copy_escape(struct splitter *splitter)
{
	struct bytes rest = {splitter->at + 1, (size_t)(splitter->end - splitter->at) - 1};

	*splitter->out++ = text_unescape(&rest);
	splitter->at = splitter->end - rest.len; /* rest.ptr is NULL at the end */
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
