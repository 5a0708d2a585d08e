#include "docgen.h"

#include "app.h"
#include "command.h"
#include "core/config.h"
#include "opt/opt.h"

/* Text inside '…' where special is escaped with a backslash, as _arguments wants it. */
static void put_text(struct buf *buf, const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_add_str(buf, "'\\'");
		for (const char *at = special; *at; at++)
			if (*at == *text)
				buf_add_char(buf, '\\');
		buf_add_char(buf, *text);
	}
}

/* ":FORMAT:(table json …)" */
static void put_argument(struct buf *buf, const struct opt_row *row)
{
	if (row->type == OPT_FLAG)
		return;
	buf_printf(buf, "%s:%s:", row->flags & OPT_OPTIONAL ? ":" : "", row->arg);
	if (row->type == OPT_CHOICE) {
		for (size_t i = 0; row->choices[i]; i++)
			buf_printf(buf, "%s%s", i ? " " : "(", row->choices[i]);
		buf_add_char(buf, ')');
	} else if (row->complete == OPT_COMPLETE_FILE) {
		buf_add_str(buf, "_files");
	} else if (row->complete == OPT_COMPLETE_NAMESPACE) {
		buf_add_str(buf, "_ccache_namespaces");
	} else if (row->complete == OPT_COMPLETE_KEY || row->complete == OPT_COMPLETE_VAR ||
		   row->complete == OPT_COMPLETE_EVENT || row->complete == OPT_COMPLETE_SET) {
		buf_add_str(buf, "_ccache_dynamic");
	} else if (row->complete == OPT_COMPLETE_PROFILE) {
		for (size_t i = 0; i < config_profile_count(); i++)
			buf_printf(buf, "%s%s", i ? " " : "(", config_profile_name(i));
		buf_add_char(buf, ')');
	} else {
		buf_add_char(buf, ' '); /* anything; without it zsh would offer files */
	}
}

/* One spelling: '(-o --output)--output=[how…]:FORMAT:(…)' */
static void put_spec(struct buf *buf, const struct opt_row *row, const char *spelled)
{
	bool is_long = spelled[1] == '-';

	buf_add_str(buf, "\t\t'");
	if (row->type == OPT_LIST)
		buf_add_char(buf, '*');
	else if (row->letter)
		buf_printf(buf, "(-%c --%s)", row->letter, row->name);
	buf_add_str(buf, spelled);
	if (row->type != OPT_FLAG)
		buf_add_str(buf, is_long ? "=" : "+");
	buf_add_char(buf, '[');
	put_text(buf, row->help, "[]\\");
	buf_add_char(buf, ']');
	put_argument(buf, row);
	buf_add_str(buf, "'\n");
}

static void put_row(struct buf *buf, const struct opt_row *row)
{
	char letter[3] = {'-', row->letter, '\0'};
	struct buf name = {0};

	if (row->letter)
		put_spec(buf, row, letter);
	buf_printf(&name, "--%s", row->name);
	put_spec(buf, row, buf_str(&name));
	if (row->flags & OPT_NEGATABLE) {
		buf_clear(&name);
		buf_printf(&name, "--no-%s", row->name);
		put_spec(buf, row, buf_str(&name));
	}
	buf_release(&name);
}

static void put_words(struct buf *buf, const struct command *command)
{
	struct bytes action;

	switch (command->words) {
	case WORDS_NONE:
	case WORDS_COMMAND:
		return;
	case WORDS_NAMESPACE:
		buf_add_str(buf, "\t\t'1:namespace:_ccache_namespaces'\n"
				 "\t\t'*:var or id:_ccache_dynamic'\n");
		return;
	case WORDS_NAMESPACES:
		buf_add_str(buf, "\t\t'*:namespace:_ccache_namespaces'\n");
		return;
	case WORDS_VERB:
		buf_add_str(buf, "\t\t'1:verb:_ccache_verbs'\n");
		return;
	case WORDS_ACTION:
		buf_add_str(buf, "\t\t'1:action:(");
		words_actions(buf, command);
		buf_add_str(buf, ")'\n");
		if (words_file_action(command, &action))
			buf_printf(buf, "\t\t'2:file:{[[ ${words[2]} == %.*s ]] && _files}'\n",
				   BYTES_ARG(action));
	}
}

static void put_verb(struct buf *buf, const struct command *command)
{
	buf_printf(buf, "\t%s)\n\t\tspecs=(\n", command->name);
	put_words(buf, command);
	for (const struct opt_row *row = command->rows; row && row->name; row++)
		put_row(buf, row);
	buf_add_str(buf, "\t\t)\n");
	for (const struct opt_row *row = app_global_rows; row->name; row++)
		if (words_hide(command, row))
			buf_printf(buf, "\t\tglobals=(${globals:#(|\\(*\\))--%s[=[]*})\n",
				   row->name);
	buf_add_str(buf, "\t\t;;\n");
}

void zsh_tables(struct buf *buf, const char *detail)
{
	const struct command *command;

	(void)detail;
	buf_add_str(buf,
		    "# which choose the server and the configuration\n"
		    "typeset -ga _ccache_settled _ccache_settled_flags\n_ccache_settled=(");
	words_settled(buf, true);
	buf_add_str(buf, " )\n_ccache_settled_flags=(");
	words_settled(buf, false);
	buf_add_str(buf, " )\n\n");
	buf_add_str(buf, "_ccache_verbs() {\n\tlocal -a verbs\n\tverbs=(\n"); /* NAME:SUMMARY */
	for (size_t i = 0; (command = command_at(i)); i++) {
		buf_printf(buf, "\t\t'%s:", command->name);
		put_text(buf, command->summary, ":\\");
		buf_add_str(buf, "'\n");
	}
	buf_add_str(buf, "\t)\n\t_describe -t verbs verb verbs\n}\n\n"
			 "# what every verb takes, into globals\n"
			 "_ccache_globals() {\n\tglobals=(\n");
	for (const struct opt_row *row = app_global_rows; row->name; row++)
		put_row(buf, row);
	buf_add_str(buf, "\t)\n}\n\n# what VERB takes besides, into specs; hides what it "
			 "redefines\n_ccache_specs() {\n\tcase $1 in\n");
	for (size_t i = 0; (command = command_at(i)); i++)
		put_verb(buf, command);
	buf_add_str(buf, "\tesac\n}\n");
}
