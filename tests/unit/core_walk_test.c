#include "check.h"
#include "server.h"

#include "base/err.h"
#include "core/inspect.h"
#include "core/invalidate.h"
#include "core/keyinfo.h"
#include "core/namespace.h"
#include "core/scan.h"
#include "wire/redis.h"
#include "wire/target.h"

/* What walks the keyspace, against a real server. */
static volatile int stop_now;
static struct server server;
static struct target target;
static struct redis *redis;
static struct nsset *set;
static struct template *key_template;

static void command(const char *line)
{
	struct bytes argv[16];
	const struct reply *reply = NULL;
	struct err err = {0};
	size_t argc = 0;
	struct bytes rest = bytes_of(line);

	while (rest.len) {
		argv[argc++] = bytes_sub(rest, 0, bytes_index(rest, ' '));
		rest = bytes_sub(rest, argv[argc - 1].len + 1, rest.len);
	}
	CHECK_INT(redis_call(redis, argv, argc, 0, &reply, &err), 0);
	CHECK(reply && reply->type != REPLY_ERROR);
}

/* count keys of namespace item (with TTL 100 s), as many others without TTL. */
static void fill(unsigned count)
{
	char line[128];

	command("FLUSHALL");
	for (unsigned i = 0; i < count; i++) {
		snprintf(line, sizeof line, "SET item:%u value EX 100", i);
		command(line);
		snprintf(line, sizeof line, "SET other:%u:x value", i);
		command(line);
	}
	command("SET cc:m:{item:1}6:item:1 sidecar");
}

struct seen {
	uint64_t keys;
	uint64_t stop_at; /* 0: never */
	int64_t ttl_max;
	int64_t bytes_min;
};

static bool on_key(void *ctx, const struct scan_key *key)
{
	struct seen *seen = ctx;

	seen->keys++;
	if (key->ttl_ms > seen->ttl_max)
		seen->ttl_max = key->ttl_ms;
	if (key->bytes < seen->bytes_min)
		seen->bytes_min = key->bytes;
	return seen->keys != seen->stop_at;
}

TEST(scan_sees_every_key_with_its_probes)
{
	struct seen seen = {.bytes_min = INT64_MAX};
	struct scan_options options = {
	    .probes = SCAN_TTL | SCAN_BYTES, .page = 64, .fn = on_key, .ctx = &seen};
	struct scan_result result;
	struct err err = {0};

	fill(1000);
	CHECK_INT(scan_run(redis, &options, &result, &err), 0);
	CHECK(result.complete);
	CHECK_INT(result.keys, 2000);
	CHECK_INT(result.own, 1);
	CHECK_INT(seen.keys, 2000);
	CHECK(seen.ttl_max > 90000 && seen.ttl_max <= 100000);
	CHECK(seen.bytes_min > 0 && seen.bytes_min < 1000);
	CHECK_INT(redis_outstanding(redis), 0);
}

TEST(scan_stops_when_told)
{
	struct seen seen = {.stop_at = 70};
	struct scan_options options = {
	    .probes = SCAN_TTL, .page = 10, .fn = on_key, .ctx = &seen};
	struct scan_result result;
	struct err err = {0};

	CHECK_INT(scan_run(redis, &options, &result, &err), 0);
	CHECK(!result.complete);
	CHECK_INT(seen.keys, 70);
	CHECK_INT(redis_outstanding(redis), 0);
}

TEST(scan_follows_a_pattern)
{
	struct seen seen = {0};
	struct scan_options options = {.match = BYTES("item:1?"), .fn = on_key, .ctx = &seen};
	struct scan_result result;
	struct err err = {0};

	CHECK_INT(scan_run(redis, &options, &result, &err), 0);
	CHECK_INT(seen.keys, 10);
}

struct restarting {
	struct server node;
	uint64_t keys;
};

static const char *const as_node[] = {"--cluster-enabled", "yes", NULL};

