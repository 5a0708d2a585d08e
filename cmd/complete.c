#include "complete.h"

#include "app.h"
#include "complete_keys.h"
#include "session.h"

#include "base/buf.h"
#include "core/config.h"
#include "core/event.h"
#include "core/namespace.h"
#include "opt/opt.h"
#include "out/edit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SETS_MOST = 256 };

/* A command line as far as it is typed. */
struct typed {
	struct session *session;
	const struct command *command;
	const struct opt_word *words; /* behind the verb, the last one not among them */
	size_t count;
	struct bytes last;
	struct out_candidates *list;
};

static void offer(struct out_candidates *list, struct bytes prefix, const char *word)
{
	if (bytes_starts_with(bytes_of(word), prefix))
		out_candidates_add(list, bytes_of(word));
}

static void offer_verbs(struct out_candidates *list, struct bytes prefix, bool in_session)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(i)); i++)
		offer(list, prefix, command->name);
	for (size_t i = 0; in_session && (command = command_in_session_at(i)); i++)
		offer(list, prefix, command->name);
}

static void offer_namespaces(const struct typed *typed)
{
	const struct nsset *set = app_namespaces(typed->session->app);

	for (size_t i = 0; i < nsset_count(set); i++)
		offer(typed->list, typed->last, nsset_at(set, i)->name);
}

static void offer_events(const struct typed *typed)
{
	struct event_set *set = event_set_new(typed->session->app->config);

	for (size_t i = 0; i < event_set_count(set); i++)
		offer(typed->list, typed->last, event_set_name(set, i));
	event_set_free(set);
}

/* Of "campaign/{campaignId}" what stands before the var. */
static void offer_sets(const struct typed *typed)
{
	struct bytes names[SETS_MOST];
	size_t count = config_set_names(typed->session->app->config, names, SETS_MOST);

	for (size_t i = 0; i < count; i++) {
		struct bytes head = bytes_sub(names[i], 0, bytes_index(names[i], '{'));

		if (!bytes_starts_with(head, typed->last))
			continue;
		out_candidates_add(typed->list, head);
		typed->list->unfinished |= head.len < names[i].len;
	}
}

/* --- options --- */

/* A session's line takes no option that is settled; one that stands there is not offered. */
static bool is_open(const struct opt_row *row)
{
	return !(row->flags & OPT_SETTLED);
}

static const struct opt_row *row_named(const struct typed *typed, struct bytes name)
{
	const struct opt_row *const lists[] = {typed->command->rows, app_global_rows};

	for (size_t i = 0; i < 2; i++)
		for (const struct opt_row *row = lists[i]; row && row->name; row++)
			if (bytes_equal_str(name, row->name))
				return row;
	return NULL;
}

static const struct opt_row *row_lettered(const struct typed *typed, char letter)
{
	const struct opt_row *const lists[] = {typed->command->rows, app_global_rows};

	for (size_t i = 0; i < 2; i++)
		for (const struct opt_row *row = lists[i]; row && row->name; row++)
			if (row->letter && row->letter == letter)
				return row;
	return NULL;
}

/* The row whose argument stands behind word, or NULL. */
static const struct opt_row *awaits(const struct typed *typed, const struct opt_word *word)
{
	const struct opt_row *row = NULL;
	struct bytes text = {word->ptr, word->len};

	if (bytes_starts_with(text, BYTES("--")))
		row = row_named(typed, bytes_sub(text, 2, text.len));
	else if (text.len >= 2 && text.ptr[0] == '-')
		row = row_lettered(typed, text.ptr[text.len - 1]);
	return row && row->type != OPT_FLAG && !(row->flags & OPT_OPTIONAL) ? row : NULL;
}

static void offer_rows(const struct typed *typed, const struct opt_row *rows)
{
	for (const struct opt_row *row = rows; row && row->name; row++) {
		struct buf name = {0};

		if (!is_open(row))
			continue;
		buf_printf(&name, "--%s", row->name);
		offer(typed->list, typed->last, buf_str(&name));
		buf_clear(&name);
		buf_printf(&name, "--no-%s", row->name);
		if (row->flags & OPT_NEGATABLE)
			offer(typed->list, typed->last, buf_str(&name));
		buf_release(&name);
	}
}

