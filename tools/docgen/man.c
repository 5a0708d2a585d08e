#include "docgen.h"

#include "app.h"
#include "command.h"
#include "opt/opt.h"

#include <ctype.h>
#include <string.h>

void man_verbs(struct buf *buf, const char *detail)
{
	const struct command *command;

	(void)detail;
	for (size_t i = 0; (command = command_at(i)); i++) {
		bool has_page = strcmp(command->name, "help") != 0;

		buf_printf(buf, ".It Cm %s\n%s.\n", command->name, command->summary);
		if (has_page)
			buf_printf(buf, "See\n.Xr ccache-%s 1 .\n", command->name);
	}
}

void man_globals(struct buf *buf, const char *detail)
{
	(void)detail;
	opt_mdoc(buf, app_global_rows);
}

void man_options(struct buf *buf, const char *verb)
{
	const struct command *command = command_need(verb, false, NULL);

	if (!command->rows || !command->rows[0].name) {
		buf_add_str(buf, "It has none of its own.\n");
		return;
	}
	buf_add_str(buf, ".Bl -tag -width Ds\n");
	opt_mdoc(buf, command->rows);
	buf_add_str(buf, ".El\n");
}

/* One word of a synopsis: an option, an argument (upper case) or a word as it is. */
static void put_word(struct buf *buf, struct bytes word)
{
	static const struct bytes dots = BYTES("…");
	size_t equals = bytes_index(word, '=');
	bool repeated = word.len > dots.len &&
			bytes_equal(bytes_sub(word, word.len - dots.len, dots.len), dots);

	if (repeated)
		word.len -= dots.len;
	if (equals < word.len)
		buf_printf(buf, "Ar %.*s Ns = Ns Ar %.*s", (int)equals, word.ptr,
			   BYTES_ARG(bytes_sub(word, equals + 1, word.len)));
	else if (word.ptr[0] == '-')
		buf_printf(buf, "Fl %.*s", BYTES_ARG(bytes_sub(word, 1, word.len)));
	else
		buf_printf(buf, "%s %.*s", isupper((unsigned char)word.ptr[0]) ? "Ar" : "Cm",
			   BYTES_ARG(word));
	if (repeated)
		buf_add_str(buf, " ...");
}

/* A word with the brackets that cling to it; a line's outermost bracket is an .Op. */
static void put_token(struct buf *buf, struct bytes token, unsigned *depth)
{
	size_t opened = 0;
	size_t closed = 0;

	while (opened < token.len && token.ptr[opened] == '[')
		opened++;
	while (closed < token.len - opened && token.ptr[token.len - 1 - closed] == ']')
		closed++;
	struct bytes word = bytes_sub(token, opened, token.len - opened - closed);

	buf_add_str(buf, *depth ? " " : ".");
	for (size_t i = 0; i < opened; i++)
		buf_add_str(buf, (*depth)++ ? "Oo " : "Op ");
	if (bytes_equal_str(word, "|"))
		buf_add_char(buf, '|');
	else
		put_word(buf, word);
	for (size_t i = 0; i < closed; i++)
		if (--*depth)
			buf_add_str(buf, " Oc");
	if (*depth == 0)
		buf_add_char(buf, '\n');
}

void man_synopsis(struct buf *buf, const char *verb)
{
	struct bytes rest = bytes_of(command_need(verb, false, NULL)->synopsis);
	unsigned depth = 0;

	buf_printf(buf, ".Nm ccache %s\n", verb);
	while (rest.len) {
		struct bytes token = bytes_sub(rest, 0, bytes_index(rest, ' '));

		rest = bytes_sub(rest, token.len + 1, rest.len);
		if (depth == 0 && bytes_equal_str(token, "|"))
			buf_printf(buf, ".Nm ccache %s\n", verb);
		else
			put_token(buf, token, &depth);
	}
}

/* A sentence a line, as mdoc has it. */
static void put_text(struct buf *buf, const char *text)
{
	for (; *text; text++) {
		bool sentence = *text == ' ' && text[-1] == '.';

		buf_add_char(buf, sentence || *text == '\n' ? '\n' : *text);
	}
	buf_add_char(buf, '\n');
}

static void put_session_command(struct buf *buf, const struct command *command)
{
	struct bytes rest = bytes_of(command->synopsis);
	unsigned depth = 0;

	buf_printf(buf, ".It Xo\n.Cm %s\n", command->name);
	while (rest.len) {
		struct bytes token = bytes_sub(rest, 0, bytes_index(rest, ' '));

		rest = bytes_sub(rest, token.len + 1, rest.len);
		if (depth == 0 && bytes_equal_str(token, "|"))
			buf_add_str(buf, ".No \\&|\n");
		else
			put_token(buf, token, &depth);
	}
	buf_add_str(buf, ".Xc\n");
	buf_printf(buf, "%c%s.\n", toupper((unsigned char)command->summary[0]),
		   command->summary + 1);
	put_text(buf, command->text);
	if (!command->rows[0].name)
		return;
	buf_add_str(buf, ".Bl -tag -width Ds\n");
	opt_mdoc(buf, command->rows);
	buf_add_str(buf, ".El\n");
}

void man_session(struct buf *buf, const char *detail)
{
	const struct command *command;

	(void)detail;
	buf_add_str(buf, ".Bl -tag -width Ds\n");
	for (size_t i = 0; (command = command_in_session_at(i)); i++)
		put_session_command(buf, command);
	buf_add_str(buf, ".El\n");
}
