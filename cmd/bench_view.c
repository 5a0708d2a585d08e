#include "bench_view.h"

#include "app.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "core/bench.h"
#include "out/sink.h"

#include <inttypes.h>

/* --- the plan --- */

static void describe_load(const struct bench_job *job, struct buf *text)
{
	if (job->rate > 0) {
		buf_add_str(text, "open loop, ");
		num_format_count(text, (int64_t)job->rate);
		buf_add_str(text, "/s");
		if (job->rate_to > 0) {
			buf_add_str(text, " to ");
			num_format_count(text, (int64_t)job->rate_to);
			buf_add_str(text, "/s");
		}
		buf_add_str(text, job->poisson ? " (Poisson)" : "");
	} else {
		buf_printf(text, "closed loop, %zu deep", job->depth);
	}
	buf_printf(text, ", %zu client%s", job->clients, job->clients == 1 ? "" : "s");
	if (job->threads > 1)
		buf_printf(text, ", %zu threads", job->threads);
}

static void describe_end(const struct bench_job *job, struct buf *text)
{
	if (job->duration_ms) {
		buf_add_str(text, ", ");
		num_format_duration_ms(text, (int64_t)job->duration_ms);
	}
	if (job->requests)
		buf_printf(text, ", %" PRIu64 " operations", job->requests);
}

static void describe_mix(const struct bench_job *job, struct buf *text)
{
	const char *comma = "";

	for (int kind = 0; kind < BENCH_KINDS; kind++) {
		if (job->mix[kind] <= 0)
			continue;
		buf_printf(text, "%s%s %.3g %%", comma, bench_kind_names[kind],
			   job->mix[kind] * 100);
		comma = ", ";
	}
}

void bench_view_plan(struct app *app, const struct bench_job *job)
{
	struct buf text = {0};

	describe_mix(job, &text);
	buf_add_str(&text, " of ");
	for (size_t i = 0; i < job->family_count; i++) {
		const struct bench_family *family = &job->families[i];

		buf_printf(&text, "%s%s (", i ? ", " : "", family->name);
		num_format_count(&text, (int64_t)family->keys);
		buf_add_str(&text, family->keys == 1 ? " key, " : " keys, ");
		num_format_size(&text, family->size_min);
		if (family->size_max > family->size_min) {
			buf_add_str(&text, " to ");
			num_format_size(&text, family->size_max);
		}
		buf_add_str(&text, ")");
	}
	buf_add_str(&text, "; ");
	describe_load(job, &text);
	describe_end(job, &text);
	app_info(app, "%s: %s; keys " BENCH_PREFIX "%s:*", app->target_text, buf_str(&text),
		 job->run);
	buf_release(&text);
}

/* --- the result --- */

static struct out_value micro(uint64_t ns)
{
	return out_real((double)ns / 1000);
}

static struct out_value share(uint64_t part, uint64_t whole)
{
	return whole ? out_real((double)part / (double)whole) : OUT_NONE;
}

static double seconds(const struct bench_result *result)
{
	return (double)result->elapsed_ns / 1e9;
}

static struct out_value per_second(uint64_t count, const struct bench_result *result)
{
	return result->elapsed_ns ? out_real((double)count / seconds(result)) : OUT_NONE;
}

static const struct out_column second_columns[] = {
    {.name = "second", .title = "SECOND", .unit = OUT_COUNT},
    {.name = "count", .title = "COUNT", .unit = OUT_COUNT},
    {.name = "errors", .title = "ERRORS", .unit = OUT_COUNT},
    {.name = "p50_us", .title = "P50", .unit = OUT_US},
    {.name = "p99_us", .title = "P99", .unit = OUT_US},
    {.name = "max_us", .title = "MAX", .unit = OUT_US},
};
static const struct out_table second_table = {.name = "seconds",
					      .columns = second_columns,
					      .column_count = sizeof second_columns /
							      sizeof second_columns[0]};

