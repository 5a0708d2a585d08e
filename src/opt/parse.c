#include "opt/opt.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "opt/value.h"

#include <stdlib.h>
#include <string.h>

/* A long name that may stand on the command line, "no-NAME" included. */
struct spelling {
	const char *name;
	const struct opt_row *row;
	void *values;
	bool negated;
};

struct parser {
	const struct opt_group *groups;
	size_t group_count;
	int argc;
	char **argv;
	int at; /* of the word being read */
	struct spelling *spellings;
	size_t spelling_count;
	struct mem_arena names;
	struct err *err;
};

enum { PARSE_ERROR = -1, PARSE_OK, PARSE_HELP };

static const struct spelling *find_exact(const struct parser *parser, struct bytes name)
{
	for (size_t i = 0; i < parser->spelling_count; i++) {
		if (bytes_equal_str(name, parser->spellings[i].name))
			return &parser->spellings[i];
	}
	return NULL;
}

static void add_spelling(struct parser *parser, struct spelling spelling)
{
	if (find_exact(parser, bytes_of(spelling.name)))
		return;
	parser->spellings = mem_resize(parser->spellings, parser->spelling_count + 1,
				       sizeof *parser->spellings);
	parser->spellings[parser->spelling_count++] = spelling;
}

static void collect_spellings(struct parser *parser)
{
	for (size_t g = 0; g < parser->group_count; g++) {
		void *values = parser->groups[g].values;

		for (const struct opt_row *row = parser->groups[g].rows; row->name; row++)
			add_spelling(parser, (struct spelling){row->name, row, values, false});
	}
	for (size_t i = 0, count = parser->spelling_count; i < count; i++) {
		struct spelling spelling = parser->spellings[i];

		if (!(spelling.row->flags & OPT_NEGATABLE))
			continue;
		spelling.name = mem_arena_printf(&parser->names, "no-%s", spelling.name);
		spelling.negated = true;
		add_spelling(parser, spelling);
	}
}

static int refuse_unknown(const struct parser *parser, struct bytes name)
{
	const char **names = mem_zalloc(parser->spelling_count + 1, sizeof *names);

	for (size_t i = 0; i < parser->spelling_count; i++)
		names[i] = parser->spellings[i].name;
	const char *nearest = text_nearest(name, names, parser->spelling_count);
	if (nearest)
		err_set(parser->err, ERR_USAGE, "unknown option '--%.*s'; did you mean '--%s'?",
			BYTES_ARG(name), nearest);
	else
		err_set(parser->err, ERR_USAGE, "unknown option '--%.*s'", BYTES_ARG(name));
	free(names);
	return PARSE_ERROR;
}

static int refuse_ambiguous(const struct parser *parser, struct bytes name)
{
	struct buf list = {0};

	for (size_t i = 0; i < parser->spelling_count; i++) {
		if (bytes_starts_with(bytes_of(parser->spellings[i].name), name))
			buf_printf(&list, "%s--%s", list.len ? ", " : "",
				   parser->spellings[i].name);
	}
	err_set(parser->err, ERR_USAGE, "'--%.*s' may be %s: write more of it", BYTES_ARG(name),
		buf_str(&list));
	buf_release(&list);
	return PARSE_ERROR;
}

/* The spelling that name is, or is the only prefix of; NULL with the error set. */
static const struct spelling *find_long(const struct parser *parser, struct bytes name)
{
	const struct spelling *found = find_exact(parser, name);
	size_t matches = 0;

	if (found)
		return found;
	for (size_t i = 0; i < parser->spelling_count; i++) {
		if (bytes_starts_with(bytes_of(parser->spellings[i].name), name)) {
			found = &parser->spellings[i];
			matches++;
		}
	}
	if (matches == 1)
		return found;
	if (matches == 0)
		refuse_unknown(parser, name);
	else
		refuse_ambiguous(parser, name);
	return NULL;
}

static const struct spelling *find_letter(const struct parser *parser, char letter)
{
	for (size_t i = 0; i < parser->spelling_count; i++) {
		if (!parser->spellings[i].negated && parser->spellings[i].row->letter == letter)
			return &parser->spellings[i];
	}
	return NULL;
}

static int store(struct parser *parser, const struct spelling *option, const char *spelled,
		 char *text)
{
	int status = opt_value_set(option->row, option->values, spelled, text, parser->err);

	if (option->row->flags & OPT_SECRET)
		mem_wipe(text, strlen(text));
	return status;
}

static int store_bare(struct parser *parser, const struct spelling *option, const char *spelled)
{
	const struct opt_row *row = option->row;
	const char *text = row->type != OPT_FLAG ? row->choices[0]
			   : option->negated     ? "false"
						 : "true";

	return opt_value_set(row, option->values, spelled, text, parser->err);
}

static bool takes_no_word(const struct opt_row *row)
{
	return row->type == OPT_FLAG || row->flags & OPT_OPTIONAL;
}

