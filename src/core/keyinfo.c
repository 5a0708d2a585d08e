#include "core/keyinfo.h"

#include "base/err.h"
#include "wire/redis.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *type;
	const char *length;
} lengths[] = {{"string", "STRLEN"}, {"hash", "HLEN"},  {"set", "SCARD"},
	       {"list", "LLEN"},     {"zset", "ZCARD"}, {"stream", "XLEN"}};
#define KINDS (sizeof lengths / sizeof *lengths)

static const char *length_command(const char *type)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(lengths[i].type, type) == 0)
			return lengths[i].length;
	return NULL;
}

void keyinfo_refuse(struct keyinfo *info, const char *command)
{
	for (size_t i = 0; i < info->refused_count; i++)
		if (strcmp(info->refused[i], command) == 0)
			return;
	if (info->refused_count < KEYINFO_REFUSED_MAX)
		info->refused[info->refused_count++] = command;
}

/* If it was noted, and last. */
static void forget_refused(struct keyinfo *info, const char *command)
{
	if (info->refused_count > 0 &&
	    strcmp(info->refused[info->refused_count - 1], command) == 0)
		info->refused_count--;
}

/* Where a figure goes. */
struct slot {
	struct keyinfo *info;
	const char *command; /* named when it is refused; NULL: another one's stand-in */
	int64_t *number;
	int64_t refused; /* what it is then; 0: what it was */
	char *text;
	size_t text_size;
	struct redis *redis;
	struct bytes key;
	struct err *problem;
};

/* False: the answer says nothing, and the slot's problem may say why. */
static bool is_answer(struct slot *slot, const struct reply *reply)
{
	enum reply_error kind = reply_error_kind(reply);
	bool refused = kind == REPLY_ERR_NOPERM && !reply_refuses_key(reply);
	bool silent = kind == REPLY_ERR_OTHER || kind == REPLY_ERR_WRONGTYPE ||
		      kind == REPLY_ERR_UNKNOWN_COMMAND;

	if (kind == REPLY_ERR_NONE)
		return true;
	if (refused && slot->command)
		keyinfo_refuse(slot->info, slot->command);
	if (slot->refused)
		*slot->number = slot->refused;
	if (!refused && !silent && !err_is_set(slot->problem))
		redis_fail(slot->redis, reply, slot->command ? slot->command : "TYPE",
			   slot->key, slot->problem);
	return false;
}

static void on_figure(void *ctx, const struct reply *reply)
{
	struct slot *slot = ctx;

	if (!is_answer(slot, reply))
		return;
	if (slot->number && reply->type == REPLY_INTEGER)
		*slot->number = reply->integer;
	if (!slot->text || (reply->type != REPLY_STATUS && reply->type != REPLY_STRING))
		return;
	size_t len = reply->text.len < slot->text_size ? reply->text.len : slot->text_size - 1;
	memcpy(slot->text, reply->text.ptr, len);
	slot->text[len] = '\0';
}

/* Asks WORD [WORD] key for each slot, all at once. */
static int read_slots(struct redis *redis, struct bytes key, struct keyinfo *info,
		      const char *const (*words)[2], struct slot *slots, size_t count,
		      struct err *err)
{
	struct err problem = {0};

	for (size_t i = 0; i < count; i++) {
		struct bytes argv[3] = {bytes_of(words[i][0]), bytes_of(words[i][1])};
		size_t argc = words[i][1] ? 2 : 1;

		argv[argc++] = key;
		slots[i].info = info;
		slots[i].redis = redis;
		slots[i].key = key;
		slots[i].problem = &problem;
		if (redis_submit(redis,
				 &(struct redis_command){.argv = argv,
							 .argc = argc,
							 .flags = REDIS_IDEMPOTENT,
							 .fn = on_figure,
							 .ctx = &slots[i]},
				 err) != 0)
			return -1;
	}
	return redis_settle(redis, &problem, err);
}

/* The figures, idle time and frequency first: asking for the value would reset them where no
 * CLIENT NO-TOUCH is asked for (wire/setup.c). */
