#include "check.h"
#include "systems.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/bulk_row.h"
#include "core/namespace.h"
#include "core/rowfile.h"

#include <fcntl.h>
#include <unistd.h>

static struct nsset *set;
static struct template *keys[SYSTEM_ROWS];
static struct bulk_parser parser;

static void open_set(void)
{
	struct ns *list = mem_zalloc(SYSTEM_ROWS, sizeof *list);

	for (size_t i = 0; i < SYSTEM_ROWS; i++) {
		struct err err = {0};

		if (template_parse(bytes_of(system_rows[i].key), TEMPLATE_KEY, &keys[i],
				   &err)) {
			printf("Bail out! %s: %s\n", system_rows[i].key, err.text);
			exit(1);
		}
		list[i] =
		    (struct ns){.name = system_rows[i].name, .summary = "", .key = keys[i]};
		if (strcmp(list[i].name, "human-sessions") == 0)
			list[i].type = NS_SET;
	}
	set = nsset_new(list, SYSTEM_ROWS);
	parser.set = set;
}

static void close_set(void)
{
	bulk_parser_release(&parser);
	nsset_free(set);
	for (size_t i = 0; i < SYSTEM_ROWS; i++)
		template_free(keys[i]);
}

static void only(const char *name)
{
	parser.only = name ? nsset_find(set, bytes_of(name)) : NULL;
}

static void reads(struct bytes text, const char *ns, const char *key, struct bytes value,
		  int64_t ttl_ms)
{
	char *copy = mem_bytesdup(text); /* of the exact size, for the sanitizers */
	struct bulk_row row = {0};
	struct err err = {0};
	int status = bulk_row_parse(&parser, (struct bytes){copy, text.len}, &row, &err);

	CHECK_INT(status, 0);
	if (status != 0) {
		printf("# %.*s: %s\n", BYTES_ARG(text), err.text);
	} else {
		CHECK_STR(row.ns->name, ns);
		CHECK_BYTES(row.key, bytes_of(key));
		CHECK_BYTES(row.value, value);
		CHECK_INT(row.ttl_ms, ttl_ms);
	}
	free(copy);
}

static void refuses(const char *text, enum err_kind kind, size_t column, const char *part)
{
	struct bulk_row row = {0};
	struct err err = {0};

	CHECK_INT(bulk_row_parse(&parser, bytes_of(text), &row, &err), -1);
	CHECK_INT(err.kind, kind);
	CHECK_INT(parser.column, column);
	CHECK(row.ns == NULL);
	if (!strstr(err.text, part))
		printf("# %s: '%s' does not hold '%s'\n", text, err.text, part);
	CHECK(strstr(err.text, part) != NULL);
}

TEST(namespace_and_vars)
{
	reads(BYTES("{\"ns\":\"message\",\"vars\":{\"message_id\":\"1\"},\"value\":{\"a\":1}}"),
	      "message", "message:1", BYTES("{\"a\":1}"), 0);
	reads(
	    BYTES(" {\"value\": [ 1.10 ,9007199254740993] , \"vars\" :{\"message_id\" : 17 }\t,"
		  "\"ttl_ms\": 250, \"ns\":\"message\" }\r"),
	    "message", "message:17", BYTES("[ 1.10 ,9007199254740993]"), 250);
	reads(BYTES("{\"ns\":\"active-calls\",\"value\":null}"), "active-calls", "active_calls",
	      BYTES("null"), 0);
	reads(BYTES("{\"ns\":\"lead\",\"vars\":{\"phone\":\"+1 (778) 652\",\"organizationId\":"
		    "\"o\\u002d1\"},\"value\":\"x\"}"),
	      "lead", "1778652:o-1", BYTES("\"x\""), 0);
}

TEST(a_namespace_for_all_rows)
{
	only("message");
	reads(BYTES("{\"vars\":{\"message_id\":\"1\"},\"value\":1}"), "message", "message:1",
	      BYTES("1"), 0);
	reads(BYTES("{\"ns\":\"message\",\"vars\":{\"message_id\":\"1\"},\"value\":1}"),
	      "message", "message:1", BYTES("1"), 0);
	refuses("{\"ns\":\"call\",\"vars\":{\"callId\":\"1\"},\"value\":1}", ERR_USAGE, 7,
		"of namespace call, this run is for message");
	refuses("{\"key\":\"call:1\",\"value\":1}", ERR_USAGE, 8, "belongs to namespace call");
	only(NULL);
}

TEST(keys_are_classified)
{
	reads(BYTES("{\"key\":\"bici:sess:call:lead:7\",\"value\":{}}"), "call-session-by-lead",
	      "bici:sess:call:lead:7", BYTES("{}"), 0);
	reads(BYTES("{\"key\":\"message:\\u00e9\\ud83d\\ude00\",\"value\":{}}"), "message",
	      "message:\xc3\xa9\xf0\x9f\x98\x80", BYTES("{}"), 0);
	refuses("{\"key\":\"nobody's\",\"value\":1}", ERR_USAGE, 8, "no namespace claims");
	refuses("{\"key\":\"\",\"value\":1}", ERR_USAGE, 8, "no namespace claims");
	refuses("{\"key\":\"cc:m:{x}1:x\",\"value\":1}", ERR_USAGE, 8, "ccache's own");
	refuses("{\"key\":\"message:1\",\"vars\":{},\"value\":1}", ERR_CONFIG, 8, "exclude");
	refuses("{\"ns\":\"call\",\"key\":\"message:1\",\"value\":1}", ERR_USAGE, 20,
		"belongs to namespace message, not to call");
	refuses("{\"key\":\"bici:sess:human:all\",\"value\":1}", ERR_USAGE, 8, "holds a set");
}

