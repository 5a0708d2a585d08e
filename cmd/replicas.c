#include "replicas.h"

#include "app.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "core/scan.h"
#include "out/sink.h"
#include "wire/redis.h"

#define TRIES_MOST 2 /* of a walk, when whom it reads is lost */
#define NAMED_MOST 6 /* nodes that people are told by name */

/* What is to be said of the choice; returns how many primaries are read. */
static size_t collect(struct app *app, struct buf *why)
{
	size_t nodes = redis_nodes(app->redis, NULL);
	size_t primaries = 0;

	for (size_t i = 0; i < nodes; i++) {
		struct redis_place place;

		redis_place(app->redis, i, &place);
		primaries += !place.is_replica;
		if (!place.why)
			continue;
		buf_add_str(why, why->len ? ", " : "");
		buf_add_str(why, place.is_replica ? "" : "primary ");
		target_describe_place(place.target, why);
		buf_printf(why, " is read (%s)", place.why);
	}
	return primaries;
}

static size_t tell(struct app *app, size_t before)
{
	struct buf why = {0};
	size_t primaries = collect(app, &why);

	if (why.len && (before == SIZE_MAX || primaries > before))
		app_warn(app, "--replica-reads: %s", buf_str(&why));
	buf_release(&why);
	return primaries;
}

int replicas_begin(struct app *app, struct replicas *ret_replicas, struct err *err)
{
	struct redis *reader = redis_new_reader(&app->target, app->cancel);

	if (redis_connect(reader, err) != 0) {
		redis_free(reader);
		return -1;
	}
	ret_replicas->before = app->redis;
	app->redis = reader;
	ret_replicas->primaries = tell(app, SIZE_MAX);
	return 0;
}

void replicas_end(struct app *app, const struct replicas *replicas)
{
	tell(app, replicas->primaries);
	redis_free(app->redis);
	app->redis = replicas->before;
}

bool replicas_again(struct app *app, const struct scan_result *scan, unsigned *tries,
		    struct err *err)
{
	struct err why = {0};

	if (!redis_is_reader(app->redis) || !scan_may_repeat(scan) || *app->cancel ||
	    *tries == TRIES_MOST)
		return false;
	if (redis_recover(app->redis, &why) != 0) {
		*err = why;
		return false;
	}
	++*tries;
	app_warn(app, "%s; another server is read, from the beginning", err->text);
	*err = (struct err){0};
	return true;
}

/* --- the fields --- */

enum { R_NODE, R_REPLICA, R_PRIMARY, R_BEHIND, R_COLUMNS };

static const struct out_column node_columns[R_COLUMNS] = {
    [R_NODE] = {.name = "node", .title = "NODE"},
    [R_REPLICA] = {.name = "replica", .title = "REPLICA"},
    [R_PRIMARY] = {.name = "primary", .title = "PRIMARY"},
    [R_BEHIND] = {.name = "behind_bytes", .title = "BEHIND", .unit = OUT_SIZE},
};
static const struct out_table node_table = {
    .name = "read_from", .columns = node_columns, .column_count = R_COLUMNS};

static void add_row(struct sink *sink, const struct redis_place *place)
{
	struct buf name = {0};

	target_describe_place(place->target, &name);
	sink_row(sink, (struct out_value[R_COLUMNS]){
			   [R_NODE] = out_text(buf_bytes(&name)),
			   [R_REPLICA] = out_bool(place->is_replica),
			   [R_PRIMARY] = place->primary ? out_str(place->primary) : OUT_NONE,
			   [R_BEHIND] = place->behind >= 0 ? out_int(place->behind) : OUT_NONE,
		       });
	buf_release(&name);
}

static void add_rows(const struct app *app, struct sink *sink, size_t nodes, size_t replicas)
{
	static const struct out_column all = {.name = "replica", .title = "Replica"};

	sink_field(sink, &all, out_bool(replicas == nodes));
	sink_table_begin(sink, &node_table);
	for (size_t i = 0; i < nodes; i++) {
		struct redis_place place;

		redis_place(app->redis, i, &place);
		add_row(sink, &place);
	}
	sink_table_end(sink);
}

static void add_names(struct redis *redis, size_t nodes, bool replicas, struct buf *text)
{
	size_t count = 0;

	for (size_t i = 0; i < nodes; i++) {
		struct redis_place place;

		redis_place(redis, i, &place);
		if (place.is_replica != replicas)
			continue;
		buf_add_str(text, count++ ? ", " : "");
		target_describe_place(place.target, text);
	}
}

/* For people: "replicas 127.0.0.1:7003, 127.0.0.1:7004 (at most 0 B behind)". */
static void add_text(const struct app *app, struct sink *sink, size_t nodes, size_t replicas,
		     int64_t behind)
{
	static const struct out_column from = {.name = "read_from", .title = "Read from"};
	struct buf text = {0};

	if (replicas) {
		buf_printf(&text, "%s ", replicas == 1 ? "replica" : "replicas");
		if (nodes <= NAMED_MOST)
			add_names(app->redis, nodes, true, &text);
		else
			buf_printf(&text, "of %zu primaries", replicas);
	}
	if (replicas && behind >= 0) {
		buf_add_str(&text, replicas == 1 ? " (" : " (at most ");
		num_format_size(&text, (uint64_t)behind);
		buf_add_str(&text, " behind)");
	}
	if (nodes > replicas) {
		buf_printf(&text, "%s%s ", replicas ? "; " : "",
			   nodes - replicas == 1 ? "primary" : "primaries");
		if (nodes <= NAMED_MOST)
			add_names(app->redis, nodes, false, &text);
		else
			buf_printf(&text, "(%zu)", nodes - replicas);
	}
	sink_field(sink, &from, out_text(buf_bytes(&text)));
	buf_release(&text);
}

void replicas_view(const struct app *app, struct sink *sink)
{
	size_t replicas = 0;
	int64_t behind = 0;

	if (!app->redis || !redis_is_reader(app->redis))
		return;
	size_t nodes = redis_nodes(app->redis, NULL);
	for (size_t i = 0; i < nodes; i++) {
		struct redis_place place;

		redis_place(app->redis, i, &place);
		replicas += place.is_replica;
		if (place.is_replica && (place.behind < 0 || behind < 0))
			behind = -1;
		else if (place.behind > behind)
			behind = place.behind;
	}
	if (sink_format(sink) == OUT_TABLE)
		add_text(app, sink, nodes, replicas, behind);
	else
		add_rows(app, sink, nodes, replicas);
}
