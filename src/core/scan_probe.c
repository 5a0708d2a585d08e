#include "core/scan.h"

#include "base/buf.h"
#include "base/err.h"
#include "core/namespace.h"
#include "wire/redis.h"
#include "wire/target.h"

#include <string.h>

int scan_ask(struct redis *redis, enum scan_probe probe, struct bytes key,
	     const struct redis_command *how, struct err *err)
{
	struct redis_command command = *how;
	struct bytes argv[3] = {BYTES("PTTL"), key};

	command.argv = argv;
	command.argc = 2;
	command.flags = how->flags | REDIS_IDEMPOTENT;
	if (probe == SCAN_TYPE) {
		argv[0] = BYTES("TYPE");
	} else if (probe != SCAN_TTL) {
		argv[0] = probe == SCAN_BYTES ? BYTES("MEMORY") : BYTES("OBJECT");
		argv[1] = probe == SCAN_BYTES  ? BYTES("USAGE")
			  : probe == SCAN_IDLE ? BYTES("IDLETIME")
					       : BYTES("FREQ");
		argv[2] = key;
		command.argc = 3;
	}
	return redis_submit(redis, &command, err);
}

int scan_broke(const struct redis *redis, struct err *err)
{
	struct buf name = {0};

	target_describe(redis_target(redis), &name);
	err_set(err, ERR_REDIS,
		"redis %s: the connection broke in the middle of the walk: the server may have "
		"been restarted, which makes its cursor worthless; run it again",
		buf_str(&name));
	buf_release(&name);
	return -1;
}

static int type_of(struct bytes name)
{
	for (int i = 0; i < NS_ANY; i++)
		if (bytes_equal_str(name, ns_type_names[i]))
			return i;
	return NS_ANY;
}

static int take_refusal(const struct redis *redis, enum scan_probe probe, const char *command,
			const struct reply *reply, struct scan_key *key,
			struct scan_result *result, struct err *err)
{
	if (probe == SCAN_TTL && !key->lenient)
		return redis_fail(redis, reply, command, key->key, err);
	key->asked &= ~(unsigned)probe;
	if (probe == SCAN_TTL)
		key->ttl_ms = SCAN_TTL_UNKNOWN;
	if (reply_refuses_key(reply)) {
		key->forbidden = true;
		return 0;
	}
	result->denied |= probe;
	result->down = result->down || reply_error_kind(reply) == REPLY_ERR_CLUSTERDOWN;
	return 0;
}

int scan_take(const struct redis *redis, enum scan_probe probe, const struct reply *reply,
	      struct scan_key *key, struct scan_result *result, struct err *err)
{
	static const char *const commands[] = {"OBJECT IDLETIME", "OBJECT FREQ", "PTTL", "TYPE",
					       "MEMORY USAGE"};
	int64_t number = reply->type == REPLY_INTEGER ? reply->integer : -1;

	switch (reply_error_kind(reply)) {
	case REPLY_ERR_MOVED:
	case REPLY_ERR_ASK:
	case REPLY_ERR_TRYAGAIN: /* to another node of the cluster, which is walked too */
		key->ttl_ms = SCAN_TTL_GONE;
		return 0;
	case REPLY_ERR_LOADING:
	case REPLY_ERR_BUSY:
	case REPLY_ERR_MASTERDOWN:
		return redis_fail(redis, reply, commands[__builtin_ctz(probe)], key->key, err);
	default:
		break;
	}
	if (reply->type == REPLY_LOST)
		return redis_unreached(redis, reply, err);
	if (reply->type == REPLY_ERROR)
		return take_refusal(redis, probe, commands[__builtin_ctz(probe)], reply, key,
				    result, err);
	result->hits += probe != SCAN_BYTES && reply->type != REPLY_NIL;
	switch (probe) {
	case SCAN_IDLE:
		key->idle_s = number;
		break;
	case SCAN_FREQ:
		key->freq = number;
		break;
	case SCAN_TTL:
		key->ttl_ms = number;
		result->hits -= number == SCAN_TTL_GONE;
		break;
	case SCAN_TYPE:
		key->type = type_of(reply->text);
		if (bytes_equal_str(reply->text, "none"))
			key->ttl_ms = SCAN_TTL_GONE;
		break;
	case SCAN_BYTES:
		key->bytes = number;
		break;
	}
	return 0;
}
