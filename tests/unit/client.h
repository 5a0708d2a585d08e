#ifndef TESTS_UNIT_CLIENT_H
#define TESTS_UNIT_CLIENT_H

#include "check.h"
#include "server.h"

#include "base/err.h"
#include "wire/redis.h"
#include "wire/target.h"

/* A session of a unit test with a server of server.h. */
struct client {
	struct target target;
	struct redis *redis;
	struct err err;
	volatile int cancel;
};

static inline void client_open(struct client *client, const char *url)
{
	*client = (struct client){0};
	target_init(&client->target);
	CHECK_INT(target_parse_url(&client->target, url, &client->err), 0);
	client->redis = redis_new(&client->target, &client->cancel);
}

static inline void client_unix(struct client *client, const struct server *server, unsigned db)
{
	char url[256];

	snprintf(url, sizeof url, "unix://%s?db=%u", server->socket, db);
	client_open(client, url);
}

static inline void client_tcp(struct client *client, const struct server *server,
			      const char *login)
{
	char url[256];

	snprintf(url, sizeof url, "redis://%s127.0.0.1:%u", login, server->port);
	client_open(client, url);
}

static inline void client_close(struct client *client)
{
	redis_free(client->redis);
	target_release(&client->target);
}

/* One call of up to three words; a failure shows as REPLY_LOST. */
static inline const struct reply *client_call(struct client *client, struct bytes a,
					      struct bytes b, struct bytes c)
{
	static const struct reply none = {.type = REPLY_LOST};
	struct bytes argv[] = {a, b, c};
	size_t argc = c.ptr ? 3 : b.ptr ? 2 : 1;
	const struct reply *reply = &none;

	if (redis_call(client->redis, argv, argc, 0, &reply, &client->err) < 0)
		printf("# %s\n", client->err.text);
	return reply;
}
#define NO ((struct bytes){0})

/* A command typed as words with one blank between them, that is not refused. */
static inline const struct reply *client_say(struct client *client, const char *line)
{
	static const struct reply none = {.type = REPLY_LOST};
	const struct reply *reply = &none;
	struct bytes argv[16];
	size_t argc = 0;
	struct bytes rest = bytes_of(line);

	while (rest.len) {
		argv[argc++] = bytes_sub(rest, 0, bytes_index(rest, ' '));
		rest = bytes_sub(rest, argv[argc - 1].len + 1, rest.len);
	}
	CHECK_INT(redis_call(client->redis, argv, argc, 0, &reply, &client->err), 0);
	CHECK(reply->type != REPLY_ERROR);
	return reply;
}

struct tally {
	size_t answers;
	size_t errors;
	size_t lost;
	long long last;
	bool ordered; /* integers that rise by one */
};

/* A redis_reply_fn over a struct tally. */
static inline void tally_count(void *ctx, const struct reply *reply)
{
	struct tally *tally = ctx;

	if (reply->type == REPLY_LOST) {
		tally->lost++;
	} else if (reply->type == REPLY_ERROR) {
		tally->errors++;
	} else {
		tally->answers++;
		tally->ordered = tally->ordered && reply->integer == tally->last + 1;
		tally->last = reply->integer;
	}
}

static inline void check_has(const char *file, int line, const char *text, const char *part)
{
	if (strstr(text, part))
		return;
	printf("# %s:%d: '%s' does not hold '%s'\n", file, line, text, part);
	check_bad_in_test = 1;
}
#define CHECK_HAS(text, part) check_has(__FILE__, __LINE__, (text), (part))

#endif
