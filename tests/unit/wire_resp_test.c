#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/resp.h"

#include <string.h>

struct heard {
	struct buf text; /* the replies, written out */
	size_t allowed;
};

static void write_out(struct buf *out, const struct reply *reply)
{
	static const char *const marks[] = {"nil", "+", "-", ":", "$", "*"};

	buf_add_str(out, marks[reply->type]);
	if (reply->type == REPLY_INTEGER)
		buf_printf(out, "%lld", (long long)reply->integer);
	buf_add(out, reply->text);
	if (reply->type != REPLY_ARRAY)
		return;
	buf_add_char(out, '(');
	for (size_t i = 0; i < reply->count; i++) {
		write_out(out, reply->items[i]);
		buf_add_char(out, i + 1 < reply->count ? ' ' : ')');
	}
	if (reply->count == 0)
		buf_add_char(out, ')');
}

static int hear(void *ctx, const struct reply *reply)
{
	struct heard *heard = ctx;

	if (heard->allowed-- == 0)
		return -1;
	write_out(&heard->text, reply);
	buf_add_char(&heard->text, '\n');
	return 0;
}

/* Feeds stream in pieces of `piece` bytes; the outcome of the last feed. */
static int feed(struct resp *resp, struct bytes stream, size_t piece, struct err *err)
{
	int status = 0;

	for (size_t at = 0; at < stream.len && status == 0; at += piece) {
		struct bytes part = bytes_sub(stream, at, piece);

		status = resp_feed(resp, part.ptr, part.len, err);
	}
	return status;
}

static void reads(struct bytes stream, struct bytes want)
{
	for (size_t piece = 1; piece <= stream.len; piece++) {
		struct heard heard = {.allowed = 1000};
		struct resp *resp = resp_new(1000000, hear, &heard);
		struct err err = {0};

		CHECK_INT(feed(resp, stream, piece, &err), 0);
		CHECK_BYTES(buf_bytes(&heard.text), want);
		buf_release(&heard.text);
		resp_free(resp);
	}
}

static void refuses(struct bytes stream, const char *part)
{
	for (size_t piece = stream.len; piece > 0; piece /= 2) {
		struct heard heard = {.allowed = 3};
		struct resp *resp = resp_new(1000, hear, &heard);
		struct err err = {0};

		CHECK_INT(feed(resp, stream, piece, &err), -1);
		CHECK_INT(err.kind, ERR_REDIS);
		if (piece == stream.len && !strstr(err.text, part)) {
			printf("# said '%s', expected '%s'\n", err.text, part);
			check_bad_in_test = 1;
		}
		buf_release(&heard.text);
		resp_free(resp);
	}
}

TEST(every_type_in_pieces_of_every_size)
{
	reads(BYTES("+OK\r\n-ERR no\r\n:-42\r\n$3\r\na\0b\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n"),
	      BYTES("+OK\n-ERR no\n:-42\n$a\0b\n$\nnil\nnil\n*()\n"));
	reads(BYTES("*3\r\n*2\r\n:1\r\n*0\r\n$-1\r\n*1\r\n*1\r\n$4\r\n\r\n\r\n\r\n+next\r\n"),
	      BYTES("*(*(:1 *()) nil *(*($\r\n\r\n)))\n+next\n"));
}

/* What the scanner leaves to the reader, and what is at its bounds. */
TEST(plain_replies_and_their_neighbours)
{
	reads(BYTES(":0\r\n:999999999999999999\r\n:-999999999999999999\r\n"
		    ":9223372036854775807\r\n:-9223372036854775808\r\n:7\r\n"),
	      BYTES(":0\n:999999999999999999\n:-999999999999999999\n"
		    ":9223372036854775807\n:-9223372036854775808\n:7\n"));
	reads(BYTES("+\r\n+a b\r\n+0123456789012345678901234567890123456789012345678901234567"
		    "8901234\r\n+OK\r\n$4\r\n$1\r\n\r\n-no\r\n$-1\r\n+OK\r\n"),
	      BYTES("+\n+a b\n+0123456789012345678901234567890123456789012345678901234567"
		    "8901234\n+OK\n$$1\r\n\n-no\nnil\n+OK\n"));
	reads(BYTES("+-x\r\n++OK\r\n-$1\r\n-:1\r\n++2\r\n"),
	      BYTES("+-x\n++OK\n-$1\n-:1\n++2\n"));
	refuses(BYTES("$3\r\nabcXY+OK\r\n"), "CR LF");
	refuses(BYTES("+OK\r\n:1-\r\n"), "integer");
}

/* Replies of every length around those that are fed at once. */
TEST(bulks_that_a_feed_cuts)
{
	struct buf stream = {0};
	struct buf want = {0};

	for (int i = 0; i < 400; i++) {
		buf_printf(&stream, "$%d\r\n%0*d\r\n", 700 + i, 700 + i, i);
		buf_printf(&want, "$%0*d\n", 700 + i, i);
	}
	for (size_t piece = stream.len; piece > 900; piece = piece * 2 / 3) {
		struct heard heard = {.allowed = 400};
		struct resp *resp = resp_new(10000, hear, &heard);
		struct err err = {0};

		CHECK_INT(feed(resp, buf_bytes(&stream), piece, &err), 0);
		CHECK_BYTES(buf_bytes(&heard.text), buf_bytes(&want));
		buf_release(&heard.text);
		resp_free(resp);
	}
	buf_release(&stream);
	buf_release(&want);
}

