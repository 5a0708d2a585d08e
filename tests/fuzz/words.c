/* A line as typed at the prompt: cut into commands and words, read as a verb's options; any
 * word is quoted so that it reads back. */
#include "fuzz.h"

#include "app.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "command.h"
#include "opt/opt.h"

#include <string.h>

static void reads_back(const struct opt_word *word)
{
	struct opt_word *again = NULL;
	struct buf quoted = {0};
	struct err err = {0};
	size_t count = 0;

	opt_quote_word(&quoted, word->ptr, word->len);
	EXPECT(opt_split_line(quoted.ptr, quoted.len, &again, &count, &err) == 0);
	EXPECT(count == 1 && again[0].len == word->len &&
	       memcmp(again[0].ptr, word->ptr, word->len) == 0);
	free(again);
	buf_release(&quoted);
}

static void options(const struct opt_word *words, size_t count)
{
	struct err err = {0};
	const struct command *command = command_need(words[0].ptr, true, &err);

	if (!command)
		return;
	char **argv = mem_zalloc(count, sizeof *argv);
	struct globals globals = {0};
	void *values = mem_zalloc(1, command->options_size + 1);
	struct opt_group groups[] = {{command->rows, values}, {app_global_rows, &globals}};
	struct opt_words left = {0};

	for (size_t i = 1; i < count; i++)
		argv[i - 1] = words[i].ptr;
	opt_defaults(command->rows, values);
	opt_defaults(app_global_rows, &globals);
	opt_parse(groups, 2, (int)count - 1, argv, command->words == WORDS_COMMAND, &left, NULL,
		  &err);
	opt_words_release(&left);
	opt_release(command->rows, values);
	opt_release(app_global_rows, &globals);
	free(values);
	free(argv);
}

FUZZ(words)
{
	char *line = mem_zalloc(1, input.len + 1);
	struct opt_typing typing = {0};

	if (input.len > 0)
		memcpy(line, input.ptr, input.len);
	for (size_t from = 0; from <= input.len;) {
		size_t end = opt_command_end(line, input.len, from);
		struct opt_word *words = NULL;
		struct err err = {0};
		size_t count = 0;

		EXPECT(end >= from && end <= input.len);
		if (opt_split_line(line + from, end - from, &words, &count, &err) == 0) {
			for (size_t i = 0; i < count; i++)
				reads_back(&words[i]);
			if (count > 0)
				options(words, count);
			free(words);
		}
		from = end + 1;
	}
	if (opt_split_typing(line, input.len, &typing) == 0)
		free(typing.words);
	free(line);
}
