#ifndef CORE_TEMPLATE_H
#define CORE_TEMPLATE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/*
 * Key and URL templates, both ways: vars → text and (keys) text → vars.
 *   {name}              one var; read back it is one or more bytes, never ':'
 *   {name|rest}         may hold ':' and '/'; only last
 *   {name|filter|…}     digits lower upper default(x) date(zone) hour(zone) shard(n)
 *                       js_hex_mod(n); zone: UTC, +02:00 or Europe/Berlin
 *   {/json/pointer}     a value of an event's payload (event templates)
 *   {{ and }}           literal braces
 */
#define TEMPLATE_VARS_MAX 16
#define TEMPLATE_KEY_MAX 65536 /* bytes of an expanded key */

enum template_context {
	TEMPLATE_KEY, /* bytes as they are; a NUL in a var is refused */
	/*
	 * A path and query: every var percent-encoded (RFC 3986 unreserved stay;
	 * `rest` also keeps '/'). In the path "." ".." and empty are refused; in the
	 * query a var may be empty (the first page's {cursor}), but not missing.
	 */
	TEMPLATE_URL,
	TEMPLATE_EVENT, /* {/pointer} is a var of that name, {now} the time; text as it is */
};

struct template;

/* 0, or -1 with ERR_CONFIG saying what is wrong at which byte of the text (1-based). */
int template_parse(struct bytes text, enum template_context context,
		   struct template **ret_template, struct err *err);
void template_free(struct template *tmpl);
struct bytes template_text(const struct template *tmpl);

/* The distinct names in order of first appearance. */
size_t template_var_count(const struct template *tmpl);
const char *template_var_name(const struct template *tmpl, size_t index);
/* Index of a var or -1. */
int template_var_index(const struct template *tmpl, struct bytes name);

/* True when the var may be left out: every occurrence has a default. */
bool template_var_optional(const struct template *tmpl, size_t index);

/* A named value; vars are passed as arrays, borrowed. */
struct var {
	struct bytes name;
	struct bytes value;
};
/*
 * Appends the expansion. Vars are found by name; one that is missing (and has
 * no default) or empty is ERR_USAGE naming it. Extra vars are ignored.
 */
int template_expand(const struct template *tmpl, const struct var *vars, size_t count,
		    struct buf *buf, struct err *err);
/*
 * Reads a key back. On a match fills ret_values[template_var_count] (NULL: not
 * wanted) with views into key and returns true. A var ends at the first place
 * where the literal behind it stands, the last one where the key's ending
 * literal begins; nothing is tried twice, so a hostile key costs its length. A
 * var that occurs twice must agree; a filtered occurrence must be what its
 * filter yields for the plain one.
 */
bool template_match(const struct template *tmpl, struct bytes key, struct bytes *ret_values);
/* Appends what reading back the expansion must give for one var: its value, filtered when
 * lossy. */
int template_read_back(const struct template *tmpl, size_t index, const struct var *vars,
		       size_t count, struct buf *buf, struct err *err);

/*
 * The Redis glob that covers every key of the template with the given vars
 * filled in and the others '*' (glob characters escaped). Matching keys must
 * still be read back.
 */
int template_glob(const struct template *tmpl, const struct var *vars, size_t count,
		  struct buf *buf, struct err *err);

/*
 * Specificity, for classification: more literal bytes first, then the more
 * constrained variables. <0: a is more specific, 0: neither.
 */
int template_compare(const struct template *a, const struct template *b);
/* True when some key could match both and neither is more specific. */
bool template_ambiguous(const struct template *a, const struct template *b);

/* JavaScript's parseInt(id, 16) % n (ECMA-262 §19.2.5, Number::remainder); -1 for NaN.
 * n: 1..INT_MAX. */
int template_js_hex_mod(struct bytes id, unsigned n, int *ret_remainder);

#endif