static int read_figures(struct redis *redis, struct bytes key, struct keyinfo *info,
			struct err *err)
{
	static const char *const words[][2] = {{"OBJECT", "IDLETIME"}, {"OBJECT", "FREQ"},
					       {"TYPE", NULL},         {"PTTL", NULL},
					       {"OBJECT", "ENCODING"}, {"MEMORY", "USAGE"}};
	struct slot slots[] = {
	    {.command = "OBJECT", .number = &info->idle_s},
	    {.command = "OBJECT", .number = &info->frequency},
	    {.text = info->type, .text_size = sizeof info->type},
	    {.command = "PTTL", .number = &info->ttl_ms, .refused = -3},
	    {.command = "OBJECT", .text = info->encoding, .text_size = sizeof info->encoding},
	    {.command = "MEMORY USAGE", .number = &info->bytes},
	};

	return read_slots(redis, key, info, words, slots, sizeof slots / sizeof *slots, err);
}

/* Where TYPE is refused: a key has a length of its own type only, one that is not there of all.
 */
static int find_type(struct redis *redis, struct bytes key, struct keyinfo *info,
		     struct err *err)
{
	const char *words[KINDS + 1][2] = {{NULL}};
	struct slot slots[KINDS + 1];
	int64_t found[KINDS + 1];
	size_t count = 0;

	for (size_t i = 0; i <= KINDS; i++) {
		found[i] = -1;
		words[i][0] = i < KINDS ? lengths[i].length : "EXISTS";
		slots[i] = (struct slot){.number = &found[i]};
	}
	if (read_slots(redis, key, info, words, slots, KINDS + 1, err) != 0)
		return -1;
	for (size_t i = 0; i <= KINDS; i++) {
		if (i < KINDS && found[i] >= 0)
			snprintf(info->type, sizeof info->type, "%s",
				 count++ ? "none" : lengths[i].type);
		info->exists = info->exists || found[i] > 0;
	}
	if (found[KINDS] == 0)
		snprintf(info->type, sizeof info->type, "none");
	return 0;
}

/* The answer of a read. *ret_reply is NULL where it is refused, or tried on a type not known.
 */
static int ask(struct redis *redis, const struct bytes *argv, size_t argc, const char *command,
	       struct keyinfo *info, const struct reply **ret_reply, struct err *err)
{
	if (redis_call(redis, argv, argc, REDIS_IDEMPOTENT, ret_reply, err) != 0)
		return -1;
	enum reply_error kind = reply_error_kind(*ret_reply);

	if (kind == REPLY_ERR_NONE)
		return 0;
	if (kind == REPLY_ERR_NOPERM && !reply_refuses_key(*ret_reply))
		keyinfo_refuse(info, command);
	else if (kind != REPLY_ERR_WRONGTYPE || info->type[0])
		return redis_fail(redis, *ret_reply, command, argv[1], err);
	info->exists = info->exists || kind == REPLY_ERR_WRONGTYPE;
	*ret_reply = NULL;
	return 0;
}

static int read_length(struct redis *redis, const char *command, struct bytes key,
		       struct keyinfo *info, struct err *err)
{
	const struct bytes argv[] = {bytes_of(command), key};
	const struct reply *reply = NULL;

	if (ask(redis, argv, 2, command, info, &reply, err) != 0)
		return -1;
	if (reply && reply->type != REPLY_INTEGER)
		return redis_fail(redis, reply, command, key, err);
	if (reply)
		info->length = reply->integer;
	return 0;
}

/* Whole, where no part may be asked for; not one that is known to be too long. */
static int read_whole(struct redis *redis, struct bytes key, size_t value_bytes,
		      struct keyinfo *info, const struct reply **ret_reply, struct err *err)
{
	const struct bytes argv[] = {BYTES("GET"), key};
	int64_t length = info->length >= 0 ? info->length : info->bytes;

	*ret_reply = NULL;
	if (length > (int64_t)value_bytes)
		return 0;
	return ask(redis, argv, 2, "GET", info, ret_reply, err);
}