static bool shows_seconds(const struct sink *sink)
{
	return sink_format(sink) == OUT_JSON || sink_format(sink) == OUT_NDJSON;
}

void bench_view_seconds_begin(struct sink *sink)
{
	if (shows_seconds(sink))
		sink_table_begin(sink, &second_table);
}

void bench_view_second(struct sink *sink, size_t second, const struct bench_second *figures)
{
	bool any = figures->count > 0;

	if (!shows_seconds(sink))
		return;
	sink_row(sink, (struct out_value[]){
			   out_uint(second),
			   out_uint(figures->count),
			   out_uint(figures->errors),
			   any ? micro(figures->p50_ns) : OUT_NONE,
			   any ? micro(figures->p99_ns) : OUT_NONE,
			   any ? micro(figures->max_ns) : OUT_NONE,
		       });
}

void bench_view_seconds_end(struct sink *sink)
{
	if (shows_seconds(sink))
		sink_table_end(sink);
}

/* Times count from when an operation was due; without a schedule, from its send. */
static const struct histogram *times_of(const struct bench_row *row)
{
	return row->response.counts ? &row->response : &row->service;
}

static struct out_value quantile(const struct histogram *times, double at)
{
	return times->counts && times->total ? micro(histogram_quantile(times, at)) : OUT_NONE;
}

enum {
	R_NAMESPACE,
	R_OPERATION,
	R_COUNT,
	R_RATE,
	R_ERRORS,
	R_HITS,
	R_MISSES,
	R_HIT_RATIO,
	R_BYTES,
	R_FOREIGN,
	R_TORN,
	R_STALE,
	R_P50,
	R_P90,
	R_P99,
	R_P999,
	R_P9999,
	R_MAX,
	R_SERVICE_P50,
	R_SERVICE_P99,
	R_COLUMNS
};

static const struct out_column row_columns[R_COLUMNS] = {
    [R_NAMESPACE] = {.name = "namespace",
		     .title = "NAMESPACE",
		     .flags = OUT_LABEL | OUT_SHRINK},
    [R_OPERATION] = {.name = "operation", .title = "OP", .flags = OUT_LABEL},
    [R_COUNT] = {.name = "count", .title = "COUNT", .unit = OUT_COUNT, .flags = OUT_DETAIL},
    [R_RATE] = {.name = "per_second",
		.title = "RATE",
		.unit = OUT_RATE,
		.metric = "callcache_bench_operations_per_second",
		.help = "Operations answered without error, per second"},
    [R_ERRORS] = {.name = "errors",
		  .title = "ERRORS",
		  .unit = OUT_COUNT,
		  .flags = OUT_WARN | OUT_MINOR,
		  .metric = "callcache_bench_errors",
		  .help = "Operations answered by an error"},
    [R_HITS] = {.name = "hits", .title = "HITS", .unit = OUT_COUNT, .flags = OUT_DETAIL},
    [R_MISSES] = {.name = "misses", .title = "MISSES", .unit = OUT_COUNT, .flags = OUT_DETAIL},
    [R_HIT_RATIO] = {.name = "hit_ratio",
		     .title = "HITS",
		     .unit = OUT_PERCENT,
		     .flags = OUT_MINOR},
    [R_BYTES] = {.name = "value_bytes",
		 .title = "VALUES",
		 .unit = OUT_SIZE,
		 .flags = OUT_MINOR},
    [R_FOREIGN] = {.name = "foreign",
		   .title = "FOREIGN",
		   .unit = OUT_COUNT,
		   .flags = OUT_DETAIL},
    [R_TORN] = {.name = "torn", .title = "TORN", .unit = OUT_COUNT, .flags = OUT_DETAIL},
    [R_STALE] = {.name = "stale", .title = "STALE", .unit = OUT_COUNT, .flags = OUT_DETAIL},
    [R_P50] = {.name = "p50_us",
	       .title = "P50",
	       .unit = OUT_US,
	       .flags = OUT_MINOR,
	       .metric = "callcache_bench_p50_seconds",
	       .help = "Half of the operations took no longer"},
    [R_P90] = {.name = "p90_us", .title = "P90", .unit = OUT_US, .flags = OUT_MINOR},
    [R_P99] = {.name = "p99_us",
	       .title = "P99",
	       .unit = OUT_US,
	       .metric = "callcache_bench_p99_seconds",
	       .help = "99 % of the operations took no longer"},
    [R_P999] = {.name = "p999_us", .title = "P99.9", .unit = OUT_US, .flags = OUT_MINOR},
    [R_P9999] = {.name = "p9999_us", .title = "P99.99", .unit = OUT_US, .flags = OUT_DETAIL},
    [R_MAX] = {.name = "max_us",
	       .title = "MAX",
	       .unit = OUT_US,
	       .flags = OUT_MINOR,
	       .metric = "callcache_bench_max_seconds",
	       .help = "The slowest operation"},
    [R_SERVICE_P50] = {.name = "service_p50_us",
		       .title = "SERVICE P50",
		       .unit = OUT_US,
		       .flags = OUT_DETAIL},
    [R_SERVICE_P99] = {.name = "service_p99_us",
		       .title = "SERVICE P99",
		       .unit = OUT_US,
		       .flags = OUT_MINOR},
};
static const struct out_table row_table = {
    .name = "operations", .columns = row_columns, .column_count = R_COLUMNS, .primary = true};

