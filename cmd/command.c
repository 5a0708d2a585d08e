#include "command.h"

#include "base/err.h"
#include "base/text.h"

#include <string.h>

#define COMMAND(name) extern const struct command command_##name;
#include "commands.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "commands.def"
#undef COMMAND
    NULL,
};

const struct command *command_at(size_t index)
{
	return index < sizeof commands / sizeof commands[0] ? commands[index] : NULL;
}

static void unknown(const char *name, struct err *err)
{
	const char *names[sizeof commands / sizeof commands[0]];
	size_t count = 0;

	for (; commands[count]; count++)
		names[count] = commands[count]->name;
	const char *nearest = text_nearest(bytes_of(name), names, count);
	if (nearest)
		err_set(err, ERR_USAGE, "unknown verb '%s'; did you mean '%s'?", name, nearest);
	else
		err_set(err, ERR_USAGE, "unknown verb '%s'; 'ccache help' lists the verbs",
			name);
}

const struct command *command_need(const char *name, struct err *err)
{
	const struct command *found = NULL;
	const struct command *second = NULL;

	for (const struct command *const *at = commands; *at; at++) {
		if (strcmp((*at)->name, name) == 0)
			return *at;
		if (name[0] && strncmp((*at)->name, name, strlen(name)) == 0) {
			second = found;
			found = *at;
		}
	}
	if (found && !second)
		return found;
	if (found)
		err_set(err, ERR_USAGE, "verb '%s' may be '%s' or '%s'", name, second->name,
			found->name);
	else
		unknown(name, err);
	return NULL;
}

enum exit_code exit_worst(enum exit_code a, enum exit_code b)
{
	/* the place of each code in the order 0 1 3 5 4 6 7 2 */
	static const int weight[] = {0, 1, 7, 2, 4, 3, 5, 6};

	return weight[a] >= weight[b] ? a : b;
}
