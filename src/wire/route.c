#include "wire/route.h"

#include <string.h>
#include <strings.h>

/* Where the first key stands. */
enum place {
	PLACE_NONE,
	PLACE_EVERY,
	PLACE_SUBCOMMAND, /* behind a subcommand: OBJECT FREQ key; alone: none */
	PLACE_COUNTED,    /* behind a count of keys: EVAL script 1 key */
	PLACE_STREAMS,    /* behind the word STREAMS */
};

struct exception {
	const char *name;
	enum place place;
};

static const struct exception exceptions[] = {
    {"ACL", PLACE_NONE},          {"ASKING", PLACE_NONE},        {"AUTH", PLACE_NONE},
    {"CLIENT", PLACE_NONE},       {"CLUSTER", PLACE_NONE},       {"COMMAND", PLACE_NONE},
    {"CONFIG", PLACE_NONE},       {"DBSIZE", PLACE_NONE},        {"DEBUG", PLACE_SUBCOMMAND},
    {"ECHO", PLACE_NONE},         {"EVAL", PLACE_COUNTED},       {"EVALSHA", PLACE_COUNTED},
    {"EVAL_RO", PLACE_COUNTED},   {"EVALSHA_RO", PLACE_COUNTED}, {"FCALL", PLACE_COUNTED},
    {"FCALL_RO", PLACE_COUNTED},  {"HELLO", PLACE_NONE},         {"INFO", PLACE_NONE},
    {"LASTSAVE", PLACE_NONE},     {"LATENCY", PLACE_NONE},       {"MEMORY", PLACE_SUBCOMMAND},
    {"OBJECT", PLACE_SUBCOMMAND}, {"PING", PLACE_NONE},          {"PUBLISH", PLACE_NONE},
    {"RANDOMKEY", PLACE_NONE},    {"ROLE", PLACE_NONE},          {"SCAN", PLACE_NONE},
    {"SCRIPT", PLACE_EVERY},      {"SLOWLOG", PLACE_NONE},       {"TIME", PLACE_NONE},
    {"WAIT", PLACE_NONE},         {"XGROUP", PLACE_SUBCOMMAND},  {"XINFO", PLACE_SUBCOMMAND},
    {"XREAD", PLACE_STREAMS},     {"XREADGROUP", PLACE_STREAMS},
};

static const struct exception *exception_of(struct bytes name)
{
	for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
		if (bytes_equal_word(name, exceptions[i].name))
			return &exceptions[i];
	return NULL;
}

/* The index of the first key; argc: there is none. */
static size_t key_index(enum place place, const struct bytes *argv, size_t argc)
{
	switch (place) {
	case PLACE_SUBCOMMAND:
		return 2;
	case PLACE_COUNTED:
		return argc > 3 && !bytes_equal_str(argv[2], "0") ? 3 : argc;
	case PLACE_STREAMS:
		for (size_t i = 1; i < argc; i++)
			if (bytes_equal_word(argv[i], "STREAMS"))
				return i + 1;
		return argc;
	case PLACE_NONE:
	case PLACE_EVERY:
		break;
	}
	return argc;
}

enum route route_of(const struct bytes *argv, size_t argc, struct bytes *ret_key)
{
	const struct exception *exception = exception_of(argv[0]);
	size_t index = exception ? key_index(exception->place, argv, argc) : 1;

	if (exception && exception->place == PLACE_EVERY)
		return ROUTE_EVERY;
	if (index >= argc)
		return ROUTE_ANY;
	*ret_key = argv[index];
	return ROUTE_KEY;
}

/* In the order of the alphabet. */
static const char *const reads[] = {
    "CLIENT",      "CLUSTER",    "COMMAND",  "CONFIG",     "DBSIZE",      "DUMP",   "ECHO",
    "EXISTS",      "EXPIRETIME", "GET",      "GETRANGE",   "HEXISTS",     "HGET",   "HGETALL",
    "HKEYS",       "HLEN",       "HMGET",    "HSCAN",      "HSTRLEN",     "HVALS",  "INFO",
    "LATENCY",     "LINDEX",     "LLEN",     "LRANGE",     "MEMORY",      "MGET",   "OBJECT",
    "PEXPIRETIME", "PING",       "PTTL",     "RANDOMKEY",  "ROLE",        "SCAN",   "SCARD",
    "SISMEMBER",   "SLOWLOG",    "SMEMBERS", "SMISMEMBER", "SRANDMEMBER", "SSCAN",  "STRLEN",
    "TIME",        "TTL",        "TYPE",     "XINFO",      "XLEN",        "XRANGE", "ZCARD",
    "ZCOUNT",      "ZRANGE",     "ZSCAN",    "ZSCORE",
};

bool route_is_read(struct bytes name)
{
	size_t low = 0, high = sizeof reads / sizeof reads[0];

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strncasecmp(reads[middle], name.ptr, name.len);

		if (order == 0 && strlen(reads[middle]) == name.len)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