TEST(a_long_array_is_whole)
{
	struct heard heard = {.allowed = 1};
	struct resp *resp = resp_new(10000000, hear, &heard);
	struct buf stream = {0};
	struct buf want = {0};
	struct err err = {0};

	buf_add_str(&stream, "*5000\r\n");
	buf_add_str(&want, "*(");
	for (int i = 0; i < 5000; i++) {
		buf_printf(&stream, ":%d\r\n", i);
		buf_printf(&want, ":%d%c", i, i < 4999 ? ' ' : ')');
	}
	buf_add_char(&want, '\n');
	CHECK_INT(feed(resp, buf_bytes(&stream), RESP_FEED, &err), 0);
	CHECK_BYTES(buf_bytes(&heard.text), buf_bytes(&want));
	buf_release(&stream);
	buf_release(&want);
	buf_release(&heard.text);
	resp_free(resp);
}

TEST(what_is_not_redis_is_quoted)
{
	refuses(BYTES("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"),
		"not a Redis server: it answered 'HTTP/1.1 400 Bad Request'");
	refuses(BYTES("SSH-2.0-\x1b[2J\n"),
		"not a Redis server: it answered 'SSH-2.0-\\x1b[2J'");
	refuses(BYTES("\x15\x03\x03\x00\x02\x02\x16"), "speaks TLS");
	refuses(BYTES("+OK\r\nHTTP/1.1\r\n"), "not understood");
}

TEST(broken_lengths_are_refused)
{
	refuses(BYTES("$x\r\n"), "bulk");
	refuses(BYTES("$-2\r\n"), "Bulk");
	refuses(BYTES("*-2\r\n"), "Multi-bulk");
	refuses(BYTES("$99999999999999999999\r\n"), "bulk");
	refuses(BYTES("$3\r\nabcde"), "CR LF");
	refuses(BYTES("*1\r\n$1\r\nab\r\n"), "CR LF");
	refuses(BYTES(":12x\r\n"), "integer");
}

TEST(what_exceeds_the_limit_is_refused_at_its_header)
{
	refuses(BYTES("$1001\r\n"), "longer than the limit");
	refuses(BYTES("$536870912\r\nab"), "longer than the limit");
	refuses(BYTES("+OK\r\n$1001\r\nabc"), "longer than the limit");
	refuses(BYTES("*2147483647\r\n"), "longer than the limit");
	refuses(BYTES("*251\r\n"), "longer than the limit");
}

TEST(too_deep_is_refused)
{
	reads(BYTES("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"),
	      BYTES("*(*(*(*(*(*(*(:1)))))))\n"));
	refuses(BYTES("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*"
		      "1\r\n*1\r\n*1\r\n*1\r\n"
		      "*1\r\n*1\r\n*1\r\n"),
		"nested");
}

TEST(an_answer_nobody_asked_for_is_refused)
{
	refuses(BYTES("+1\r\n+2\r\n+3\r\n+4\r\n"), "without being asked");
}

static void writes(const struct bytes *argv, size_t argc, struct bytes want)
{
	char *text = mem_zalloc(1, want.len + 1);

	CHECK_INT(resp_command_size(argv, argc), want.len);
	if (resp_command_size(argv, argc) == want.len)
		resp_command_write(text, argv, argc);
	CHECK_BYTES(((struct bytes){text, want.len}), want);
	CHECK_INT(text[want.len], 0);
	free(text);
}

TEST(commands_are_written)
{
	struct bytes many[12];
	struct buf want = {0};
	char value[1000];

	writes((struct bytes[]){BYTES("SET"), BYTES("a\0\r"), {0}}, 3,
	       BYTES("*3\r\n$3\r\nSET\r\n$3\r\na\0\r\r\n$0\r\n\r\n"));
	memset(value, 'v', sizeof value);
	for (size_t i = 0; i < 12; i++)
		many[i] = (struct bytes){value, i < 11 ? 9 + i % 2 : sizeof value};
	buf_add_str(&want, "*12\r\n");
	for (size_t i = 0; i < 12; i++) {
		buf_printf(&want, "$%zu\r\n", many[i].len);
		buf_add(&want, many[i]);
		buf_add_str(&want, "\r\n");
	}
	writes(many, 12, buf_bytes(&want));
	buf_release(&want);
}

int main(void)
{
	RUN(every_type_in_pieces_of_every_size);
	RUN(plain_replies_and_their_neighbours);
	RUN(bulks_that_a_feed_cuts);
	RUN(a_long_array_is_whole);
	RUN(what_is_not_redis_is_quoted);
	RUN(broken_lengths_are_refused);
	RUN(what_exceeds_the_limit_is_refused_at_its_header);
	RUN(too_deep_is_refused);
	RUN(an_answer_nobody_asked_for_is_refused);
	RUN(commands_are_written);
	CHECK_DONE();
}
