#include "docgen.h"

#include "app.h"
#include "command.h"
#include "core/config.h"
#include "opt/opt.h"

static void put_quoted(struct buf *buf, const char *text)
{
	buf_add_char(buf, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buf_add_char(buf, '\\');
		buf_add_char(buf, *text);
	}
	buf_add_char(buf, '\'');
}

/* -r: an argument follows; -f: which is no file; -F: which is one. */
static void put_argument(struct buf *buf, const struct opt_row *row)
{
	if (row->type == OPT_FLAG || row->flags & OPT_OPTIONAL)
		return;
	if (row->complete == OPT_COMPLETE_FILE) {
		buf_add_str(buf, " -r -F");
		return;
	}
	buf_add_str(buf, " -x");
	if (row->complete == OPT_COMPLETE_NAMESPACE) {
		buf_add_str(buf, " -a '(__ccache_namespaces)'");
	} else if (row->complete == OPT_COMPLETE_KEY || row->complete == OPT_COMPLETE_VAR ||
		   row->complete == OPT_COMPLETE_EVENT || row->complete == OPT_COMPLETE_SET) {
		buf_add_str(buf, " -a '(__ccache_dynamic)'");
	} else if (row->type == OPT_CHOICE) {
		for (size_t i = 0; row->choices[i]; i++)
			buf_printf(buf, "%s%s", i ? " " : " -a '", row->choices[i]);
		buf_add_char(buf, '\'');
	} else if (row->complete == OPT_COMPLETE_PROFILE) {
		for (size_t i = 0; i < config_profile_count(); i++)
			buf_printf(buf, "%s%s", i ? " " : " -a '", config_profile_name(i));
		buf_add_char(buf, '\'');
	}
}

static void put_row(struct buf *buf, const struct opt_row *row, const char *condition)
{
	buf_add_str(buf, "complete -c ccache");
	if (condition[0])
		buf_printf(buf, " -n '%s'", condition);
	buf_printf(buf, " -l %s", row->name);
	if (row->letter)
		buf_printf(buf, " -s %c", row->letter);
	put_argument(buf, row);
	buf_add_str(buf, " -d ");
	put_quoted(buf, row->help);
	buf_add_char(buf, '\n');
	if (row->flags & OPT_NEGATABLE)
		buf_printf(buf, "complete -c ccache -n '%s' -l no-%s\n",
			   condition[0] ? condition : "true", row->name);
}

static void put_globals(struct buf *buf)
{
	const struct command *command;

	for (const struct opt_row *row = app_global_rows; row->name; row++) {
		struct buf condition = {0};

		for (size_t i = 0; (command = command_at(i)); i++)
			if (words_hide(command, row))
				buf_printf(&condition, "%s %s",
					   condition.len ? "" : "not __ccache_verb_is",
					   command->name);
		put_row(buf, row, buf_str(&condition));
		buf_release(&condition);
	}
}

static void put_words(struct buf *buf, const struct command *command)
{
	struct buf offer = {0};
	struct bytes action;

	switch (command->words) {
	case WORDS_NONE:
	case WORDS_COMMAND:
		break;
	case WORDS_NAMESPACES:
		buf_printf(
		    buf,
		    "complete -c ccache -n '__ccache_past %s' -a '(__ccache_namespaces)'\n",
		    command->name);
		buf_add_str(&offer, "(__ccache_namespaces)");
		break;
	case WORDS_NAMESPACE:
		buf_printf(buf,
			   "complete -c ccache -n '__ccache_past %s' -a '(__ccache_dynamic)'\n",
			   command->name);
		buf_add_str(&offer, "(__ccache_namespaces)");
		break;
	case WORDS_VERB:
		buf_add_str(&offer, "$__ccache_verbs");
		break;
	case WORDS_ACTION:
		words_actions(&offer, command);
	}
	if (offer.len)
		buf_printf(buf, "complete -c ccache -n '__ccache_word %s 0' -a '%s'\n",
			   command->name, buf_str(&offer));
	if (words_file_action(command, &action))
		buf_printf(buf, "complete -c ccache -n '__ccache_word %s 1 %.*s' -F\n",
			   command->name, BYTES_ARG(action));
	buf_release(&offer);
}

static void put_with_argument(struct buf *buf, const struct opt_row *rows)
{
	for (const struct opt_row *row = rows; row && row->name; row++) {
		if (row->type == OPT_FLAG || row->flags & OPT_OPTIONAL)
			continue;
		buf_printf(buf, " --%s", row->name);
		if (row->letter)
			buf_printf(buf, " -%c", row->letter);
	}
}

static void put_verb(struct buf *buf, const struct command *command)
{
	struct buf condition = {0};

	buf_printf(buf, "\ncomplete -c ccache -n 'not __ccache_verb' -a %s -d ", command->name);
	put_quoted(buf, command->summary);
	buf_add_char(buf, '\n');
	put_words(buf, command);
	buf_printf(&condition, "__ccache_verb_is %s", command->name);
	for (const struct opt_row *row = command->rows; row && row->name; row++)
		put_row(buf, row, buf_str(&condition));
	buf_release(&condition);
}

void fish_tables(struct buf *buf, const char *detail)
{
	const struct command *command;

	(void)detail;
	buf_add_str(buf, "set -g __ccache_verbs");
	for (size_t i = 0; (command = command_at(i)); i++)
		buf_printf(buf, " %s", command->name);
	buf_add_str(buf, "\n# which choose the server and the configuration\n"
			 "set -g __ccache_settled");
	words_settled(buf, true);
	buf_add_str(buf, "\nset -g __ccache_settled_flags");
	words_settled(buf, false);
	buf_add_str(buf, "\nset -g __ccache_with_argument");
	put_with_argument(buf, app_global_rows);
	for (size_t i = 0; (command = command_at(i)); i++)
		put_with_argument(buf, command->rows);
	buf_add_str(buf, "\n\ncomplete -c ccache -f\n");
	put_globals(buf);
	for (size_t i = 0; (command = command_at(i)); i++)
		put_verb(buf, command);
}
