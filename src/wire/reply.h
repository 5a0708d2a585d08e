#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem_arena;

/* A server's answer, in an arena that its giver owns. RESP2. */
enum reply_type {
	REPLY_NIL,
	REPLY_STATUS, /* text: "OK" */
	REPLY_ERROR,  /* text: "WRONGTYPE Operation against…" */
	REPLY_INTEGER,
	REPLY_STRING, /* text, binary */
	REPLY_ARRAY,
	REPLY_LOST, /* the connection broke: whether the command ran is unknown. text says why
		     */
};

struct reply {
	enum reply_type type;
	struct bytes text;
	int64_t integer; /* of an error that a cluster's nodes went on to answer with: how
			    often; of REPLY_LOST: 1 if the node is out, so that what is asked of
			    it again is lost at once */
	const struct reply *const *items; /* count entries */
	size_t count;
};

/* What an error reply calls for. Error codes: redis.io/docs/reference/protocol-spec and
 * server.c (shared.*err). */
enum reply_error {
	REPLY_ERR_NONE, /* not an error */
	REPLY_ERR_OTHER,
	REPLY_ERR_MOVED,
	REPLY_ERR_ASK,
	REPLY_ERR_TRYAGAIN,
	REPLY_ERR_CLUSTERDOWN,
	REPLY_ERR_CROSSSLOT,
	REPLY_ERR_READONLY,
	REPLY_ERR_LOADING,
	REPLY_ERR_BUSY,
	REPLY_ERR_MASTERDOWN,
	REPLY_ERR_OOM,
	REPLY_ERR_MISCONF,
	REPLY_ERR_NOREPLICAS,
	REPLY_ERR_NOAUTH,
	REPLY_ERR_WRONGPASS,
	REPLY_ERR_NOPERM,
	REPLY_ERR_WRONGTYPE,
	REPLY_ERR_NOSCRIPT,
	REPLY_ERR_UNKNOWN_COMMAND,
	REPLY_ERR_LOST,
};
enum reply_error reply_error_kind(const struct reply *reply);
/* True for a NOPERM because of the key: the command itself may be run on others. */
bool reply_refuses_key(const struct reply *reply);
/* True for the refusal of a write that further writes would meet just the same. */
bool reply_stops_writing(const struct reply *reply);
/* True for a server or a slot that is out of reach for now: what was asked is not to blame. A
 * session answers so when it has asked again for as long as the timeout. */
bool reply_puts_off(const struct reply *reply);
/*
 * Where a MOVED or ASK points: "MOVED 3999 127.0.0.1:6381"; an IPv6 address is
 * not bracketed, so the last colon counts. *ret_host, a part of text, is empty for
 * the host of the node that said so ("?" in a server's words). -1: not such a text.
 */
int reply_redirection(struct bytes text, struct bytes *ret_host, uint16_t *ret_port);
/* A copy, with everything below it, in arena. */
const struct reply *reply_copy(struct mem_arena *arena, const struct reply *reply);

#endif
