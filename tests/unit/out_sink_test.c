#include "check.h"

#include "base/err.h"
#include "out/sink.h"
#include "out/stream.h"
#include "out/terminal.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct out_column server = {.name = "server", .title = "Server"};
static const struct out_column keys = {.name = "keys",
				       .title = "Keys",
				       .unit = OUT_COUNT,
				       .metric = "callcache_keys",
				       .help = "Keys \\ of\nall."};
static const struct out_column no_ttl = {
    .name = "no_ttl", .title = "Without a TTL", .unit = OUT_COUNT, .flags = OUT_WARN};
static const struct out_column detail = {.name = "run_id", .title = "Run", .flags = OUT_DETAIL};

static const struct out_column ns_columns[] = {
    {.name = "namespace", .title = "NAMESPACE", .flags = OUT_LABEL | OUT_SHRINK},
    {.name = "keys",
     .title = "KEYS",
     .unit = OUT_COUNT,
     .metric = "callcache_ns_keys",
     .help = "Keys."},
    {.name = "hits",
     .title = "HITS",
     .flags = OUT_DETAIL,
     .metric = "callcache_hits_total",
     .help = "Hits."},
    {.name = "ok", .title = "OK", .metric = "callcache_ok", .help = "Fine."},
    {.name = "value", .title = "VALUE", .flags = OUT_SHRINK},
};
static const struct out_table namespaces = {.name = "namespaces",
					    .title = "Namespaces",
					    .columns = ns_columns,
					    .column_count = 5,
					    .primary = true};
static const struct out_table others = {
    .name = "others", .columns = ns_columns + 3, .column_count = 2};

static void put_document(struct sink *sink)
{
	sink_begin(sink, "inspect", 1);
	sink_field(sink, &server, out_str("redis \"1\", a"));
	sink_field(sink, &keys, out_int(1234567));
	sink_field(sink, &no_ttl, out_int(3));
	sink_field(sink, &detail, OUT_NONE);
	sink_table_begin(sink, &namespaces);
	sink_row(sink, (struct out_value[]){out_str("l\"e\\a\nd"), out_int(INT64_MAX),
					    out_int(9007199254740993), out_bool(true),
					    out_raw(BYTES("{\"a\":1.10}"))});
	sink_row(sink, (struct out_value[]){out_str("call"), out_int(-1), out_real(0.1),
					    out_bool(false), out_text(BYTES("a\0b\x1b[31m"))});
	sink_row(sink, (struct out_value[]){out_text(BYTES("b\xff")), OUT_NONE, OUT_NONE,
					    OUT_NONE, OUT_NONE});
	sink_table_end(sink);
	sink_table_begin(sink, &others);
	sink_row(sink, (struct out_value[]){out_bool(true), out_str("x")});
	sink_table_end(sink);
	sink_note(sink, "3 keys \033[5m, see %s", "inspect");
}

