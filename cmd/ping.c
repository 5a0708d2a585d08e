#include "app.h"
#include "connection.h"

#include "base/clock.h"
#include "base/err.h"
#include "core/server.h"
#include "opt/opt.h"
#include "out/sink.h"
#include "wire/redis.h"

#include <stddef.h>

struct ping_options {
	uint64_t count;
};

static const struct opt_row rows[] = {
    {.name = "count",
     .type = OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = 100000,
     .fallback = "3",
     .offset = offsetof(struct ping_options, count),
     .help = "round trips to measure"},
    OPT_END,
};

static enum exit_code ping_run(struct app *app, const void *values,
			       const struct opt_words *words)
{
	static const struct out_column target = {.name = "target", .title = "Target"};
	static const struct out_column server = {.name = "server", .title = "Server"};
	static const struct out_column version = {.name = "version", .title = "Version"};
	static const struct out_column role = {.name = "role", .title = "Role"};
	static const struct out_column connect = {.name = "connect_us",
						  .title = "Connect",
						  .unit = OUT_US,
						  .metric = "callcache_ping_connect_seconds",
						  .help = "Time to connect and log in"};
	static const struct out_column best = {.name = "rtt_min_us",
					       .title = "Round trip",
					       .unit = OUT_US,
					       .metric = "callcache_ping_rtt_min_seconds",
					       .help = "Fastest round trip of a ping"};
	static const struct out_column worst = {.name = "rtt_max_us",
						.title = "Slowest",
						.unit = OUT_US,
						.metric = "callcache_ping_rtt_max_seconds",
						.help = "Slowest round trip of a ping"};
	const struct ping_options *options = values;
	struct server_ping ping = {0};
	struct err err = {0};

	(void)words;
	if (server_ping(app->redis, (unsigned)options->count, &ping, &err) != 0)
		return app_fail(app, &err);

	connection_describe(app); /* sentinels have said by now where it is */
	struct sink *sink = app_sink(app, "ping", 1);
	sink_field(sink, &target, out_str(app->target_text));
	sink_field(sink, &server, ping.name[0] ? out_str(ping.name) : OUT_NONE);
	sink_field(sink, &version, ping.version[0] ? out_str(ping.version) : OUT_NONE);
	sink_field(sink, &role, ping.role[0] ? out_str(ping.role) : OUT_NONE);
	sink_field(sink, &connect, out_uint(ping.connect_us));
	sink_field(sink, &best, out_uint(ping.min_us));
	sink_field(sink, &worst, out_uint(ping.max_us));
	return app_finish(app, sink, EXIT_DONE);
}

static const struct command_example examples[] = {
    {"ccache ping", "is the server there, who is it, how fast"},
    {"ccache -u rediss://cache.example:6380 ping -q", "a health check by exit code"},
    {NULL, NULL},
};

const struct command command_ping = {
    .name = "ping",
    .summary = "is the server reachable, who is it, how fast",
    .synopsis = "[--count N]",
    .text = "Exit code 0 when the server answers, 4 when not.",
    .examples = examples,
    .rows = rows,
    .options_size = sizeof(struct ping_options),
    .needs = NEEDS_CONFIG | NEEDS_REDIS_MAYBE,
    .run = ping_run,
};