/* The argument in the word that follows; parser->at ends on it. */
static int store_next_word(struct parser *parser, const struct spelling *option,
			   const char *spelled)
{
	if (parser->at + 1 >= parser->argc)
		return err_set(parser->err, ERR_USAGE, "%s needs a value: %s %s", spelled,
			       spelled, option->row->arg);
	return store(parser, option, spelled, parser->argv[++parser->at]);
}

static int read_long(struct parser *parser, char *body)
{
	char *equals = strchr(body, '=');
	struct bytes name = {body, equals ? (size_t)(equals - body) : strlen(body)};
	const struct spelling *option = find_long(parser, name);

	if (!option)
		return PARSE_ERROR;
	const char *spelled = mem_arena_printf(&parser->names, "--%s", option->name);
	if (equals && option->row->type == OPT_FLAG)
		return err_set(parser->err, ERR_USAGE, "%s takes no value", spelled);
	if (equals)
		return store(parser, option, spelled, equals + 1);
	if (takes_no_word(option->row))
		return store_bare(parser, option, spelled);
	return store_next_word(parser, option, spelled);
}

/* "-timeout" is read as letters, but was meant as "--timeout". */
static int refuse_letter(const struct parser *parser, char letter, const char *cluster)
{
	struct bytes name = bytes_sub(bytes_of(cluster), 0, strcspn(cluster, "="));

	if (name.len > 1 && find_exact(parser, name))
		return err_set(parser->err, ERR_USAGE,
			       "unknown option '-%c'; did you mean '--%.*s'?", letter,
			       BYTES_ARG(name));
	return err_set(parser->err, ERR_USAGE,
		       "unknown option '-%c' (a word that begins with '-' goes behind '--')",
		       letter);
}

static int read_letters(struct parser *parser, char *cluster)
{
	for (char *at = cluster; *at; at++) {
		const struct spelling *option = find_letter(parser, *at);
		const char spelled[] = {'-', *at, '\0'};

		if (!option)
			return refuse_letter(parser, *at, cluster);
		if (takes_no_word(option->row)) {
			if (store_bare(parser, option, spelled) < 0)
				return PARSE_ERROR;
			continue;
		}
		if (at[1])
			return store(parser, option, spelled, at + 1);
		if (option->row->flags & OPT_LONE_HELP && parser->at + 1 == parser->argc)
			return PARSE_HELP;
		return store_next_word(parser, option, spelled);
	}
	return PARSE_OK;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

static void add_word(struct opt_words *words, char *word)
{
	words->items = mem_resize(words->items, words->count + 1, sizeof *words->items);
	words->items[words->count++] = word;
}

static int read_words(struct parser *parser, bool stop_at_word, struct opt_words *words)
{
	int status = PARSE_OK;
	bool ended = false; /* by "--" */

	for (; parser->at < parser->argc && status == PARSE_OK; parser->at++) {
		char *word = parser->argv[parser->at];

		if (stop_at_word && (ended || !is_option(word)))
			break;
		if (ended || !is_option(word))
			add_word(words, word);
		else if (strcmp(word, "--") == 0)
			ended = true;
		else if (word[1] == '-')
			status = read_long(parser, word + 2);
		else
			status = read_letters(parser, word + 1);
	}
	return status;
}

int opt_parse(const struct opt_group *groups, size_t group_count, int argc, char **argv,
	      bool stop_at_word, struct opt_words *ret_words, int *ret_used, struct err *err)
{
	struct parser parser = {.groups = groups,
				.group_count = group_count,
				.argc = argc,
				.argv = argv,
				.err = err};
	struct opt_words words = {0};

	collect_spellings(&parser);
	int status = read_words(&parser, stop_at_word, &words);
	if (status == PARSE_OK && ret_words) {
		*ret_words = words;
		words = (struct opt_words){0};
	}
	if (status == PARSE_OK && ret_used)
		*ret_used = parser.at;
	opt_words_release(&words);
	free(parser.spellings);
	mem_arena_release(&parser.names);
	return status;
}

void opt_words_release(struct opt_words *words)
{
	free(words->items);
	*words = (struct opt_words){0};
}

void opt_words_view(struct opt_words *words, char *const *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_word(words, items[i]);
}

void opt_words_insert(struct opt_words *words, const char *word)
{
	add_word(words, NULL);
	memmove(words->items + 1, words->items, (words->count - 1) * sizeof *words->items);
	words->items[0] = (char *)word;
}

const struct opt_row *opt_given(const struct opt_row *rows, const void *values, unsigned flags)
{
	for (const struct opt_row *row = rows; row && row->name; row++)
		if (row->flags & flags && !row->fallback && opt_value_given(row, values))
			return row;
	return NULL;
}

void opt_defaults(const struct opt_row *rows, void *values)
{
	for (const struct opt_row *row = rows; row->name; row++) {
		opt_value_unset(row, values);
		if (row->fallback &&
		    opt_value_set(row, values, row->name, row->fallback, NULL) < 0)
			abort();
	}
}

void opt_release(const struct opt_row *rows, void *values)
{
	for (const struct opt_row *row = rows; row->name; row++)
		opt_value_release(row, values);
}