/* What put writes in the format, in a static buffer. */
static const char *render(enum out_format format, const struct out_terminal *terminal,
			  void (*put)(struct sink *))
{
	static char text[8192];
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct out_stream *stream = out_stream_new(fd, "memory");
	struct sink *sink = sink_new(format, stream, terminal);
	struct err err = {0};

	put(sink);
	CHECK_INT(sink_end(sink, &err), 0);
	CHECK(!sink_failed(sink));
	CHECK_INT(sink_format(sink), format);
	sink_free(sink);
	out_stream_free(stream);
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

TEST(table)
{
	CHECK_STR(render(OUT_TABLE, NULL, put_document),
		  "Server         redis \"1\", a\n"
		  "Keys           1,234,567\n"
		  "Without a TTL  3\n"
		  "\n"
		  "Namespaces\n"
		  "NAMESPACE                       KEYS  OK   VALUE\n"
		  "l\"e\\a\\nd   9,223,372,036,854,775,807  yes  {\"a\":1.10}\n"
		  "call                              -1  no   a\\x00b\\x1b[31m\n"
		  "b\\xff                              -  -    -\n"
		  "\n"
		  "OK   VALUE\n"
		  "yes  x\n"
		  "\n"
		  "3 keys \\x1b[5m, see inspect\n");
}

TEST(table_colours)
{
	const struct out_terminal terminal = {
	    .is_tty = true, .colour = true, .utf8 = true, .width = 80};
	const char *text = render(OUT_TABLE, &terminal, put_document);

	CHECK(strstr(text, "Without a TTL  \033[33m3\033[0m\n"));
	CHECK(strstr(text, "\033[1mNamespaces\033[0m\n"));
	CHECK(!strstr(text, "\033[5m"));
	CHECK(!strstr(text, "\033[31m"));
}

static void put_long_row(struct sink *sink)
{
	static const struct out_column columns[] = {
	    {.name = "key", .title = "KEY", .flags = OUT_SHRINK},
	    {.name = "n", .title = "N", .unit = OUT_SIZE},
	};
	static const struct out_table table = {
	    .name = "t", .columns = columns, .column_count = 2};

	sink_begin(sink, "x", 1);
	sink_table_begin(sink, &table);
	sink_row(sink,
		 (struct out_value[]){out_str("call:logs:5071234567890äöü"), out_int(2048)});
	sink_row(sink, (struct out_value[]){out_str("界界界界界界界界"), out_int(1)});
	sink_table_end(sink);
}

TEST(twenty_columns)
{
	struct out_terminal terminal = {.is_tty = true, .utf8 = true, .width = 20};

	CHECK_STR(render(OUT_TABLE, &terminal, put_long_row), "KEY                N\n"
							      "call:logs:50…  2 KiB\n"
							      "界界界界界界…    1 B\n");
	terminal.utf8 = false;
	CHECK_STR(render(OUT_TABLE, &terminal, put_long_row), "KEY                N\n"
							      "call:logs:...  2 KiB\n"
							      "\\xE7\\x95\\x...    1 B\n");
	CHECK(strlen(render(OUT_TABLE, &terminal, put_document)) > 100);
	terminal.is_tty = false; /* a pipe is never cut */
	CHECK(strstr(render(OUT_TABLE, &terminal, put_long_row), "call:logs:5071234567890äöü"));
}

static void put_titles(struct sink *sink)
{
	static const struct out_column columns[] = {{.name = "a", .title = "To"},
						    {.name = "b", .title = "A longer title"},
						    {.name = "c", .title = "Keys"}};

	sink_begin(sink, "x", 1);
	sink_field(sink, &columns[0], out_str("unix:/tmp/redis.sock"));
	sink_field(sink, &columns[1], out_str("yes"));
	sink_field(sink, &columns[2], out_str("longer than all there is room for"));
}

TEST(a_value_moves_to_the_left_rather_than_wrap)
{
	struct out_terminal terminal = {.is_tty = true, .utf8 = true, .width = 30};
	const char *wide = "To              unix:/tmp/redis.sock\n"
			   "A longer title  yes\n"
			   "Keys            longer than all there is room for\n";

	CHECK_STR(render(OUT_TABLE, &terminal, put_titles),
		  "To        unix:/tmp/redis.sock\n"
		  "A longer title  yes\n"
		  "Keys  longer than all there is room for\n");
	terminal.is_tty = false;
	CHECK_STR(render(OUT_TABLE, &terminal, put_titles), wide);
	terminal = (struct out_terminal){.is_tty = true, .utf8 = true, .width = 49};
	CHECK_STR(render(OUT_TABLE, &terminal, put_titles), wide);
}

static void put_alike(struct sink *sink)
{
	static const struct out_column columns[] = {
	    {.name = "key", .title = "KEY", .flags = OUT_SHRINK},
	    {.name = "asked", .title = "ASKED", .unit = OUT_COUNT},
	    {.name = "renewed", .title = "RENEWED", .unit = OUT_COUNT, .flags = OUT_MINOR},
	    {.name = "skipped", .title = "SKIPPED", .unit = OUT_COUNT, .flags = OUT_MINOR},
	    {.name = "absent", .title = "ABSENT", .unit = OUT_COUNT, .flags = OUT_MINOR},
	    {.name = "code", .title = "CODE"},
	};
	static const struct out_table table = {
	    .name = "alike", .columns = columns, .column_count = 6};
	static const char *const keys_alike[] = {"call:lead:lead-0000000001:x",
						 "call:lead:lead-0000000002:x",
						 "call:lead:lead-0000000001:x", "other:key"};

	sink_begin(sink, "inspect", 1);
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < 4; i++)
		sink_row(sink,
			 (struct out_value[]){out_str(keys_alike[i]), out_int(5), out_int(0),
					      out_int(3), out_int(0), out_str("ok")});
	sink_table_end(sink);
}

TEST(what_tells_cells_apart_and_counts_that_add_up_stay)
{
	struct out_terminal terminal = {.is_tty = true, .utf8 = true, .width = 40};

	/* RENEWED and ABSENT, which are 0, make room for SKIPPED; of keys that begin alike
	 * stays what tells them apart */
	CHECK_STR(render(OUT_TABLE, &terminal, put_alike),
		  "KEY                 ASKED  SKIPPED  CODE\n"
		  "call:lea…0000001:x      5        3  ok\n"
		  "call:lea…0000002:x      5        3  ok\n"
		  "call:lea…0000001:x      5        3  ok\n"
		  "other:key               5        3  ok\n");
	/* no line is wider than the terminal, whatever has to go */
	terminal.width = 20;
	CHECK_STR(render(OUT_TABLE, &terminal, put_alike), "KEY            ASKED\n"
							   "call:l…0001:x      5\n"
							   "call:l…0002:x      5\n"
							   "call:l…0001:x      5\n"
							   "other:key          5\n");
}