/* Its keys are gone with it, and its cursors mean nothing any more. */
static bool restart_at_the_first(void *ctx, const struct scan_key *key)
{
	struct restarting *restarting = ctx;

	(void)key;
	if (restarting->keys++ == 0) {
		server_kill(&restarting->node);
		server_run(&restarting->node, as_node);
	}
	return true;
}

TEST(scan_notices_that_a_cluster_node_was_restarted)
{
	struct restarting restarting = {0};
	struct scan_options options = {
	    .page = 10, .fn = restart_at_the_first, .ctx = &restarting};
	struct scan_result result;
	struct redis *single = redis;
	struct target cluster;
	struct err err = {0};
	char name[64];

	server_start(&restarting.node, true, as_node);
	target_init(&cluster);
	cluster.timeout_ms = 60000;
	cluster.port = (uint16_t)restarting.node.port;
	redis = redis_new(&cluster, NULL);
	command("CLUSTER ADDSLOTSRANGE 0 16383");
	command("DEBUG POPULATE 1000");
	CHECK_INT(scan_run(redis, &options, &result, &err), -1);
	CHECK(redis_is_cluster(redis));
	CHECK(result.broken);
	CHECK(!result.complete);
	CHECK(scan_may_repeat(&result));
	CHECK(restarting.keys > 0 && restarting.keys < 1000);
	snprintf(name, sizeof name, "redis 127.0.0.1:%u/0: the connection broke",
		 restarting.node.port);
	CHECK(strstr(err.text, name) != NULL);
	redis_free(redis);
	redis = single;
	target_release(&cluster);
	server_stop(&restarting.node);
}

static void interrupt(void *ctx, uint64_t keys)
{
	(void)ctx;
	(void)keys;
	stop_now = 2;
}

TEST(overview_keeps_what_it_saw_when_interrupted)
{
	struct inspect_overview overview = {0};
	struct err err = {0};
	const volatile int *before = redis_set_cancel(redis, &stop_now);

	fill(4000); /* progress is told, and here the signal comes, after 4096 */
	CHECK_INT(inspect_overview(redis, set, interrupt, NULL, &overview, &err), -1);
	CHECK_INT(err.kind, ERR_INTERRUPTED);
	CHECK(!overview.scan.complete);
	CHECK(overview.scan.keys >= 4096 && overview.scan.keys < 8000);
	CHECK_INT(overview.groups[0].keys + overview.groups[1].keys, overview.scan.keys);
	CHECK_INT(redis_outstanding(redis), 0);
	inspect_overview_release(&overview);
	stop_now = 0;
	redis_set_cancel(redis, before);
	fill(1000);
}

TEST(overview_folds_keys_into_their_namespace)
{
	struct inspect_overview overview = {0};
	struct err err = {0};

	CHECK_INT(inspect_overview(redis, set, NULL, NULL, &overview, &err), 0);
	CHECK_INT(overview.count, 2);
	CHECK_INT(overview.groups[0].keys, 1000);
	CHECK_INT(overview.groups[0].no_ttl, 0);
	CHECK_INT(overview.groups[0].over_policy, 1000); /* 100 s live, 60 s declared */
	CHECK_INT(overview.groups[1].keys, 1000);
	CHECK_INT(overview.groups[1].no_ttl, 1000);
	CHECK(overview.groups[0].bytes > 1000 * 40);
	CHECK(overview.groups[0].largest > 0 && overview.groups[0].largest_key.len > 0);
	inspect_overview_release(&overview);
}

struct element {
	struct mem_arena arena;
	struct bytes name;
	struct bytes value;
	size_t count;
	bool cut;
};

static bool on_element(void *ctx, struct bytes name, struct bytes value, bool cut)
{
	struct element *element = ctx;

	element->name = mem_arena_bytes(&element->arena, name);
	element->value = mem_arena_bytes(&element->arena, value);
	element->cut = cut;
	element->count++;
	return true;
}

