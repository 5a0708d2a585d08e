#include "app.h"

#include "base/err.h"
#include "core/inspect.h"
#include "core/namespace.h"
#include "core/server.h"
#include "opt/opt.h"
#include "out/progress.h"
#include "out/sink.h"
#include "wire/redis.h"

#include <stddef.h>

struct stats_options {
	bool no_scan;
};

static const struct opt_row rows[] = {
    {.name = "no-scan",
     .type = OPT_FLAG,
     .offset = offsetof(struct stats_options, no_scan),
     .help = "the server's own figures only, at no cost to it"},
    OPT_END,
};

static struct out_value known(int64_t value)
{
	return value >= 0 ? out_int(value) : OUT_NONE;
}

static struct out_value text_or_none(const char *text)
{
	return text[0] ? out_str(text) : OUT_NONE;
}

static struct out_value hit_ratio(const struct server_info *info)
{
	if (info->hits < 0 || info->misses < 0 || info->hits + info->misses == 0)
		return OUT_NONE;
	return out_real((double)info->hits / (double)(info->hits + info->misses));
}

static const struct out_column server_columns[] = {
    {.name = "target", .title = "Target"},
    {.name = "version", .title = "Version"},
    {.name = "role", .title = "Role"},
    {.name = "uptime_ms",
     .title = "Up",
     .unit = OUT_MS,
     .metric = "callcache_server_uptime_milliseconds",
     .help = "Time since the server started"},
    {.name = "keys",
     .title = "Keys",
     .unit = OUT_COUNT,
     .metric = "callcache_server_keys",
     .help = "Keys of the selected database, the program's own left out where they "
	     "were counted"},
    {.name = "own_keys", .title = "Sidecars", .unit = OUT_COUNT},
    {.name = "used_memory_bytes",
     .title = "Memory",
     .unit = OUT_SIZE,
     .metric = "callcache_server_memory_bytes",
     .help = "Memory the server uses"},
    {.name = "max_memory_bytes",
     .title = "Memory limit",
     .unit = OUT_SIZE,
     .metric = "callcache_server_memory_max_bytes",
     .help = "maxmemory, 0 without a limit"},
    {.name = "policy", .title = "Policy"},
    {.name = "fragmentation", .title = "Fragmentation"},
    {.name = "hits",
     .title = "Hits",
     .unit = OUT_COUNT,
     .metric = "callcache_server_hits_total",
     .help = "Lookups that found a key, of all clients since the server started"},
    {.name = "misses",
     .title = "Misses",
     .unit = OUT_COUNT,
     .metric = "callcache_server_misses_total",
     .help = "Lookups that found no key"},
    {.name = "hit_ratio", .title = "Hit ratio", .unit = OUT_PERCENT},
    {.name = "expired",
     .title = "Expired",
     .unit = OUT_COUNT,
     .metric = "callcache_server_expired_total",
     .help = "Keys whose time was up"},
    {.name = "evicted",
     .title = "Evicted",
     .unit = OUT_COUNT,
     .flags = OUT_WARN,
     .metric = "callcache_server_evicted_total",
     .help = "Keys dropped for want of memory"},
    {.name = "ops_per_second",
     .title = "Commands",
     .unit = OUT_RATE,
     .metric = "callcache_server_operations_per_second",
     .help = "Commands a second, as the server samples them"},
    {.name = "clients",
     .title = "Clients",
     .unit = OUT_COUNT,
     .metric = "callcache_server_clients",
     .help = "Connected clients, this one included"},
    {.name = "replicas",
     .title = "Replicas",
     .unit = OUT_COUNT,
     .metric = "callcache_server_replicas",
     .help = "Connected replicas"},
};

/* own: sidecars and leases among the keys; -1: not counted. */
static void print_server(struct sink *sink, const char *target, const struct server_info *info,
			 int64_t own)
{
	bool unlimited = info->max_memory == 0 && sink_format(sink) == OUT_TABLE;
	const struct out_value values[] = {
	    out_str(target),
	    text_or_none(info->version),
	    text_or_none(info->role),
	    info->uptime_s >= 0 ? out_int(info->uptime_s * 1000) : OUT_NONE,
	    known(own < 0 ? info->keys : info->keys - own),
	    known(own),
	    known(info->used_memory),
	    unlimited ? out_str("none") : known(info->max_memory),
	    text_or_none(info->policy),
	    info->fragmentation >= 0 ? out_real(info->fragmentation) : OUT_NONE,
	    known(info->hits),
	    known(info->misses),
	    hit_ratio(info),
	    known(info->expired),
	    known(info->evicted),
	    known(info->ops_per_second),
	    known(info->clients),
	    known(info->connected_replicas),
	};

	for (size_t i = 0; i < sizeof server_columns / sizeof server_columns[0]; i++)
		if (values[i].type != OUT_T_NULL || sink_format(sink) != OUT_TABLE)
			sink_field(sink, &server_columns[i], values[i]);
}

enum { N_NAMESPACE, N_KEYS, N_SHARE, N_BYTES, N_BYTES_SHARE, N_TTL, N_TARGET, N_COUNT };