TEST(texts_and_bytes)
{
	reads(BYTES("{\"key\":\"call:1\",\"text\":\"a\\n\\u0000\\\"b\"}"), "call", "call:1",
	      BYTES("a\n\0\"b"), 0);
	reads(BYTES("{\"key\":\"call:1\",\"text\":\"\"}"), "call", "call:1", BYTES(""), 0);
	reads(BYTES("{\"key\":\"call:1\",\"base64\":\"AP9+/w==\"}"), "call", "call:1",
	      BYTES("\0\xff~\xff"), 0);
	/* what is decoded before does not move */
	reads(BYTES("{\"key\":\"\\u0063all:1\",\"base64\":\"AP9+\\/w==\"}"), "call", "call:1",
	      BYTES("\0\xff~\xff"), 0);
	reads(BYTES("{\"key\":\"\\u0063all:1\",\"text\":\"\\u0063\"}"), "call", "call:1",
	      BYTES("c"), 0);
	refuses("{\"key\":\"call:1\",\"base64\":\"AP9\"}", ERR_CONFIG, 26, "base64");
	refuses("{\"key\":\"call:1\",\"text\":1}", ERR_CONFIG, 24, "string was expected");
	refuses("{\"key\":\"call:1\",\"text\":\"\",\"value\":1}", ERR_CONFIG, 24, "exclude");
	refuses("{\"key\":\"call:1\"}", ERR_CONFIG, 8, "no 'value'");
}

TEST(vars_that_make_no_key)
{
	refuses("{\"ns\":\"messag\",\"vars\":{},\"value\":1}", ERR_USAGE, 7,
		"did you mean 'message'?");
	refuses("{\"ns\":\"message\",\"vars\":{},\"value\":1}", ERR_USAGE, 24,
		"message_id is missing");
	refuses("{\"ns\":\"message\",\"value\":1}", ERR_USAGE, 7, "message_id is missing");
	refuses("{\"ns\":\"message\",\"vars\":{\"message_id\":\"a:b\"},\"value\":1}", ERR_USAGE,
		24, "may not hold a ':'");
	refuses("{\"ns\":\"message\",\"vars\":{\"message_id\":\"\"},\"value\":1}", ERR_USAGE,
		24, "message_id is empty");
	refuses("{\"ns\":\"message\",\"vars\":{\"message_id\":\"\\u0000\"},\"value\":1}",
		ERR_USAGE, 24, "NUL");
	refuses("{\"ns\":\"message\",\"vars\":{\"id\":\"1\"},\"value\":1}", ERR_USAGE, 24,
		"message has no var 'id'");
	refuses("{\"ns\":\"message\",\"vars\":{\"message_id\":1,\"message_id\":2},\"value\":1}",
		ERR_USAGE, 24, "given twice");
	refuses("{\"ns\":\"message\",\"vars\":{\"message_id\":[1]},\"value\":1}", ERR_CONFIG,
		38, "a var is a string");
	refuses("{\"ns\":\"message\",\"vars\":[1],\"value\":1}", ERR_CONFIG, 24, "an object");
	refuses("{\"vars\":{\"message_id\":1},\"value\":1}", ERR_CONFIG, 9, "names no key");
}

TEST(not_a_row)
{
	refuses("[1]", ERR_CONFIG, 1, "an object");
	refuses("{\"key\":\"call:1\",\"value\":01}", ERR_CONFIG, 25, "may not start with 0");
	refuses("{\"key\":\"call:1\",\"value\":{\"a\":[1,]}}", ERR_CONFIG, 33, "comma");
	refuses("{\"key\":\"call:1\",\"value\":{\"a\":\"\xff\"}}", ERR_CONFIG, 31, "UTF-8");
	refuses("{\"key\":\"call:1\",\"value\":1} x", ERR_CONFIG, 28, "text after");
	refuses("{\"key\":\"call:1\",\"value\":{\"a\":1}", ERR_CONFIG, 32, "ends inside");
	refuses("{\"key\":\"call:1\",\"valeu\":1}", ERR_CONFIG, 17, "did you mean 'value'?");
	refuses("{\"key\":\"call:1\",\"key\":\"call:1\",\"value\":1}", ERR_CONFIG, 17,
		"a second \"key\"");
	refuses("{\"key\":\"call:1\",\"value\":1,\"ttl_ms\":0}", ERR_CONFIG, 36, "ttl_ms");
	refuses("{\"key\":\"call:1\",\"value\":1,\"ttl_ms\":1.5}", ERR_CONFIG, 36, "ttl_ms");
	refuses("{\"key\":\"call:1\",\"value\":1,\"ttl_ms\":\"5\"}", ERR_CONFIG, 36, "ttl_ms");
}

