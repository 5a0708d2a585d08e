#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "opt/opt.h"

struct values {
	bool quiet, colour, fetch;
	const char *host, *password;
	uint64_t port, limit, timeout_ms, size;
	double ratio;
	int format, progress;
	struct opt_list where;
};

static const char *const formats[] = {"table", "json", "ndjson", NULL};
static const char *const progress_modes[] = {"bar", "lines", NULL};

#define AT(member) offsetof(struct values, member)
static const struct opt_row rows[] = {
    {.name = "host",
     .letter = 'h',
     .type = OPT_TEXT,
     .arg = "HOST",
     .help = "server",
     .offset = AT(host),
     .flags = OPT_LONE_HELP},
    {.name = "port",
     .letter = 'p',
     .type = OPT_COUNT,
     .arg = "PORT",
     .help = "its port",
     .fallback = "6379",
     .min = 1,
     .max = 65535,
     .offset = AT(port)},
    {.name = "password",
     .letter = 'a',
     .type = OPT_TEXT,
     .arg = "PASS",
     .help = "secret",
     .offset = AT(password),
     .flags = OPT_SECRET},
    {.name = "limit",
     .type = OPT_COUNT,
     .arg = "N",
     .help = "at most",
     .min = 2,
     .offset = AT(limit)},
    {.name = "timeout",
     .letter = 't',
     .type = OPT_DURATION,
     .arg = "DURATION",
     .help = "patience",
     .fallback = "5s",
     .min = 10,
     .max = 3600000,
     .offset = AT(timeout_ms)},
    {.name = "quiet", .letter = 'q', .type = OPT_FLAG, .help = "less", .offset = AT(quiet)},
    OPT_END,
};
static const struct opt_row verb_rows[] = {
    {.name = "size",
     .type = OPT_SIZE,
     .arg = "SIZE",
     .help = "bytes",
     .min = 0,
     .offset = AT(size)},
    {.name = "ratio", .type = OPT_RATIO, .arg = "RATIO", .help = "share", .offset = AT(ratio)},
    {.name = "output",
     .letter = 'o',
     .type = OPT_CHOICE,
     .arg = "FORMAT",
     .help = "format",
     .choices = formats,
     .offset = AT(format)},
    {.name = "progress",
     .letter = 'P',
     .type = OPT_CHOICE,
     .arg = "MODE",
     .help = "how",
     .choices = progress_modes,
     .offset = AT(progress),
     .flags = OPT_OPTIONAL},
    {.name = "colour",
     .letter = 'c',
     .type = OPT_FLAG,
     .help = "colours",
     .fallback = "true",
     .offset = AT(colour),
     .flags = OPT_NEGATABLE},
    {.name = "no-fetch", .type = OPT_FLAG, .help = "only Redis", .offset = AT(fetch)},
    {.name = "where",
     .letter = 'w',
     .type = OPT_LIST,
     .arg = "K=V",
     .help = "only these",
     .offset = AT(where)},
    OPT_END,
};

/* One parse of a blank-separated line, in a fresh copy that the parser may wipe. */
struct run {
	struct values values;
	struct opt_words words;
	struct err err;
	int status, used, argc;
	char *argv[24];
	char text[512];
};

