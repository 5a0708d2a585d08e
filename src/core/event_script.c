#include "core/event_run_private.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each works on one slot: the key, and what is named after it. */
static const char *const texts[EVENT_SCRIPTS] = {
    /* key, sidecar; ms, what it must hold → 0 gone, 1 shortened, 2 it holds something else, 3
     * it lives no longer anyway */
    [EVENT_SCRIPT_EXPIRE] =
	"local k,p=KEYS[1],redis.call('PTTL',KEYS[1]) if p==-2 then return 0 end "
	"if ARGV[2]~='' and redis.call('GET',k)~=ARGV[2] then return 2 end "
	"redis.call('DEL',KEYS[2]) "
	"if p>=0 and p<=tonumber(ARGV[1]) then return 3 end "
	"redis.call('PEXPIRE',k,ARGV[1]) return 1",
    /* key, sidecar; value, ttl of a new key */
    [EVENT_SCRIPT_SET_KEEP] =
	"redis.call('DEL',KEYS[2]) local k,v,t=KEYS[1],ARGV[1],ARGV[2] "
	"if redis.call('EXISTS',k)==1 then redis.call('SET',k,v,'KEEPTTL') "
	"elseif t=='0' then redis.call('SET',k,v) else redis.call('SET',k,v,'PX',t) end "
	"return 1",
    /* set; member, ttl, keep → 1 added, 0 it was there */
    [EVENT_SCRIPT_ADD] =
	"local k,n,t=KEYS[1],redis.call('SADD',KEYS[1],ARGV[1]),ARGV[2] "
	"if ARGV[3]=='1' and (redis.call('PTTL',k)>=0 or n==0 or redis.call('SCARD',k)>1) "
	"then return n end "
	"if t~='0' then redis.call('PEXPIRE',k,t) end return n",
    /* key, sidecar; old, new, ttl ('k': keep) → 1 replaced, 0 written meanwhile, 2 gone */
    [EVENT_SCRIPT_REPLACE] = "local k,v,t=KEYS[1],redis.call('GET',KEYS[1]),ARGV[3] "
			     "if not v then return 2 end if v~=ARGV[1] then return 0 end "
			     "redis.call('DEL',KEYS[2]) "
			     "if t=='k' then redis.call('SET',k,ARGV[2],'KEEPTTL') "
			     "elseif t=='0' then redis.call('SET',k,ARGV[2]) "
			     "else redis.call('SET',k,ARGV[2],'PX',t) end return 1",
    /* hash, marks; mark ('': none), ttl, field, by, … → 1 counted, 0 counted before. Checked
     * first: a script that fails half-way is not undone. */
    [EVENT_SCRIPT_COUNT] =
	"local k,m,t=KEYS[1],ARGV[1],ARGV[2] "
	"if m~='' and redis.call('SISMEMBER',KEYS[2],m)==1 then return 0 end "
	"local p,int,float=redis.call('PTTL',k),'^%-?%d+$',{} "
	"for i=3,#ARGV,2 do local v=redis.call('HGET',k,ARGV[i]) or '0' "
	"float[i]=not (string.match(v,int) and string.match(ARGV[i+1],int)) "
	"if not tonumber(v) or not string.match(v,'^[%-%d][%d.eE+-]*$') or "
	"(not float[i] and #v>17) then return redis.error_reply("
	"'ERR the field '..ARGV[i]..' holds no number to count up') end end "
	"for i=3,#ARGV,2 do "
	"redis.call(float[i] and 'HINCRBYFLOAT' or 'HINCRBY',k,ARGV[i],ARGV[i+1]) end "
	"if m~='' then redis.call('SADD',KEYS[2],m) end "
	"if t~='0' then if p<0 then redis.call('PEXPIRE',k,t) p=tonumber(t) end "
	"if m~='' then redis.call('PEXPIRE',KEYS[2],p) end end "
	"return 1",
};