TEST(c_locale)
{
	setlocale(LC_CTYPE, "C");
	CHECK(
	    strstr(render(OUT_TABLE, NULL, put_long_row), "call:logs:5071234567890\\xC3\\xA4"));
	setlocale(LC_CTYPE, "C.UTF-8");
}

static void put_empty(struct sink *sink)
{
	sink_begin(sink, "x", 2);
	sink_table_begin(sink, &namespaces);
	sink_table_end(sink);
}

TEST(no_rows)
{
	CHECK_STR(render(OUT_TABLE, NULL, put_empty), "Namespaces\nnone\n");
	CHECK_STR(render(OUT_JSON, NULL, put_empty),
		  "{\"schema\":\"ccache.x/2\",\"namespaces\":[]}\n");
	CHECK_STR(render(OUT_NDJSON, NULL, put_empty),
		  "{\"table\":\"x\",\"schema\":\"ccache.x/2\"}\n");
	CHECK_STR(render(OUT_CSV, NULL, put_empty), "namespace,keys,hits,ok,value\n");
	CHECK_STR(render(OUT_PROM, NULL, put_empty), "");
}

#define ROW_1                                                                                  \
	"\"namespace\":\"l\\\"e\\\\a\\nd\",\"keys\":9223372036854775807,\"hits\":"             \
	"9007199254740993,"                                                                    \
	"\"ok\":true,\"value\":{\"a\":1.10}}"
#define ROW_2                                                                                  \
	"\"namespace\":\"call\",\"keys\":-1,\"hits\":0.1,\"ok\":false,"                        \
	"\"value\":\"a\\u0000b\\u001b[31m\"}"
#define ROW_3                                                                                  \
	"\"namespace\":null,\"namespace_base64\":\"Yv8=\",\"keys\":null,\"hits\":null,"        \
	"\"ok\":null,\"value\":null}"
#define FIELDS "\"server\":\"redis \\\"1\\\", a\",\"keys\":1234567,\"no_ttl\":3,\"run_id\":null"

TEST(json)
{
	CHECK_STR(render(OUT_JSON, NULL, put_document),
		  "{\"schema\":\"ccache.inspect/1\"," FIELDS ",\"namespaces\":[\n"
		  "{" ROW_1 ",\n{" ROW_2 ",\n{" ROW_3 "],\"others\":[\n"
		  "{\"ok\":true,\"value\":\"x\"}]}\n");
}

TEST(ndjson)
{
	CHECK_STR(render(OUT_NDJSON, NULL, put_document),
		  "{\"table\":\"namespaces\"," ROW_1 "\n{\"table\":\"namespaces\"," ROW_2 "\n"
		  "{\"table\":\"namespaces\"," ROW_3 "\n"
		  "{\"table\":\"others\",\"ok\":true,\"value\":\"x\"}\n"
		  "{\"table\":\"inspect\",\"schema\":\"ccache.inspect/1\"," FIELDS "}\n");
}

static void put_fields(struct sink *sink)
{
	sink_begin(sink, "x", 1);
	sink_field(sink, &server, out_str("=1+1 \"a\",b\r\n"));
	sink_field(sink, &keys, out_real(1e300));
	sink_field(sink, &no_ttl, out_real(1.0 / 0.0));
}

TEST(csv)
{
	CHECK_STR(
	    render(OUT_CSV, NULL, put_document),
	    "namespace,keys,hits,ok,value\n"
	    "\"l\"\"e\\a\\nd\",9223372036854775807,9007199254740993,true,\"{\"\"a\"\":1.10}\"\n"
	    "call,-1,0.1,false,a\\x00b\\x1b[31m\n"
	    "b\\xff,,,,\n");
	CHECK_STR(render(OUT_CSV, NULL, put_fields),
		  "server,keys,no_ttl\n\"=1+1 \"\"a\"\",b\\r\\n\",1e+300,\n");
}

