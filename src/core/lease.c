#include "core/lease.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/guard.h"
#include "wire/redis.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEAT_MS (LEASE_TTL_MS / 3)
#define RELEASE_MS 250 /* after a signal */
#define HASTE_MS 500   /* for a server that does not answer */
#define TTL_TEXT "30000"
_Static_assert(LEASE_TTL_MS == 30000, "TTL_TEXT says the same");

/*
 * Where scripts are forbidden the holder looks first and then renews or drops.
 * Only a lease that ends in between could meet another's, and one that is
 * renewed every third of its life does not.
 */
static const char renew_script[] =
    "local held=redis.call('GET',KEYS[1]) "
    "if held==ARGV[1] then return redis.call('PEXPIRE',KEYS[1],ARGV[2]) end "
    "if held then return 0 end "
    "redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2]) return 1";
static const char drop_script[] =
    "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0";

struct lease {
	struct redis *redis;
	struct buf key;
	char *text;        /* what the key holds while it is ours */
	uint64_t asked_ms; /* the last renewal was sent */
	uint64_t heard_ms; /* the last one that was granted */
	bool lost;
	bool waiting;
	bool plain; /* scripts are forbidden */
};

static char *describe_self(void)
{
	char token[GUARD_TOKEN_LEN + 1], host[256] = "";
	cJSON *root = cJSON_CreateObject();

	guard_make_token(token);
	gethostname(host, sizeof host - 1);
	cJSON_AddStringToObject(root, "token", token);
	cJSON_AddStringToObject(root, "host", host);
	cJSON_AddNumberToObject(root, "pid", (double)getpid());
	cJSON_AddNumberToObject(root, "since_ms", (double)clock_wall_ms());
	char *printed = cJSON_PrintUnformatted(root);
	char *text = mem_strdup(printed);
	cJSON_free(printed);
	cJSON_Delete(root);
	return text;
}

/* A process of this host that is not there any more. */
static bool is_dead(const char *host, double pid)
{
	char here[256] = "";

	gethostname(here, sizeof here - 1);
	return host && strcmp(host, here) == 0 && pid >= 1 && pid <= INT32_MAX &&
	       kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* "host H, pid P, for 3s". Whether it is known to have died. */
static bool describe_holder(struct bytes text, struct buf *ret_line)
{
	cJSON *root = cJSON_ParseWithLength(text.ptr, text.len);
	const char *host = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "host"));
	const cJSON *pid = cJSON_GetObjectItemCaseSensitive(root, "pid");
	const cJSON *start = cJSON_GetObjectItemCaseSensitive(root, "since_ms");
	double number = cJSON_IsNumber(pid) ? pid->valuedouble : 0;
	bool dead = is_dead(host, number);

	buf_printf(ret_line, "host %s, pid %.0f, for ", host ? host : "unknown", number);
	if (cJSON_IsNumber(start))
		num_format_duration_ms(ret_line,
				       (int64_t)clock_wall_ms() - (int64_t)start->valuedouble);
	else
		buf_add_str(ret_line, "an unknown time");
	cJSON_Delete(root);
	return dead;
}

