#include "invalidate.h"

#include "app.h"

#include "base/err.h"
#include "base/text.h"
#include "core/namespace.h"
#include "core/selection.h"
#include "where.h"

#include <stdlib.h>

void invalidate_choice_release(struct invalidate_choice *choice)
{
	inspect_filter_release(&choice->filter);
	keylist_release(&choice->named);
}

/* Ids of one namespace: each is one key. */
static int choose_ids(struct app *app, struct invalidate_choice *choice, const struct ns *ns,
		      const struct bytes *ids, size_t count, struct err *err)
{
	struct selection *selection = NULL;
	struct var vars[TEMPLATE_VARS_MAX];
	struct buf key = {0};
	size_t var_count = 0;
	int status = selection_from_words(ns, ids, count, &selection, err);

	if (status != 0)
		return -1;
	while (status == 0) {
		enum selection_status next = selection_next(selection, vars, &var_count, err);

		if (next == SELECTION_END)
			break;
		buf_clear(&key);
		status = next == SELECTION_ITEM
			     ? ns_expand(app_namespaces(app), ns, vars, var_count, &key, err)
			     : -1;
		keylist_add(&choice->named, buf_bytes(&key));
		choice->star = choice->star || bytes_index(buf_bytes(&key), '*') < key.len;
	}
	buf_release(&key);
	selection_free(selection);
	choice->ns = ns;
	choice->target.named = &choice->named;
	return status;
}

static int choose_filter(struct app *app, struct invalidate_choice *choice,
			 const struct invalidate_options *options, const struct ns *ns,
			 struct err *err)
{
	struct var vars[TEMPLATE_VARS_MAX];
	struct buf glob = {0};
	size_t count = 0;

	if (ns && where_parse(ns, &options->where, vars, &count, err) != 0)
		return -1;
	if (options->match) {
		buf_add(&glob, app_bytes(app, options->match));
	} else if (options->tag && !ns) {
		buf_add_str(&glob, "*{");
		text_glob_escape(&glob, app_bytes(app, options->tag));
		buf_add_str(&glob, "}*");
	} else if (!ns) {
		buf_add_char(&glob, '*');
	}
	choice->target.filter = &choice->filter;
	choice->ns = ns;
	int status = inspect_filter_init(&choice->filter, app_namespaces(app), ns, vars, count,
					 buf_bytes(&glob), err);
	buf_release(&glob);
	return status;
}

static bool has_condition(const struct invalidate_options *options)
{
	return options->older_ms != OPT_UNSET || options->ttl_below_ms != OPT_UNSET ||
	       options->ttl_above_ms != OPT_UNSET;
}

static int choose_namespace(struct app *app, struct invalidate_choice *choice,
			    const struct invalidate_options *options,
			    const struct opt_words *words, struct err *err)
{
	bool wide = options->all || options->everything || options->where.count > 0 ||
		    options->match || options->tag;
	const struct ns *ns = NULL;

	if (nsset_need_or_key(app_namespaces(app), app_bytes(app, words->items[0]), &ns, err) !=
	    0)
		return -1;
	if (wide && words->count > 1)
		return err_set(err, ERR_USAGE, "--%s and ids exclude each other",
			       options->all          ? "all"
			       : options->everything ? "everything"
			       : options->match      ? "match"
			       : options->tag        ? "tag"
						     : "where");
	if (!wide && words->count == 1 && template_var_count(ns->key) > 0 &&
	    !has_condition(options))
		return err_set(err, ERR_USAGE,
			       "invalidate %s: name ids, or --where VAR=VALUE, or --all for "
			       "every key of the namespace",
			       ns->name);
	if (wide || (words->count == 1 && template_var_count(ns->key) > 0))
		return choose_filter(app, choice, options, ns, err);
	struct bytes *ids = app_words(app, words, 1);
	int status = choose_ids(app, choice, ns, ids, words->count - 1, err);
	free(ids);
	return status;
}

static int choose_named(struct app *app, struct invalidate_choice *choice,
			const struct invalidate_options *options, struct err *err)
{
	choice->target.named = &choice->named;
	for (size_t i = 0; i < options->keys.count; i++)
		keylist_add(&choice->named, app_bytes(app, options->keys.items[i]));
	if (!options->keys_file)
		return 0;
	return keylist_read(&choice->named, options->keys_file, options->nul ? '\0' : '\n',
			    choice->target.max_keys, err);
}

/* What would take everything needs --everything; a catch-all that a namespace bounds does not.
 */
static int check_wide(const struct app *app, const struct invalidate_options *options,
		      bool has_ns, struct err *err)
{
	if (options->everything)
		return 0;
	if (options->tag && app_bytes(app, options->tag).len == 0)
		return err_set(err, ERR_USAGE, "--tag: it is empty");
	if (options->match && !has_ns &&
	    invalidate_is_catch_all(app_bytes(app, options->match)))
		return err_set(err, ERR_REFUSED,
			       "--match '%s' would match every key of the database; name a "
			       "namespace instead, or say --everything",
			       options->match);
	if (!has_ns && !options->match && !options->tag && has_condition(options))
		return err_set(
		    err, ERR_REFUSED,
		    "a TTL or an age alone chooses from every key of the database: "
		    "name a namespace, --match or --tag besides, or say --everything");
	return 0;
}

/* 0 for one kind of subject; the others do not go together. */
static int check_kinds(const struct invalidate_options *options, bool has_ns, struct err *err)
{
	bool named = options->keys.count > 0 || options->keys_file;
	bool found = options->match || options->tag || options->everything;

	if (options->nul && !options->keys_file)
		return err_set(err, ERR_USAGE, "-0 goes with --keys");
	if (named && (has_ns || found))
		return err_set(err, ERR_USAGE,
			       "invalidate: --key and --keys name keys; a namespace, --match, "
			       "--tag and --everything do not go with them");
	if (!has_ns && (options->all || options->where.count))
		return err_set(err, ERR_USAGE, "--%s goes with a namespace",
			       options->all ? "all" : "where");
	if (!has_ns && !named && !found && !has_condition(options))
		return err_set(err, ERR_USAGE,
			       "invalidate: name a namespace with ids, or --key, --keys, "
			       "--match or --tag");
	return 0;
}

static uint64_t or_any(uint64_t ms)
{
	return ms == OPT_UNSET ? 0 : ms;
}

int invalidate_choose(struct app *app, struct invalidate_choice *choice,
		      const struct invalidate_options *options, const struct opt_words *words,
		      struct err *err)
{
	bool has_ns = words->count > 0;

	choice->target = (struct invalidate_target){
	    .set = app_namespaces(app),
	    .only = {.ttl_below_ms = or_any(options->ttl_below_ms),
		     .ttl_above_ms = or_any(options->ttl_above_ms),
		     .older_ms = or_any(options->older_ms),
		     .tag =
			 options->tag ? app_bytes(app, options->tag) : (struct bytes){NULL, 0}},
	    .max_keys = options->max_keys != OPT_UNSET ? options->max_keys
			: options->everything          ? INVALIDATE_ANY
						       : INVALIDATE_MAX_KEYS,
	    .referrers = !options->no_relations};
	if (check_kinds(options, has_ns, err) != 0 ||
	    check_wide(app, options, has_ns, err) != 0)
		return -1;
	if (has_ns)
		return choose_namespace(app, choice, options, words, err);
	if (options->keys.count > 0 || options->keys_file)
		return choose_named(app, choice, options, err);
	return choose_filter(app, choice, options, NULL, err);
}
