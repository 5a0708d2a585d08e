#include "wire/reply.h"

#include "base/mem.h"
#include "base/num.h"

#include <string.h>

static const struct {
	const char *code;
	enum reply_error kind;
} codes[] = {
    {"MOVED", REPLY_ERR_MOVED},           {"ASK", REPLY_ERR_ASK},
    {"TRYAGAIN", REPLY_ERR_TRYAGAIN},     {"CLUSTERDOWN", REPLY_ERR_CLUSTERDOWN},
    {"CROSSSLOT", REPLY_ERR_CROSSSLOT},   {"READONLY", REPLY_ERR_READONLY},
    {"LOADING", REPLY_ERR_LOADING},       {"BUSY", REPLY_ERR_BUSY},
    {"MASTERDOWN", REPLY_ERR_MASTERDOWN}, {"OOM", REPLY_ERR_OOM},
    {"MISCONF", REPLY_ERR_MISCONF},       {"NOREPLICAS", REPLY_ERR_NOREPLICAS},
    {"NOAUTH", REPLY_ERR_NOAUTH},         {"WRONGPASS", REPLY_ERR_WRONGPASS},
    {"NOPERM", REPLY_ERR_NOPERM},         {"WRONGTYPE", REPLY_ERR_WRONGTYPE},
    {"NOSCRIPT", REPLY_ERR_NOSCRIPT},
};

enum reply_error reply_error_kind(const struct reply *reply)
{
	struct bytes code = bytes_sub(reply->text, 0, bytes_index(reply->text, ' '));

	if (reply->type == REPLY_LOST)
		return REPLY_ERR_LOST;
	if (reply->type != REPLY_ERROR)
		return REPLY_ERR_NONE;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if (bytes_equal_str(code, codes[i].code))
			return codes[i].kind;
	}
	if (bytes_starts_with(reply->text, BYTES("ERR unknown command")) ||
	    bytes_starts_with(reply->text, BYTES("ERR unknown subcommand")))
		return REPLY_ERR_UNKNOWN_COMMAND;
	return REPLY_ERR_OTHER;
}

bool reply_refuses_key(const struct reply *reply)
{
	const struct bytes words = BYTES("to access");

	return reply_error_kind(reply) == REPLY_ERR_NOPERM &&
	       memmem(reply->text.ptr, reply->text.len, words.ptr, words.len);
}

bool reply_stops_writing(const struct reply *reply)
{
	switch (reply_error_kind(reply)) {
	case REPLY_ERR_MOVED:
		return reply->integer == 0; /* else it is one slot's, as ASK is */
	case REPLY_ERR_READONLY:
	case REPLY_ERR_MASTERDOWN:
	case REPLY_ERR_OOM:
	case REPLY_ERR_MISCONF:
	case REPLY_ERR_NOREPLICAS:
	case REPLY_ERR_NOAUTH:
	case REPLY_ERR_NOPERM:
		return true;
	default:
		return false;
	}
}

bool reply_puts_off(const struct reply *reply)
{
	switch (reply_error_kind(reply)) {
	case REPLY_ERR_MOVED:
		return reply->integer > 0;
	case REPLY_ERR_ASK:
	case REPLY_ERR_TRYAGAIN:
	case REPLY_ERR_CLUSTERDOWN:
	case REPLY_ERR_LOADING:
	case REPLY_ERR_BUSY:
		return true;
	default:
		return false;
	}
}

int reply_redirection(struct bytes text, struct bytes *ret_host, uint16_t *ret_port)
{
	struct bytes address = bytes_sub(text, bytes_index(text, ' ') + 1, text.len);
	uint64_t port = 0;
	size_t colon;

	address = bytes_sub(address, bytes_index(address, ' ') + 1, address.len);
	for (colon = address.len; colon > 0 && address.ptr[colon - 1] != ':'; colon--)
		;
	if (colon == 0 ||
	    num_parse_u64(bytes_sub(address, colon, address.len), 1, UINT16_MAX, &port) != 0)
		return -1;
	*ret_host = bytes_sub(address, 0, colon - 1);
	if (bytes_equal_str(*ret_host, "?"))
		ret_host->len = 0;
	*ret_port = (uint16_t)port;
	return 0;
}

const struct reply *reply_copy(struct mem_arena *arena, const struct reply *reply)
{
	struct reply *copy = mem_arena_alloc(arena, sizeof *copy);

	*copy = *reply;
	copy->text = mem_arena_bytes(arena, reply->text);
	if (reply->count > 0) {
		const struct reply **items =
		    mem_arena_alloc(arena, reply->count * sizeof(const struct reply *));

		for (size_t i = 0; i < reply->count; i++)
			items[i] = reply_copy(arena, reply->items[i]);
		copy->items = items;
	}
	return copy;
}