static void print_row(struct sink *sink, const struct bench_job *job,
		      const struct bench_result *result, const char *family,
		      enum bench_kind kind, const struct bench_row *row)
{
	const struct histogram *times = times_of(row);
	bool verified = job->verify && kind == BENCH_GET;
	bool reads = kind == BENCH_GET || kind == BENCH_COMMAND;

	sink_row(sink, (struct out_value[R_COLUMNS]){
			   [R_NAMESPACE] = out_str(family),
			   [R_OPERATION] = out_str(bench_kind_names[kind]),
			   [R_COUNT] = out_uint(row->count),
			   [R_RATE] = per_second(row->count, result),
			   [R_ERRORS] = out_uint(row->errors),
			   [R_HITS] = reads ? out_uint(row->hits) : OUT_NONE,
			   [R_MISSES] = reads ? out_uint(row->misses) : OUT_NONE,
			   [R_HIT_RATIO] =
			       reads ? share(row->hits, row->hits + row->misses) : OUT_NONE,
			   [R_BYTES] = out_uint(row->value_bytes),
			   [R_FOREIGN] = verified ? out_uint(row->foreign) : OUT_NONE,
			   [R_TORN] = verified ? out_uint(row->torn) : OUT_NONE,
			   [R_STALE] = verified ? out_uint(row->stale) : OUT_NONE,
			   [R_P50] = quantile(times, 0.5),
			   [R_P90] = quantile(times, 0.9),
			   [R_P99] = quantile(times, 0.99),
			   [R_P999] = quantile(times, 0.999),
			   [R_P9999] = quantile(times, 0.9999),
			   [R_MAX] = times->counts ? micro(times->max) : OUT_NONE,
			   [R_SERVICE_P50] = quantile(&row->service, 0.5),
			   [R_SERVICE_P99] = quantile(&row->service, 0.99),
		       });
}

static void print_rows(struct sink *sink, const struct bench_job *job,
		       const struct bench_result *result)
{
	sink_table_begin(sink, &row_table);
	for (size_t f = 0; f < job->family_count; f++)
		for (int kind = 0; kind < BENCH_KINDS; kind++)
			if (result->rows[f][kind].count + result->rows[f][kind].errors > 0)
				print_row(sink, job, result, job->families[f].name,
					  (enum bench_kind)kind, &result->rows[f][kind]);
	sink_table_end(sink);
}

