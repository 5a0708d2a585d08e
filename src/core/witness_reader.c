#include "core/witness_private.h"

#include "base/mem.h"
#include "core/effect.h"
#include "core/monitor.h"
#include "wire/tap.h"
#include "wire/target.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define READ_SIZE ((size_t)64 * 1024)
#define TURN_MS 1000
#define TOO_MANY 255

struct place {
	struct bytes key;
	uint64_t index;
};

struct reader {
	const struct target *target;
	struct witness_sight *sight;
	struct place *places; /* a hash table, open addressing */
	size_t mask;
	struct monitor_lines lines;
	struct monitor_command command;
	struct buf scratch;
	char scripting[96]; /* whose script the commands of "lua" belong to */
	bool answered;
};

static void fill(struct reader *reader, const struct keylist *keys)
{
	struct keylist_walk walk = {0};
	struct bytes key;
	uint64_t index = 0;
	size_t size = 16;

	while (size < keys->count * 2)
		size *= 2;
	reader->places = mem_zalloc(size, sizeof *reader->places);
	reader->mask = size - 1;
	for (; keylist_next(keys, &walk, &key); index++) {
		size_t at = (size_t)bytes_hash(key) & reader->mask;

		while (reader->places[at].key.ptr)
			at = (at + 1) & reader->mask;
		reader->places[at] = (struct place){key, index};
	}
}

static void copy(char *to, size_t size, struct bytes from)
{
	snprintf(to, size, "%.*s", from.len < size ? (int)from.len : (int)size - 1, from.ptr);
}

static unsigned char number_of(struct witness_sight *sight, const char *client,
			       struct bytes command)
{
	struct witness_writer writer = {0};

	copy(writer.client, sizeof writer.client, bytes_of(client));
	copy(writer.command, sizeof writer.command, command);
	for (size_t i = 0; i < sight->writer_count; i++)
		if (strcmp(sight->writers[i].client, writer.client) == 0 &&
		    strcmp(sight->writers[i].command, writer.command) == 0)
			return (unsigned char)(i + 1);
	if (sight->writer_count == WITNESS_WRITERS)
		return TOO_MANY;
	sight->writers[sight->writer_count++] = writer;
	return (unsigned char)sight->writer_count;
}

static void note(struct reader *reader, struct bytes key, const char *client,
		 struct bytes command)
{
	size_t at = (size_t)bytes_hash(key) & reader->mask;

	for (; reader->places[at].key.ptr; at = (at + 1) & reader->mask)
		if (bytes_equal(reader->places[at].key, key))
			reader->sight->by[reader->places[at].index] =
			    number_of(reader->sight, client, command);
}

static void on_write(struct reader *reader, const struct effect *effect)
{
	const struct monitor_command *command = &reader->command;
	size_t last = effect->last < 0 ? command->argc - 1 : (size_t)effect->last;
	char client[96];

	copy(client, sizeof client, command->client);
	if (bytes_equal_str(command->client, "lua"))
		memcpy(client, reader->scripting, sizeof client);
	for (size_t i = (size_t)effect->first; i && i <= last && i < command->argc;
	     i += (size_t)effect->step)
		note(reader, command->argv[i], client, command->argv[0]);
}

static int on_line(void *ctx, struct bytes line, bool cut)
{
	struct reader *reader = ctx;
	struct witness_sight *sight = reader->sight;
	const struct monitor_command *command = &reader->command;

	if (line.len && !reader->answered) {
		reader->answered = true;
		if (line.ptr[0] == '+') {
			sight->state = WITNESS_WATCHING;
			return 0;
		}
		return err_set(&sight->err, ERR_REDIS, "%.*s (ACL SETUSER … +monitor)",
			       BYTES_ARG(bytes_sub(line, 1, 200)));
	}
	if (monitor_parse(line, cut, &reader->scratch, &reader->command) != 0 ||
	    command->argc == 0)
		return 0;
	if (command->argc == 2 && bytes_equal_str(command->argv[1], sight->mark)) {
		sight->state = WITNESS_DONE;
		return -1;
	}
	const struct effect *effect = effect_find(command->argv[0]);
	if (!effect || command->db != reader->target->db)
		return 0;
	if (effect->kind == EFFECT_SCRIPT)
		copy(reader->scripting, sizeof reader->scripting, command->client);
	else if (effect->kind == EFFECT_FRESH || effect->kind == EFFECT_EXISTS ||
		 (effect->kind == EFFECT_MAYBE && (effect->flags & EFFECT_WRITE)))
		on_write(reader, effect);
	return 0;
}

static int read_lines(struct reader *reader, struct tap *tap, char *data)
{
	struct pollfd fd = {.fd = tap_fd(tap), .events = POLLIN};
	size_t len = 0;

	if (tap_read(tap, data, READ_SIZE, &len, &reader->sight->err) != 0)
		return -1;
	if (len == 0)
		poll(&fd, 1, TURN_MS);
	return monitor_feed(&reader->lines, (struct bytes){data, len}, on_line, reader);
}

void witness_read(const struct target *target, const struct keylist *keys,
		  struct witness_sight *sight)
{
	const struct bytes monitor[] = {BYTES("MONITOR")};
	struct reader reader = {.target = target, .sight = sight};
	char *data = mem_alloc(READ_SIZE);
	struct tap *tap = NULL;

	fill(&reader, keys);
	if (tap_open(target, NULL, &tap, &sight->err) == 0 &&
	    tap_send(tap, monitor, 1, &sight->err) == 0)
		while (read_lines(&reader, tap, data) == 0)
			;
	if (sight->state != WITNESS_DONE)
		sight->state = WITNESS_BROKEN;
}
