#include "../answer.h"

#include "../fuzz.h"
#include "../listen.h"

#include <string.h>
#include <sys/socket.h>

static struct bytes says;

void answer_with(struct bytes text)
{
	listen_pause(); /* whom it served has gone */
	says = text;
	listen_go_on();
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
	struct bytes rest = says;

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

			if (!is_greeting(&peer, size, &reply)) {
				if (rest.len == 0)
					return;
				reply = fuzz_part(&rest, (char)0xFE);
			}
			(void)!send(client, reply.ptr, reply.len, MSG_NOSIGNAL);
			peer.len -= size;
			memmove(peer.data, peer.data + size, peer.len);
		}
	}
}

uint16_t answer_start(void)
{
	return listen_start(serve);
}