/* --- lines --- */

static int pipe_ends[2];
static struct rowfile *file;

static void open_pipe(void)
{
	char path[64];
	struct err err = {0};

	CHECK_INT(pipe(pipe_ends), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", pipe_ends[0]);
	CHECK_INT(rowfile_open(path, &file, &err), 0);
	CHECK(rowfile_may_wait(file));
}

static void close_pipe(void)
{
	rowfile_close(file);
	close(pipe_ends[0]);
}

static void put(struct bytes text)
{
	struct err err = {0};

	CHECK_INT(write(pipe_ends[1], text.ptr, text.len), (long long)text.len);
	CHECK_INT(rowfile_read(file, &err), 0);
}

static void next_is(const char *text, uint64_t line)
{
	struct bytes row = {0};

	CHECK_INT(rowfile_next(file, &row), ROWFILE_ROW);
	CHECK_BYTES(row, bytes_of(text));
	CHECK_INT(rowfile_line(file), line);
}

static void next_needs_more(void)
{
	struct bytes row;

	CHECK_INT(rowfile_next(file, &row), ROWFILE_MORE);
}

TEST(lines_in_pieces)
{
	struct err err = {0};
	struct bytes row;

	open_pipe();
	next_needs_more();
	put(BYTES("a\n\n \t\r\nb"));
	next_is("a", 1);
	next_needs_more();
	put(BYTES("c\r\nd"));
	next_is("bc\r", 4);
	next_needs_more();
	close(pipe_ends[1]);
	CHECK_INT(rowfile_read(file, &err), 0);
	next_is("d", 5);
	CHECK_INT(rowfile_next(file, &row), ROWFILE_END);
	close_pipe();
}

TEST(lines_that_are_too_long)
{
	char path[] = "/tmp/cc-rows" UNIQUE;
	int fd = mkstemp(path);
	char *row = mem_alloc(ROWFILE_ROW_MAX + 1);
	struct err err = {0};
	struct bytes got = {0};
	enum rowfile_status status;
	uint64_t rows = 0, longs = 0;

	memset(row, 'x', ROWFILE_ROW_MAX + 1);
	CHECK_INT(write(fd, row, ROWFILE_ROW_MAX), (long long)ROWFILE_ROW_MAX);
	CHECK_INT(write(fd, "\n", 1), 1);
	for (size_t i = 0; i < 3; i++)
		CHECK_INT(write(fd, row, ROWFILE_ROW_MAX + 1), (long long)ROWFILE_ROW_MAX + 1);
	CHECK_INT(write(fd, "\nz", 2), 2);
	CHECK_INT(rowfile_open(path, &file, &err), 0);
	CHECK(!rowfile_may_wait(file));
	while ((status = rowfile_next(file, &got)) != ROWFILE_END) {
		if (status == ROWFILE_MORE && rowfile_read(file, &err) != 0)
			break;
		longs += status == ROWFILE_LONG;
		rows += status == ROWFILE_ROW;
		if (status == ROWFILE_ROW && rows == 1)
			CHECK_INT(got.len, ROWFILE_ROW_MAX);
		if (status == ROWFILE_LONG)
			CHECK_INT(rowfile_line(file), 2);
	}
	CHECK_INT(rows, 2);
	CHECK_INT(longs, 1);
	CHECK_INT(rowfile_line(file), 3);
	CHECK(rowfile_share(file) > 0.999);
	rowfile_close(file);
	free(row);
	close(fd);
	unlink(path);
}

static void is_foreign(struct bytes text, const char *part)
{
	struct err err = {0};

	open_pipe();
	CHECK_INT(write(pipe_ends[1], text.ptr, text.len), (long long)text.len);
	CHECK_INT(rowfile_read(file, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK(strstr(err.text, part) != NULL);
	close(pipe_ends[1]);
	close_pipe();
}

TEST(files_that_are_no_text)
{
	struct err err = {0};

	is_foreign(BYTES("\x1f\x8b\x08rest"), "zcat");
	is_foreign(BYTES("\x28\xb5\x2f\xfdrest"), "zstdcat");
	is_foreign(BYTES("\xff\xfe{"), "UTF-16");
	is_foreign(BYTES("{\0}"), "binary");
	CHECK_INT(rowfile_open("/tmp", &file, &err), -1);
	CHECK(strstr(err.text, "directory") != NULL);
	CHECK_INT(rowfile_open("/nowhere/rows", &file, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
}

int main(void)
{
	open_set();
	RUN(namespace_and_vars);
	RUN(a_namespace_for_all_rows);
	RUN(keys_are_classified);
	RUN(texts_and_bytes);
	RUN(vars_that_make_no_key);
	RUN(not_a_row);
	RUN(lines_in_pieces);
	RUN(lines_that_are_too_long);
	RUN(files_that_are_no_text);
	close_set();
	CHECK_DONE();
}
