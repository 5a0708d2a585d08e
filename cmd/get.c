#include "app.h"
#include "session.h"

#include "base/buf.h"
#include "base/err.h"
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
     .help = "print an envelope: data, cacheHit, duration, ttl, degraded"},
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
			 answer->degraded ? "the source answered" : "the value was not stored");
	if (answer->result != CACHE_ABSENT)
		return EXIT_DONE;
	if (query->no_fetch) {
		app_info(app, "'%s' is not cached", buf_str(&answer->key));
		return EXIT_FOUND;
	}
	err_set(&err, ERR_ITEM, "'%s' is not cached and the source has nothing there",
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
	if (failed->kind == ERR_SOURCE || failed->kind == ERR_ITEM)
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

static enum exit_code get_run(struct app *app, const void *values,
			      const struct opt_words *words)
{
	const struct get_options *options = values;
	struct bytes *ids = app_words(app, words, 1);
	struct var vars[TEMPLATE_VARS_MAX];
	struct cache_query query = {.set = app_namespaces(app),
				    .vars = vars,
				    .redis = app->redis_enabled ? app->redis : NULL,
				    .fetcher = app->fetcher,
				    .no_fetch = options->no_fetch,
				    .no_store = options->no_store || session_is_read_only(app),
				    .refresh = options->refresh};
	struct cache_answer answer = {0};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (words->count == 0) {
		err_set(&err, ERR_USAGE,
			"get: name a namespace and its vars; see 'ccache help get'");
		goto out;
	}
	if (options->no_fetch && options->refresh) {
		err_set(&err, ERR_USAGE, "--no-fetch and --refresh exclude each other");
		goto out;
	}
	if (app_check_value_output(app, "get", &err) != 0 ||
	    nsset_need(query.set, bytes_of(words->items[0]), &query.ns, &err) != 0 ||
	    check_type(query.ns, &err) != 0 ||
	    ns_parse_vars(query.ns, ids, words->count - 1, false, vars, &query.var_count,
			  &err) != 0)
		goto out;
	int status = cache_get(&query, &answer, &err);
	count(app, &query, &answer, &err);
	if (status != 0)
		goto out;
	if (options->meta)
		print_envelope(app, query.ns, &answer);
	else if (answer.result != CACHE_ABSENT)
		print_value(app, &answer);
	code = conclude(app, &query, &answer);
out:
	if (err_is_set(&err)) {
		if (answer.degraded) { /* neither answered: both are worth knowing */
			app_warn(app, "%s", answer.redis_error.text);
			code = EXIT_REDIS;
		}
		code = exit_worst(code, app_fail(app, &err));
	}
	cache_answer_release(&answer);
	free(ids);
	return code;
}

static const struct command_example examples[] = {
    {"ccache get call-logs 507f1f77bcf86cd799439011",
     "the value: from Redis, else from the source"},
    {"ccache get call-logs 507f1f77bcf86cd799439011 --meta",
     "with cacheHit, duration and remaining TTL"},
    {"ccache get lead phone=+17786528784 organizationId=b0c1 --no-fetch", "is it cached?"},
    {NULL, NULL},
};

const struct command command_get = {
    .name = "get",
    .summary = "read through the cache: Redis, else the source, stored on the way",
    .synopsis = "[--meta] [--no-fetch] [--no-store] [--refresh] NAMESPACE VARS…",
    .text =
	"VARS are name=value, or bare values in the order of the key template. The exact "
	"bytes\n"
	"go to standard output. When Redis is down or REDIS_ENABLED=false the source answers.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct get_options),
    .words = WORDS_NAMESPACE,
    .max_words = 1 + TEMPLATE_VARS_MAX,
    .needs = NEEDS_CONFIG | NEEDS_REDIS_MAYBE | NEEDS_SOURCE,
    .run = get_run,
};
