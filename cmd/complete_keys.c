#include "complete_keys.h"

#include "app.h"
#include "session.h"

#include "base/buf.h"
#include "core/namespace.h"
#include "core/seen.h"
#include "opt/opt.h"
#include "out/edit.h"
#include "wire/redis.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

enum { BUDGET_MS = 100 };

static bool enough(void *ctx)
{
	(void)ctx;
	return out_edit_is_typing();
}

/*
 * The session's connection, opened if that takes no longer than a completion
 * may; NULL when there is none.
 */
static struct redis *connected(struct app *app)
{
	if (!app->redis_enabled)
		return NULL;
	if (!app->redis)
		app->redis = redis_new(&app->target, app->cancel);
	redis_set_haste(app->redis, BUDGET_MS);
	int status = redis_connect(app->redis, NULL);
	redis_set_haste(app->redis, 0);
	return status == 0 ? app->redis : NULL;
}

static struct seen_bounds bounds_of(const struct session *session)
{
	return (struct seen_bounds){.budget_ms = BUDGET_MS,
				    .enough = session->interactive ? enough : NULL,
				    .fd = session->interactive ? STDIN_FILENO : -1};
}

/* Candidates that share what stands before the value: "name=". */
struct offer {
	struct bytes head;
	struct out_candidates *list;
};

static void offer_value(void *ctx, struct bytes value)
{
	const struct offer *offer = ctx;
	struct buf whole = {0};

	if (memchr(value.ptr, '\0', value.len)) /* cannot be typed in every place */
		return;
	buf_add(&whole, offer->head);
	buf_add(&whole, value);
	out_candidates_add(offer->list, buf_bytes(&whole));
	buf_release(&whole);
}

/* The vars that words give: "name=value", or in the template's order. */
static size_t given_vars(const struct ns *ns, const struct opt_word *words, size_t count,
			 struct var *vars)
{
	size_t most = template_var_count(ns->key);
	bool named[TEMPLATE_VARS_MAX] = {false};
	size_t given = 0;

	for (size_t i = 0; i < count && given < most; i++) {
		struct bytes word = {words[i].ptr, words[i].len};
		size_t equals = bytes_index(word, '=');
		int index = equals < word.len
				? template_var_index(ns->key, bytes_sub(word, 0, equals))
				: -1;
		struct bytes value = bytes_sub(word, equals + 1, word.len);

		if (index < 0) {
			value = word;
			for (index = 0; index < (int)most && named[index];)
				index++;
			if (index == (int)most)
				break;
		}
		named[index] = true;
		vars[given++] =
		    (struct var){bytes_of(template_var_name(ns->key, (size_t)index)), value};
	}
	return given;
}

static bool is_given(const struct var *vars, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_equal_str(vars[i].name, name))
			return true;
	return false;
}

static void offer_names(const struct ns *ns, const struct var *vars, size_t count,
			struct bytes last, struct out_candidates *list)
{
	for (size_t i = 0; i < template_var_count(ns->key); i++) {
		const char *name = template_var_name(ns->key, i);
		struct buf text = {0};

		buf_printf(&text, "%s=", name);
		if (!is_given(vars, count, name) && bytes_starts_with(buf_bytes(&text), last)) {
			out_candidates_add(list, buf_bytes(&text));
			list->unfinished = true;
		}
		buf_release(&text);
	}
}

static void offer_values(struct session *session, const struct ns *ns, const struct var *vars,
			 size_t count, size_t index, struct bytes prefix,
			 const struct offer *offer)
{
	const struct seen_bounds bounds = bounds_of(session);

	seen_values(session->seen, connected(session->app), &bounds, ns, vars, count, index,
		    prefix, offer_value, (void *)offer);
}

