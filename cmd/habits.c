#include "habits.h"

#include "base/bytes.h"

#include <stddef.h>
#include <string.h>

static const char list_keys[] = "'ccache inspect --match GLOB' lists keys";
static const char look_at[] = "'ccache inspect --key KEY' shows a key, its TTL and its value";
static const char drop_key[] =
    "'ccache invalidate --key KEY' drops a key, and can take it back";
static const char drop_all[] = "'ccache invalidate NAMESPACE --all' drops a namespace's keys, "
			       "and can take them back";
static const char shorten[] =
    "'ccache invalidate --key KEY --soft --in 30s' ends a life sooner";
static const char store[] = "'ccache warm NAMESPACE IDS…' stores what the source has, "
			    "'ccache warm --from FILE' values of a file";
static const char figures[] = "'ccache stats' shows the server's figures and each namespace's";
static const char traffic[] = "'ccache stats --sample 5s' watches the traffic for a while";
static const char counts[] = "'ccache inspect' counts the keys of each namespace";
static const char load[] = "'ccache bench' measures this server under load";
static const char prompt[] = "'ccache repl' opens a prompt, where 'redis COMMAND …' sends the "
			     "server's own";

static const struct {
	const char *word;
	const char *instead;
} habits[] = {
    {"keys", list_keys},    {"scan", list_keys},     {"ls", list_keys},
    {"list", list_keys},    {"find", list_keys},     {"search", list_keys},
    {"exists", look_at},    {"type", look_at},       {"object", look_at},
    {"pttl", look_at},      {"expiretime", look_at}, {"pexpiretime", look_at},
    {"strlen", look_at},    {"getrange", look_at},   {"hget", look_at},
    {"hgetall", look_at},   {"hmget", look_at},      {"hkeys", look_at},
    {"hlen", look_at},      {"hscan", look_at},      {"lrange", look_at},
    {"llen", look_at},      {"smembers", look_at},   {"scard", look_at},
    {"sscan", look_at},     {"zrange", look_at},     {"zcard", look_at},
    {"zscan", look_at},     {"xrange", look_at},     {"xlen", look_at},
    {"dump", look_at},      {"mget", look_at},       {"show", look_at},
    {"cat", look_at},       {"del", drop_key},       {"unlink", drop_key},
    {"delete", drop_key},   {"rm", drop_key},        {"remove", drop_key},
    {"drop", drop_key},     {"evict", drop_key},     {"getdel", drop_key},
    {"flushall", drop_all}, {"flushdb", drop_all},   {"flush", drop_all},
    {"clear", drop_all},    {"purge", drop_all},     {"expire", shorten},
    {"pexpire", shorten},   {"expireat", shorten},   {"pexpireat", shorten},
    {"set", store},         {"setex", store},        {"psetex", store},
    {"setnx", store},       {"mset", store},         {"hset", store},
    {"hmset", store},       {"put", store},          {"fetch", store},
    {"refresh", store},     {"load", store},         {"info", figures},
    {"memory", figures},    {"latency", figures},    {"slowlog", figures},
    {"top", figures},       {"monitor", traffic},    {"dbsize", counts},
    {"count", counts},      {"benchmark", load},     {"redis-cli", prompt},
    {"cli", prompt},        {"shell", prompt},       {"console", prompt},
    {"eval", prompt},       {"client", prompt},      {"acl", prompt},
    {"select", prompt},     {"rename", prompt},      {"persist", prompt},
    {"copy", prompt},       {"lpush", prompt},       {"rpush", prompt},
    {"sadd", prompt},       {"srem", prompt},        {"zadd", prompt},
    {"zrem", prompt},       {"hdel", prompt},        {"incr", prompt},
    {"decr", prompt},       {"append", prompt},      {"cluster", prompt},
    {"publish", prompt},    {"subscribe", prompt},   {"script", prompt},
    {"hincrby", prompt},    {"incrby", prompt},      {"xadd", prompt},
};

const char *habit_instead(const char *word)
{
	if (strstr(word, "://"))
		return "a server's URI stands behind -u";
	for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++)
		if (bytes_equal_word(bytes_of(word), habits[i].word))
			return habits[i].instead;
	return NULL;
}
