#include "wire/resp.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "wire/resp_scan.h"

#include <hiredis/hiredis.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if HIREDIS_MAJOR >= 1
typedef size_t resp_count;
#else
typedef int resp_count;
#endif

/* hiredis 0.14 reads 7 levels inside the outer array, 1.x any number. */
#define DEPTH_MAX 16
/* Small arrays get their whole vector at once; a header's claim is not believed beyond it. */
#define ITEMS_START ((size_t)1024)
/* More at once makes the reader move memory around. */
#define READER_FEED ((size_t)64 * 1024)
/* A bulk at least so large is worth keeping the reader's buffer for. */
#define READER_KEEP ((size_t)1024 * 1024)

struct open_array {
	struct reply *reply;
	const struct reply **items;
	size_t room;
	size_t want;
};

/*
 * The reader moves what remains in its buffer after every top-level reply, so
 * it is told first that one endless array begins: our replies are its elements
 * and the buffer moves once per feed.
 */
struct resp {
	redisReader *reader;
	resp_reply_fn *fn;
	void *ctx;
	size_t max_reply;
	size_t reply_size; /* of the reply being read */
	unsigned long long replies;
	int elements; /* taken from the endless array */
	char last;    /* byte that the reader was fed */
	size_t depth;
	struct open_array open[DEPTH_MAX];
	struct mem_arena arena;
	const char *fault; /* our own reason to stop */
};

static const char longer[] = "its answer is longer than the limit";
static const char endless[] = "*2147483647\r\n";
static char tag; /* any non-NULL object: the reader takes NULL for out of memory */

static int deliver(struct resp *resp, const struct reply *reply)
{
	int status = resp->fn(resp->ctx, reply);

	resp->replies++;
	resp->reply_size = 0;
	if (status < 0)
		resp->fault = "it answered without being asked";
	return status;
}

static void *stop(struct resp *resp, const char *fault)
{
	resp->fault = fault;
	return NULL;
}

static bool too_long(struct resp *resp, size_t more)
{
	resp->reply_size += more;
	return resp->reply_size > resp->max_reply;
}

/* Puts child into the innermost open array. */
static void append(struct resp *resp, const struct reply *child)
{
	struct open_array *open = &resp->open[resp->depth - 1];
	size_t count = open->reply->count;

	if (count == open->room) {
		size_t room = open->room * 2 < open->want ? open->room * 2 : open->want;
		const struct reply **items =
		    mem_arena_alloc(&resp->arena, room * sizeof *items);

		memcpy(items, open->items, count * sizeof *items);
		open->items = items;
		open->room = room;
	}
	open->items[count] = child;
	open->reply->items = open->items;
	open->reply->count++;
}

/* After a value is complete: closes the arrays it completes, delivers at the top. */
static void *settle(struct resp *resp)
{
	const struct reply *done = NULL;
	int status = 0;

	while (resp->depth > 0) {
		struct open_array *open = &resp->open[resp->depth - 1];

		if (open->reply->count < open->want)
			return &tag;
		done = open->reply;
		resp->depth--;
	}
	if (done) {
		resp->elements++;
		status = deliver(resp, done);
		mem_arena_clear(&resp->arena);
	}
	return status < 0 ? NULL : &tag;
}

static void *take(struct resp *resp, const struct reply *value)
{
	if (too_long(resp, value->text.len + sizeof *value))
		return stop(resp, longer);
	if (resp->depth == 0) {
		resp->elements++;
		return deliver(resp, value) < 0 ? NULL : &tag;
	}

	struct reply *kept = mem_arena_alloc(&resp->arena, sizeof *kept);
	*kept = *value;
	if (value->text.len > 0)
		kept->text = mem_arena_bytes(&resp->arena, value->text);
	append(resp, kept);
	return settle(resp);
}

static void *on_string(const redisReadTask *task, char *str, size_t len)
{
	struct resp *resp = task->privdata;
	enum reply_type type = task->type == REDIS_REPLY_STATUS  ? REPLY_STATUS
			       : task->type == REDIS_REPLY_ERROR ? REPLY_ERROR
								 : REPLY_STRING;

	/* hiredis 1.x reads RESP3's big numbers and verbatim strings. */
	if (type == REPLY_STRING && task->type != REDIS_REPLY_STRING)
		return stop(resp, "protocol error: a RESP3 string");
	/* The reader skips these two bytes unseen. */
	if (str[len] != '\r' || str[len + 1] != '\n')
		return stop(resp, "protocol error: a string is not followed by CR LF");
	return take(resp, &(struct reply){.type = type, .text = {str, len}});
}

