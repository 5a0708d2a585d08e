/*
 * Replies to what the verbs ask, from a server that answers the Nth command with the Nth part
 * of the input (parts end with the byte 0xFE; the first byte says which reader asks). The
 * greeting of a connection is a proper one.
 */
#include "fuzz.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/config.h"
#include "core/keyinfo.h"
#include "core/namespace.h"
#include "core/sample.h"
#include "core/scan.h"
#include "core/server.h"
#include "core/tally.h"
#include "listen.h"
#include "wire/redis.h"
#include "wire/target.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct bytes says;

static void say(struct bytes text)
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

static bool on_key(void *ctx, const struct scan_key *key)
{
	uint64_t *seen = ctx;

	*seen += key->key.len;
	return *seen < 100000;
}

static void scan(struct redis *redis)
{
	uint64_t seen = 0;
	struct scan_result result = {0};
	struct err err = {0};
	struct scan_options options = {.probes = SCAN_TTL | SCAN_TYPE | SCAN_BYTES | SCAN_IDLE,
				       .fn = on_key,
				       .ctx = &seen};

	scan_run(redis, &options, &result, &err);
}

static void begin_again(void *ctx)
{
	uint64_t *seen = ctx;

	*seen = 0;
}

static void sample(struct redis *redis)
{
	uint64_t seen = 0;
	struct sample_result result = {0};
	struct err err = {0};
	struct sample_options options = {.keys = 1000,
					 .seed = 1,
					 .probes = SCAN_TTL | SCAN_BYTES,
					 .fn = on_key,
					 .restart = begin_again,
					 .ctx = &seen};

	EXPECT((sample_run(redis, &options, &result, &err) != 0) == err_is_set(&err));
}

static bool on_item(void *ctx, struct bytes name, struct bytes value, bool cut)
{
	(void)ctx, (void)name, (void)value;
	return !cut;
}

static void read_key(struct redis *redis)
{
	const struct keyinfo_limits limits = {.value_bytes = 1000, .items = 100};
	struct keyinfo info = {0};
	struct err err = {0};

	if (keyinfo_read(redis, BYTES("key"), limits.value_bytes, &info, &err) == 0)
		keyinfo_walk(redis, BYTES("key"), &info, &limits, on_item, NULL, &err);
	EXPECT(info.refused_count <= KEYINFO_REFUSED_MAX);
	keyinfo_release(&info);
}

static void read_figures(struct redis *redis)
{
	static struct config *config;
	struct server_info info;
	struct err err = {0};
	bool denied = false;

	if (!config)
		config_report_free(config_read_profile("sessions", &config));
	const struct nsset *set = config_namespaces(config);
	struct tally_figures *figures = mem_zalloc(nsset_count(set) + 1, sizeof *figures);

	server_info(redis, &info, &err);
	err = (struct err){0};
	tally_read(set, redis, NULL, 0, figures, &denied, &err);
	free(figures);
}

FUZZ(reply)
{
	static struct target target;

	if (input.len == 0)
		return;
	if (!target.host) {
		target_init(&target);
		target.port = listen_start(serve);
		target.timeout_ms = 20;
	}
	say(bytes_sub(input, 1, input.len));
	struct redis *redis = redis_new(&target, NULL);
	switch (input.ptr[0] % 4) {
	case 0:
		scan(redis);
		break;
	case 1:
		read_key(redis);
		break;
	case 2:
		read_figures(redis);
		break;
	default:
		sample(redis);
		break;
	}
	redis_free(redis);
	say((struct bytes){NULL, 0});
}
