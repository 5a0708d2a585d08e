#ifndef CMD_TYPED_H
#define CMD_TYPED_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

struct command;
struct opt_row;
struct opt_typing;
struct opt_word;
struct session;

/* A command line as far as it is typed, behind its verb: for completions and hints. */
struct typed {
	struct session *session;
	const struct command *command;
	const struct opt_word *words; /* behind the verb, the last one not among them */
	size_t count;
	struct bytes last; /* empty when a new word begins */
};
/* False when words[0] is no verb (or there is none). */
bool typed_begin(struct session *session, const struct opt_word *words, size_t count,
		 struct bytes last, struct typed *ret_typed);
/*
 * The last command of a line that is typed up to its end, as words: release
 * ret_typing->words. ret_from is where it begins. -1 when it cannot be split.
 */
int typed_split(struct bytes line, size_t *ret_from, struct opt_typing *ret_typing);

/* A session's line takes no option that is settled; one that stands there is not offered. */
bool typed_takes(const struct opt_row *row);
/* The option that a word is, the verb's or a global one: "--name", or "-x" by its last letter.
 */
const struct opt_row *typed_row(const struct typed *typed, struct bytes word);
/* The row whose argument the last word is, or NULL. */
const struct opt_row *typed_awaited(const struct typed *typed);

/* Fills ret_list (room for typed->count) with the words that are no options; how many. */
size_t typed_plain_words(const struct typed *typed, struct opt_word *ret_list);
/* Of `watch 2 stats`, where the command stands that follows the options and the interval. */
size_t typed_nested(const struct typed *typed);

#endif
