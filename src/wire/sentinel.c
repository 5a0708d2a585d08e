#include "wire/sentinel.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "wire/redis.h"
#include "wire/replica.h"
#include "wire/target.h"

#include <stdlib.h>
#include <string.h>

#define PORT 26379

struct place {
	char *host;
	uint16_t port;
};

struct sentinel {
	struct place *places;
	size_t count;
	size_t first; /* to be asked */
	char *master;
	/* Of the primary; found strings are kept, others may still look at them. */
	struct mem_arena arena;
	const char *found;
	uint16_t port;
};

static int add(struct sentinel *sentinel, struct bytes text, struct err *err)
{
	struct bytes host = text;
	struct bytes port = {NULL, 0};
	uint64_t number = PORT;
	size_t end = bytes_index(text, ':');
	bool sound = true;

	if (text.len && text.ptr[0] == '[') {
		end = bytes_index(text, ']');
		sound = end < text.len && (end + 1 == text.len || text.ptr[end + 1] == ':');
		host = bytes_sub(text, 1, end - 1);
		end++;
	} else {
		host = bytes_sub(text, 0, end);
	}
	if (end < text.len)
		port = bytes_sub(text, end + 1, text.len);
	if (!sound || host.len == 0 ||
	    (port.ptr && num_parse_u64(port, 1, UINT16_MAX, &number) != 0))
		return err_set(err, ERR_USAGE,
			       "redis URL: a sentinel is HOST or HOST:PORT, several stand with "
			       "commas between them");
	sentinel->places =
	    mem_resize(sentinel->places, sentinel->count + 1, sizeof *sentinel->places);
	sentinel->places[sentinel->count++] =
	    (struct place){.host = mem_bytesdup(host), .port = (uint16_t)number};
	return 0;
}

int sentinel_parse(struct bytes places, struct bytes master, struct sentinel **ret_sentinel,
		   struct err *err)
{
	struct sentinel *sentinel = mem_zalloc(1, sizeof *sentinel);
	bool more = true;

	sentinel->master = mem_bytesdup(master);
	while (more) {
		size_t comma = bytes_index(places, ',');

		more = comma < places.len;
		if (add(sentinel, bytes_sub(places, 0, comma), err) != 0) {
			sentinel_free(sentinel);
			return -1;
		}
		places = bytes_sub(places, comma + 1, places.len);
	}
	*ret_sentinel = sentinel;
	return 0;
}

void sentinel_free(struct sentinel *sentinel)
{
	if (!sentinel)
		return;
	for (size_t i = 0; i < sentinel->count; i++)
		free(sentinel->places[i].host);
	free(sentinel->places);
	free(sentinel->master);
	mem_arena_release(&sentinel->arena);
	free(sentinel);
}

static void keep(struct sentinel *sentinel, struct bytes host, uint16_t port)
{
	if (!sentinel->found || !bytes_equal_str(host, sentinel->found)) {
		char *copy = mem_arena_alloc(&sentinel->arena, host.len + 1);

		memcpy(copy, host.ptr, host.len);
		copy[host.len] = '\0';
		sentinel->found = copy;
	}
	sentinel->port = port;
}

/* A question to the sentinels, and who reads the answer. */
struct question {
	const char *subcommand;
	int (*take)(struct sentinel *sentinel, struct redis *session, const struct reply *reply,
		    void *ctx, struct err *err);
	void *ctx;
};

static int take_primary(struct sentinel *sentinel, struct redis *session,
			const struct reply *reply, void *ctx, struct err *err)
{
	uint64_t port = 0;

	(void)ctx;

	if (reply->type == REPLY_NIL)
		return err_set(err, ERR_REDIS, "it watches no primary named '%s'",
			       sentinel->master);
	if (reply->type != REPLY_ARRAY || reply->count != 2 || reply->items[0]->text.len == 0 ||
	    num_parse_u64(reply->items[1]->text, 1, UINT16_MAX, &port) != 0)
		return redis_fail(session, reply, "SENTINEL GET-MASTER-ADDR-BY-NAME",
				  (struct bytes){NULL, 0}, err);
	keep(sentinel, reply->items[0]->text, (uint16_t)port);
	return 0;
}

static struct bytes field_of(const struct reply *list, const char *name)
{
	for (size_t i = 0; i + 1 < list->count; i += 2)
		if (bytes_equal_str(list->items[i]->text, name))
			return list->items[i + 1]->text;
	return (struct bytes){NULL, 0};
}

/* Whether the sentinel itself holds it for usable: flags as "slave,s_down,disconnected". */
static bool is_well(const struct reply *replica)
{
	struct bytes flags = field_of(replica, "flags");

	while (flags.len > 0) {
		struct bytes flag = bytes_sub(flags, 0, bytes_index(flags, ','));

		if (bytes_equal_str(flag, "s_down") || bytes_equal_str(flag, "o_down") ||
		    bytes_equal_str(flag, "disconnected"))
			return false;
		flags = bytes_sub(flags, flag.len + 1, flags.len);
	}
	return true;
}