static int read_string(struct redis *redis, struct bytes key, size_t value_bytes,
		       struct keyinfo *info, struct err *err)
{
	char last[24];
	const struct bytes argv[] = {
	    BYTES("GETRANGE"),
	    key,
	    BYTES("0"),
	    {last, (size_t)snprintf(last, sizeof last, "%zu", value_bytes - 1)}};
	const struct reply *reply = NULL;

	if (ask(redis, argv, 4, "GETRANGE", info, &reply, err) != 0)
		return -1;
	bool part = reply != NULL;
	if (part && reply->type == REPLY_STRING && reply->text.len == 0 && info->length > 0) {
		/* emptied since its length was told, or gone: that only GET tells apart */
		part = false;
		info->length = 0;
	}
	if (!part && read_whole(redis, key, value_bytes, info, &reply, err) != 0)
		return -1;
	if (reply && reply->type == REPLY_NIL)
		snprintf(info->type, sizeof info->type, "none");
	if (!reply || reply->type == REPLY_NIL)
		return 0;
	if (reply->type != REPLY_STRING)
		return redis_fail(redis, reply, part ? "GETRANGE" : "GET", key, err);
	if (!part) /* nothing is missing for it */
		forget_refused(info, "GETRANGE");
	snprintf(info->type, sizeof info->type, "string");
	info->exists = info->exists || !part;
	info->has_value = true;
	info->value = mem_arena_bytes(&info->arena, bytes_sub(reply->text, 0, value_bytes));
	if (!part || reply->text.len < value_bytes) /* all of it, as it is now */
		info->length = (int64_t)reply->text.len;
	info->cut = info->length < 0 || (uint64_t)info->length > info->value.len;
	return 0;
}

/* What nothing was learnt of: the refusal that weighs most. */
static int fail_refused(struct redis *redis, struct bytes key, struct err *err)
{
	const struct bytes argv[] = {BYTES("TYPE"), key};
	const struct reply *reply = NULL;

	if (redis_call(redis, argv, 2, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	return redis_fail(redis, reply, "TYPE", key, err);
}

static bool is_gone(const struct keyinfo *info)
{
	return info->ttl_ms == -2 || strcmp(info->type, "none") == 0;
}

/* The type, else what tells it. */
static int read_kind(struct redis *redis, struct bytes key, struct keyinfo *info,
		     struct err *err)
{
	if (read_figures(redis, key, info, err) != 0)
		return -1;
	if (!info->type[0] && !is_gone(info))
		return find_type(redis, key, info, err);
	info->exists = info->type[0];
	return 0;
}

static int read_value(struct redis *redis, struct bytes key, size_t value_bytes,
		      struct keyinfo *info, struct err *err)
{
	const char *length = length_command(info->type);

	if (length && read_length(redis, length, key, info, err) != 0)
		return -1;
	if (info->type[0] && strcmp(info->type, "string") != 0)
		return 0;
	return read_string(redis, key, value_bytes, info, err);
}

int keyinfo_read(struct redis *redis, struct bytes key, size_t value_bytes,
		 struct keyinfo *ret_info, struct err *err)
{
	struct keyinfo *info = ret_info;

	*info = (struct keyinfo){.ttl_ms = -2,
				 .bytes = -1,
				 .length = -1,
				 .idle_s = -1,
				 .frequency = -1,
				 .field_ttls = -1};
	if (read_kind(redis, key, info, err) != 0 ||
	    (!is_gone(info) && read_value(redis, key, value_bytes, info, err) != 0))
		return -1;
	info->exists = !is_gone(info) &&
		       (info->exists || info->ttl_ms != -3 || info->bytes >= 0 ||
			info->idle_s >= 0 || info->frequency >= 0 || info->value.len > 0);
	if (!info->type[0])
		keyinfo_refuse(info, "TYPE");
	return info->exists || is_gone(info) ? 0 : fail_refused(redis, key, err);
}

void keyinfo_release(struct keyinfo *info)
{
	mem_arena_release(&info->arena);
	info->has_value = false;
}
