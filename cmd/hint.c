#include "hint.h"

#include "app.h"
#include "complete.h"
#include "complete_keys.h"
#include "session.h"
#include "typed.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "opt/opt.h"
#include "out/edit.h"

#include <stdlib.h>
#include <string.h>

static void put_word(struct buf *hint, const char *word)
{
	buf_printf(hint, "%s%s", hint->len ? " " : "", word);
}

/* The names that may stand in place of the last word, but for one that does. */
static void put_names(struct buf *hint, const struct out_candidates *list, struct bytes last)
{
	for (size_t i = 0; i < list->count; i++)
		if (!bytes_equal_str(last, list->items[i]))
			put_word(hint, list->items[i]);
}

static void hint_names(struct session *session, const struct opt_word *words, size_t count,
		       struct bytes last, struct buf *hint)
{
	struct out_candidates list = {0};

	complete_known(session, words, count, last, &list);
	put_names(hint, &list, last);
	out_candidates_release(&list);
}

/* "inspect" is told what follows it, "insp" also what it is short for. */
static void hint_verb(struct session *session, struct bytes last, struct buf *hint)
{
	const struct command *command = last.len ? command_need(last.ptr, true, NULL) : NULL;

	if (!last.len)
		return;
	if (!command) {
		hint_names(session, NULL, 0, last, hint);
		return;
	}
	if (!bytes_equal_str(last, command->name))
		put_word(hint, command->name);
	if (command->synopsis[0])
		put_word(hint, command->synopsis);
}

/* --- options --- */

static void put_argument(struct buf *hint, const struct opt_row *row)
{
	if (row->type == OPT_CHOICE)
		for (size_t i = 0; row->choices[i]; i++)
			buf_printf(hint, "%s%s",
				   i           ? "|"
				   : hint->len ? " "
					       : "",
				   row->choices[i]);
	else if (row->arg)
		put_word(hint, row->arg);
	buf_printf(hint, "%s%s", hint->len ? "  " : "", row->help);
}

/* Behind an option that wants an argument, or "--name=". */
static void hint_argument(const struct typed *typed, const struct opt_row *row, bool begun,
			  struct buf *hint)
{
	if (begun)
		hint_names(typed->session, typed->words - 1, typed->count + 1, typed->last,
			   hint);
	else if (row && typed_takes(row))
		put_argument(hint, row);
}

/* "--limit" and "-n" are told what they take, "--li" also what it is short for. */
static void hint_option(const struct typed *typed, struct buf *hint)
{
	struct out_candidates list = {0};
	const struct opt_row *row = typed_row(typed, typed->last);

	complete_known(typed->session, typed->words - 1, typed->count + 1, typed->last, &list);
	if (!row && list.count == 1) {
		row = typed_row(typed, bytes_of(list.items[0]));
		put_word(hint, list.items[0]);
	}
	if (row && typed_takes(row))
		put_argument(hint, row);
	else if (list.count > 1)
		put_names(hint, &list, typed->last);
	out_candidates_release(&list);
}

/* --- words --- */

/* The names of the vars that words leave open. */
static void put_open_vars(struct buf *hint, const struct typed *typed, const struct ns *ns,
			  const struct opt_word *words, size_t count)
{
	size_t most = template_var_count(ns->key);
	bool many = typed->command->max_words == (size_t)-1;
	struct out_candidates list = {0};

	if (most == 0 || (count >= most && !many))
		return;
	/* Verbs that take many take whole sets of vars; one that is whole needs no hint. */
	size_t whole = count / most * most;
	if (count == 0 || whole < count || typed->last.len == 0)
		complete_var_names(ns, words + whole, count - whole, &list);
	for (size_t i = 0; i < list.count; i++) {
		list.items[i][strcspn(list.items[i], "=")] = '\0';
		put_word(hint, list.items[i]);
	}
	out_candidates_release(&list);
}

/* A namespace, then its vars; behind `use NS` the vars at once. False: neither. */
static bool hint_vars(const struct typed *typed, const struct opt_word *plain, size_t count,
		      struct buf *hint)
{
	const struct nsset *set = app_namespaces(typed->session->app);
	const struct ns *ns =
	    count ? nsset_find(set, (struct bytes){plain[0].ptr, plain[0].len}) : NULL;
	size_t skip = ns ? 1 : 0;

	if (!ns && (count || typed->last.len == 0))
		ns = typed->session->ns;
	if (!ns)
		return false;
	if (typed->command->max_words > 1)
		put_open_vars(hint, typed, ns, plain + skip, count - skip);
	return true;
}

static void hint_word(const struct typed *typed, struct buf *hint)
{
	struct opt_word *plain = mem_zalloc(typed->count + 1, sizeof *plain);
	size_t before = typed_plain_words(typed, plain);
	size_t count = before;
	bool begun = typed->last.len > 0;

	if (begun)
		plain[count++] = (struct opt_word){(char *)typed->last.ptr, typed->last.len};
	if (typed->command->words == WORDS_NAMESPACE && hint_vars(typed, plain, count, hint))
		;
	else if (begun)
		hint_names(typed->session, typed->words - 1, typed->count + 1, typed->last,
			   hint);
	else if (before == 0 && typed->command->max_words > 0)
		put_word(hint, typed->command->synopsis);
	free(plain);
}

static void hint_words(struct session *session, const struct opt_word *words, size_t count,
		       struct bytes last, struct buf *hint)
{
	struct typed typed;
	size_t equals = bytes_index(last, '=');

	if (count == 0) {
		hint_verb(session, last, hint);
		return;
	}
	if (!typed_begin(session, words, count, last, &typed))
		return;
	bool dashed = last.len && last.ptr[0] == '-';
	const struct opt_row *row = typed_awaited(&typed);
	size_t nested = typed_nested(&typed);
	if (typed.command->words == WORDS_COMMAND && nested <= typed.count &&
	    strcmp(typed.command->name, "watch") == 0 && (nested < typed.count || last.len))
		hint_words(session, typed.words + nested, typed.count - nested, last, hint);
	else if (row)
		hint_argument(&typed, row, last.len > 0, hint);
	else if (dashed && equals < last.len)
		hint_argument(&typed, typed_row(&typed, bytes_sub(last, 0, equals)),
			      equals + 1 < last.len, hint);
	else if (dashed)
		hint_option(&typed, hint);
	else
		hint_word(&typed, hint);
}

void hint_line(void *ctx, struct bytes line, struct buf *ret_hint)
{
	struct opt_typing typing = {0};
	size_t from = 0;

	if (typed_split(line, &from, &typing) != 0)
		return;
	if (!typing.last.len || typing.last.ptr[0] != '#' || typing.count)
		hint_words(ctx, typing.words, typing.count,
			   (struct bytes){typing.last.ptr, typing.last.len}, ret_hint);
	free(typing.words);
}
