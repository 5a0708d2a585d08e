#include "typed.h"

#include "app.h"
#include "command.h"

#include "opt/opt.h"

#include <ctype.h>
#include <string.h>

bool typed_begin(struct session *session, const struct opt_word *words, size_t count,
		 struct bytes last, struct typed *ret_typed)
{
	const struct command *command = count ? command_need(words[0].ptr, true, NULL) : NULL;

	if (!command)
		return false;
	*ret_typed = (struct typed){session, command, words + 1, count - 1, last};
	return true;
}

int typed_split(struct bytes line, size_t *ret_from, struct opt_typing *ret_typing)
{
	size_t from = 0;

	for (size_t end; (end = opt_command_end(line.ptr, line.len, from)) < line.len;)
		from = end + 1;
	*ret_from = from;
	return opt_split_typing(line.ptr + from, line.len - from, ret_typing);
}

/* --- options --- */

bool typed_takes(const struct opt_row *row)
{
	return !(row->flags & OPT_SETTLED);
}

static const struct opt_row *row_named(const struct typed *typed, struct bytes name)
{
	const struct opt_row *const lists[] = {typed->command->rows, app_global_rows};

	for (size_t i = 0; i < 2; i++)
		for (const struct opt_row *row = lists[i]; row && row->name; row++)
			if (bytes_equal_str(name, row->name))
				return row;
	return NULL;
}

static const struct opt_row *row_lettered(const struct typed *typed, char letter)
{
	const struct opt_row *const lists[] = {typed->command->rows, app_global_rows};

	for (size_t i = 0; i < 2; i++)
		for (const struct opt_row *row = lists[i]; row && row->name; row++)
			if (row->letter && row->letter == letter)
				return row;
	return NULL;
}

const struct opt_row *typed_row(const struct typed *typed, struct bytes word)
{
	if (bytes_starts_with(word, BYTES("--")))
		return row_named(typed, bytes_sub(word, 2, word.len));
	if (word.len >= 2 && word.ptr[0] == '-')
		return row_lettered(typed, word.ptr[word.len - 1]);
	return NULL;
}

/* The row whose argument stands behind word, or NULL. */
static const struct opt_row *awaits(const struct typed *typed, const struct opt_word *word)
{
	const struct opt_row *row = typed_row(typed, (struct bytes){word->ptr, word->len});

	return row && row->type != OPT_FLAG && !(row->flags & OPT_OPTIONAL) ? row : NULL;
}

const struct opt_row *typed_awaited(const struct typed *typed)
{
	return typed->count ? awaits(typed, &typed->words[typed->count - 1]) : NULL;
}

/* --- words --- */

/* Whether word is one of an option's: the option itself, or its argument. Moves *at behind. */
static bool skip_option(const struct typed *typed, size_t *at)
{
	const struct opt_word *word = &typed->words[*at];

	if (word->len < 2 || word->ptr[0] != '-')
		return false;
	*at += awaits(typed, word) ? 2 : 1;
	return true;
}

size_t typed_plain_words(const struct typed *typed, struct opt_word *ret_list)
{
	size_t count = 0;

	for (size_t at = 0; at < typed->count;)
		if (!skip_option(typed, &at))
			ret_list[count++] = typed->words[at++];
	return count;
}

size_t typed_nested(const struct typed *typed)
{
	size_t at = 0;

	while (at < typed->count && skip_option(typed, &at))
		;
	if (at < typed->count && strcmp(typed->command->name, "watch") == 0 &&
	    isdigit((unsigned char)typed->words[at].ptr[0]))
		at++;
	return at;
}
