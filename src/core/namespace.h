#ifndef CORE_NAMESPACE_H
#define CORE_NAMESPACE_H

#include "base/bytes.h"
#include "core/codec.h"
#include "core/template.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Value types as TYPE names them; any: not declared. */
enum ns_type { NS_STRING, NS_HASH, NS_SET, NS_ZSET, NS_LIST, NS_STREAM, NS_ANY };
extern const char *const ns_type_names[]; /* NULL-terminated */

/* A value that a command is asked with. */
struct ns_arg {
	const char *name;
	struct template *value;
};

/* One step of a source or list, templates compiled. */
struct ns_step {
	const struct source_def *source;
	struct template *get;      /* path; NULL of a command */
	const struct ns_arg *args; /* of a command; none: all vars */
	size_t arg_count;
	struct bytes body; /* JSON pointer, empty: all */
	bool json;         /* default true */
	const struct source_empty *empty;
	size_t empty_count;
	struct ns_step *keep_in; /* keep_only.in: select = items */
	struct bytes keep_item;
};

struct ns_list {             /* where the ids of a namespace come from */
	struct ns_step step; /* body = items */
	struct ns_list_var {
		const char *name;
		struct bytes pointer; /* within an item */
	} * vars;
	size_t var_count;
	struct bytes next; /* pointer to the next cursor or link; empty: one page */
};

enum ns_ttl_kind {
	NS_TTL_FIXED,         /* ttl_ms */
	NS_TTL_CACHE_CONTROL, /* max-age of the answer; ttl_ms where it says none */
	NS_TTL_ADAPTIVE,      /* ttl_min_ms to ttl_ms, by how often the content changes
				 (volatility.h) */
	NS_TTL_DAY,           /* end of the day that var `ttl_var` names (UTC), plus ttl_ms */
};

struct ns {
	const char *name;
	const char *summary; /* "" when not given */
	struct template *key;
	enum ns_type type;
	bool json; /* its strings are JSON */
	enum ns_ttl_kind ttl_kind;
	struct codec_policy compress;
	uint64_t ttl_ms;     /* 0: keys live for ever (declared "none") */
	uint64_t ttl_min_ms; /* for NS_TTL_ADAPTIVE, whose longest is ttl_ms */
	int ttl_var;         /* index, for NS_TTL_DAY */
	uint64_t
	    negative_ms; /* how long "nothing there" is remembered in the sidecar, 0: not */
	uint64_t
	    grace_ms;  /* how long a value stays beyond its TTL, for when the source fails */
	double jitter; /* 0..0.5: share of the TTL taken off at random */
	struct ns_step *steps; /* the source: one step, or the chain's; NULL: no source */
	size_t step_count;
	struct ns_list *list;      /* or NULL */
	const struct ns *index_of; /* this key holds a var of that namespace */
	const char *holds;
	const struct ns *members_of; /* this set holds one var of that namespace */
	const char *member;
	double target_hit_rate; /* 0: none */
	size_t index;           /* position in the set, stable: for per-namespace arrays */
};

/* The namespaces of a configuration, with the classifier compiled. */
struct nsset;

/* Takes the array (not the strings); compiles the classifier. */
struct nsset *nsset_new(struct ns *list, size_t count);
void nsset_free(struct nsset *set);
size_t nsset_count(const struct nsset *set);
const struct ns *nsset_at(const struct nsset *set, size_t index);
const struct ns *nsset_find(const struct nsset *set, struct bytes name);
/* ERR_USAGE: "unknown namespace 'cal-logs'; did you mean 'call-logs'?", or whose key it is. */
int nsset_need(const struct nsset *set, struct bytes name, const struct ns **ret_ns,
	       struct err *err);
/* The same for a verb that has a --key: a key in place of a name is told so. */
int nsset_need_or_key(const struct nsset *set, struct bytes name, const struct ns **ret_ns,
		      struct err *err);

/*
 * The namespace that a key belongs to: the most specific template that
 * matches. NULL: none. ret_values (may be NULL) as in template_match. At least
 * 2 million keys/s on one core; no allocation.
 */
const struct ns *nsset_classify(const struct nsset *set, struct bytes key,
				struct bytes *ret_values);

/*
 * vars → key, checked by reading it back: the key must classify to ns with
 * the same vars (filtered ones: the same filtered value) and no var may be
 * empty. ERR_USAGE says which var and why.
 */
int ns_expand(const struct nsset *set, const struct ns *ns, const struct var *vars,
	      size_t count, struct buf *buf, struct err *err);
/*
 * Command-line words → vars: "name=value" where name is one of the template's,
 * else the next unnamed var in template order. ret_vars has room for
 * TEMPLATE_VARS_MAX. partial: not every var need be given.
 */
int ns_parse_vars(const struct ns *ns, const struct bytes *words, size_t count, bool partial,
		  struct var *ret_vars, size_t *ret_count, struct err *err);
/*
 * The longest life that a key of ns with these values may have by policy, in
 * ms from now (wall clock), 0: unbounded or unknown.
 */
uint64_t ns_ttl_limit_ms(const struct ns *ns, const struct bytes *values, uint64_t now_ms);

/* True for keys that ccache itself keeps: cc:m: cc:o: cc:c: cc:l: cc:bench: — left out of every
 * count of the user's keys. */
bool ns_is_own_key(struct bytes key);

#endif