/* Values of an option, each behind what of the word stands before: "" or "--name=". */
static void offer_values(const struct typed *typed, const struct opt_row *row)
{
	for (size_t i = 0; row->type == OPT_CHOICE && row->choices[i]; i++)
		offer(typed->list, typed->last, row->choices[i]);
	switch (row->complete) {
	case OPT_COMPLETE_NONE:
		break;
	case OPT_COMPLETE_FILE:
		typed->list->files = true;
		break;
	case OPT_COMPLETE_NAMESPACE:
		offer_namespaces(typed);
		break;
	case OPT_COMPLETE_PROFILE:
		for (size_t i = 0; i < config_profile_count(); i++)
			offer(typed->list, typed->last, config_profile_name(i));
		break;
	case OPT_COMPLETE_KEY:
		complete_keys(typed->session, typed->last, typed->list);
		break;
	case OPT_COMPLETE_EVENT:
		offer_events(typed);
		break;
	case OPT_COMPLETE_SET:
		offer_sets(typed);
		break;
	case OPT_COMPLETE_VAR:
		complete_assignments(typed->session, typed->words, typed->count, typed->last,
				     typed->list);
		break;
	}
}

/* "--output=js": the values, with what stands before them put in front again. */
static void offer_assigned(const struct typed *typed, size_t equals)
{
	const struct opt_row *row = row_named(typed, bytes_sub(typed->last, 2, equals - 2));
	struct bytes head = bytes_sub(typed->last, 0, equals + 1);
	struct out_candidates values = {0};
	struct typed value = *typed;

	value.last = bytes_sub(typed->last, equals + 1, typed->last.len);
	value.list = &values;
	if (row)
		offer_values(&value, row);
	for (size_t i = 0; i < values.count; i++) {
		struct buf whole = {0};

		buf_add(&whole, head);
		buf_add_str(&whole, values.items[i]);
		out_candidates_add(typed->list, buf_bytes(&whole));
		buf_release(&whole);
	}
	typed->list->files = values.files;
	typed->list->unfinished = values.unfinished;
	out_candidates_release(&values);
}

/* --- words --- */

/* Whether word is one of an option's: the option itself, or its argument. Moves *at behind. */
static bool skip_option(const struct typed *typed, size_t *at)
{
	const struct opt_word *word = &typed->words[*at];

	if (word->len < 2 || word->ptr[0] != '-')
		return false;
	*at += awaits(typed, word) ? 2 : 1;
	return true;
}

/* The words that are no options, into list (room for count); returns how many. */
static size_t plain_words(const struct typed *typed, struct opt_word *list)
{
	size_t count = 0;

	for (size_t at = 0; at < typed->count;)
		if (!skip_option(typed, &at))
			list[count++] = typed->words[at++];
	return count;
}

/* "check [FILE] | show | schema": the first word of each alternative */
static void offer_actions(const struct typed *typed)
{
	for (const char *at = typed->command->synopsis; at; at = strstr(at, " | ")) {
		at += at == typed->command->synopsis ? 0 : strlen(" | ");
		struct bytes action = bytes_sub(bytes_of(at), 0, strcspn(at, " "));

		if (bytes_starts_with(action, typed->last) &&
		    islower((unsigned char)action.ptr[0]))
			out_candidates_add(typed->list, action);
	}
}

/* A namespace, then its vars; behind `use NS` the vars may come at once. */
static void offer_subject(const struct typed *typed, const struct opt_word *words, size_t count)
{
	const struct session *session = typed->session;
	const struct ns *ns = NULL;

	if (count > 0)
		ns = nsset_find(app_namespaces(session->app),
				(struct bytes){words[0].ptr, words[0].len});
	if (count == 0)
		offer_namespaces(typed);
	if (ns && typed->command->max_words > 1)
		complete_vars(typed->session, ns, words + 1, count - 1, typed->last,
			      typed->list);
	else if (!ns && session->ns && typed->command->max_words > 1)
		complete_vars(typed->session, session->ns, words, count, typed->last,
			      typed->list);
}