static void print_errors(struct sink *sink, const struct bench_result *result)
{
	static const struct out_column columns[] = {
	    {.name = "error", .title = "ERROR", .flags = OUT_LABEL},
	    {.name = "count", .title = "COUNT", .unit = OUT_COUNT},
	    {.name = "text", .title = "FIRST", .flags = OUT_SHRINK},
	};
	static const struct out_table table = {
	    .name = "errors_by_code", .columns = columns, .column_count = 3};

	if (result->error_count == 0 && sink_format(sink) == OUT_TABLE)
		return;
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < result->error_count; i++)
		sink_row(sink, (struct out_value[]){out_str(result->errors[i].code),
						    out_uint(result->errors[i].count),
						    out_str(result->errors[i].text)});
	sink_table_end(sink);
}

/* In a shorter run the asking costs a server more than the load does. */
#define SHARE_LEAST_NS UINT64_C(100000000)

static struct out_value cpu_share(int64_t cpu_us, const struct bench_result *result)
{
	return cpu_us >= 0 && result->elapsed_ns >= SHARE_LEAST_NS
		   ? out_real((double)cpu_us * 1000 / (double)result->elapsed_ns)
		   : OUT_NONE;
}

static struct out_value redirections(const struct bench_result *result)
{
	uint64_t count = 0;

	for (size_t i = 0; i < result->node_count; i++)
		count += result->nodes[i].moved + result->nodes[i].asked +
			 result->nodes[i].tried_again;
	return result->node_count ? out_uint(count) : OUT_NONE;
}

/* Of a cluster. */
static void print_nodes(struct sink *sink, const struct bench_result *result)
{
	static const struct out_column columns[] = {
	    {.name = "node", .title = "NODE", .flags = OUT_LABEL | OUT_SHRINK},
	    {.name = "count", .title = "COUNT", .unit = OUT_COUNT, .flags = OUT_DETAIL},
	    {.name = "per_second", .title = "RATE", .unit = OUT_RATE},
	    {.name = "errors",
	     .title = "ERRORS",
	     .unit = OUT_COUNT,
	     .flags = OUT_WARN | OUT_MINOR},
	    {.name = "moved", .title = "MOVED", .unit = OUT_COUNT},
	    {.name = "ask", .title = "ASK", .unit = OUT_COUNT, .flags = OUT_MINOR},
	    {.name = "tryagain", .title = "TRYAGAIN", .unit = OUT_COUNT, .flags = OUT_DETAIL},
	    {.name = "service_p50_us", .title = "P50", .unit = OUT_US, .flags = OUT_MINOR},
	    {.name = "service_p99_us", .title = "P99", .unit = OUT_US},
	    {.name = "service_max_us", .title = "MAX", .unit = OUT_US, .flags = OUT_MINOR},
	    {.name = "cpu", .title = "CPU", .unit = OUT_PERCENT, .flags = OUT_MINOR},
	};
	static const struct out_table table = {.name = "nodes",
					       .columns = columns,
					       .column_count =
						   sizeof columns / sizeof columns[0]};

	if (result->node_count == 0 && sink_format(sink) == OUT_TABLE)
		return;
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < result->node_count; i++) {
		const struct bench_node *node = &result->nodes[i];

		sink_row(sink, (struct out_value[]){
				   out_str(node->name),
				   out_uint(node->count),
				   per_second(node->count, result),
				   out_uint(node->errors),
				   out_uint(node->moved),
				   out_uint(node->asked),
				   out_uint(node->tried_again),
				   quantile(&node->times, 0.5),
				   quantile(&node->times, 0.99),
				   node->times.counts ? micro(node->times.max) : OUT_NONE,
				   cpu_share(node->cpu_us, result),
			       });
	}
	sink_table_end(sink);
}

static void field(struct sink *sink, const char *name, const char *title, enum out_unit unit,
		  unsigned flags, struct out_value value)
{
	if (sink_format(sink) == OUT_TABLE &&
	    (value.type == OUT_T_NULL || (flags & OUT_DETAIL)))
		return;
	sink_field(
	    sink,
	    &(struct out_column){.name = name, .title = title, .unit = unit, .flags = flags},
	    value);
}

