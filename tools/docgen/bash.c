#include "docgen.h"

#include "app.h"
#include "command.h"
#include "core/config.h"
#include "opt/opt.h"

static void put_names(struct buf *buf, const struct opt_row *rows)
{
	for (const struct opt_row *row = rows; row && row->name; row++) {
		buf_printf(buf, " --%s", row->name);
		if (row->flags & OPT_NEGATABLE)
			buf_printf(buf, " --no-%s", row->name);
		if (row->letter)
			buf_printf(buf, " -%c", row->letter);
	}
}

/* "kind words": what _ccache_offer does for the option's argument. */
static void put_offer(struct buf *buf, const struct opt_row *row)
{
	static const char *const kinds[] = {[OPT_COMPLETE_NONE] = "any",
					    [OPT_COMPLETE_FILE] = "file",
					    [OPT_COMPLETE_NAMESPACE] = "namespace",
					    [OPT_COMPLETE_PROFILE] = "words",
					    [OPT_COMPLETE_KEY] = "dynamic",
					    [OPT_COMPLETE_EVENT] = "dynamic",
					    [OPT_COMPLETE_SET] = "dynamic",
					    [OPT_COMPLETE_VAR] = "dynamic"};

	if (row->type != OPT_CHOICE) {
		buf_add_str(buf, kinds[row->complete]);
		for (size_t i = 0;
		     row->complete == OPT_COMPLETE_PROFILE && i < config_profile_count(); i++)
			buf_printf(buf, " %s", config_profile_name(i));
		return;
	}
	buf_add_str(buf, "words");
	for (size_t i = 0; row->choices[i]; i++)
		buf_printf(buf, " %s", row->choices[i]);
}

/* Flags and arguments that may be left out take no word behind them. */
static bool takes_word(const struct opt_row *row)
{
	return row->type != OPT_FLAG && !(row->flags & OPT_OPTIONAL);
}

static void put_arguments(struct buf *buf, const char *verb, const struct opt_row *rows)
{
	for (const struct opt_row *row = rows; row && row->name; row++) {
		if (!takes_word(row)) {
			if (verb[0] != '*')
				buf_printf(buf, "\t%s:--%s) return 1 ;;\n", verb, row->name);
			continue;
		}
		buf_printf(buf, "\t%s:--%s", verb, row->name);
		if (row->letter)
			buf_printf(buf, " | %s:-%c", verb, row->letter);
		buf_add_str(buf, ") echo '");
		put_offer(buf, row);
		buf_add_str(buf, "' ;;\n");
	}
}

static void put_words(struct buf *buf, const struct command *command)
{
	struct bytes action;

	switch (command->words) {
	case WORDS_NONE:
	case WORDS_COMMAND:
		return;
	case WORDS_NAMESPACE:
		buf_printf(buf,
			   "\t%s:0:*) echo namespace ;;\n"
			   "\t%s:[1-9]*) echo dynamic ;;\n",
			   command->name, command->name);
		return;
	case WORDS_NAMESPACES:
		buf_printf(buf, "\t%s:*) echo namespace ;;\n", command->name);
		return;
	case WORDS_VERB:
		buf_printf(buf, "\t%s:0:*) echo \"words $_ccache_verbs\" ;;\n", command->name);
		return;
	case WORDS_ACTION:
		buf_printf(buf, "\t%s:0:*) echo 'words ", command->name);
		words_actions(buf, command);
		buf_add_str(buf, "' ;;\n");
		if (words_file_action(command, &action))
			buf_printf(buf, "\t%s:1:%.*s) echo file ;;\n", command->name,
				   BYTES_ARG(action));
	}
}

void bash_tables(struct buf *buf, const char *detail)
{
	const struct command *command;

	(void)detail;
	buf_add_str(buf, "_ccache_verbs='");
	for (size_t i = 0; (command = command_at(i)); i++)
		buf_printf(buf, "%s%s", i ? " " : "", command->name);
	buf_add_str(buf,
		    "'\n# which choose the server and the configuration\n_ccache_settled='");
	words_settled(buf, true);
	buf_add_str(buf, "'\n_ccache_settled_flags='");
	words_settled(buf, false);
	buf_add_str(buf, "'\n\n# the options of VERB\n_ccache_options() {\n\techo '");
	put_names(buf, app_global_rows);
	buf_add_str(buf, "'\n\tcase $1 in\n");
	for (size_t i = 0; (command = command_at(i)); i++)
		if (command->rows && command->rows[0].name) {
			buf_printf(buf, "\t%s) echo '", command->name);
			put_names(buf, command->rows);
			buf_add_str(buf, "' ;;\n");
		}
	buf_add_str(buf, "\tesac\n}\n\n# VERB:OPTION → what its argument may be; fails "
			 "when it takes none\n_ccache_argument() {\n\tcase $1 in\n");
	for (size_t i = 0; (command = command_at(i)); i++)
		put_arguments(buf, command->name, command->rows);
	put_arguments(buf, "*", app_global_rows);
	buf_add_str(
	    buf, "\t*) return 1 ;;\n\tesac\n}\n\n# VERB:N:FIRST → what its word number N may "
		 "be\n_ccache_word() {\n\tcase $1 in\n");
	for (size_t i = 0; (command = command_at(i)); i++)
		put_words(buf, command);
	buf_add_str(buf, "\tesac\n}\n");
}
