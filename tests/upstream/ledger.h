#ifndef UPSTREAM_LEDGER_H
#define UPSTREAM_LEDGER_H

#include "base/bytes.h"

#include <stdbool.h>

struct MHD_Connection;
struct buf;

/* What was asked, and answers that tests put in place of the generated ones. All calls are safe
 * from any thread. */

/* Notes a request; its headers become the "last" ones. */
void ledger_note(struct MHD_Connection *connection, const char *method, const char *target);
/* {"total":3,"paths":{"/api/calls":3}}; the paths without their query. */
void ledger_counts(struct buf *out);
void ledger_forget(void);
/* {"method":"GET","target":"/api/calls?after=","headers":{"Host":"…"}}, or null. */
void ledger_last(struct buf *out);

struct ledger_answer {
	unsigned status;
	struct bytes body;
	char content_type[96];
	char content_encoding[32]; /* "": none */
};
/* Puts an answer (copied) in place of target's: "/path" with any query, "/path?query" only with
 * that one. */
void ledger_replace(const char *target, const struct ledger_answer *answer);
/* False when nothing stood there. */
bool ledger_restore(const char *target);
/* The answer put in target's place; its body is appended to the buffer. False when there is
 * none. */
bool ledger_replaced(const char *target, struct ledger_answer *ret_answer, struct buf *body);

#endif
