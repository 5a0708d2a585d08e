#include "inspect_list.h"

#include "app.h"
#include "base/err.h"
#include "core/inspect_filter.h"
#include "core/namespace.h"
#include "core/top.h"
#include "inspect_overview.h"
#include "out/sink.h"
#include "replicas.h"

/* --- a list of keys --- */

enum { K_KEY, K_NAMESPACE, K_TTL, K_BYTES, K_IDLE, K_FREQ, K_COUNT };

#define KEY_COLUMNS                                                                            \
	[K_KEY] = {.name = "key", .title = "KEY", .flags = OUT_SHRINK},                        \
	[K_NAMESPACE] = {.name = "namespace", .title = "NAMESPACE", .flags = OUT_MINOR},       \
	[K_TTL] = {.name = "ttl_ms", .title = "TTL", .unit = OUT_MS},                          \
	[K_BYTES] = {.name = "bytes", .title = "BYTES", .unit = OUT_SIZE}

static const struct out_column key_columns[] = {KEY_COLUMNS};
static const struct out_table key_table = {
    .name = "keys", .columns = key_columns, .column_count = K_IDLE, .primary = true};

static struct out_value known(int64_t figure)
{
	return figure >= 0 ? out_int(figure) : OUT_NONE;
}

static void key_row(struct sink *sink, const struct ns *ns, const struct scan_key *key)
{
	bool people = sink_format(sink) == OUT_TABLE;
	int64_t idle = people && key->idle_s >= 0 ? key->idle_s * 1000 : key->idle_s;

	sink_row(sink, (struct out_value[K_COUNT]){
			   [K_KEY] = out_text(key->key),
			   [K_NAMESPACE] = ns ? out_str(ns->name) : OUT_NONE,
			   [K_TTL] = known(key->ttl_ms),
			   [K_BYTES] = known(key->bytes),
			   [K_IDLE] = known(idle),
			   [K_FREQ] = known(key->freq),
		       });
}

struct listing {
	const struct inspect_filter *filter;
	struct sink *sink;
	uint64_t limit; /* 0: none */
	uint64_t listed;
	bool more;
};

static unsigned choose_probes(void *ctx, struct scan_key *key)
{
	const struct listing *listing = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	key->tag = inspect_filter_accepts(listing->filter, key->key, &ns, values);
	return key->tag ? SCAN_TTL | SCAN_BYTES : 0;
}

static bool on_key(void *ctx, const struct scan_key *key)
{
	struct listing *listing = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	if (!key->tag)
		return true;
	listing->more = listing->limit && listing->listed == listing->limit;
	if (listing->more)
		return false;
	listing->listed++;
	inspect_filter_accepts(listing->filter, key->key, &ns, values);
	key_row(listing->sink, ns, key);
	return !sink_failed(listing->sink);
}

static void add_end(struct sink *sink, uint64_t listed, const struct scan_result *scan)
{
	static const struct out_column count = {
	    .name = "listed", .title = "Listed", .unit = OUT_COUNT};
	static const struct out_column whole = {
	    .name = "complete", .title = "Complete", .flags = OUT_DETAIL};
	static const struct out_column exact = {
	    .name = "exact", .title = "Exact", .flags = OUT_DETAIL};

	sink_field(sink, &count, out_uint(listed));
	sink_field(sink, &whole, out_bool(scan->complete));
	sink_field(sink, &exact, out_bool(scan->complete && !scan->resized));
}

enum exit_code inspect_list_run(struct app *app, const struct inspect_filter *filter,
				uint64_t limit)
{
	struct listing listing = {.filter = filter, .limit = limit};
	struct scan_options scan = {.match = buf_bytes(&filter->glob),
				    .gentle = true,
				    .lenient = true,
				    .probes_of = choose_probes,
				    .fn = on_key,
				    .ctx = &listing};
	struct scan_result result = {0};
	struct err err = {0};
	enum exit_code code = EXIT_DONE;

	listing.sink = app_sink(app, "inspect-keys", 1);
	sink_table_begin(listing.sink, &key_table);
	if (scan_run(app->redis, &scan, &result, &err) != 0)
		code = app_fail(app, &err);
	sink_table_end(listing.sink);
	add_end(listing.sink, listing.listed, &result);
	if (listing.more)
		app_info(app, "the first %llu keys; --limit 0 lists all",
			 (unsigned long long)listing.listed);
	inspect_tell_denied(app, &result);
	return app_finish(app, listing.sink, code);
}

/* --- the first ones --- */

static const struct out_column top_columns[K_COUNT] = {
    KEY_COLUMNS,
    [K_IDLE] = {.name = "idle_s", .title = "IDLE", .unit = OUT_MS, .flags = OUT_DETAIL},
    [K_FREQ] = {.name = "frequency", .title = "FREQ", .unit = OUT_COUNT, .flags = OUT_DETAIL},
};

enum exit_code inspect_top_run(struct app *app, const struct inspect_filter *filter,
			       uint64_t count, int by)
{
	static const struct out_column ranked = {.name = "by", .title = "By"};
	static const struct out_column matched = {
	    .name = "ranked_keys", .title = "Of keys", .unit = OUT_COUNT};
	struct out_column columns[K_COUNT];
	const struct out_table table = {
	    .name = "keys", .columns = columns, .column_count = K_COUNT, .primary = true};
	struct top top = {0};
	struct err err = {0};
	unsigned tries = 0;
	int status = top_find(app->redis, filter, (enum top_by)by, (size_t)count, &top, &err);

	while (status != 0 && replicas_again(app, &top.scan, &tries, &err)) {
		top_release(&top);
		status =
		    top_find(app->redis, filter, (enum top_by)by, (size_t)count, &top, &err);
	}
	for (size_t i = 0; i < K_COUNT; i++)
		columns[i] = top_columns[i];
	if (by == TOP_IDLE || by == TOP_FREQ) /* for people only what is ranked by */
		columns[by == TOP_IDLE ? K_IDLE : K_FREQ].flags = 0;
	struct sink *sink = app_sink(app, "inspect-top", 1);
	sink_field(sink, &ranked, out_str(top_by_names[by]));
	sink_field(sink, &matched, out_uint(top.matched));
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < top.count; i++)
		key_row(sink, top.keys[i].ns, &top.keys[i].key);
	sink_table_end(sink);
	add_end(sink, top.count, &top.scan);
	enum exit_code code = app_finish(app, sink, EXIT_DONE);
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	else
		inspect_tell_denied(app, &top.scan);
	top_release(&top);
	return code;
}
