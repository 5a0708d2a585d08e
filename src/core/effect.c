#include "core/effect.h"

#include "base/num.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* By name. Keys as `COMMAND INFO` tells them. */
static const struct effect effects[] = {
    {"APPEND", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"AUTH", EFFECT_NONE, 0, 0, 0, 0},
    {"BITCOUNT", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"BITOP", EFFECT_MAYBE, EFFECT_WRITE, 2, 2, 1},
    {"BLMOVE", EFFECT_MAYBE, EFFECT_WRITE, 1, 2, 1},
    {"BLPOP", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"BRPOP", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"BRPOPLPUSH", EFFECT_MAYBE, EFFECT_WRITE, 1, 2, 1},
    {"BZPOPMAX", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"BZPOPMIN", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"CLIENT", EFFECT_NONE, 0, 0, 0, 0},
    {"COMMAND", EFFECT_NONE, 0, 0, 0, 0},
    {"COPY", EFFECT_MAYBE, EFFECT_WRITE, 1, 2, 1},
    {"DBSIZE", EFFECT_NONE, 0, 0, 0, 0},
    {"DECR", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"DECRBY", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"DEL", EFFECT_GONE, EFFECT_DELETE, 1, -1, 1},
    {"DELEX", EFFECT_MAYBE, EFFECT_DELETE, 1, 1, 1},
    {"DELIFEQ", EFFECT_MAYBE, EFFECT_DELETE, 1, 1, 1},
    {"DISCARD", EFFECT_NONE, 0, 0, 0, 0},
    {"DUMP", EFFECT_NONE, 0, 0, 0, 0},
    {"ECHO", EFFECT_NONE, 0, 0, 0, 0},
    {"EVAL", EFFECT_SCRIPT, 0, 0, 0, 0},
    {"EVALSHA", EFFECT_SCRIPT, 0, 0, 0, 0},
    {"EVALSHA_RO", EFFECT_SCRIPT, 0, 0, 0, 0},
    {"EVAL_RO", EFFECT_SCRIPT, 0, 0, 0, 0},
    {"EXEC", EFFECT_NONE, 0, 0, 0, 0},
    {"EXISTS", EFFECT_NONE, 0, 0, 0, 0},
    {"EXPIRE", EFFECT_LIFE, 0, 1, 1, 1},
    {"EXPIREAT", EFFECT_LIFE, 0, 1, 1, 1},
    {"EXPIRETIME", EFFECT_NONE, 0, 0, 0, 0},
    {"FCALL", EFFECT_SCRIPT, 0, 0, 0, 0},
    {"FCALL_RO", EFFECT_SCRIPT, 0, 0, 0, 0},
    {"FLUSHALL", EFFECT_ALL, 0, 0, 0, 0},
    {"FLUSHDB", EFFECT_ALL, 0, 0, 0, 0},
    {"GEOADD", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"GEODIST", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"GEOHASH", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"GEOPOS", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"GEOSEARCH", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"GEOSEARCHSTORE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"GET", EFFECT_NONE, EFFECT_READ | EFFECT_TEXT, 1, 1, 1},
    {"GETBIT", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"GETDEL", EFFECT_GONE, EFFECT_READ | EFFECT_TEXT | EFFECT_DELETE, 1, 1, 1},
    {"GETEX", EFFECT_LIFE, EFFECT_READ | EFFECT_TEXT, 1, 1, 1},
    {"GETRANGE", EFFECT_NONE, EFFECT_READ | EFFECT_TEXT, 1, 1, 1},
    {"GETSET", EFFECT_FRESH, EFFECT_WRITE, 1, 1, 1},
    {"HDEL", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"HELLO", EFFECT_NONE, 0, 0, 0, 0},
    {"HEXISTS", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"HEXPIRE", EFFECT_LIFE, 0, 1, 1, 1},
    {"HEXPIREAT", EFFECT_LIFE, 0, 1, 1, 1},
    {"HEXPIRETIME", EFFECT_NONE, 0, 0, 0, 0},
    {"HGET", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"HGETALL", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"HGETDEL", EFFECT_MAYBE, EFFECT_READ | EFFECT_WRITE, 1, 1, 1},
    {"HGETEX", EFFECT_LIFE, EFFECT_READ, 1, 1, 1},
    {"HINCRBY", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"HINCRBYFLOAT", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"HKEYS", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"HLEN", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"HMGET", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"HMSET", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"HPERSIST", EFFECT_LIFE, 0, 1, 1, 1},
    {"HPEXPIRE", EFFECT_LIFE, 0, 1, 1, 1},
    {"HPEXPIREAT", EFFECT_LIFE, 0, 1, 1, 1},
    {"HPEXPIRETIME", EFFECT_NONE, 0, 0, 0, 0},
    {"HPTTL", EFFECT_NONE, 0, 0, 0, 0},
    {"HRANDFIELD", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"HSCAN", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"HSET", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"HSETEX", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"HSETNX", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"HSTRLEN", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"HTTL", EFFECT_NONE, 0, 0, 0, 0},
    {"HVALS", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"INCR", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"INCRBY", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"INCRBYFLOAT", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"INFO", EFFECT_NONE, 0, 0, 0, 0},
    {"JSON.GET", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"JSON.SET", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"KEYS", EFFECT_NONE, 0, 0, 0, 0},
    {"LINDEX", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"LINSERT", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"LLEN", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"LMOVE", EFFECT_MAYBE, EFFECT_WRITE, 1, 2, 1},
    {"LPOP", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"LPOS", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"LPUSH", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"LPUSHX", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"LRANGE", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"LREM", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"LSET", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"LTRIM", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"MEMORY", EFFECT_NONE, 0, 0, 0, 0},
    {"MGET", EFFECT_NONE, EFFECT_READ | EFFECT_TEXT, 1, -1, 1},
    {"MOVE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"MSET", EFFECT_FRESH, EFFECT_WRITE, 1, -1, 2},
    {"MSETNX", EFFECT_MAYBE, EFFECT_WRITE, 1, -1, 2},
    {"MULTI", EFFECT_NONE, 0, 0, 0, 0},
    {"OBJECT", EFFECT_NONE, 0, 0, 0, 0},
    {"PERSIST", EFFECT_LIFE, 0, 1, 1, 1},
    {"PEXPIRE", EFFECT_LIFE, 0, 1, 1, 1},
    {"PEXPIREAT", EFFECT_LIFE, 0, 1, 1, 1},
    {"PEXPIRETIME", EFFECT_NONE, 0, 0, 0, 0},
    {"PFADD", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"PFCOUNT", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"PFMERGE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"PING", EFFECT_NONE, 0, 0, 0, 0},
    {"PSETEX", EFFECT_FRESH, EFFECT_WRITE, 1, 1, 1},
    {"PSUBSCRIBE", EFFECT_NONE, 0, 0, 0, 0},
    {"PTTL", EFFECT_NONE, 0, 0, 0, 0},
    {"PUBLISH", EFFECT_NONE, 0, 0, 0, 0},
    {"RANDOMKEY", EFFECT_NONE, 0, 0, 0, 0},
    {"RENAME", EFFECT_MAYBE, EFFECT_WRITE, 1, 2, 1},
    {"RENAMENX", EFFECT_MAYBE, EFFECT_WRITE, 1, 2, 1},
    {"RESTORE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"RPOP", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"RPOPLPUSH", EFFECT_MAYBE, EFFECT_WRITE, 1, 2, 1},
    {"RPUSH", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"RPUSHX", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"SADD", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"SCAN", EFFECT_NONE, 0, 0, 0, 0},
    {"SCARD", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"SDIFF", EFFECT_NONE, EFFECT_READ, 1, -1, 1},
    {"SDIFFSTORE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"SELECT", EFFECT_NONE, 0, 0, 0, 0},
    {"SET", EFFECT_FRESH, EFFECT_WRITE, 1, 1, 1},
    {"SETBIT", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"SETEX", EFFECT_FRESH, EFFECT_WRITE, 1, 1, 1},
    {"SETNX", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"SETRANGE", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"SINTER", EFFECT_NONE, EFFECT_READ, 1, -1, 1},
    {"SINTERSTORE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"SISMEMBER", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"SMEMBERS", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"SMISMEMBER", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"SMOVE", EFFECT_MAYBE, EFFECT_WRITE, 1, 2, 1},
    {"SPOP", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"SRANDMEMBER", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"SREM", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"SSCAN", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"STRLEN", EFFECT_NONE, 0, 0, 0, 0},
    {"SUBSCRIBE", EFFECT_NONE, 0, 0, 0, 0},
    {"SUBSTR", EFFECT_NONE, EFFECT_READ | EFFECT_TEXT, 1, 1, 1},
    {"SUNION", EFFECT_NONE, EFFECT_READ, 1, -1, 1},
    {"SUNIONSTORE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"SWAPDB", EFFECT_ALL, 0, 0, 0, 0},
    {"TIME", EFFECT_NONE, 0, 0, 0, 0},
    {"TOUCH", EFFECT_NONE, 0, 0, 0, 0},
    {"TTL", EFFECT_NONE, 0, 0, 0, 0},
    {"TYPE", EFFECT_NONE, 0, 0, 0, 0},
    {"UNLINK", EFFECT_GONE, EFFECT_DELETE, 1, -1, 1},
    {"UNWATCH", EFFECT_NONE, 0, 0, 0, 0},
    {"WATCH", EFFECT_NONE, 0, 0, 0, 0},
    {"XADD", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"XDEL", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"XLEN", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"XRANGE", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"XREAD", EFFECT_NONE, 0, 0, 0, 0},
    {"XREVRANGE", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"XTRIM", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZADD", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZCARD", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZCOUNT", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZDIFFSTORE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZINCRBY", EFFECT_EXISTS, EFFECT_WRITE, 1, 1, 1},
    {"ZINTERSTORE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZLEXCOUNT", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZMSCORE", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZPOPMAX", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZPOPMIN", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZRANDMEMBER", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZRANGE", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZRANGEBYLEX", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZRANGEBYSCORE", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZRANGESTORE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZRANK", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZREM", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZREMRANGEBYLEX", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZREMRANGEBYRANK", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZREMRANGEBYSCORE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
    {"ZREVRANGE", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZREVRANGEBYLEX", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZREVRANGEBYSCORE", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZREVRANK", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZSCAN", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZSCORE", EFFECT_NONE, EFFECT_READ, 1, 1, 1},
    {"ZUNIONSTORE", EFFECT_MAYBE, EFFECT_WRITE, 1, 1, 1},
};

#define NAME_MAX_LEN 24

static int compare(const void *name, const void *effect)
{
	return strcmp(name, ((const struct effect *)effect)->name);
}

const struct effect *effect_find(struct bytes name)
{
	char upper[NAME_MAX_LEN + 1];

	if (name.len > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		upper[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	upper[name.len] = '\0';
	return bsearch(upper, effects, sizeof effects / sizeof effects[0], sizeof effects[0],
		       compare);
}

static bool life_in(struct bytes amount, long long unit, long long base, long long *ret_ms)
{
	int64_t number = 0;

	if (num_parse_i64(amount, 1, INT64_MAX / 2000, &number) != 0)
		return false;
	*ret_ms = base + number * unit;
	return true;
}

/* SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
static bool life_of_set(const struct bytes *argv, size_t argc, long long now_ms,
			long long *ret_ms)
{
	long long life = -1;

	for (size_t i = 3; i < argc; i++) {
		bool has_amount = i + 1 < argc;

		if (bytes_equal_word(argv[i], "GET"))
			continue;
		bool known = (bytes_equal_word(argv[i], "EX") && has_amount &&
			      life_in(argv[i + 1], 1000, now_ms, &life)) ||
			     (bytes_equal_word(argv[i], "PX") && has_amount &&
			      life_in(argv[i + 1], 1, now_ms, &life)) ||
			     (bytes_equal_word(argv[i], "EXAT") && has_amount &&
			      life_in(argv[i + 1], 1000, 0, &life)) ||
			     (bytes_equal_word(argv[i], "PXAT") && has_amount &&
			      life_in(argv[i + 1], 1, 0, &life));
		if (!known)
			return false;
		i++;
	}
	*ret_ms = life;
	return true;
}

bool effect_life(const struct effect *effect, const struct bytes *argv, size_t argc,
		 long long now_ms, long long *ret_expires_ms)
{
	if (strcmp(effect->name, "SET") == 0)
		return life_of_set(argv, argc, now_ms, ret_expires_ms);
	if (strcmp(effect->name, "SETEX") == 0)
		return argc > 2 && life_in(argv[2], 1000, now_ms, ret_expires_ms);
	if (strcmp(effect->name, "PSETEX") == 0)
		return argc > 2 && life_in(argv[2], 1, now_ms, ret_expires_ms);
	*ret_expires_ms = -1;
	return true;
}
