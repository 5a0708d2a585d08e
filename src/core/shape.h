#ifndef CORE_SHAPE_H
#define CORE_SHAPE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * The shapes of keys that nothing declares: user:8817:cart and user:12:cart
 * are `user:{id}:cart`. A part that looks like an id becomes a var at once;
 * words become one when too many different ones stand in the same place. What
 * comes out is a key template (core/template.h), braces doubled.
 *
 * Memory is bounded whatever the keys are (about 2 MB): what no longer fits is
 * counted in shapes_rest.
 */
enum shape_kind { /* what stood in a var's place; a mask */
		  SHAPE_NUMBER = 1,
		  SHAPE_HEX = 2,
		  SHAPE_UUID = 4,
		  SHAPE_DATE = 8,   /* 2025-03-26 */
		  SHAPE_TOKEN = 16, /* letters and digits mixed: CA81f…, ULIDs */
		  SHAPE_WORD = 32,  /* one of many words */
		  SHAPE_BINARY = 64,
		  SHAPE_REST = 128, /* all that follows, colons and all */
};

#define SHAPE_VARS_MAX 16

/*
 * Appends the label of one part of a key (what stands between colons or
 * slashes): ids as {id} or {date} (unnumbered), the rest as it is. *ret_kinds
 * is what was recognised, 0: a word without any id.
 */
void shape_label(struct bytes part, struct buf *label, unsigned *ret_kinds);

struct shapes;

/* What is known of a key; -1 where it is not. */
struct shape_key {
	struct bytes key;
	int64_t ttl_ms; /* SCAN_TTL_NONE (-1): lives for ever; -2: not known */
	int64_t bytes;
	int type; /* an enum ns_type, or -1 */
};

struct shape_var {
	char name[8];   /* id, id2, date, rest */
	unsigned kinds; /* of its part of the key */
};

struct shape_group {
	struct bytes pattern; /* "user:{id}:cart" */
	struct bytes example; /* the first key seen (at most 256 bytes of it) */
	uint64_t keys;
	uint64_t bytes;
	uint64_t largest;
	uint64_t no_ttl;
	int64_t ttl_max_ms; /* of those that expire; -1: none does */
	unsigned types;     /* mask of 1 << enum ns_type */
	struct shape_var vars[SHAPE_VARS_MAX];
	size_t var_count;
};

struct shapes *shapes_new(void);
void shapes_free(struct shapes *shapes);
void shapes_add(struct shapes *shapes, const struct shape_key *key);
/*
 * Closes the collection: no more keys, the groups are there, most keys first
 * (then by pattern).
 */
void shapes_finish(struct shapes *shapes);
size_t shapes_count(const struct shapes *shapes);
const struct shape_group *shapes_at(const struct shapes *shapes, size_t index);
/* Keys that found no room. */
uint64_t shapes_rest(const struct shapes *shapes);
/* Index of the group that a key falls into after shapes_finish, or -1: for a second walk. */
long shapes_find(const struct shapes *shapes, struct bytes key);

#endif