TEST(keyinfo_reads_every_type)
{
	static const struct {
		const char *write, *key, *type, *name, *value;
	} rows[] = {
	    {"SET s hello", "s", "string", NULL, "hello"},
	    {"HSET h f v", "h", "hash", "f", "v"},
	    {"SADD e m", "e", "set", "", "m"},
	    {"RPUSH l x", "l", "list", "0", "x"},
	    {"ZADD z 1.5 m", "z", "zset", "1.5", "m"},
	    {"XADD x 1-1 f v", "x", "stream", "1-1", "f v"},
	};
	const struct keyinfo_limits limits = {.value_bytes = 1024, .items = 10};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes key = bytes_of(rows[i].key);
		struct element element = {0};
		struct keyinfo info = {0};
		struct err err = {0};

		command(rows[i].write);
		CHECK_INT(keyinfo_read(redis, key, 1024, &info, &err), 0);
		CHECK(info.exists && !info.cut && info.refused_count == 0);
		CHECK_STR(info.type, rows[i].type);
		CHECK_INT(info.length, rows[i].name ? 1 : 5);
		CHECK_INT(info.ttl_ms, -1);
		CHECK(info.bytes > 0 && info.idle_s >= 0 && info.encoding[0]);
		CHECK_INT(keyinfo_walk(redis, key, &info, &limits, on_element, &element, &err),
			  0);
		CHECK_INT(element.count, rows[i].name != NULL);
		CHECK_BYTES(element.name, bytes_of(rows[i].name));
		CHECK_BYTES(rows[i].name ? element.value : info.value, bytes_of(rows[i].value));
		mem_arena_release(&element.arena);
		keyinfo_release(&info);
	}
}

TEST(keyinfo_cuts_what_is_too_long)
{
	const struct keyinfo_limits limits = {.value_bytes = 1, .items = 2};
	struct element element = {0};
	struct keyinfo info = {0};
	struct err err = {0};

	CHECK_INT(keyinfo_read(redis, BYTES("s"), 3, &info, &err), 0);
	CHECK(info.cut);
	CHECK_BYTES(info.value, BYTES("hel"));
	CHECK_INT(info.length, 5);
	keyinfo_release(&info);
	command("RPUSH l yy z");
	CHECK_INT(keyinfo_read(redis, BYTES("l"), 3, &info, &err), 0);
	CHECK_INT(info.length, 3);
	CHECK_INT(keyinfo_walk(redis, BYTES("l"), &info, &limits, on_element, &element, &err),
		  0);
	CHECK_INT(element.count, 2);
	CHECK(element.cut);
	CHECK_BYTES(element.value, BYTES("y"));
	mem_arena_release(&element.arena);
	keyinfo_release(&info);
	CHECK_INT(keyinfo_read(redis, BYTES("nothing"), 3, &info, &err), 0);
	CHECK(!info.exists && !info.has_value);
	keyinfo_release(&info);
}

static struct inspect_filter filter_of(const char *match)
{
	struct inspect_filter filter;
	struct err err = {0};

	CHECK_INT(inspect_filter_init(&filter, set, match ? NULL : nsset_at(set, 0), NULL, 0,
				      bytes_of(match), &err),
		  0);
	return filter;
}

static int drop(const struct invalidate_target *what, const struct invalidate_plan *plan,
		const volatile int *cancel, struct invalidate_report *report, struct err *err)
{
	struct invalidate_job job = {
	    .redis = redis, .target = what, .plan = plan, .cancel = cancel};

	return invalidate_run(&job, report, err);
}

TEST(invalidate_drops_what_it_planned)
{
	struct inspect_filter filter = filter_of(NULL);
	struct invalidate_target what = {.set = set, .filter = &filter, .max_keys = 1000};
	struct invalidate_plan plan;
	struct invalidate_report report;
	struct err err = {0};

	fill(1000);
	CHECK_INT(invalidate_plan(redis, &what, &plan, &err), 0);
	CHECK_INT(plan.keys, 1000);
	CHECK_INT(plan.sample_count, INVALIDATE_SAMPLES);
	CHECK(plan.bytes_known && plan.longest_ttl_ms > 90000);
	CHECK(plan.listed);
	CHECK_INT(plan.list.count, 1000);
	CHECK_INT(drop(&what, &plan, NULL, &report, &err), 0);
	CHECK(report.complete);
	CHECK_INT(report.counts.removed, 1000);
	CHECK_INT(report.counts.asked, 1000);
	invalidate_plan_release(&plan);
	CHECK_INT(invalidate_plan(redis, &what, &plan, &err), 0);
	CHECK_INT(plan.keys, 0);
	invalidate_plan_release(&plan);
	invalidate_report_release(&report);
	inspect_filter_release(&filter);
}