static void print_cpu(struct sink *sink, const struct bench_job *job,
		      const struct bench_result *result, uint64_t answered)
{
	double client = (double)result->client_cpu_us * 1000 / (double)(result->elapsed_ns + 1);
	bool server_known = result->server_cpu_us >= 0;
	double server = (double)result->server_cpu_us * 1000 / (double)(result->elapsed_ns + 1);
	double servers = result->node_count ? (double)result->node_count : 1;
	bool bound =
	    client / (double)job->threads > 0.9 && (!server_known || server / servers < 0.9);

	field(sink, "client_cpu", "Client CPU", OUT_PERCENT, 0, out_real(client));
	field(sink, "client_cpu_us_per_operation", "per operation", OUT_US, 0,
	      answered ? out_real((double)result->client_cpu_us / (double)answered) : OUT_NONE);
	field(sink, "server_cpu", "Server CPU", OUT_PERCENT, 0,
	      cpu_share(result->server_cpu_us, result));
	field(sink, "client_bound", "Client bound", OUT_PLAIN, OUT_DETAIL, out_bool(bound));
	if (bound)
		sink_note(sink, "the client was the bottleneck: more --threads, or the server "
				"can do more than this");
}

void bench_view_result(struct app *app, struct sink *sink, const struct bench_job *job,
		       const struct bench_result *result)
{
	struct bench_row all;
	struct buf load = {0};

	bench_row_sum(result, -1, &all);
	describe_load(job, &load);
	field(sink, "target", "Target", OUT_PLAIN, 0, out_str(app->target_text));
	field(sink, "run", "Run", OUT_PLAIN, OUT_DETAIL, out_str(job->run));
	field(sink, "load", "Load", OUT_PLAIN, 0, out_str(buf_str(&load)));
	field(sink, "partial", "Partial", OUT_PLAIN, result->partial ? OUT_WARN : OUT_DETAIL,
	      out_bool(result->partial));
	field(sink, "elapsed_ms", "Measured", OUT_MS, 0,
	      out_int((int64_t)(result->elapsed_ns / 1000000)));
	field(sink, "count", "Operations", OUT_COUNT, 0, out_uint(all.count));
	field(sink, "per_second", "Achieved", OUT_RATE, 0, per_second(all.count, result));
	field(sink, "offered_per_second", "Offered", OUT_RATE, 0,
	      job->rate > 0 ? out_real(result->offered) : OUT_NONE);
	field(sink, "unsent", "Never sent", OUT_COUNT, result->unsent ? OUT_WARN : OUT_DETAIL,
	      job->rate > 0 ? out_uint(result->unsent) : OUT_NONE);
	field(sink, "errors", "Errors", OUT_COUNT, OUT_WARN, out_uint(all.errors));
	field(sink, "redirections", "Redirections", OUT_COUNT, 0, redirections(result));
	field(sink, "wrong", "Wrong values", OUT_COUNT, OUT_WARN,
	      job->verify ? out_uint(all.foreign + all.torn + all.stale) : OUT_NONE);
	field(sink, "hit_ratio", "Hit ratio", OUT_PERCENT, 0,
	      share(all.hits, all.hits + all.misses));
	field(sink, "value_bytes", "Value bytes", OUT_SIZE, 0, out_uint(all.value_bytes));
	field(sink, "lag_p99_us", "Pacing lag p99", OUT_US, OUT_DETAIL,
	      quantile(&result->lag, 0.99));
	field(sink, "evicted", "Evicted", OUT_COUNT,
	      OUT_WARN | (result->evicted ? 0 : OUT_DETAIL),
	      result->evicted >= 0 ? out_int(result->evicted) : OUT_NONE);
	print_cpu(sink, job, result, all.count + all.errors);
	print_rows(sink, job, result);
	print_nodes(sink, result);
	print_errors(sink, result);
	bench_view_picture(sink, result,
			   app->out_terminal.is_tty ? app->out_terminal.width : 80);
	bench_row_release(&all);
	buf_release(&load);
}
