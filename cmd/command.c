#include "command.h"
#include "habits.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#include <string.h>

#define COMMAND(name) extern const struct command command_##name;
#include "commands.def"
#include "session.def"
#undef COMMAND

/* The verbs, then what only a session has. */
static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "commands.def"
#include "session.def"
#undef COMMAND
};
enum { ALL = sizeof commands / sizeof commands[0] };

enum {
#define COMMAND(name) VERB_##name,
#include "commands.def"
#undef COMMAND
	VERBS
};

const struct command *command_at(size_t index)
{
	return index < VERBS ? commands[index] : NULL;
}

const struct command *command_in_session_at(size_t index)
{
	return index < ALL - VERBS ? commands[VERBS + index] : NULL;
}

/* What only a session has, as 'ccache repl -e' runs it. */
static bool belongs_to_session(const char *name)
{
	for (size_t i = VERBS; i < ALL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return true;
	return false;
}

static void unknown(const char *name, size_t count, struct err *err)
{
	const char *names[ALL];

	for (size_t i = 0; i < count; i++)
		names[i] = commands[i]->name;
	const char *nearest = text_nearest(bytes_of(name), names, count);
	const char *instead = habit_instead(name);
	if (count == VERBS && belongs_to_session(name))
		err_set(err, ERR_USAGE,
			"'%s' belongs to the prompt: 'ccache repl', or ccache repl -e '%s …'",
			name, name);
	else if (instead)
		err_set(err, ERR_USAGE, "unknown verb '%s'; %s", name, instead);
	else if (nearest)
		err_set(err, ERR_USAGE, "unknown verb '%s'; did you mean '%s'?", name, nearest);
	else if (count == ALL)
		err_set(err, ERR_USAGE, "unknown verb '%s'; 'help' lists the verbs", name);
	else
		err_set(err, ERR_USAGE, "unknown verb '%s'; 'ccache help' lists the verbs",
			name);
}

static void ambiguous(const char *name, size_t matches, size_t count, struct err *err)
{
	struct buf list = {0};
	size_t named = 0;

	for (size_t i = 0; i < count; i++) {
		if (strncmp(commands[i]->name, name, strlen(name)) != 0)
			continue;
		named++;
		buf_printf(&list, "%s'%s'",
			   named == 1         ? ""
			   : named == matches ? " or "
					      : ", ",
			   commands[i]->name);
	}
	err_set(err, ERR_USAGE, "verb '%s' may be %s", name, buf_str(&list));
	buf_release(&list);
}

const struct command *command_need(const char *name, bool in_session, struct err *err)
{
	const struct command *found = NULL;
	size_t count = in_session ? ALL : VERBS;
	size_t matches = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
		if (name[0] && strncmp(commands[i]->name, name, strlen(name)) == 0) {
			found = commands[i];
			matches++;
		}
	}
	if (matches == 1)
		return found;
	if (matches)
		ambiguous(name, matches, count, err);
	else
		unknown(name, count, err);
	return NULL;
}

enum exit_code exit_worst(enum exit_code a, enum exit_code b)
{
	/* the place of each code in the order 0 1 3 5 4 6 7 2 */
	static const int weight[] = {0, 1, 7, 2, 4, 3, 5, 6};

	return weight[a] >= weight[b] ? a : b;
}
