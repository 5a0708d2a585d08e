#ifndef CORE_BENCH_KEYS_H
#define CORE_BENCH_KEYS_H

#include "core/bench.h"

struct nsset;
struct redis;

/* The keys of ns for the ids in a file (as selection_from_file reads them). */
int bench_keys_from_file(const struct nsset *set, const struct ns *ns, const char *path,
			 struct bench_names *ret_names, struct err *err);
/* Up to limit real keys of ns (NULL: any key); ERR_ITEM when there is none. */
int bench_keys_from_live(struct redis *redis, const struct nsset *set, const struct ns *ns,
			 size_t limit, struct bench_names *ret_names, struct err *err);
/*
 * The lengths of up to limit of their values, malloc'd; ERR_ITEM when there is
 * none that is a string.
 */
int bench_sizes_from_live(struct redis *redis, const struct nsset *set, const struct ns *ns,
			  size_t limit, size_t **ret_sizes, size_t *ret_count, struct err *err);

#endif