static bool is_denied(const struct reply *reply)
{
	enum reply_error kind = reply_error_kind(reply);

	return kind == REPLY_ERR_NOPERM || kind == REPLY_ERR_UNKNOWN_COMMAND;
}

int event_script_load(struct event_runner *runner, struct err *err)
{
	if (err_is_set(&runner->forbidden))
		return 0;
	for (size_t i = 0; i < EVENT_SCRIPTS && !runner->loaded; i++) {
		const struct bytes argv[] = {BYTES("SCRIPT"), BYTES("LOAD"),
					     bytes_of(texts[i])};
		const struct reply *reply = NULL;

		if (redis_call(runner->redis, argv, 3, REDIS_IDEMPOTENT, &reply, err) != 0)
			return -1;
		if (is_denied(reply)) {
			redis_fail(runner->redis, reply, "SCRIPT LOAD", (struct bytes){NULL, 0},
				   &runner->forbidden);
			return 0;
		}
		if (reply->type != REPLY_STRING || reply->text.len != EVENT_SHA_LEN)
			return redis_fail(runner->redis, reply, "SCRIPT LOAD",
					  (struct bytes){NULL, 0}, err);
		memcpy(runner->sha[i], reply->text.ptr, EVENT_SHA_LEN);
	}
	runner->loaded = true;
	runner->stale = false;
	return 0;
}

/* A count without a mark is the only one that may not be sent twice. */
static unsigned flags_of(enum event_script script, const struct bytes *args)
{
	return script == EVENT_SCRIPT_COUNT && args[0].len == 0 ? 0 : REDIS_IDEMPOTENT;
}

static size_t fill(const struct event_runner *runner, enum event_script script,
		   const struct bytes *keys, size_t key_count, const struct bytes *args,
		   size_t arg_count, struct bytes *argv)
{
	argv[0] = BYTES("EVALSHA");
	argv[1] = bytes_of(runner->sha[script]);
	argv[2] = key_count == 1 ? BYTES("1") : BYTES("2");
	memcpy(argv + 3, keys, key_count * sizeof *keys);
	memcpy(argv + 3 + key_count, args, arg_count * sizeof *args);
	return 3 + key_count + arg_count;
}

int event_script_submit(struct event_runner *runner, enum event_script script,
			struct event_step *step, const struct bytes *keys, size_t key_count,
			const struct bytes *args, size_t arg_count, redis_reply_fn *fn,
			struct err *err)
{
	struct bytes few[16];
	struct bytes *argv = arg_count <= 8 ? few : mem_zalloc(arg_count + 8, sizeof *argv);
	struct redis_command command = {
	    .argv = argv, .flags = flags_of(script, args), .fn = fn, .ctx = step};
	int status = event_script_load(runner, err);

	if (status == 0 && err_is_set(&runner->forbidden)) {
		event_step_problem(step, "%s", runner->forbidden.text);
	} else if (status == 0) {
		command.argc = fill(runner, script, keys, key_count, args, arg_count, argv);
		status = redis_submit(runner->redis, &command, err);
	}
	if (argv != few)
		free(argv);
	return status;
}

int event_script_call(struct event_runner *runner, enum event_script script,
		      const struct bytes *keys, size_t key_count, const struct bytes *args,
		      size_t arg_count, const struct reply **ret_reply, struct err *err)
{
	struct bytes argv[16];

	for (int tries = 0; tries < 2; tries++) {
		if (event_script_load(runner, err) != 0)
			return -1;
		size_t count = fill(runner, script, keys, key_count, args, arg_count, argv);
		if (redis_call(runner->redis, argv, count, flags_of(script, args), ret_reply,
			       err) != 0)
			return -1;
		if (reply_error_kind(*ret_reply) != REPLY_ERR_NOSCRIPT)
			break;
		runner->loaded = false;
	}
	return 0;
}

struct bytes event_decimal(char room[24], int64_t number)
{
	return (struct bytes){room, (size_t)snprintf(room, 24, "%" PRId64, number)};
}
