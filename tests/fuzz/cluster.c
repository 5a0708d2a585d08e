/*
 * Commands through a cluster of three nodes that answer as answer.h says; the first two bytes
 * say where the slots of the second and the third begin. Whatever they say each command is
 * answered once, those of a key in their order, and none that may have been done is sent again,
 * unless it may be done twice.
 */
#include "fuzz.h"

#include "answer.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "wire/redis.h"
#include "wire/slot.h"
#include "wire/target.h"

#include <stdio.h>
#include <string.h>

#define NODES ANSWER_SERVERS
#define COMMANDS 48
#define KEYS 6

static unsigned starts[NODES + 1];
static bool done[COMMANDS];  /* was, or may have been */
static bool heard[COMMANDS]; /* its answer */
static bool confused;        /* which answer is whose */
static bool broke;           /* a connection */

/* The last error of a key. */
static struct trouble {
	bool is_told;
	bool redirects; /* one of them did */
	uint64_t number;
	struct buf text;
} troubles[KEYS];

/* Which of ours it is, "*3 … INCRBY key N" or GETBIT. */
static bool is_ours(struct bytes command, uint64_t *ret_number, bool *ret_counts)
{
	struct bytes word = command;

	*ret_counts = memmem(command.ptr, command.len, "INCRBY", 6) != NULL;
	if (!*ret_counts && !memmem(command.ptr, command.len, "GETBIT", 6))
		return false;
	for (int i = 0; i < 6; i++)
		fuzz_part(&word, '\n');
	return num_parse_u64(bytes_sub(word, 0, bytes_index(word, '\r')), 0, COMMANDS - 1,
			     ret_number) == 0;
}

static size_t key_of(size_t number)
{
	return number * 7 % KEYS;
}

/* One reply, and nothing else. */
static bool is_plain(struct bytes text)
{
	bool is_sound, starts_so;

	return answer_replies(text, &is_sound) == 1 && is_sound &&
	       answer_replies(bytes_sub(text, 0, text.len - 1), &starts_so) == 0;
}

static void said(struct bytes command, struct bytes reply)
{
	uint64_t number;
	bool counts;

	broke |= reply.len == 0;
	confused |= reply.len > 0 && !is_plain(reply);
	if (confused || !is_ours(command, &number, &counts))
		return;
	struct trouble *trouble = &troubles[key_of(number)];

	trouble->is_told = reply.len > 0 && reply.ptr[0] == '-';
	if (trouble->is_told) {
		trouble->number = number;
		trouble->redirects |= bytes_starts_with(reply, BYTES("-MOVED")) ||
				      bytes_starts_with(reply, BYTES("-ASK"));
		buf_clear(&trouble->text);
		buf_add(&trouble->text, reply);
	}
	EXPECT(!counts || !done[number]);
	done[number] = reply.len == 0 || reply.ptr[0] != '-';
}

/* What was said of a key holds until the one it was said to comes again. */
static bool is_troubled(struct bytes command, struct buf *reply)
{
	uint64_t number;
	bool counts;

	if (!is_ours(command, &number, &counts))
		return false;
	const struct trouble *trouble = &troubles[key_of(number)];

	if (!trouble->is_told || number <= trouble->number)
		return false;
	buf_add(reply, buf_bytes(&trouble->text));
	return true;
}

static bool own(struct bytes command, struct buf *reply)
{
	if (is_troubled(command, reply))
		return true;
	if (!memmem(command.ptr, command.len, "CLUSTER", 7))
		return false;
	buf_printf(reply, "*%d\r\n", NODES);
	for (size_t i = 0; i < NODES; i++)
		buf_printf(reply, "*3\r\n:%u\r\n:%u\r\n*2\r\n$9\r\n127.0.0.1\r\n:%u\r\n",
			   starts[i], starts[i + 1] - 1, answer_port(i));
	return true;
}