static const struct out_column namespace_columns[N_COUNT] = {
    [N_NAMESPACE] = {.name = "namespace",
		     .title = "NAMESPACE",
		     .flags = OUT_LABEL | OUT_SHRINK},
    [N_KEYS] = {.name = "keys",
		.title = "KEYS",
		.unit = OUT_COUNT,
		.metric = "callcache_keys",
		.help = "Keys of a namespace"},
    [N_SHARE] = {.name = "keys_share",
		 .title = "SHARE",
		 .unit = OUT_PERCENT,
		 .flags = OUT_MINOR},
    [N_BYTES] = {.name = "bytes",
		 .title = "BYTES",
		 .unit = OUT_SIZE,
		 .metric = "callcache_bytes",
		 .help = "Memory of a namespace's keys as MEMORY USAGE says"},
    [N_BYTES_SHARE] = {.name = "bytes_share",
		       .title = "SHARE",
		       .unit = OUT_PERCENT,
		       .flags = OUT_MINOR},
    [N_TTL] = {.name = "ttl_median_ms",
	       .title = "MEDIAN TTL",
	       .unit = OUT_MS,
	       .flags = OUT_MINOR},
    [N_TARGET] = {.name = "target_hit_ratio",
		  .title = "TARGET",
		  .unit = OUT_PERCENT,
		  .flags = OUT_MINOR},
};
static const struct out_table namespace_table = {.name = "namespaces",
						 .columns = namespace_columns,
						 .column_count = N_COUNT,
						 .primary = true};

static struct out_value share(uint64_t part, uint64_t whole)
{
	return whole ? out_real((double)part / (double)whole) : OUT_NONE;
}

static void print_namespaces(struct sink *sink, const struct inspect_overview *overview)
{
	bool bytes_known = !(overview->scan.denied & SCAN_BYTES);
	uint64_t bytes = 0;

	for (size_t i = 0; i < overview->count; i++)
		bytes += overview->groups[i].bytes;
	sink_table_begin(sink, &namespace_table);
	for (size_t i = 0; i < overview->count; i++) {
		const struct inspect_group *group = &overview->groups[i];

		if (group->keys == 0 && sink_format(sink) == OUT_TABLE)
			continue;
		sink_row(
		    sink,
		    (struct out_value[N_COUNT]){
			[N_NAMESPACE] = out_str(group->ns ? group->ns->name : "(unclassified)"),
			[N_KEYS] = out_uint(group->keys),
			[N_SHARE] = share(group->keys, overview->scan.keys),
			[N_BYTES] = bytes_known ? out_uint(group->bytes) : OUT_NONE,
			[N_BYTES_SHARE] = bytes_known ? share(group->bytes, bytes) : OUT_NONE,
			[N_TTL] = group->ttl_ms.total
				      ? out_uint(histogram_quantile(&group->ttl_ms, 0.5))
				      : OUT_NONE,
			[N_TARGET] = group->ns && group->ns->target_hit_rate > 0
					 ? out_real(group->ns->target_hit_rate)
					 : OUT_NONE,
		    });
	}
	sink_table_end(sink);
}

static void on_progress(void *ctx, uint64_t keys)
{
	out_progress_update(ctx, keys, 0);
}

static enum exit_code stats_run(struct app *app, const void *values,
				const struct opt_words *words)
{
	const struct stats_options *options = values;
	struct server_info info = {0};
	struct inspect_overview overview = {0};
	struct err err = {0};
	int status = 0;

	(void)words;
	if (server_info(app->redis, &info, &err) != 0)
		return app_fail(app, &err);
	if (info.denied)
		app_warn(app, "this user may not run INFO: only what can be counted is shown");
	if (!options->no_scan) {
		struct out_progress *progress =
		    app_progress(app, "stats", info.keys > 0 ? (uint64_t)info.keys : 0);

		status = inspect_overview(app->redis, app_namespaces(app), on_progress,
					  progress, &overview, &err);
		out_progress_free(progress);
	}
	struct sink *sink = app_sink(app, "stats", 1);
	print_server(sink, app->target_text, &info,
		     overview.scan.complete ? (int64_t)overview.scan.own : -1);
	if (!options->no_scan)
		print_namespaces(sink, &overview);
	enum exit_code code = app_finish(app, sink, EXIT_DONE);
	if (overview.scan.denied & SCAN_BYTES)
		app_warn(app, "this user may not run MEMORY USAGE: no sizes");
	if (status != 0)
		code = exit_worst(code, app_fail(app, &err));
	inspect_overview_release(&overview);
	return code;
}

static const struct command_example examples[] = {
    {"ccache stats", "the server, and what each namespace takes of it"},
    {"ccache stats -o prom", "for a Prometheus textfile collector"},
    {NULL, NULL},
};

const struct command command_stats = {
    .name = "stats",
    .summary = "the server's figures and each namespace's share",
    .synopsis = "[--no-scan]",
    .text = "Server figures are the server's own (INFO), of all clients since it started; "
	    "namespace\n"
	    "figures are counted by a SCAN now.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct stats_options),
    .needs = NEEDS_CONFIG | NEEDS_REDIS,
    .run = stats_run,
};