static void parse(struct run *run, const char *line, bool stop_at_word)
{
	const struct opt_group groups[] = {{rows, &run->values}, {verb_rows, &run->values}};

	*run = (struct run){0};
	opt_defaults(rows, &run->values);
	opt_defaults(verb_rows, &run->values);
	snprintf(run->text, sizeof run->text, "%s", line);
	char *save = NULL;
	for (char *w = strtok_r(run->text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		run->argv[run->argc++] = w;
	run->status = opt_parse(groups, 2, run->argc, run->argv, stop_at_word, &run->words,
				&run->used, &run->err);
}

static void finish(struct run *run)
{
	opt_release(rows, &run->values);
	opt_release(verb_rows, &run->values);
	opt_words_release(&run->words);
}

static void expect_error(const char *line, const char *text)
{
	struct run run;

	parse(&run, line, false);
	CHECK_INT(run.status, -1);
	CHECK_INT(run.err.kind, ERR_USAGE);
	CHECK_STR(run.err.text, text);
	CHECK_INT(run.words.count, 0);
	finish(&run);
}

TEST(defaults_and_unset)
{
	struct run run;

	parse(&run, "", false);
	CHECK_INT(run.status, 0);
	CHECK_INT(run.values.port, 6379);
	CHECK_INT(run.values.timeout_ms, 5000);
	CHECK(run.values.limit == OPT_UNSET);
	CHECK(run.values.size == OPT_UNSET);
	CHECK_INT(run.values.format, -1);
	CHECK_INT(run.values.progress, -1);
	CHECK(run.values.ratio < 0);
	CHECK(run.values.colour);
	CHECK(!run.values.host && !run.values.password);
	finish(&run);
}

TEST(long_and_short_spellings)
{
	struct run run;

	parse(&run, "--host a --port=1 -t250ms -o json --size 64KiB --ratio 80% --limit 7",
	      false);
	CHECK_INT(run.status, 0);
	CHECK_STR(run.values.host, "a");
	CHECK_INT(run.values.port, 1);
	CHECK_INT(run.values.timeout_ms, 250);
	CHECK_INT(run.values.format, 1);
	CHECK_INT(run.values.size, 65536);
	CHECK(run.values.ratio > 0.799 && run.values.ratio < 0.801);
	CHECK_INT(run.values.limit, 7);
	finish(&run);
}

TEST(clusters)
{
	struct run run;

	parse(&run, "-qcp70 -qwa=1 -w b=2 -Pq", false);
	CHECK_INT(run.status, 0);
	CHECK(run.values.quiet);
	CHECK_INT(run.values.port, 70);
	CHECK_INT(run.values.where.count, 2);
	CHECK_STR(run.values.where.items[0], "a=1");
	CHECK_STR(run.values.where.items[1], "b=2");
	CHECK_INT(run.values.progress, 0);
	finish(&run);
}

TEST(negation_and_flags)
{
	struct run run;

	parse(&run, "--no-colour --no-fetch", false);
	CHECK_INT(run.status, 0);
	CHECK(!run.values.colour);
	CHECK(run.values.fetch);
	finish(&run);
	parse(&run, "--no-colour --colour", false);
	CHECK(run.values.colour);
	finish(&run);
	expect_error("--no-quiet", "unknown option '--no-quiet'");
	expect_error("--quiet=1", "--quiet takes no value");
	expect_error("--no-colour=1", "--no-colour takes no value");
}

TEST(abbreviations)
{
	struct run run;

	parse(&run, "--tim 1s --por 5 --no-c", false);
	CHECK_INT(run.status, 0);
	CHECK_INT(run.values.timeout_ms, 1000);
	CHECK_INT(run.values.port, 5);
	CHECK(!run.values.colour);
	finish(&run);
	expect_error("--p 1", "'--p' may be --port, --password, --progress: write more of it");
	expect_error("--no", "'--no' may be --no-fetch, --no-colour: write more of it");
}

TEST(optional_argument)
{
	struct run run;

	parse(&run, "--progress lines", false);
	CHECK_INT(run.values.progress, 0);
	CHECK_INT(run.words.count, 1);
	finish(&run);
	parse(&run, "--progress=lines", false);
	CHECK_INT(run.values.progress, 1);
	CHECK_INT(run.words.count, 0);
	finish(&run);
}

TEST(words)
{
	struct run run;

	parse(&run, "get -q - ns -- -q --port", false);
	CHECK_INT(run.status, 0);
	CHECK(run.values.quiet);
	CHECK_INT(run.words.count, 5);
	CHECK_STR(run.words.items[1], "-");
	CHECK_STR(run.words.items[3], "-q");
	CHECK_STR(run.words.items[4], "--port");
	finish(&run);
}

TEST(stop_at_word)
{
	struct run run;

	parse(&run, "-q -p 1 get --bogus", true);
	CHECK_INT(run.status, 0);
	CHECK_INT(run.used, 3);
	CHECK_INT(run.words.count, 0);
	finish(&run);
	parse(&run, "-q -- -get", true);
	CHECK_INT(run.status, 0);
	CHECK_INT(run.used, 2);
	finish(&run);
	parse(&run, "-q", true);
	CHECK_INT(run.used, 1);
	finish(&run);
}

TEST(lone_help_letter)
{
	struct run run;

	parse(&run, "-h", false);
	CHECK_INT(run.status, 1);
	finish(&run);
	parse(&run, "get ns -qh", false);
	CHECK_INT(run.status, 1);
	CHECK(!run.words.items);
	finish(&run);
	parse(&run, "-h example ping", false);
	CHECK_INT(run.status, 0);
	CHECK_STR(run.values.host, "example");
	finish(&run);
	parse(&run, "-a -h", false); /* a password, not a question */
	CHECK_INT(run.status, 0);
	CHECK_STR(run.values.password, "-h");
	finish(&run);
	expect_error("-p", "-p needs a value: -p PORT");
	expect_error("--host", "--host needs a value: --host HOST");
}

TEST(secrets_leave_argv)
{
	static const char *const lines[] = {"-a hunter2", "-qahunter2", "--pass=hunter2",
					    "--password x -a hunter2"};
	struct run run;

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		parse(&run, lines[i], false);
		CHECK_INT(run.status, 0);
		CHECK_STR(run.values.password, "hunter2");
		CHECK(!memmem(run.text, sizeof run.text, "hunter2", 7));
		finish(&run);
		CHECK(!run.values.password);
	}
	expect_error("--passwrod=hunter2",
		     "unknown option '--passwrod'; did you mean '--password'?");
	expect_error("-a hunter2 --port x",
		     "--port 'x': not a number; write a whole number such as 10");
}

TEST(unknown_options)
{
	expect_error("--timeot 5s", "unknown option '--timeot'; did you mean '--timeout'?");
	expect_error("--zzzzzzzz", "unknown option '--zzzzzzzz'");
	expect_error("-qx",
		     "unknown option '-x' (a word that begins with '-' goes behind '--')");
	expect_error("-size 5", "unknown option '-s'; did you mean '--size'?");
	expect_error("-\x1b",
		     "unknown option '-\\x1b' (a word that begins with '-' goes behind '--')");
}

TEST(bad_values)
{
	static const char *const cases[][2] = {
	    {"--timeout 5x", "--timeout '5x': not a duration; write 250ms, 5s, 2m"},
	    {"-t1ms", "-t '1ms': out of range; write 10ms to 1h"},
	    {"--port 0", "--port '0': out of range; write 1 to 65535"},
	    {"--port 65536", "--port '65536': out of range; write 1 to 65535"},
	    {"--port -1", "--port '-1': not a number; write a whole number such as 10"},
	    {"--port=", "--port '': not a number; write a whole number such as 10"},
	    {"--limit 1", "--limit '1': out of range; write 2 or more"},
	    {"--limit 18446744073709551615", NULL},
	    {"--size 5xB", "--size '5xB': not a size; write 512, 64KiB, 16MiB"},
	    {"--ratio 101%", "--ratio '101%': not a ratio; write 80% or 0.8 (0 to 1)"},
	    {"-o jsn", "-o 'jsn': did you mean 'json'? It takes table, json, ndjson"},
	    {"--output qqqqqq", "--output 'qqqqqq': not known; it takes table, json, ndjson"},
	    {"--progress=x", NULL},
	};
	struct run run;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		parse(&run, cases[i][0], false);
		CHECK_INT(run.status, -1);
		CHECK_INT(run.err.kind, ERR_USAGE);
		if (cases[i][1])
			CHECK_STR(run.err.text, cases[i][1]);
		finish(&run);
	}
}

TEST(first_group_wins)
{
	struct values globals = {0};
	struct values own = {0};
	const struct opt_group groups[] = {{rows, &own}, {rows, &globals}};
	char port[] = "--port=9";
	char *argv[] = {port};
	struct err err = {0};

	CHECK_INT(opt_parse(groups, 2, 1, argv, false, NULL, NULL, &err), 0);
	CHECK_INT(own.port, 9);
	CHECK_INT(globals.port, 0);
}

int main(void)
{
	RUN(defaults_and_unset);
	RUN(long_and_short_spellings);
	RUN(clusters);
	RUN(negation_and_flags);
	RUN(abbreviations);
	RUN(optional_argument);
	RUN(words);
	RUN(stop_at_word);
	RUN(lone_help_letter);
	RUN(secrets_leave_argv);
	RUN(unknown_options);
	RUN(bad_values);
	RUN(first_group_wins);
	CHECK_DONE();
}
