#ifndef CORE_VOLATILITY_H
#define CORE_VOLATILITY_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/sha1.h"
#include "core/guard.h"

#include <stdbool.h>
#include <stdint.h>

struct ns;

/*
 * How often the content of one key changes, and the TTL that follows from it
 * (NS_TTL_ADAPTIVE): the first life is the shortest; a refresh that finds the
 * same content doubles it, one that finds another halves it, within the
 * namespace's bounds. Kept as a line of the key's sidecar, which outlives the
 * value (sidecar.h); whatever drops that (an invalidation, a patch) begins anew.
 */
struct volatility {
	uint64_t ttl_ms;    /* of the latest life, before its jitter */
	uint64_t same;      /* the latest refreshes in a row that found the same content */
	uint64_t refreshes; /* all that are remembered */
	uint64_t changes;   /* of these, how many found another content */
};

enum volatility_found { VOLATILITY_FIRST, VOLATILITY_SAME, VOLATILITY_CHANGED };

/* What is to be remembered after a fetch; before counts unless it is the first. */
struct volatility volatility_next(const struct ns *ns, const struct volatility *before,
				  enum volatility_found found);
/* The line "TTL SAME REFRESHES CHANGES"; false: the text is none. */
bool volatility_read(struct bytes line, struct volatility *ret_volatility);
void volatility_write(struct buf *buf, const struct volatility *volatility);
/* How long a history outlives the value: a key that is seldom read is remembered too. 0: the
 * namespace keeps none. */
uint64_t volatility_memory_ms(const struct ns *ns);

/* What one fetch teaches, as guard_store and guard_renew take it. Zero-initialise, release;
 * may be used again. */
struct volatility_lesson {
	struct guard_past
	    past;       /* views into the rest; all zero where the TTL is not adaptive */
	int64_t ttl_ms; /* less the jitter; only where it is */
	char digest[SHA1_HEX_LEN + 1];
	struct buf history;
};
/* Of a value as it is stored; NULL: the source said that it is the one state knows. */
void volatility_learn(const struct ns *ns, const struct guard_state *state,
		      const struct bytes *value, struct volatility_lesson *lesson);
void volatility_release(struct volatility_lesson *lesson);

#endif
