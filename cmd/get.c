#include "app.h"
#include "session.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/by_index.h"
#include "core/cache.h"
#include "core/envelope.h"
#include "core/namespace.h"
#include "core/tally.h"
#include "opt/opt.h"
#include "out/sink.h"
#include "out/view.h"

#include <stddef.h>
#include <stdlib.h>

struct get_options {
	bool meta;
	bool no_fetch;
	bool no_store;
	bool refresh;
};

#define AT(field) .offset = offsetof(struct get_options, field)

static const struct opt_row rows[] = {
    {.name = "meta",
     .type = OPT_FLAG,
     AT(meta),
     .help = "print an envelope: data, cacheHit, duration, ttl, degraded, stale"},
    {.name = "no-fetch",
     .type = OPT_FLAG,
     AT(no_fetch),
     .help = "only what is cached; exit 1 when it is not"},
    {.name = "no-store",
     .type = OPT_FLAG,
     AT(no_store),
     .help = "do not store what the source answers"},
    {.name = "refresh",
     .type = OPT_FLAG,
     AT(refresh),
     .help = "ask the source even when it is cached"},
    OPT_END,
};

static void print_value(struct app *app, const struct cache_answer *answer)
{
	out_view_value(app->out, &app->out_terminal, buf_bytes(&answer->value));
}

static void print_envelope(struct app *app, const struct ns *ns,
			   const struct cache_answer *answer)
{
	struct buf text = {0};

	envelope_print(&text, ns, answer);
	out_view_value(app->out, &app->out_terminal, buf_bytes(&text));
	buf_release(&text);
}

static enum exit_code conclude(struct app *app, const struct cache_query *query,
			       const struct cache_answer *answer)
{
	struct err err = {0};

	if (err_is_set(&answer->redis_error))
		app_warn(app, "%s; %s", answer->redis_error.text,
			 answer->degraded ? "the source answered"
			 : answer->stored ? "the value was stored"
					  : "the value was not stored");
	if (err_is_set(&answer->source_error)) {
		struct buf left = {0};

		num_format_duration_ms(&left, answer->ttl_ms);
		app_warn(app,
			 "%s; the cached value is served, which is older than its TTL (%s of "
			 "its grace are left)",
			 answer->source_error.text, buf_str(&left));
		buf_release(&left);
	}
	if (answer->result != CACHE_ABSENT)
		return EXIT_DONE;
	if (query->no_fetch) {
		app_info(app, "'%s' is not cached", buf_str(&answer->key));
		return EXIT_FOUND;
	}
	err_set(&err, ERR_ITEM,
		answer->degraded ? "'%s': the source has nothing there"
				 : "'%s' is not cached and the source has nothing there",
		buf_str(&answer->key));
	return app_fail(app, &err);
}

/* Only a string has a value that can be printed as it is. */
static int check_type(const struct ns *ns, struct err *err)
{
	if (ns->type == NS_STRING || ns->type == NS_ANY)
		return 0;
	return err_set(err, ERR_USAGE,
		       "get reads strings and '%s' is a %s; 'ccache inspect %s' shows it",
		       ns->name, ns_type_names[ns->type], ns->name);
}

/* Counts the read; failed is why cache_get gave up. */
static void count(struct app *app, const struct cache_query *query,
		  const struct cache_answer *answer, const struct err *failed)
{
	struct tally *tally = app_tally(app);
	const struct ns *ns = query->ns;

	if (answer->key.len == 0) /* no key was made: nothing was asked */
		return;
	if (answer->degraded || failed->kind == ERR_REDIS)
		tally_add(tally, ns, TALLY_GET_ERROR, 1);
	else if (!query->refresh)
		tally_add(tally, ns,
			  answer->result == CACHE_HIT ? TALLY_GET_HIT : TALLY_GET_MISS, 1);
	if (failed->kind == ERR_SOURCE || failed->kind == ERR_ITEM ||
	    err_is_set(&answer->source_error))
		tally_add(tally, ns, TALLY_FETCH_ERROR, 1);
	else if (answer->result == CACHE_FETCHED)
		tally_add(tally, ns, TALLY_FETCHED, 1);
	else if (answer->result == CACHE_ABSENT && !query->no_fetch && failed->kind == ERR_NONE)
		tally_add(tally, ns, TALLY_FETCH_ABSENT, 1);
	if (answer->stored)
		tally_add(tally, ns, TALLY_SET, 1);
	else if (answer->result == CACHE_FETCHED && err_is_set(&answer->redis_error) &&
		 !answer->degraded)
		tally_add(tally, ns, TALLY_SET_ERROR, 1);
	app_tally_flush(app);
}

