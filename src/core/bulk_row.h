#ifndef CORE_BULK_ROW_H
#define CORE_BULK_ROW_H

#include "base/buf.h"
#include "base/bytes.h"
#include "core/template.h"

#include <stddef.h>
#include <stdint.h>

struct err;
struct ns;
struct nsset;

/*
 * One row of `warm --from`, a JSON object:
 *   {"ns": NAME, "vars": {NAME: SCALAR, …}, "value": JSON, "ttl_ms": N}
 *   {"key": KEY, "value": JSON, "ttl_ms": N}
 * ns may be left out where the run names one; ttl_ms always. In place of
 * "value" (stored as it is written) "text" is a string that is stored decoded,
 * "base64" one whose bytes are stored.
 */
struct bulk_row {
	const struct ns *ns;
	struct bytes key;
	struct bytes value;
	int64_t ttl_ms; /* 0: not given */
};

/* Of many rows, one after the other; zero-initialise but for the first two. */
struct bulk_parser {
	const struct nsset *set;
	const struct ns *only; /* all rows are of this namespace; NULL: rows say it */
	const struct ns *ns;   /* of the row at hand, as far as it is known; may be NULL */
	const struct ns *last; /* named by the row before */
	size_t column;         /* of the fault, in bytes from 1; 0: it is none of the text */
	struct buf key;
	struct buf decoded; /* strings of the row that hold escapes */
	struct var vars[TEMPLATE_VARS_MAX];
};
void bulk_parser_release(struct bulk_parser *parser);

/*
 * The row's slices live until the next parse or the end of text. -1:
 * ERR_CONFIG where the text is not such a row, ERR_USAGE where its vars or key
 * are none of the namespace's.
 */
int bulk_row_parse(struct bulk_parser *parser, struct bytes text, struct bulk_row *ret_row,
		   struct err *err);

#endif