/* What take_replicas fills. */
struct finding {
	struct mem_arena *arena;
	struct replica_places *places;
};

static int take_replicas(struct sentinel *sentinel, struct redis *session,
			 const struct reply *reply, void *ctx, struct err *err)
{
	const struct finding *found = ctx;
	struct replica_places places = {0};

	(void)sentinel;
	if (reply->type != REPLY_ARRAY)
		return redis_fail(session, reply, "SENTINEL REPLICAS", (struct bytes){NULL, 0},
				  err);
	places.ptr = mem_arena_alloc(found->arena, (reply->count + 1) * sizeof *places.ptr);
	for (size_t i = 0; i < reply->count; i++) {
		const struct reply *replica = reply->items[i];
		struct bytes host = field_of(replica, "ip");
		uint64_t port = 0;

		if (host.len == 0 || !is_well(replica) ||
		    num_parse_u64(field_of(replica, "port"), 1, UINT16_MAX, &port) != 0)
			continue;
		places.ptr[places.count++] = (struct replica_place){
		    .host = mem_arena_printf(found->arena, "%.*s", BYTES_ARG(host)),
		    .port = (uint16_t)port};
	}
	*found->places = places;
	return 0;
}

static int ask(struct sentinel *sentinel, const struct place *place,
	       const struct target *target, const struct question *question,
	       const volatile int *cancel, struct err *err)
{
	struct target at = *target;
	const struct reply *reply = NULL;

	at.sentinel = NULL;
	at.is_sentinel = true;
	at.host = place->host;
	at.port = place->port;
	at.socket = NULL;
	at.db = 0;
	at.user = target->sentinel_user;
	at.password = target->sentinel_password;
	target_hasten(&at);
	struct redis *session = redis_new(&at, cancel);
	int status = redis_call_words(session, REDIS_IDEMPOTENT, &reply, err, "SENTINEL",
				      question->subcommand, sentinel->master, NULL);
	if (status == 0)
		status = question->take(sentinel, session, reply, question->ctx, err);
	else if (strstr(err->text, "NOAUTH") || strstr(err->text, "WRONGPASS"))
		err_set(err, ERR_REDIS,
			"it refused the login: check --sentinel-user and --sentinel-pass "
			"(REDIS_SENTINEL_PASSWORD)");
	redis_free(session);
	return status;
}

/* Of the sentinels in turn, the one that answered last first. */
static int ask_any(const struct target *target, const struct question *question,
		   const volatile int *cancel, struct err *err)
{
	struct sentinel *sentinel = target->sentinel;
	struct buf reasons = {0};
	int status = -1;

	for (size_t i = 0; i < sentinel->count && status != 0; i++) {
		size_t at = (sentinel->first + i) % sentinel->count;
		const struct place *place = &sentinel->places[at];
		struct err why = {0};

		status = ask(sentinel, place, target, question, cancel, &why);
		if (status == 0) {
			sentinel->first = at;
		} else if (why.kind == ERR_INTERRUPTED) {
			*err = why;
			break;
		} else {
			buf_printf(&reasons, "; sentinel %s:%u: %s", place->host, place->port,
				   why.text);
			err_set(err, ERR_REDIS, "no sentinel tells where primary '%s' is%s",
				sentinel->master, buf_str(&reasons));
		}
	}
	buf_release(&reasons);
	return status;
}

int sentinel_find(const struct target *target, const volatile int *cancel,
		  struct target *ret_primary, struct err *err)
{
	const struct question question = {"GET-MASTER-ADDR-BY-NAME", take_primary, NULL};

	if (ask_any(target, &question, cancel, err) != 0)
		return -1;
	*ret_primary = sentinel_found(target);
	return 0;
}

int sentinel_replicas(const struct target *target, const volatile int *cancel,
		      struct mem_arena *arena, struct replica_places *ret_places,
		      struct err *err)
{
	struct finding found = {.arena = arena, .places = ret_places};
	const struct question question = {"REPLICAS", take_replicas, &found};

	return ask_any(target, &question, cancel, err);
}

struct target sentinel_found(const struct target *target)
{
	struct target at = *target;
	const struct sentinel *sentinel = target->sentinel;

	if (!sentinel || !sentinel->found)
		return at;
	at.sentinel = NULL;
	at.must_be_primary = true;
	memcpy(&at.host, &sentinel->found, sizeof at.host); /* borrowed, never written to */
	at.port = sentinel->port;
	return at;
}

const char *sentinel_told(const struct sentinel *sentinel, struct buf *place)
{
	const struct target at = {.host = sentinel->places[sentinel->first].host,
				  .port = sentinel->places[sentinel->first].port};

	target_describe_place(&at, place);
	return sentinel->master;
}

void sentinel_describe(const struct target *target, struct buf *buf)
{
	const struct sentinel *sentinel = target->sentinel;

	if (sentinel->found) {
		const struct target at = sentinel_found(target);

		target_describe(&at, buf);
		return;
	}
	buf_add_str(buf, "sentinel ");
	text_escape(buf, bytes_of(sentinel->master));
	buf_printf(buf, "/%u", target->db);
}
