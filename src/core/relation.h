#ifndef CORE_RELATION_H
#define CORE_RELATION_H

#include "base/buf.h"
#include "base/bytes.h"
#include "core/volatility.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ns;
struct nsset;
struct redis;

/*
 * How keys belong together: an index holds a var of another namespace's key
 * (index_of, holds), a set lists vars of them (members_of, member), and every
 * key may have a sidecar.
 */

/* True when every var of target is one of ns's, or name. */
bool relation_is_known(const struct ns *ns, const struct ns *target, const char *name);
/*
 * Appends target's key with ns's vars and name = value. ERR_USAGE when they make
 * none (a value that is empty, or belongs to another key).
 */
int relation_follow(const struct nsset *set, const struct ns *ns, const struct bytes *vars,
		    const struct ns *target, const char *name, struct bytes value,
		    struct buf *buf, struct err *err);

enum relation_kind {
	RELATION_LEADS_TO, /* key: what the index leads to */
	RELATION_LISTED,   /* key: the set that should list it */
	RELATION_LISTS,    /* a set: its members are of ns; no key */
	RELATION_SIDECAR,
};
extern const char *const relation_names[];

/* One relation of a key, as it is now. */
struct relation {
	enum relation_kind kind;
	const struct ns *ns; /* of the other side; NULL: a sidecar */
	struct buf key;
	bool holds;        /* the other side is there, the set lists the key */
	bool known;        /* false: this user may not ask */
	struct buf detail; /* of a sidecar: "fetch under way", "ETag …"; why there is no key */
	int64_t ttl_ms;    /* of the sidecar; -2 otherwise */
	bool remembers;    /* a sidecar: it holds a history */
	struct volatility volatility;
};

#define RELATIONS_MAX 16

/*
 * Everything that key, of ns with vars, has to do with others. value: its own,
 * when it is a string. *ret_count relations; release each.
 */
int relation_read(struct redis *redis, const struct nsset *set, const struct ns *ns,
		  const struct bytes *vars, struct bytes key, struct bytes value,
		  struct relation *ret_relations, size_t *ret_count, struct err *err);
void relation_release(struct relation *relations, size_t count);

#endif
