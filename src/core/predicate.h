#ifndef CORE_PREDICATE_H
#define CORE_PREDICATE_H

#include "base/bytes.h"

struct buf;
struct err;

/*
 * A condition over a JSON document:
 *   EXPR  = EXPR or EXPR | EXPR and EXPR | not EXPR | ( EXPR ) | VALUE OP VALUE
 *   OP    = <  <=  >  >=  ==  !=
 *   VALUE = a number (0.8, 80%, 64KiB, 500ms) | 'text' | FIELD | ns.NAME.FIELD
 * `||`, `&&`, `!` and `=` mean the same as or, and, not, ==. FIELD is a member
 * of the document, ns.NAME.FIELD one of the row of its "namespaces" whose
 * "namespace" is NAME. Sizes are bytes, durations ms. A field that is null is
 * not known, and so is what depends on it alone.
 */
enum predicate_result { PREDICATE_FALSE, PREDICATE_TRUE, PREDICATE_UNKNOWN };

/*
 * ERR_USAGE with the column when text is no condition, or names what the
 * document does not have (with the nearest name). unknown (may be NULL) gets the
 * fields that were null.
 */
int predicate_eval(const char *text, struct bytes doc, enum predicate_result *ret_result,
		   struct buf *unknown, struct err *err);

#endif
