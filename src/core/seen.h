#ifndef CORE_SEEN_H
#define CORE_SEEN_H

#include "base/bytes.h"
#include "core/template.h"

#include <stdbool.h>
#include <stddef.h>

struct ns;
struct nsset;
struct redis;

/*
 * What a completion offers of the keyspace: values of a namespace's vars and
 * keys, found with SCAN in the little time that typing leaves. What was found
 * is remembered; asking again goes on where the last look stopped.
 */
struct seen;

struct seen *seen_new(const struct nsset *set);
void seen_free(struct seen *seen);

/* How long it may look. */
struct seen_bounds {
	unsigned budget_ms;
	bool (*enough)(void *ctx); /* asked between pages; NULL: only the budget counts */
	int fd;                    /* what becoming readable ends a wait; -1: none */
};

typedef void seen_fn(void *ctx, struct bytes value);
/*
 * Tells the values of ns's var `index` that begin with prefix and stand in keys
 * with the vars given (their namespace, and with those values), each once, at
 * most 200. redis is connected, or nothing new is found.
 */
void seen_values(struct seen *seen, struct redis *redis, const struct seen_bounds *bounds,
		 const struct ns *ns, const struct var *vars, size_t count, size_t index,
		 struct bytes prefix, seen_fn *fn, void *ctx);
/* The same of whole keys that begin with prefix. */
void seen_keys(struct seen *seen, struct redis *redis, const struct seen_bounds *bounds,
	       struct bytes prefix, seen_fn *fn, void *ctx);

#endif