/* For --log-level debug: "Hit: KEY (Hit ratio: 97.31%)", of all reads that were counted. */
static void log_read(struct app *app, const struct cache_query *query,
		     const struct cache_answer *answer)
{
	const char *what = answer->result == CACHE_HIT ? "Hit" : "Miss";
	size_t count = nsset_count(query->set) + 1;
	struct err err = {0};
	bool denied = false;

	if (app->messages.level > OUT_DEBUG || !query->redis || query->refresh ||
	    answer->degraded || answer->key.len == 0)
		return;
	struct tally_figures *figures = mem_zalloc(count, sizeof *figures);
	int status = tally_read(query->set, query->redis, NULL, 0, figures, &denied, &err);
	const uint64_t *counts = figures[query->ns->index].counts;
	uint64_t hits = counts[TALLY_GET_HIT];
	uint64_t reads = hits + counts[TALLY_GET_MISS];

	if (status == 0 && reads > 0)
		app_debug(app, "%s: %s (Hit ratio: %.2f%%)", what, buf_str(&answer->key),
			  100.0 * (double)hits / (double)reads);
	else
		app_debug(app, "%s: %s", what, buf_str(&answer->key));
	free(figures);
}

/* A question, and the answer of each of its parts. */
struct lookup {
	struct app *app;
	struct cache_query query;
	struct var vars[TEMPLATE_VARS_MAX];
	const struct ns *index; /* the words name its vars; NULL: the namespace's own */
	struct cache_answer by_index;
	struct cache_answer answer;
};

static int ask(const struct lookup *lookup, const struct cache_query *query,
	       struct cache_answer *answer, struct err *err)
{
	int status = cache_get(query, answer, err);

	count(lookup->app, query, answer, err);
	log_read(lookup->app, query, answer);
	return status;
}

/* What the index leads to; absent like the index itself. */
static int ask_by_index(struct lookup *lookup, bool refresh, struct err *err)
{
	struct cache_query first = lookup->query;
	struct cache_query second = lookup->query;
	struct var vars[TEMPLATE_VARS_MAX + 1];

	first.ns = lookup->index;
	first.refresh = refresh;
	int status = ask(lookup, &first, &lookup->by_index, err);
	if (status != 0 || lookup->by_index.result == CACHE_ABSENT) {
		lookup->answer = lookup->by_index;
		lookup->by_index = (struct cache_answer){0};
		return status;
	}
	second.vars = vars;
	second.var_count = 0;
	for (size_t i = 0; i < first.var_count; i++)
		if (template_var_index(second.ns->key, first.vars[i].name) >= 0)
			vars[second.var_count++] = first.vars[i];
	vars[second.var_count++] =
	    (struct var){bytes_of(lookup->index->holds), buf_bytes(&lookup->by_index.value)};
	return ask(lookup, &second, &lookup->answer, err);
}

static int look_up(struct lookup *lookup, struct err *err)
{
	const struct cache_query *query = &lookup->query;

	if (!lookup->index)
		return ask(lookup, query, &lookup->answer, err);
	int status = ask_by_index(lookup, query->refresh, err);
	/* a cached index that leads nowhere: where does the source say that it leads? */
	if (status == 0 && lookup->answer.result == CACHE_ABSENT && !query->no_fetch &&
	    lookup->by_index.result == CACHE_HIT && lookup->by_index.key.len) {
		cache_answer_release(&lookup->by_index);
		cache_answer_release(&lookup->answer);
		status = ask_by_index(lookup, true, err);
	}
	return status;
}

