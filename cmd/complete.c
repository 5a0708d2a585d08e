#include "complete.h"

#include "app.h"
#include "complete_keys.h"
#include "session.h"
#include "typed.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/config.h"
#include "core/event.h"
#include "core/namespace.h"
#include "opt/opt.h"
#include "out/edit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SETS_MOST = 256 };

/* What is offered in place of the last word. */
struct asked {
	struct typed typed;
	struct out_candidates *list;
	bool known; /* only what needs no look into Redis */
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

static void offer_namespaces(const struct asked *asked)
{
	const struct nsset *set = app_namespaces(asked->typed.session->app);

	for (size_t i = 0; i < nsset_count(set); i++)
		offer(asked->list, asked->typed.last, nsset_at(set, i)->name);
}

static void offer_events(const struct asked *asked)
{
	struct event_set *set = event_set_new(asked->typed.session->app->config);

	for (size_t i = 0; i < event_set_count(set); i++)
		offer(asked->list, asked->typed.last, event_set_name(set, i));
	event_set_free(set);
}

/* Of "campaign/{campaignId}" what stands before the var. */
static void offer_sets(const struct asked *asked)
{
	struct bytes names[SETS_MOST];
	size_t count = config_set_names(asked->typed.session->app->config, names, SETS_MOST);

	for (size_t i = 0; i < count; i++) {
		struct bytes head = bytes_sub(names[i], 0, bytes_index(names[i], '{'));

		if (!bytes_starts_with(head, asked->typed.last))
			continue;
		out_candidates_add(asked->list, head);
		asked->list->unfinished |= head.len < names[i].len;
	}
}

/* --- options --- */

static void offer_rows(const struct asked *asked, const struct opt_row *rows)
{
	for (const struct opt_row *row = rows; row && row->name; row++) {
		struct buf name = {0};

		if (!typed_takes(row))
			continue;
		buf_printf(&name, "--%s", row->name);
		offer(asked->list, asked->typed.last, buf_str(&name));
		buf_clear(&name);
		buf_printf(&name, "--no-%s", row->name);
		if (row->flags & OPT_NEGATABLE)
			offer(asked->list, asked->typed.last, buf_str(&name));
		buf_release(&name);
	}
}

/* Values of an option, each behind what of the word stands before: "" or "--name=". */
static void offer_values(const struct asked *asked, const struct opt_row *row)
{
	for (size_t i = 0; row->type == OPT_CHOICE && row->choices[i]; i++)
		offer(asked->list, asked->typed.last, row->choices[i]);
	switch (row->complete) {
	case OPT_COMPLETE_NONE:
		break;
	case OPT_COMPLETE_FILE:
		asked->list->files = true;
		break;
	case OPT_COMPLETE_NAMESPACE:
		offer_namespaces(asked);
		break;
	case OPT_COMPLETE_PROFILE:
		for (size_t i = 0; i < config_profile_count(); i++)
			offer(asked->list, asked->typed.last, config_profile_name(i));
		break;
	case OPT_COMPLETE_KEY:
		if (!asked->known)
			complete_keys(asked->typed.session, asked->typed.last, asked->list);
		break;
	case OPT_COMPLETE_EVENT:
		offer_events(asked);
		break;
	case OPT_COMPLETE_SET:
		offer_sets(asked);
		break;
	case OPT_COMPLETE_VAR:
		if (!asked->known)
			complete_assignments(asked->typed.session, asked->typed.words,
					     asked->typed.count, asked->typed.last,
					     asked->list);
		break;
	}
}

/* "--output=js": the values, with what stands before them put in front again. */
static void offer_assigned(const struct asked *asked, size_t equals)
{
	const struct opt_row *row =
	    typed_row(&asked->typed, bytes_sub(asked->typed.last, 0, equals));
	struct bytes head = bytes_sub(asked->typed.last, 0, equals + 1);
	struct out_candidates values = {0};
	struct asked value = *asked;

	value.typed.last = bytes_sub(asked->typed.last, equals + 1, asked->typed.last.len);
	value.list = &values;
	if (row)
		offer_values(&value, row);
	for (size_t i = 0; i < values.count; i++) {
		struct buf whole = {0};

		buf_add(&whole, head);
		buf_add_str(&whole, values.items[i]);
		out_candidates_add(asked->list, buf_bytes(&whole));
		buf_release(&whole);
	}
	asked->list->files = values.files;
	asked->list->unfinished = values.unfinished;
	out_candidates_release(&values);
}

/* --- words --- */

/* "check [FILE] | show | schema": the first word of each alternative */
static void offer_actions(const struct asked *asked)
{
	for (const char *at = asked->typed.command->synopsis; at; at = strstr(at, " | ")) {
		at += at == asked->typed.command->synopsis ? 0 : strlen(" | ");
		struct bytes action = bytes_sub(bytes_of(at), 0, strcspn(at, " "));

		if (bytes_starts_with(action, asked->typed.last) &&
		    islower((unsigned char)action.ptr[0]))
			out_candidates_add(asked->list, action);
	}
}

/* A namespace, then its vars; behind `use NS` the vars may come at once. */
static void offer_subject(const struct asked *asked, const struct opt_word *words, size_t count)
{
	const struct session *session = asked->typed.session;
	const struct ns *ns = NULL;

	if (count > 0)
		ns = nsset_find(app_namespaces(session->app),
				(struct bytes){words[0].ptr, words[0].len});
	if (count == 0)
		offer_namespaces(asked);
	if (asked->known)
		return;
	if (ns && asked->typed.command->max_words > 1)
		complete_vars(asked->typed.session, ns, words + 1, count - 1, asked->typed.last,
			      asked->list);
	else if (!ns && session->ns && asked->typed.command->max_words > 1)
		complete_vars(asked->typed.session, session->ns, words, count,
			      asked->typed.last, asked->list);
}

/* `watch 2 stats`: what follows the options and the interval is a command line. */
static void offer_nested(const struct asked *asked)
{
	const struct typed *typed = &asked->typed;
	size_t at = typed_nested(typed);

	if (at > typed->count)
		return;
	if (strcmp(typed->command->name, "watch") == 0)
		complete_words(typed->session, typed->words + at, typed->count - at,
			       typed->last, asked->list);
	else if (at == typed->count)
		complete_server_commands(typed->session, typed->last, asked->list);
	else if (!asked->known)
		complete_keys(typed->session, typed->last, asked->list);
}

static void offer_word(const struct asked *asked)
{
	struct opt_word *plain = mem_zalloc(asked->typed.count + 1, sizeof *plain);
	size_t count = typed_plain_words(&asked->typed, plain);

	switch (asked->typed.command->words) {
	case WORDS_NONE:
		break;
	case WORDS_NAMESPACE:
		offer_subject(asked, plain, count);
		break;
	case WORDS_NAMESPACES:
		offer_namespaces(asked);
		break;
	case WORDS_VERB:
		if (count == 0)
			offer_verbs(asked->list, asked->typed.last,
				    asked->typed.session->app->session);
		break;
	case WORDS_ACTION:
		if (count == 0)
			offer_actions(asked);
		else
			asked->list->files = true;
		break;
	case WORDS_COMMAND:
		offer_nested(asked);
		break;
	}
	free(plain);
}

static void offer_all(const struct asked *asked)
{
	const struct typed *typed = &asked->typed;
	const struct opt_row *row = typed_awaited(typed);
	bool nested = typed->command->words == WORDS_COMMAND;
	size_t equals = bytes_index(typed->last, '=');

	if (row && !nested) {
		offer_values(asked, row);
	} else if (equals < typed->last.len && bytes_starts_with(typed->last, BYTES("--"))) {
		offer_assigned(asked, equals);
	} else if (typed->last.len && typed->last.ptr[0] == '-' && !nested) {
		offer_rows(asked, typed->command->rows);
		offer_rows(asked, app_global_rows);
	} else {
		offer_word(asked);
	}
}

static void complete(struct session *session, const struct opt_word *words, size_t count,
		     struct bytes last, bool known, struct out_candidates *list)
{
	struct asked asked = {.list = list, .known = known};

	if (count == 0)
		offer_verbs(list, last, true);
	else if (typed_begin(session, words, count, last, &asked.typed))
		offer_all(&asked);
}

void complete_words(struct session *session, const struct opt_word *words, size_t count,
		    struct bytes last, struct out_candidates *ret_list)
{
	complete(session, words, count, last, false, ret_list);
}

void complete_known(struct session *session, const struct opt_word *words, size_t count,
		    struct bytes last, struct out_candidates *ret_list)
{
	complete(session, words, count, last, true, ret_list);
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

	if (typed_split(line, &from, &typing) != 0)
		return;
	complete_words(session, typing.words, typing.count,
		       (struct bytes){typing.last.ptr, typing.last.len}, &words);
	/* The editor's word may begin later than ours, behind a quote or a '='. */
	size_t ours = from + typing.start;
	retype(&words, typing.quote, start > ours ? start - ours : 0, ret_list);
	out_candidates_release(&words);
	free(typing.words);
}
