#include "docgen.h"

#include "app.h"
#include "command.h"
#include "opt/opt.h"

#include <string.h>

void words_actions(struct buf *buf, const struct command *command)
{
	const char *separator = "";

	/* "check [FILE] | show | schema": the first word of each alternative */
	for (const char *at = command->synopsis; at; at = strstr(at, " | ")) {
		at += at == command->synopsis ? 0 : strlen(" | ");
		struct bytes rest = bytes_of(at);

		buf_printf(buf, "%s%.*s", separator, (int)bytes_index(rest, ' '), rest.ptr);
		separator = " ";
	}
}

bool words_file_action(const struct command *command, struct bytes *ret_action)
{
	const char *file = strstr(command->synopsis, "FILE");
	const char *start = command->synopsis;

	if (!file || command->words != WORDS_ACTION)
		return false;
	for (const char *at = start; (at = strstr(at, " | ")) && at < file; start = at)
		at += strlen(" | ");
	struct bytes rest = bytes_of(start);
	*ret_action = bytes_sub(rest, 0, bytes_index(rest, ' '));
	return true;
}

void words_settled(struct buf *buf, bool with_argument)
{
	for (const struct opt_row *row = app_global_rows; row->name; row++) {
		if (!(row->flags & OPT_SETTLED) || with_argument != (row->type != OPT_FLAG) ||
		    strcmp(row->name, "askpass") == 0)
			continue;
		buf_printf(buf, " --%s", row->name);
		if (row->letter)
			buf_printf(buf, " -%c", row->letter);
	}
}

bool words_hide(const struct command *command, const struct opt_row *global)
{
	for (const struct opt_row *row = command->rows; row && row->name; row++)
		if (strcmp(row->name, global->name) == 0)
			return true;
	return false;
}
