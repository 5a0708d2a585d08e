#include "../answer.h"

#include "../fuzz.h"
#include "../listen.h"
#include "base/err.h"
#include "wire/resp.h"

#include <string.h>
#include <sys/socket.h>

#define REPLY_MAX ((size_t)64 * 1024 * 1024)

static struct bytes rest;
static bool
    broke; /* and nothing was answered since: who asked would wait before it tries again */

void answer_with(struct bytes text)
{
	listen_pause(); /* whom it served has gone */
	rest = text;
	broke = false;
	listen_go_on();
}

static int count(void *ctx, const struct reply *reply)
{
	size_t *replies = ctx;

	(void)reply;
	++*replies;
	return 0;
}

/* Not a part of a reply, for whose end somebody would wait. */
static bool is_whole(struct bytes part)
{
	size_t replies = 0;
	struct err err = {0};
	struct resp *resp = resp_new(REPLY_MAX, count, &replies);
	bool is_sound = resp_feed(resp, part.ptr, part.len, &err) == 0;

	resp_free(resp);
	return is_sound && replies > 0;
}

static void say(int client, struct bytes text)
{
	(void)!send(client, text.ptr, text.len, MSG_NOSIGNAL);
}

/* -1: hang up. */
static int answer(int client)
{
	bool over = rest.len == 0;
	struct bytes part = fuzz_part(&rest, (char)0xFE);
	bool whole = is_whole(part);

	if (over || (!whole && broke)) {
		say(client, BYTES("-ERR nothing more\r\n"));
		return 0;
	}
	say(client, part);
	broke = !whole;
	return whole ? 0 : -1;
}

struct peer {
	int client;
	char data[65536];
	size_t len;
};

/* The bytes of the command that the data begins with, 0: it is not whole. */
static size_t command_size(const struct peer *peer)
{
	size_t at = 0, words = 1;

	for (size_t word = 0; word <= words; word++) {
		const char *end = memchr(peer->data + at, '\n', peer->len - at);
		size_t number = 0;

		if (!end)
			return 0;
		for (const char *digit = peer->data + at + 1; *digit != '\r'; digit++)
			number = number * 10 + (size_t)(*digit - '0');
		at = (size_t)(end + 1 - peer->data);
		if (word == 0)
			words = number;
		else
			at += number + 2;
		if (at > peer->len)
			return 0;
	}
	return at;
}

static bool is_greeting(const struct peer *peer, size_t size, struct bytes *ret_reply)
{
	static const struct {
		const char *word;
		const char *reply;
	} greetings[] = {{"SETNAME", "+OK\r\n"},
			 {"HELLO", "*4\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n"
				   "$4\r\nmode\r\n$10\r\nstandalone\r\n"},
			 {"PING", "+PONG\r\n"}};

	for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
		*ret_reply = bytes_of(greetings[i].reply);
		if (memmem(peer->data, size, greetings[i].word, strlen(greetings[i].word)))
			return true;
	}
	return false;
}

static void serve(int client)
{
	static struct peer peer;

	peer.len = 0;
	for (;;) {
		ssize_t came =
		    recv(client, peer.data + peer.len, sizeof peer.data - peer.len, 0);
		size_t size;

		if (came <= 0)
			return;
		peer.len += (size_t)came;
		while ((size = command_size(&peer)) > 0) {
			struct bytes reply;

			if (is_greeting(&peer, size, &reply))
				say(client, reply);
			else if (answer(client) < 0)
				return;
			peer.len -= size;
			memmove(peer.data, peer.data + size, peer.len);
		}
	}
}

uint16_t answer_start(void)
{
	return listen_start(serve);
}