static int held_by_other(struct lease *lease, const char *name, struct err *err)
{
	const struct bytes argv[] = {BYTES("GET"), buf_bytes(&lease->key)};
	const struct bytes life[] = {BYTES("PTTL"), buf_bytes(&lease->key)};
	const struct reply *reply = NULL;
	struct buf holder = {0}, rest = {0};

	if (redis_call(lease->redis, argv, 2, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	bool dead = describe_holder(reply->text, &holder);
	if (dead && redis_call(lease->redis, life, 2, REDIS_IDEMPOTENT, &reply, NULL) == 0 &&
	    reply->type == REPLY_INTEGER && reply->integer > 0)
		num_format_duration_ms(&rest, (reply->integer + 999) / 1000 * 1000);
	if (dead)
		err_set(err, ERR_LOCKED,
			"another run holds '%s': %s; that process is gone, and its lease ends "
			"by itself%s%s",
			name, buf_str(&holder), rest.len ? " in " : "", buf_str(&rest));
	else
		err_set(err, ERR_LOCKED,
			"another run holds '%s': %s; --if-locked=ok leaves it to that one",
			name, buf_str(&holder));
	buf_release(&holder);
	buf_release(&rest);
	return -1;
}

int lease_acquire(struct redis *redis, const char *name, struct lease **ret_lease,
		  struct err *err)
{
	struct lease *lease = mem_zalloc(1, sizeof *lease);
	const struct reply *reply = NULL;
	int status = -1;

	lease->redis = redis;
	lease->text = describe_self();
	buf_printf(&lease->key, "cc:l:%s", name);
	const struct bytes argv[] = {BYTES("SET"),          buf_bytes(&lease->key),
				     bytes_of(lease->text), BYTES("NX"),
				     BYTES("PX"),           BYTES(TTL_TEXT)};
	lease->asked_ms = lease->heard_ms = clock_mono_ms();
	if (redis_call(redis, argv, 6, 0, &reply, err) != 0)
		goto out;
	if (reply->type == REPLY_NIL)
		status = held_by_other(lease, name, err);
	else if (reply->type != REPLY_STATUS)
		status = redis_fail(redis, reply, "SET", buf_bytes(&lease->key), err);
	else
		status = 0;
out:
	if (status == 0) {
		*ret_lease = lease;
	} else {
		lease->lost = true; /* not ours to give back */
		lease_release(lease);
	}
	return status;
}

static void on_beat(void *ctx, const struct reply *reply)
{
	struct lease *lease = ctx;

	lease->waiting = false;
	if (reply->type == REPLY_INTEGER && reply->integer == 1)
		lease->heard_ms = lease->asked_ms;
	else if (reply->type == REPLY_INTEGER)
		lease->lost = true;
	else if (reply_error_kind(reply) == REPLY_ERR_NOPERM && !lease->plain) {
		lease->plain = true;
		lease->asked_ms = lease->heard_ms; /* the next beat is due again */
	}
}

static bool is_ours(const struct lease *lease, const struct reply *reply)
{
	return reply->type == REPLY_STRING && bytes_equal_str(reply->text, lease->text);
}

static void on_taken(void *ctx, const struct reply *reply)
{
	struct lease *lease = ctx;

	lease->waiting = false;
	lease->lost = reply->type == REPLY_NIL;
	if (reply->type == REPLY_STATUS)
		lease->heard_ms = lease->asked_ms;
}

static void on_holder(void *ctx, const struct reply *reply)
{
	struct lease *lease = ctx;
	const struct bytes keep[] = {BYTES("PEXPIRE"), buf_bytes(&lease->key), BYTES(TTL_TEXT)};
	const struct bytes take[] = {BYTES("SET"),          buf_bytes(&lease->key),
				     bytes_of(lease->text), BYTES("NX"),
				     BYTES("PX"),           BYTES(TTL_TEXT)};
	const struct redis_command renewal = {
	    .argv = keep, .argc = 3, .flags = REDIS_IDEMPOTENT, .fn = on_beat, .ctx = lease};
	const struct redis_command taking = {
	    .argv = take, .argc = 6, .fn = on_taken, .ctx = lease};

	lease->waiting = false;
	lease->lost = reply->type == REPLY_STRING && !is_ours(lease, reply);
	if (is_ours(lease, reply))
		lease->waiting = redis_submit(lease->redis, &renewal, NULL) == 0;
	else if (reply->type == REPLY_NIL)
		lease->waiting = redis_submit(lease->redis, &taking, NULL) == 0;
}

static int renew(struct lease *lease, struct err *err)
{
	const struct bytes script[] = {
	    BYTES("EVAL"),          bytes_of(renew_script), BYTES("1"),
	    buf_bytes(&lease->key), bytes_of(lease->text),  BYTES(TTL_TEXT)};
	const struct bytes look[] = {BYTES("GET"), buf_bytes(&lease->key)};
	struct redis_command command = {.argv = lease->plain ? look : script,
					.argc = lease->plain ? 2 : 6,
					.flags = REDIS_IDEMPOTENT,
					.fn = lease->plain ? on_holder : on_beat,
					.ctx = lease};

	return redis_submit(lease->redis, &command, err);
}

int lease_beat(struct lease *lease, struct err *err)
{
	uint64_t now = clock_mono_ms();

	if (now - lease->heard_ms >= LEASE_TTL_MS)
		lease->lost = true;
	if (lease->lost)
		return err_set(err, ERR_LOCKED,
			       "the lease was lost to another run: writing stopped");
	if (lease->waiting || now - lease->asked_ms < BEAT_MS)
		return 0;
	lease->asked_ms = now;
	lease->waiting = true;
	return renew(lease, err);
}

static void drop(struct lease *lease)
{
	const struct bytes script[] = {BYTES("EVAL"), bytes_of(drop_script), BYTES("1"),
				       buf_bytes(&lease->key), bytes_of(lease->text)};
	const struct bytes look[] = {BYTES("GET"), buf_bytes(&lease->key)};
	const struct bytes del[] = {BYTES("DEL"), buf_bytes(&lease->key)};
	const struct reply *reply = NULL;

	if (redis_call(lease->redis, script, 5, 0, &reply, NULL) == 0 &&
	    reply_error_kind(reply) == REPLY_ERR_NOPERM &&
	    redis_call(lease->redis, look, 2, 0, &reply, NULL) == 0 && is_ours(lease, reply))
		redis_call(lease->redis, del, 2, 0, &reply, NULL);
}

void lease_release(struct lease *lease)
{
	if (!lease)
		return;
	if (!lease->lost) {
		/* also after Ctrl-C; one that cannot be given back at once ends with its TTL */
		struct redis_grace before =
		    redis_set_grace(lease->redis, (struct redis_grace){RELEASE_MS, RELEASE_MS});
		redis_set_haste(lease->redis, HASTE_MS);
		drop(lease);
		redis_set_haste(lease->redis, 0);
		redis_set_grace(lease->redis, before);
	}
	buf_release(&lease->key);
	free(lease->text);
	free(lease);
}