/* Which namespace, and which of its keys. */
static int parse(struct lookup *lookup, const struct opt_words *words, struct err *err)
{
	struct cache_query *query = &lookup->query;
	struct bytes *ids = app_words(lookup->app, words, 1);
	size_t count = words->count - 1;
	int status = nsset_need(query->set, bytes_of(words->items[0]), &query->ns, err);

	if (status == 0)
		status = check_type(query->ns, err);
	if (status == 0) {
		lookup->index = by_index_find(query->set, query->ns, ids, count);
		status = ns_parse_vars(lookup->index ? lookup->index : query->ns, ids, count,
				       false, lookup->vars, &query->var_count, err);
	}
	free(ids);
	return status;
}

static void show(struct app *app, const struct lookup *lookup, bool meta)
{
	const struct cache_answer *answer = &lookup->answer;
	bool index = lookup->index && lookup->by_index.key.len == 0;

	if (meta)
		print_envelope(app, index ? lookup->index : lookup->query.ns, answer);
	else if (answer->result != CACHE_ABSENT)
		print_value(app, answer);
}

static enum exit_code get_run(struct app *app, const void *values,
			      const struct opt_words *words)
{
	const struct get_options *options = values;
	struct lookup lookup = {
	    .app = app,
	    .query = {.set = app_namespaces(app),
		      .redis = app->redis_enabled ? app->redis : NULL,
		      .fetcher = app->fetcher,
		      .no_fetch = options->no_fetch,
		      .no_store = options->no_store || session_is_read_only(app),
		      .refresh = options->refresh}};
	const struct cache_answer *answer = &lookup.answer;
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	lookup.query.vars = lookup.vars;
	if (words->count == 0) {
		err_set(&err, ERR_USAGE,
			"get: name a namespace and its vars; see 'ccache help get'");
		goto out;
	}
	if (options->no_fetch && options->refresh) {
		err_set(&err, ERR_USAGE, "--no-fetch and --refresh exclude each other");
		goto out;
	}
	if (app_check_value_output(app, "get", &err) != 0 || parse(&lookup, words, &err) != 0 ||
	    look_up(&lookup, &err) != 0)
		goto out;
	show(app, &lookup, options->meta);
	if (err_is_set(&lookup.by_index.redis_error))
		app_warn(app, "%s", lookup.by_index.redis_error.text);
	code = conclude(app, &lookup.query, answer);
out:
	if (err_is_set(&err)) {
		if (answer->degraded) { /* neither answered: both are worth knowing */
			app_warn(app, "%s", answer->redis_error.text);
			code = EXIT_REDIS;
		}
		code = exit_worst(code, app_fail(app, &err));
	}
	cache_answer_release(&lookup.by_index);
	cache_answer_release(&lookup.answer);
	return code;
}

static const struct command_example examples[] = {
    {"ccache get call-logs 507f1f77bcf86cd799439011",
     "the value: from Redis, else from the source"},
    {"ccache get call-logs 507f1f77bcf86cd799439011 --meta",
     "with cacheHit, duration and remaining TTL"},
    {"ccache get lead phone=+17786528784 organizationId=b0c1 --no-fetch", "is it cached?"},
    {"ccache get call-session leadId=618dace3", "by way of the index of that lead"},
    {NULL, NULL},
};

const struct command command_get = {
    .name = "get",
    .summary = "read through the cache: Redis, else the source, stored on the way",
    .synopsis = "[--meta] [--no-fetch] [--no-store] [--refresh] NAMESPACE VARS…",
    .text =
	"VARS are name=value, or bare values in the order of the key template. The exact "
	"bytes\n"
	"go to standard output. When Redis is down or REDIS_ENABLED=false the source answers. "
	"Where an\n"
	"index leads into the namespace (index_of), its vars find the key as well.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct get_options),
    .words = WORDS_NAMESPACE,
    .max_words = 1 + TEMPLATE_VARS_MAX,
    .needs = NEEDS_CONFIG | NEEDS_REDIS_MAYBE | NEEDS_SOURCE,
    .run = get_run,
};
