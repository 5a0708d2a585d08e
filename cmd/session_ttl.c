#include "app.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "core/namespace.h"
#include "opt/opt.h"
#include "out/sink.h"
#include "wire/redis.h"

#include <stddef.h>
#include <stdlib.h>

struct ttl_options {
	const char *key;
};

static const struct opt_row rows[] = {
    {.name = "key",
     .type = OPT_TEXT,
     .arg = "KEY",
     .offset = offsetof(struct ttl_options, key),
     .complete = OPT_COMPLETE_KEY,
     .flags = OPT_SUBJECT,
     .help = "of this key, whatever its namespace"},
    OPT_END,
};

/* The key that the words come down to, appended to key. */
static int choose_key(struct app *app, const struct ttl_options *options,
		      const struct opt_words *words, struct buf *key, struct err *err)
{
	const struct nsset *set = app_namespaces(app);
	struct var vars[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;
	size_t count = 0;

	if ((options->key != NULL) + (words->count > 0) != 1)
		return err_set(err, ERR_USAGE,
			       "ttl: name a namespace and its vars, or --key KEY");
	if (options->key) {
		buf_add(key, app_bytes(app, options->key));
		return 0;
	}
	struct bytes *ids = app_words(app, words, 1);
	int status = nsset_need_or_key(set, app_bytes(app, words->items[0]), &ns, err);
	if (status == 0)
		status = ns_parse_vars(ns, ids, words->count - 1, false, vars, &count, err);
	if (status == 0)
		status = ns_expand(set, ns, vars, count, key, err);
	free(ids);
	return status;
}

static enum exit_code print_ttl(struct app *app, struct bytes key, int64_t ttl_ms)
{
	static const struct out_column key_column = {.name = "key", .title = "Key"};
	static const struct out_column ns_column = {.name = "namespace", .title = "Namespace"};
	static const struct out_column ttl_column = {
	    .name = "ttl_ms", .title = "TTL", .unit = OUT_MS};
	static const struct out_column exists_column = {
	    .name = "exists", .title = "Exists", .flags = OUT_DETAIL};
	static const struct out_column policy_column = {
	    .name = "policy_ttl_ms", .title = "TTL by policy", .unit = OUT_MS};
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = nsset_classify(app_namespaces(app), key, values);
	uint64_t policy_ms = ns ? ns_ttl_limit_ms(ns, values, clock_wall_ms()) : 0;
	struct sink *sink = app_sink(app, "ttl", 1);

	sink_field(sink, &key_column, out_text(key));
	sink_field(sink, &ns_column, ns ? out_str(ns->name) : OUT_NONE);
	sink_field(sink, &exists_column, out_bool(ttl_ms != -2));
	sink_field(sink, &ttl_column, ttl_ms >= 0 ? out_int(ttl_ms) : OUT_NONE);
	sink_field(sink, &policy_column, policy_ms ? out_uint(policy_ms) : OUT_NONE);
	if (ttl_ms == -1)
		sink_note(sink, "It lives for ever.");
	return app_finish(app, sink, ttl_ms == -2 ? EXIT_FOUND : EXIT_DONE);
}

static enum exit_code ttl_run(struct app *app, const void *values,
			      const struct opt_words *words)
{
	struct buf key = {0};
	const struct reply *reply = NULL;
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	if (choose_key(app, values, words, &key, &err) != 0)
		goto out;
	const struct bytes argv[] = {BYTES("PTTL"), buf_bytes(&key)};
	if (redis_call(app->redis, argv, 2, REDIS_IDEMPOTENT, &reply, &err) != 0)
		goto out;
	if (reply->type != REPLY_INTEGER) {
		redis_fail(app->redis, reply, "PTTL", buf_bytes(&key), &err);
		goto out;
	}
	code = print_ttl(app, buf_bytes(&key), reply->integer);
	if (code == EXIT_FOUND)
		app_info(app, "'%s' is not in Redis", buf_str(&key));
out:
	if (err_is_set(&err))
		code = app_fail(app, &err);
	buf_release(&key);
	return code;
}

static const struct command_example examples[] = {
    {"ttl call-logs 507f1f77bcf86cd799439011", "how long it still lives, and what was agreed"},
    {"ttl --key note", "of any key"},
    {NULL, NULL},
};

const struct command command_ttl = {
    .name = "ttl",
    .summary = "how long one key still lives",
    .synopsis = "NAMESPACE VARS… | --key KEY",
    .text = "Beside it the longest life that the namespace's policy allows. Exit code 1 when "
	    "the key is not there.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct ttl_options),
    .max_words = 1 + TEMPLATE_VARS_MAX,
    .words = WORDS_NAMESPACE,
    .needs = NEEDS_CONFIG | NEEDS_REDIS,
    .run = ttl_run,
};