TEST(invalidate_refuses_more_than_its_limit)
{
	struct inspect_filter filter = filter_of("other:*");
	struct invalidate_target what = {.set = set, .filter = &filter, .max_keys = 999};
	struct invalidate_plan plan, unlisted = {0};
	struct invalidate_report report;
	struct err err = {0};

	CHECK_INT(invalidate_plan(redis, &what, &plan, &err), -1);
	CHECK_INT(err.kind, ERR_REFUSED);
	invalidate_plan_release(&plan);
	CHECK_INT(drop(&what, &unlisted, NULL, &report, &err), -1);
	CHECK_INT(err.kind, ERR_REFUSED);
	CHECK(!report.complete);
	CHECK(report.counts.removed <= 999);
	invalidate_report_release(&report);
	inspect_filter_release(&filter);
}

TEST(invalidate_hears_the_answers_before_it_stops)
{
	volatile int cancel = 2;
	struct inspect_filter filter = filter_of("other:*");
	struct invalidate_target what = {.set = set, .filter = &filter, .max_keys = 10000};
	struct invalidate_plan unlisted = {0};
	struct invalidate_report report;
	struct err err = {0};

	fill(100);
	CHECK_INT(drop(&what, &unlisted, &cancel, &report, &err), -1);
	CHECK_INT(err.kind, ERR_INTERRUPTED);
	CHECK(!report.complete);
	CHECK_INT(report.counts.failed, 0);
	CHECK_INT(report.counts.asked, report.counts.removed + report.counts.gone);
	invalidate_report_release(&report);
	inspect_filter_release(&filter);
}

TEST(patterns_that_match_everything_are_known)
{
	static const char *const all[] = {"", "*", "**", "?*", "[a-z]*", "[^x]??*"};
	static const char *const some[] = {"a*", "*:1", "\\*", "?x"};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		CHECK(invalidate_is_catch_all(bytes_of(all[i])));
	for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
		CHECK(!invalidate_is_catch_all(bytes_of(some[i])));
}

int main(void)
{
	struct ns *list = mem_zalloc(1, sizeof *list);
	struct err err = {0};

	server_start(&server, false, NULL);
	target_init(&target);
	target.socket = mem_strdup(server.socket);
	redis = redis_new(&target, NULL);
	if (template_parse(BYTES("item:{id}"), TEMPLATE_KEY, &key_template, &err) != 0)
		abort();
	*list =
	    (struct ns){.name = "item", .summary = "", .key = key_template, .ttl_ms = 60000};
	set = nsset_new(list, 1);

	RUN(scan_sees_every_key_with_its_probes);
	RUN(scan_stops_when_told);
	RUN(scan_follows_a_pattern);
	RUN(scan_notices_that_a_cluster_node_was_restarted);
	RUN(overview_keeps_what_it_saw_when_interrupted);
	RUN(overview_folds_keys_into_their_namespace);
	RUN(keyinfo_reads_every_type);
	RUN(keyinfo_cuts_what_is_too_long);
	RUN(invalidate_drops_what_it_planned);
	RUN(invalidate_refuses_more_than_its_limit);
	RUN(invalidate_hears_the_answers_before_it_stops);
	RUN(patterns_that_match_everything_are_known);

	nsset_free(set);
	template_free(key_template);
	redis_free(redis);
	target_release(&target);
	server_stop(&server);
	CHECK_DONE();
}
