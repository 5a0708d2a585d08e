#include "wire/replica.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "wire/redis.h"

#include <string.h>

static bool read_place(const struct reply *host, const struct reply *port,
		       struct mem_arena *arena, struct replica_place *place)
{
	uint64_t number = port->integer > 0 ? (uint64_t)port->integer : 0;

	if (port->type == REPLY_STRING &&
	    num_parse_u64(port->text, 1, UINT16_MAX, &number) != 0)
		return false;
	if (host->type != REPLY_STRING || host->text.len == 0 || number == 0 ||
	    number > UINT16_MAX)
		return false;
	char *copy = mem_arena_alloc(arena, host->text.len + 1);
	memcpy(copy, host->text.ptr, host->text.len);
	copy[host->text.len] = '\0';
	*place = (struct replica_place){.host = copy, .port = (uint16_t)number};
	return true;
}

/* "master", offset, [[host, port, offset]…] */
static bool read_primary(const struct reply *reply, struct mem_arena *arena,
			 struct replica_word *word)
{
	const struct reply *list = reply->count > 2 ? reply->items[2] : NULL;

	if (!list || list->type != REPLY_ARRAY)
		return false;
	word->offset = reply->items[1]->integer;
	word->replicas.ptr =
	    mem_arena_alloc(arena, (list->count + 1) * sizeof *word->replicas.ptr);
	for (size_t i = 0; i < list->count; i++) {
		const struct reply *one = list->items[i];

		if (one->type == REPLY_ARRAY && one->count >= 2 &&
		    read_place(one->items[0], one->items[1], arena,
			       &word->replicas.ptr[word->replicas.count]))
			word->replicas.count++;
	}
	return true;
}

/* "slave", host, port, state, offset */
static bool read_replica(const struct reply *reply, struct mem_arena *arena,
			 struct replica_word *word)
{
	if (reply->count < 5 ||
	    !read_place(reply->items[1], reply->items[2], arena, &word->primary))
		return false;
	word->is_replica = true;
	word->is_linked = bytes_equal_str(reply->items[3]->text, "connected");
	word->offset = reply->items[4]->integer;
	return true;
}

static bool read_role(const struct reply *reply, struct mem_arena *arena,
		      struct replica_word *word)
{
	struct bytes role = reply->type == REPLY_ARRAY && reply->count > 0
				? reply->items[0]->text
				: (struct bytes){0};

	*word = (struct replica_word){0};
	if (bytes_equal_str(role, "master"))
		return read_primary(reply, arena, word);
	return bytes_equal_str(role, "slave") && read_replica(reply, arena, word);
}

int replica_look(const struct target *target, const volatile int *cancel,
		 struct mem_arena *arena, struct replica_word *ret_word, struct err *err)
{
	struct target at = *target;
	struct replica_word word;
	const struct reply *reply = NULL;

	target_hasten(&at);
	struct redis *session = redis_new_plain(&at, cancel);
	int status = redis_call_words(session, REDIS_IDEMPOTENT, &reply, err, "ROLE", NULL);
	if (status == 0 && !read_role(reply, arena, &word))
		status = redis_fail(session, reply, "role", (struct bytes){0}, err);
	redis_free(session);
	if (status == 0)
		*ret_word = word;
	return status;
}

/* Why a candidate is not read, behind the others'. */
static void refuse(struct buf *why, const struct target *target, const char *reason)
{
	buf_add_str(why, why->len ? "; " : "");
	target_describe(target, why);
	buf_printf(why, ": %s", reason);
}

static void refuse_late(struct buf *why, const struct target *target, int64_t behind)
{
	struct buf text = {0};

	num_format_size(&text, (uint64_t)behind);
	buf_add_str(&text, " behind its primary");
	refuse(why, target, buf_str(&text));
	buf_release(&text);
}

/* Whether the candidate may be read; else why not. */
static bool is_usable(const struct target *candidate, int64_t sent, const volatile int *cancel,
		      struct mem_arena *arena, int64_t *ret_behind, struct buf *why)
{
	struct replica_word word;
	struct err err = {0};

	if (replica_look(candidate, cancel, arena, &word, &err) != 0) {
		buf_printf(why, "%sits announced replica: %s", why->len ? "; " : "", err.text);
		return false;
	}
	if (!word.is_replica) {
		refuse(why, candidate, "no replica any more");
		return false;
	}
	if (!word.is_linked) {
		refuse(why, candidate, "its link to its primary is down");
		return false;
	}
	int64_t behind = sent < 0 ? -1 : sent > word.offset ? sent - word.offset : 0;
	if (behind > REPLICA_BEHIND_MAX) {
		refuse_late(why, candidate, behind);
		return false;
	}
	*ret_behind = behind;
	return true;
}

size_t replica_choose(const struct target *primary, const struct target *candidates,
		      size_t count, const volatile int *cancel, int64_t *ret_behind,
		      struct buf *why)
{
	struct mem_arena arena = {0};
	struct replica_word word = {.offset = -1};
	struct err ignored = {0};
	size_t chosen = count;

	buf_clear(why);
	if (count > 0 &&
	    (replica_look(primary, cancel, &arena, &word, &ignored) != 0 || word.is_replica))
		word.offset = -1;
	for (size_t i = 0; i < count && chosen == count && !(cancel && *cancel); i++)
		if (is_usable(&candidates[i], word.offset, cancel, &arena, ret_behind, why))
			chosen = i;
	if (chosen == count && why->len == 0)
		buf_add_str(why, "no replica of it is up");
	mem_arena_release(&arena);
	return chosen;
}
