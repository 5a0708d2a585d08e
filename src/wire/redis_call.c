#include "wire/redis_private.h"

#include "wire/reply.h"

#include <stdarg.h>
#include <string.h>

#define WORDS_MAX 32

int redis_ask(struct redis *redis, const struct bytes *argv, size_t argc, size_t expect,
	      redis_reply_fn *fn, void *ctx, struct err *err)
{
	const struct redis_command command = {.argv = argv,
					      .argc = argc,
					      .expect = expect,
					      .flags = REDIS_IDEMPOTENT,
					      .fn = fn,
					      .ctx = ctx};

	return redis_submit(redis, &command, err);
}

static void keep(void *ctx, const struct reply *reply)
{
	struct redis *redis = ctx;

	redis->call_reply = reply_copy(&redis->call_arena, reply);
}

int redis_call(struct redis *redis, const struct bytes *argv, size_t argc, unsigned flags,
	       const struct reply **ret_reply, struct err *err)
{
	err = err ? err : &redis->unheard;
	struct redis_command command = {
	    .argv = argv, .argc = argc, .flags = flags, .fn = keep, .ctx = redis};

	mem_arena_release(&redis->call_arena);
	redis->call_reply = NULL;
	if (redis_submit(redis, &command, err) < 0 || redis_drain(redis, 0, err) < 0)
		return -1;
	*ret_reply = redis->call_reply;
	return 0;
}

int redis_call_words(struct redis *redis, unsigned flags, const struct reply **ret_reply,
		     struct err *err, ...)
{
	struct bytes argv[WORDS_MAX];
	size_t argc = 0;
	const char *word;
	va_list words;

	va_start(words, err);
	while (argc < WORDS_MAX && (word = va_arg(words, const char *)) != NULL)
		argv[argc++] = bytes_of(word);
	va_end(words);
	return redis_call(redis, argv, argc, flags, ret_reply, err);
}

int redis_settle(struct redis *redis, const struct err *kept, struct err *err)
{
	if (redis_drain(redis, 0, err) != 0)
		return -1;
	if (!err_is_set(kept))
		return 0;
	*err = *kept;
	return -1;
}

struct redis_server redis_server(const struct redis *redis)
{
	return (struct redis_server){redis->facts.version, redis->facts.valkey,
				     redis->facts.cluster};
}

uint32_t redis_version(struct redis *redis)
{
	static const char field[] = "\nredis_version:";
	const struct reply *reply = NULL;
	struct err ignored = {0};

	if (redis->facts.version != 0 || redis->version_asked)
		return redis->facts.version;
	redis->version_asked = true;
	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, &ignored, "INFO", "server",
			     NULL) < 0 ||
	    reply->type != REPLY_STRING)
		return redis->facts.version;
	const char *at = memmem(reply->text.ptr, reply->text.len, field, sizeof field - 1);
	if (at) {
		struct bytes rest =
		    bytes_sub(reply->text, (size_t)(at - reply->text.ptr) + sizeof field - 1,
			      reply->text.len);

		redis->facts.version =
		    setup_parse_version(bytes_sub(rest, 0, bytes_index(rest, '\r')));
	}
	return redis->facts.version;
}
