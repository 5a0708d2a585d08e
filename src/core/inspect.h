#ifndef CORE_INSPECT_H
#define CORE_INSPECT_H

#include "base/bytes.h"
#include "base/buf.h"
#include "core/histogram.h"
#include "core/scan.h"
#include "core/template.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ns;
struct nsset;
struct redis;

/* What is known of one namespace's keys after a walk. */
struct inspect_group {
	const struct ns *ns; /* NULL: the keys that no namespace claims */
	uint64_t keys;
	uint64_t bytes;   /* 0 when MEMORY USAGE is not allowed */
	uint64_t largest; /* bytes of the largest key */
	struct buf largest_key;
	uint64_t no_ttl;      /* keys that live for ever */
	uint64_t over_policy; /* keys that live longer than their namespace allows */
	uint64_t expiring_10s;
	uint64_t expiring_60s;
	struct histogram ttl_ms; /* of the keys that expire */
};

struct inspect_overview {
	struct inspect_group *groups; /* one per namespace in order, then the unclassified */
	size_t count;
	struct scan_result scan;
};

/* Called now and then with the keys seen so far; may be NULL. */
typedef void inspect_progress_fn(void *ctx, uint64_t keys);

/*
 * Walks the whole keyspace and folds every key into its namespace. On failure
 * *ret_overview still holds what was seen; release it in either case.
 */
int inspect_overview(struct redis *redis, const struct nsset *set,
		     inspect_progress_fn *progress, void *ctx,
		     struct inspect_overview *ret_overview, struct err *err);
void inspect_overview_release(struct inspect_overview *overview);

/* Which keys a listing or an invalidation is about. */
struct inspect_filter {
	const struct nsset *set;
	const struct ns *ns; /* only this namespace's; NULL: any */
	struct buf glob;     /* SCAN pattern that covers it */
	struct buf
	    expected[TEMPLATE_VARS_MAX]; /* what each var must read back as; empty: anything */
};

/*
 * The keys of ns (NULL: of all) whose vars equal the given ones; a value '*'
 * stands for any. With a match glob in place of ns: its keys. ERR_USAGE names
 * a var that does not fit. Release in either case.
 */
int inspect_filter_init(struct inspect_filter *filter, const struct nsset *set,
			const struct ns *ns, const struct var *vars, size_t count,
			struct bytes match, struct err *err);
void inspect_filter_release(struct inspect_filter *filter);
/*
 * True when the key is among the filter's. *ret_ns is its namespace (NULL:
 * none), ret_values (TEMPLATE_VARS_MAX) the vars read back.
 */
bool inspect_filter_accepts(const struct inspect_filter *filter, struct bytes key,
			    const struct ns **ret_ns, struct bytes *ret_values);

#endif
