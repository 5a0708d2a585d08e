#ifndef CORE_TEMPLATE_PARTS_H
#define CORE_TEMPLATE_PARTS_H

#include "core/template.h"

#include <stdint.h>

/* The inside of a template: for the template_*.c files and the classifier. */

#define TEMPLATE_FILTERS_MAX 4
#define TEMPLATE_PARTS_MAX (2 * TEMPLATE_VARS_MAX + 1) /* of a key */

enum template_filter_kind {
	FILTER_REST,
	FILTER_DEFAULT,
	FILTER_DIGITS,
	FILTER_LOWER,
	FILTER_UPPER,
	FILTER_DATE,
	FILTER_HOUR,
	FILTER_SHARD,
	FILTER_JS_HEX_MOD,
};

struct template_filter {
	enum template_filter_kind kind;
	struct bytes text; /* default's value, date's zone: a view into the template's text */
	unsigned modulus;  /* shard, js_hex_mod */
};

/* What an occurrence of a var may look like in a key, the most constrained first. */
enum template_class {
	CLASS_NUMBER, /* an optional '-' and digits */
	CLASS_DATE,   /* 2025-03-26 */
	CLASS_DIGITS,
	CLASS_LOWER, /* no ':' and no A-Z */
	CLASS_UPPER, /* no ':' and no a-z */
	CLASS_PLAIN, /* no ':' */
	CLASS_REST,  /* anything */
	CLASS_COUNT,
};

struct template_part {
	bool is_var;
	struct bytes literal; /* braces undoubled */
	unsigned var;
	enum template_class class;
	bool lossy; /* the filters may change the value */
	struct template_filter filters[TEMPLATE_FILTERS_MAX];
	size_t filter_count;
};

struct template
{
	enum template_context context;
	struct bytes text;
	char *memory; /* of text and of the literals */
	struct template_part *parts;
	size_t part_count;
	const char *names[TEMPLATE_VARS_MAX];
	unsigned plain_part[TEMPLATE_VARS_MAX]; /* the occurrence that a var is read from */
	size_t var_count;
	size_t literal_len;
	unsigned classes[CLASS_COUNT]; /* occurrences of each */
	bool repeats;                  /* some var occurs more than once */
};

/* Reads one filter ("shard(10)"). -1: ERR_CONFIG. */
int template_filter_parse(struct bytes text, struct template_filter *ret_filter,
			  struct err *err);
enum template_class template_filter_class(const struct template_filter *filter);
/* Appends the filtered value; default does nothing here. -1: ERR_USAGE. */
int template_filter_apply(const struct template_filter *filter, struct bytes value,
			  struct buf *buf, struct err *err);
/* Appends the text of one occurrence, filters applied, not yet encoded. */
int template_part_text(const struct template *tmpl, const struct template_part *part,
		       const struct var *vars, size_t count, struct buf *buf, struct err *err);
/* Reads parts[first..] against text; for callers that matched the parts before. */
bool template_match_from(const struct template *tmpl, size_t first, struct bytes text,
			 struct bytes *ret_values);

#endif
