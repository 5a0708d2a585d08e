#include "core/server_command.h"

#include "base/buf.h"
#include "base/err.h"
#include "wire/redis.h"

#include <ctype.h>
#include <strings.h>

/* Positions in an entry of COMMAND INFO's answer (redis.io/commands/command). */
enum { ENTRY_FLAGS = 2, ENTRY_CATEGORIES = 6, ENTRY_LEAST = 7 };

static bool has(const struct reply *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (bytes_equal_word(list->items[i]->text, word))
			return true;
	return false;
}

static bool is_entry(const struct reply *reply)
{
	return reply->type == REPLY_ARRAY && reply->count >= ENTRY_LEAST &&
	       reply->items[ENTRY_FLAGS]->type == REPLY_ARRAY &&
	       reply->items[ENTRY_CATEGORIES]->type == REPLY_ARRAY;
}

/*
 * Commands that answer and change nothing although the server does not flag
 * them readonly, because they are not about keys.
 */
static bool only_tells(const struct bytes *argv, size_t argc)
{
	static const char *const tellers[][2] = {
	    {"INFO", NULL},        {"PING", NULL},        {"ECHO", NULL},
	    {"TIME", NULL},        {"ROLE", NULL},        {"LASTSAVE", NULL},
	    {"COMMAND", NULL},     {"CONFIG", "GET"},     {"CLIENT", "LIST"},
	    {"CLIENT", "INFO"},    {"CLIENT", "ID"},      {"CLIENT", "GETNAME"},
	    {"SLOWLOG", "GET"},    {"SLOWLOG", "LEN"},    {"LATENCY", "LATEST"},
	    {"COMMANDLOG", "GET"}, {"COMMANDLOG", "LEN"}, {"LATENCY", "HISTORY"},
	    {"LATENCY", "DOCTOR"}, {"MEMORY", "DOCTOR"},  {"MEMORY", "STATS"},
	    {"ACL", "WHOAMI"},     {"ACL", "CAT"},        {"ACL", "LIST"},
	    {"ACL", "GETUSER"},    {"ACL", "USERS"},      {"CLUSTER", "INFO"},
	    {"CLUSTER", "NODES"},  {"CLUSTER", "SLOTS"},  {"CLUSTER", "SHARDS"},
	    {"SCRIPT", "EXISTS"},  {"FUNCTION", "LIST"},  {"PUBSUB", NULL},
	    {"MODULE", "LIST"},    {"SELECT", NULL},
	};

	for (size_t i = 0; i < sizeof tellers / sizeof tellers[0]; i++)
		if (bytes_equal_word(argv[0], tellers[i][0]) &&
		    (!tellers[i][1] || (argc > 1 && bytes_equal_word(argv[1], tellers[i][1]))))
			return true;
	return false;
}

static void read_entry(const struct reply *entry, const struct bytes *argv, size_t argc,
		       struct server_command *command)
{
	const struct reply *flags = entry->items[ENTRY_FLAGS];

	command->told = true;
	command->known = true;
	command->reads = has(flags, "readonly") || only_tells(argv, argc);
	command->dangerous =
	    has(entry->items[ENTRY_CATEGORIES], "@dangerous") && !only_tells(argv, argc);
	command->writes = !command->reads;
}

/* A user who may not ask COMMAND may be allowed ACL CAT. */
static int ask_category(struct redis *redis, const struct bytes *argv, size_t argc,
			struct server_command *command, struct err *err)
{
	const struct reply *reply = NULL;

	if (redis_call_words(redis, REDIS_IDEMPOTENT, &reply, err, "ACL", "CAT", "dangerous",
			     NULL) != 0)
		return -1;
	*command = (struct server_command){.known = true, .dangerous = true, .writes = true};
	if (reply->type != REPLY_ARRAY)
		return 0;
	command->told = true;
	command->dangerous = false;
	for (size_t i = 0; i < reply->count; i++) {
		struct bytes name = reply->items[i]->text;
		struct bytes container = bytes_sub(name, 0, bytes_index(name, '|'));

		if (container.len == argv[0].len &&
		    strncasecmp(container.ptr, argv[0].ptr, container.len) == 0)
			command->dangerous = !only_tells(argv, argc);
	}
	command->reads = only_tells(argv, argc);
	return 0;
}

/*
 * What COMMAND INFO says of these as a whole (7.0: with all subcommands and
 * where their keys are) is nested deeper than the reader reads. Each of their
 * subcommands can be asked about; where the server knows none (6.2), XGROUP is
 * the one that writes.
 */
static bool is_deep(struct bytes name)
{
	return bytes_equal_word(name, "OBJECT") || bytes_equal_word(name, "MEMORY") ||
	       bytes_equal_word(name, "XINFO") || bytes_equal_word(name, "XGROUP");
}

int server_command_ask(struct redis *redis, const struct bytes *argv, size_t argc,
		       struct server_command *ret_command, struct err *err)
{
	const struct reply *reply = NULL;
	bool deep = is_deep(argv[0]);
	struct server_command command = {.told = true,
					 .writes = bytes_equal_word(argv[0], "XGROUP")};
	struct buf sub = {0};

	buf_add(&sub, argv[0]);
	buf_add_char(&sub, '|');
	if (argc > 1)
		buf_add(&sub, argv[1]);
	const struct bytes question[] = {BYTES("COMMAND"), BYTES("INFO"), buf_bytes(&sub),
					 argv[0]};
	int status = redis_call(redis, question, deep ? 3 : 4, REDIS_IDEMPOTENT, &reply, err);
	if (status != 0)
		goto out;
	if (reply->type != REPLY_ARRAY) {
		status = ask_category(redis, argv, argc, &command, err);
		goto out;
	}
	for (size_t i = 0; i < reply->count; i++) {
		if (!is_entry(reply->items[i]))
			continue;
		read_entry(reply->items[i], argv, argc, &command);
		break;
	}
out:
	buf_release(&sub);
	if (status == 0)
		*ret_command = command;
	return status;
}