/* "name=…" with one of the template's names: its values. False: it is none. */
static bool offer_named(struct session *session, const struct ns *ns, const struct var *vars,
			size_t count, struct bytes last, struct out_candidates *list)
{
	size_t equals = bytes_index(last, '=');
	int index =
	    equals < last.len ? template_var_index(ns->key, bytes_sub(last, 0, equals)) : -1;
	struct offer offer = {bytes_sub(last, 0, equals + 1), list};

	if (index < 0)
		return false;
	offer_values(session, ns, vars, count, (size_t)index,
		     bytes_sub(last, equals + 1, last.len), &offer);
	return true;
}

void complete_vars(struct session *session, const struct ns *ns, const struct opt_word *words,
		   size_t count, struct bytes last, struct out_candidates *ret_list)
{
	size_t most = template_var_count(ns->key);
	struct var vars[TEMPLATE_VARS_MAX];
	struct offer offer = {{NULL, 0}, ret_list};
	size_t index = 0;

	if (most == 0)
		return;
	/* Verbs that take many take whole sets of vars, one after the other. */
	size_t given = given_vars(ns, words + count / most * most, count % most, vars);
	if (offer_named(session, ns, vars, given, last, ret_list))
		return;
	while (index < most && is_given(vars, given, template_var_name(ns->key, index)))
		index++;
	if (index < most)
		offer_values(session, ns, vars, given, index, last, &offer);
	if (most > 1 || ret_list->count == 0)
		offer_names(ns, vars, given, last, ret_list);
}

void complete_var_names(const struct ns *ns, const struct opt_word *words, size_t count,
			struct out_candidates *ret_list)
{
	struct var vars[TEMPLATE_VARS_MAX];

	offer_names(ns, vars, given_vars(ns, words, count, vars), (struct bytes){"", 0},
		    ret_list);
}

void complete_assignments(struct session *session, const struct opt_word *words, size_t count,
			  struct bytes last, struct out_candidates *ret_list)
{
	const struct ns *ns = session->ns;

	for (size_t i = 0; i < count; i++) {
		const struct ns *named = nsset_find(app_namespaces(session->app),
						    (struct bytes){words[i].ptr, words[i].len});

		ns = named ? named : ns;
	}
	if (ns && !offer_named(session, ns, NULL, 0, last, ret_list))
		offer_names(ns, NULL, 0, last, ret_list);
}

void complete_keys(struct session *session, struct bytes last, struct out_candidates *ret_list)
{
	const struct seen_bounds bounds = bounds_of(session);
	struct offer offer = {{NULL, 0}, ret_list};

	seen_keys(session->seen, connected(session->app), &bounds, last, offer_value, &offer);
}

/* In capitals, as they are written; typed in either case. */
void complete_server_commands(struct session *session, struct bytes last,
			      struct out_candidates *ret_list)
{
	static const char *const usual[] = {
	    "CLIENT",  "CONFIG",    "COPY",    "DBSIZE",   "DEL",    "EXISTS", "EXPIRE",
	    "GET",     "HGET",      "HGETALL", "HLEN",     "HSCAN",  "INFO",   "KEYS",
	    "LATENCY", "LLEN",      "LRANGE",  "MEMORY",   "MGET",   "OBJECT", "PERSIST",
	    "PEXPIRE", "PING",      "PTTL",    "RENAME",   "SCAN",   "SCARD",  "SELECT",
	    "SET",     "SISMEMBER", "SLOWLOG", "SMEMBERS", "SSCAN",  "STRLEN", "TTL",
	    "TYPE",    "UNLINK",    "XINFO",   "XLEN",     "XRANGE", "ZCARD",  "ZRANGE",
	    "ZSCORE",
	};
	struct buf upper = {0};

	(void)session;
	for (size_t i = 0; i < last.len; i++)
		buf_add_char(&upper, (char)toupper((unsigned char)last.ptr[i]));
	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
		if (bytes_starts_with(bytes_of(usual[i]), buf_bytes(&upper)))
			out_candidates_add(ret_list, bytes_of(usual[i]));
	buf_release(&upper);
}