TEST(prom)
{
	CHECK_STR(render(OUT_PROM, NULL, put_document),
		  "# HELP callcache_keys Keys \\\\ of\\nall.\n"
		  "# TYPE callcache_keys gauge\n"
		  "callcache_keys 1234567\n"
		  "# HELP callcache_ns_keys Keys.\n"
		  "# TYPE callcache_ns_keys gauge\n"
		  "callcache_ns_keys{namespace=\"l\\\"e\\\\a\\nd\"} 9223372036854775807\n"
		  "callcache_ns_keys{namespace=\"call\"} -1\n"
		  "# HELP callcache_hits_total Hits.\n"
		  "# TYPE callcache_hits_total counter\n"
		  "callcache_hits_total{namespace=\"l\\\"e\\\\a\\nd\"} 9007199254740993\n"
		  "callcache_hits_total{namespace=\"call\"} 0.1\n"
		  "# HELP callcache_ok Fine.\n"
		  "# TYPE callcache_ok gauge\n"
		  "callcache_ok{namespace=\"l\\\"e\\\\a\\nd\"} 1\n"
		  "callcache_ok{namespace=\"call\"} 0\n"
		  "callcache_ok 1\n");
}

static void put_units(struct sink *sink)
{
	static const char *const titles[] = {"p", "c", "s", "m", "u", "%", "r"};

	sink_begin(sink, "x", 1);
	for (int unit = OUT_PLAIN; unit <= OUT_RATE; unit++) {
		struct out_column column = {
		    .name = "n", .title = titles[unit], .unit = (enum out_unit)unit};

		sink_field(sink, &column, out_int(1240));
		sink_field(sink, &column, out_real(0.973));
	}
}

TEST(units)
{
	CHECK_STR(render(OUT_TABLE, NULL, put_units), "p  1240\np  0.97\nc  1,240\nc  1\n"
						      "s  1.21 KiB\ns  1 B\nm  1.2s\nm  1ms\n"
						      "u  1.24 ms\nu  0.97 µs\n"
						      "%  124000.0 %\n%  97.3 %\n"
						      "r  1,240/s\nr  0.97/s\n");
}

static void put_rows_until_failed(struct sink *sink, int *ret_rows)
{
	sink_begin(sink, "x", 1);
	sink_table_begin(sink, &others);
	for (*ret_rows = 0; *ret_rows < 1000000 && !sink_failed(sink); ++*ret_rows)
		sink_row(sink, (struct out_value[]){out_bool(true), out_str("x")});
	sink_table_end(sink);
}

TEST(full_disk)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct out_stream *stream = out_stream_new(fd, "standard output");
	struct sink *sink = sink_new(OUT_NDJSON, stream, NULL);
	struct err err = {0};
	int rows = 0;

	put_rows_until_failed(sink, &rows);
	CHECK(rows > 100 && rows < 10000);
	CHECK_INT(sink_end(sink, &err), -1);
	CHECK_INT(err.kind, ERR_OUTPUT);
	CHECK_STR(err.text, "standard output: No space left on device");
	CHECK(!out_stream_closed(stream));
	CHECK_INT(out_stream_flush(stream, NULL), -1);
	sink_free(sink);
	out_stream_free(stream);
	close(fd);
}

TEST(closed_pipe)
{
	int ends[2] = {-1, -1};
	int rows = 0;

	CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	struct out_stream *stream = out_stream_new(ends[1], "standard output");
	struct sink *sink = sink_new(OUT_JSON, stream, NULL);
	put_rows_until_failed(sink, &rows);
	CHECK(rows < 10000);
	CHECK_INT(sink_end(sink, NULL), -1);
	CHECK(out_stream_closed(stream));
	sink_free(sink);
	out_stream_free(stream);
	close(ends[1]);
}

/* A document that was begun and left, as after an error, leaks nothing (under the leak
 * checker). */
TEST(abandoned)
{
	for (int format = OUT_TABLE; format <= OUT_PROM; format++) {
		struct out_stream *stream = out_stream_new(-1, "nothing");
		struct sink *sink = sink_new((enum out_format)format, stream, NULL);

		sink_begin(sink, "x", 1);
		sink_field(sink, &keys, out_int(1));
		sink_table_begin(sink, &namespaces);
		sink_free(sink);
		out_stream_free(stream);
	}
	sink_free(NULL);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setlocale(LC_CTYPE, "C.UTF-8");
	RUN(table);
	RUN(table_colours);
	RUN(twenty_columns);
	RUN(a_value_moves_to_the_left_rather_than_wrap);
	RUN(what_tells_cells_apart_and_counts_that_add_up_stay);
	RUN(c_locale);
	RUN(no_rows);
	RUN(json);
	RUN(ndjson);
	RUN(csv);
	RUN(prom);
	RUN(units);
	RUN(full_disk);
	RUN(closed_pipe);
	RUN(abandoned);
	CHECK_DONE();
}