/* `watch 2 stats`: what follows the options and the interval is a command line. */
static void offer_nested(const struct typed *typed)
{
	size_t at = 0;

	while (at < typed->count && skip_option(typed, &at))
		;
	if (at < typed->count && strcmp(typed->command->name, "watch") == 0 &&
	    isdigit((unsigned char)typed->words[at].ptr[0]))
		at++;
	if (at > typed->count)
		return;
	if (strcmp(typed->command->name, "watch") == 0)
		complete_words(typed->session, typed->words + at, typed->count - at,
			       typed->last, typed->list);
	else if (at < typed->count)
		complete_keys(typed->session, typed->last, typed->list);
	else
		complete_server_commands(typed->session, typed->last, typed->list);
}

static void offer_word(const struct typed *typed)
{
	struct opt_word *plain = calloc(typed->count + 1, sizeof *plain);
	size_t count = plain ? plain_words(typed, plain) : 0;

	switch (typed->command->words) {
	case WORDS_NONE:
		break;
	case WORDS_NAMESPACE:
		offer_subject(typed, plain, count);
		break;
	case WORDS_NAMESPACES:
		offer_namespaces(typed);
		break;
	case WORDS_VERB:
		if (count == 0)
			offer_verbs(typed->list, typed->last, typed->session->app->session);
		break;
	case WORDS_ACTION:
		if (count == 0)
			offer_actions(typed);
		else
			typed->list->files = true;
		break;
	case WORDS_COMMAND:
		offer_nested(typed);
		break;
	}
	free(plain);
}

void complete_words(struct session *session, const struct opt_word *words, size_t count,
		    struct bytes last, struct out_candidates *ret_list)
{
	struct typed typed = {.session = session, .last = last, .list = ret_list};
	size_t equals = bytes_index(last, '=');

	if (count == 0) {
		offer_verbs(ret_list, last, true);
		return;
	}
	typed.command = command_need(words[0].ptr, true, NULL);
	if (!typed.command)
		return;
	typed.words = words + 1;
	typed.count = count - 1;
	const struct opt_row *row =
	    typed.count ? awaits(&typed, &typed.words[typed.count - 1]) : NULL;
	if (row && typed.command->words != WORDS_COMMAND) {
		offer_values(&typed, row);
	} else if (equals < last.len && bytes_starts_with(last, BYTES("--"))) {
		offer_assigned(&typed, equals);
	} else if (last.len && last.ptr[0] == '-' && typed.command->words != WORDS_COMMAND) {
		offer_rows(&typed, typed.command->rows);
		offer_rows(&typed, app_global_rows);
	} else {
		offer_word(&typed);
	}
}

/* --- a line --- */

/* As it must be typed: quoted where it must be, or on inside the quote that is open. */
static void put_typed(struct buf *text, const char *word, char quote)
{
	size_t len = strlen(word);

	if (quote == '\'') {
		buf_printf(text, "'%s", word);
	} else if (quote == '"') {
		struct buf quoted = {0};

		opt_quote_word(&quoted, word, len);
		if (quoted.len && quoted.ptr[0] == '"')
			quoted.len--; /* the editor closes it */
		else
			buf_add_char(text, '"');
		buf_add(text, buf_bytes(&quoted));
		buf_release(&quoted);
	} else {
		opt_quote_word(text, word, len);
	}
}

static void retype(struct out_candidates *from, char quote, size_t skip,
		   struct out_candidates *ret_list)
{
	for (size_t i = 0; i < from->count; i++) {
		struct buf text = {0};

		put_typed(&text, from->items[i], quote);
		out_candidates_add(ret_list, bytes_sub(buf_bytes(&text), skip, text.len));
		buf_release(&text);
	}
	ret_list->files = from->files;
	ret_list->unfinished = from->unfinished && from->count == 1;
}

void complete_line(void *ctx, struct bytes line, size_t start, struct out_candidates *ret_list)
{
	struct session *session = ctx;
	struct out_candidates words = {0};
	struct opt_typing typing = {0};
	size_t from = 0;

	for (size_t end; (end = opt_command_end(line.ptr, line.len, from)) < line.len;)
		from = end + 1;
	struct bytes command = bytes_sub(line, from, line.len);
	if (opt_split_typing(command.ptr, command.len, &typing) != 0)
		return;
	complete_words(session, typing.words, typing.count,
		       (struct bytes){typing.last.ptr, typing.last.len}, &words);
	/* The editor's word may begin later than ours, behind a quote or a '='. */
	size_t ours = from + typing.start;
	retype(&words, typing.quote, start > ours ? start - ours : 0, ret_list);
	out_candidates_release(&words);
	free(typing.words);
}