/* Nobody is sent elsewhere: a word that would is another one. */
static void keep_here(struct buf *text, const char *word)
{
	size_t len = strlen(word);
	char *at = text->ptr;
	char *end = text->ptr + text->len;

	while (at && (at = memmem(at, (size_t)(end - at), word, len)) != NULL) {
		char *digit = at + len;

		while (digit < end && *digit >= '0' && *digit <= '9')
			digit++;
		if (digit + 1 >= end || *digit != ' ' || (digit[1] != '@' && digit[1] != '%'))
			*at = '?';
		at += len;
	}
}

/* '@' and a digit is a node's address, '%' and a digit one without a host. */
static void with_addresses(struct bytes text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if ((c == '@' || c == '%') && i + 1 < text.len)
			buf_printf(out, "%s:%u", c == '@' ? "127.0.0.1" : "",
				   answer_port((unsigned char)text.ptr[++i] % NODES));
		else
			buf_add_char(out, c);
	}
}

struct sent {
	size_t number;
	size_t key;
	size_t *latest; /* of its key: the number heard last */
};

static void hear(void *ctx, const struct reply *reply)
{
	struct sent *sent = ctx;

	EXPECT(!heard[sent->number]);
	heard[sent->number] = true;
	if (reply->type ==
	    REPLY_LOST) /* known at once, also while one before it is asked again */
		return;
	/* a node that sent one elsewhere would send all there, also after a break */
	if (!confused && !(broke && troubles[sent->key].redirects))
		EXPECT(sent->latest[sent->key] <= sent->number);
	sent->latest[sent->key] = sent->number;
}

static void send_all(struct redis *redis)
{
	static struct sent sent[COMMANDS];
	static const char *const keys[KEYS] = {"a", "b", "{a}1", "foo", "bar", "hello"};
	size_t latest[KEYS] = {0};
	size_t taken = 0;
	struct err err = {0};
	int status = 0;

	for (; taken < COMMANDS && status == 0; taken++) {
		char number[8];

		snprintf(number, sizeof number, "%zu", taken);
		size_t key = key_of(taken);
		bool counts = taken % 3 == 0;
		struct bytes argv[3] = {counts ? BYTES("INCRBY") : BYTES("GETBIT"),
					bytes_of(keys[key]), bytes_of(number)};

		sent[taken] = (struct sent){taken, key, latest};
		status =
		    redis_submit(redis,
				 &(struct redis_command){.argv = argv,
							 .argc = 3,
							 .flags = counts ? 0 : REDIS_IDEMPOTENT,
							 .fn = hear,
							 .ctx = &sent[taken]},
				 &err);
	}
	if (status == 0)
		status = redis_drain(redis, 0, &err);
	EXPECT((status != 0) == err_is_set(&err));
	for (size_t i = 0; i < taken; i++)
		EXPECT(heard[i]);
}

FUZZ(cluster)
{
	static struct target target;
	struct buf raw = {0};
	struct buf text = {0};

	if (input.len < 3)
		return;
	answer_target(&target, 200);
	starts[1] = 1 + (unsigned char)input.ptr[0] * 32U;
	starts[2] = starts[1] + 1 + (unsigned char)input.ptr[1] * 16U;
	starts[NODES] = SLOT_COUNT;
	confused = false;
	broke = false;
	memset(done, 0, sizeof done);
	memset(heard, 0, sizeof heard);
	for (size_t i = 0; i < KEYS; i++)
		troubles[i].is_told = troubles[i].redirects = false;
	buf_add(&raw, bytes_sub(input, 2, input.len));
	keep_here(&raw, "MOVED ");
	keep_here(&raw, "ASK ");
	with_addresses(buf_bytes(&raw), &text);
	answer_with(
	    &(struct answer_script){.text = buf_bytes(&text), .own = own, .said = said});
	struct redis *redis = redis_new(&target, NULL);
	send_all(redis);
	redis_free(redis);
	answer_with(NULL);
	buf_release(&raw);
	buf_release(&text);
}