static void *on_array(const redisReadTask *task, resp_count elements)
{
	struct resp *resp = task->privdata;
	size_t want = (size_t)elements;

	if (!task->parent)
		return &tag;
	if (task->type != REDIS_REPLY_ARRAY) /* its maps, sets and pushes */
		return stop(resp, "protocol error: a RESP3 aggregate");
	if (resp->depth == DEPTH_MAX)
		return stop(resp, "its answer is nested too deeply");
	/* No element is shorter than ":0\r\n". */
	if (want > resp->max_reply / 4 || too_long(resp, sizeof(struct reply)))
		return stop(resp, longer);

	struct reply *reply = mem_arena_alloc(&resp->arena, sizeof *reply);
	*reply = (struct reply){.type = REPLY_ARRAY};
	if (resp->depth > 0)
		append(resp, reply);
	size_t room = want < ITEMS_START ? want : ITEMS_START;
	resp->open[resp->depth++] = (struct open_array){
	    .reply = reply,
	    .items = mem_arena_alloc(&resp->arena, room * sizeof(struct reply *)),
	    .room = room,
	    .want = want,
	};
	return want == 0 ? settle(resp) : &tag;
}

static void *on_integer(const redisReadTask *task, long long value)
{
	return take(task->privdata, &(struct reply){.type = REPLY_INTEGER, .integer = value});
}

static void *on_nil(const redisReadTask *task)
{
	return take(task->privdata, &(struct reply){.type = REPLY_NIL});
}

#if HIREDIS_MAJOR >= 1
static void *on_double(const redisReadTask *task, double value, char *str, size_t len)
{
	(void)value, (void)str, (void)len;
	return stop(task->privdata, "protocol error: a RESP3 double");
}

static void *on_bool(const redisReadTask *task, int value)
{
	(void)value;
	return stop(task->privdata, "protocol error: a RESP3 boolean");
}
#endif

static redisReplyObjectFunctions functions = {
    .createString = on_string,
    .createArray = on_array,
    .createInteger = on_integer,
    .createNil = on_nil,
#if HIREDIS_MAJOR >= 1
    .createDouble = on_double,
    .createBool = on_bool,
#endif
};

static void open_reader(struct resp *resp)
{
	if (resp->reader)
		redisReaderFree(resp->reader);
	resp->reader = redisReaderCreateWithFunctions(&functions);
	if (!resp->reader)
		abort();
	resp->reader->privdata = resp;
	resp->reader->maxbuf = READER_KEEP;
	resp->elements = 0;
	resp->last = '\n';
	void *none = NULL;
	if (redisReaderFeed(resp->reader, endless, sizeof endless - 1) != REDIS_OK ||
	    redisReaderGetReply(resp->reader, &none) != REDIS_OK)
		abort();
}

struct resp *resp_new(size_t max_reply, resp_reply_fn *fn, void *ctx)
{
	struct resp *resp = mem_zalloc(1, sizeof *resp);

	resp->max_reply = max_reply;
	resp->fn = fn;
	resp->ctx = ctx;
	open_reader(resp);
	return resp;
}

void resp_free(struct resp *resp)
{
	if (!resp)
		return;
	redisReaderFree(resp->reader);
	mem_arena_release(&resp->arena);
	free(resp);
}

/*
 * Bytes left in the reader that hold a whole line can only be a bulk whose
 * header is read and whose content is awaited: every other item would have been
 * taken. That shows a bulk's length before its content is stored.
 */
static bool bulk_too_long(struct resp *resp)
{
	const redisReader *reader = resp->reader;
	const char *rest = reader->buf + reader->pos;
	size_t len = reader->len - reader->pos;
	const char *line_end = memchr(rest, '\r', len < 24 ? len : 24);
	unsigned long long bulk = 0;

	if (!line_end || line_end + 1 == rest + len || line_end[1] != '\n')
		return false;
	for (const char *at = rest; at < line_end && bulk < ULLONG_MAX / 20; at++) {
		if (*at < '0' || *at > '9')
			return false;
		bulk = bulk * 10 + (unsigned long long)(*at - '0');
	}
	return bulk > resp->max_reply || resp->reply_size + bulk > resp->max_reply;
}

