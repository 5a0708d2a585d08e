#include "opt/opt.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Walks a line with the quoting of opt_split_line. */
struct walk {
	const char *line;
	size_t len;
	size_t at;
	char quote; /* open, or 0 */
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Steps over one byte, or over an escaped one with its backslash. */
static void step(struct walk *walk)
{
	char c = walk->line[walk->at++];

	if (walk->quote && c == '\\' && walk->at < walk->len &&
	    (walk->quote == '"' || walk->line[walk->at] == '\'')) {
		walk->at++;
		return;
	}
	if (walk->quote && c == walk->quote)
		walk->quote = '\0';
	else if (!walk->quote && (c == '"' || c == '\''))
		walk->quote = c;
}

size_t opt_command_end(const char *line, size_t len, size_t from)
{
	struct walk walk = {.line = line, .len = len, .at = from};

	while (walk.at < len && is_blank(line[walk.at]))
		walk.at++;
	if (walk.at < len && line[walk.at] == '#')
		return len;
	while (walk.at < len && (walk.quote || line[walk.at] != ';'))
		step(&walk);
	return walk.at < len ? walk.at : len;
}

/* Where the last word begins, and the quote that is open in it. */
static size_t last_word(const char *line, size_t len, char *ret_quote)
{
	struct walk walk = {.line = line, .len = len};
	size_t start = 0;

	while (walk.at < len) {
		if (!walk.quote && is_blank(line[walk.at]))
			start = ++walk.at;
		else
			step(&walk);
	}
	*ret_quote = walk.quote;
	return start;
}

int opt_split_typing(const char *line, size_t len, struct opt_typing *ret_typing)
{
	struct opt_typing typing = {0};
	struct buf closed = {0};
	size_t count = 0;

	typing.start = last_word(line, len, &typing.quote);
	buf_add(&closed, (struct bytes){line, len});
	/* A backslash at the end escapes nothing yet. */
	if (typing.quote == '"' && closed.len && closed.ptr[closed.len - 1] == '\\')
		closed.len--;
	if (typing.quote)
		buf_add_char(&closed, typing.quote);
	int status = opt_split_line(closed.ptr ? closed.ptr : "", closed.len, &typing.words,
				    &count, NULL);
	buf_release(&closed);
	if (status != 0)
		return -1;
	typing.count = count;
	typing.last = (struct opt_word){"", 0};
	if (typing.start < len)
		typing.last = typing.words[--typing.count];
	*ret_typing = typing;
	return 0;
}

void opt_quote_word(struct buf *buf, const char *word, size_t len)
{
	bool plain = len > 0;

	for (size_t i = 0; i < len && plain; i++)
		plain = word[i] > ' ' && word[i] != 0x7f && !strchr("\"';#\\", word[i]);
	if (plain)
		buf_add(buf, (struct bytes){word, len});
	else
		text_quote(buf, (struct bytes){word, len});
}