static int explain_longer(const struct resp *resp, struct err *err)
{
	struct buf limit = {0};

	num_format_size(&limit, resp->max_reply);
	err_set(err, ERR_REDIS, "%s of %s (inspect --raw --max-value prints a longer value)",
		longer, buf_str(&limit));
	buf_release(&limit);
	return -1;
}

static int explain(struct resp *resp, const char *data, size_t len, struct err *err)
{
	if (resp->fault == longer)
		return explain_longer(resp, err);
	if (resp->fault)
		return err_set(err, ERR_REDIS, "%s", resp->fault);
	if (resp->replies == 0 && resp->depth == 0 && len > 0 && !memchr("+-:$*", data[0], 5)) {
		const char *end = memchr(data, '\n', len);
		size_t shown = end ? (size_t)(end - data) : len;

		if (data[0] == 0x15 || data[0] == 0x16) /* a TLS alert or handshake record */
			return err_set(err, ERR_REDIS,
				       "the server speaks TLS: use --tls or rediss://");
		if (shown > 0 && data[shown - 1] == '\r')
			shown--;
		return err_set(err, ERR_REDIS, "not a Redis server: it answered '%.*s'",
			       (int)(shown < 80 ? shown : 80), data);
	}
	if (strstr(resp->reader->errstr, "nested"))
		return err_set(err, ERR_REDIS, "its answer is nested too deeply");
	return err_set(err, ERR_REDIS, "not understood, connection closed: %s",
		       resp->reader->errstr);
}

/* Between two replies. The reader takes a reply's first byte before the rest is there. */
static bool is_idle(const struct resp *resp)
{
	return resp->depth == 0 && resp->reader->pos == resp->reader->len && resp->last == '\n';
}

/* Delivers what needs no reader, and returns how many bytes that was. */
static size_t take_plain(struct resp *resp, const char *data, size_t len)
{
	size_t taken = 0;
	size_t size;
	struct reply reply;

	while ((size = resp_scan(data + taken, len - taken, &reply)) > 0 &&
	       reply.text.len + sizeof reply <= resp->max_reply) {
		if (deliver(resp, &reply) < 0)
			break;
		taken += size;
	}
	return taken;
}

static int read_replies(struct resp *resp, const char *data, size_t len, struct err *err)
{
	void *none = NULL;

	/* The endless array must not end. */
	if (resp->elements > INT_MAX / 2 && is_idle(resp))
		open_reader(resp);
	if (redisReaderFeed(resp->reader, data, len) != REDIS_OK ||
	    redisReaderGetReply(resp->reader, &none) != REDIS_OK || none)
		return explain(resp, data, len, err);
	resp->last = data[len - 1];
	if (bulk_too_long(resp)) {
		resp->fault = longer;
		return explain(resp, data, len, err);
	}
	return 0;
}

int resp_feed(struct resp *resp, const char *data, size_t len, struct err *err)
{
	while (len > 0) {
		if (is_idle(resp)) {
			size_t taken = take_plain(resp, data, len);

			data += taken;
			len -= taken;
			if (resp->fault)
				return explain(resp, data, len, err);
		}
		size_t part = len < READER_FEED ? len : READER_FEED;
		if (part > 0 && read_replies(resp, data, part, err) != 0)
			return -1;
		data += part;
		len -= part;
	}
	return 0;
}

static size_t digits_of(size_t number)
{
	size_t digits = 1;

	while (number >= 10) {
		number /= 10;
		digits++;
	}
	return digits;
}

static char *put_header(char *out, char mark, size_t number)
{
	size_t digits = digits_of(number);

	*out++ = mark;
	for (size_t i = digits; i > 0; i--) {
		out[i - 1] = (char)('0' + number % 10);
		number /= 10;
	}
	out += digits;
	*out++ = '\r';
	*out++ = '\n';
	return out;
}

size_t resp_command_size(const struct bytes *argv, size_t argc)
{
	size_t size = digits_of(argc) + 3;

	for (size_t i = 0; i < argc; i++)
		size += digits_of(argv[i].len) + argv[i].len + 5;
	return size;
}

void resp_command_write(char *out, const struct bytes *argv, size_t argc)
{
	out = put_header(out, '*', argc);
	for (size_t i = 0; i < argc; i++) {
		out = put_header(out, '$', argv[i].len);
		if (argv[i].len > 0)
			memcpy(out, argv[i].ptr, argv[i].len);
		out += argv[i].len;
		*out++ = '\r';
		*out++ = '\n';
	}
}
