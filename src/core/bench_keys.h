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
/* Of real values: their lengths, and what is left of their lives, in ms. */
struct bench_sample {
	size_t *sizes;
	size_t size_count;
	uint64_t *ttls; /* of those that have one */
	size_t ttl_count;
};
/* Of up to limit keys; ERR_ITEM when there is none that is a string. */
int bench_sample_live(struct redis *redis, const struct nsset *set, const struct ns *ns,
		      size_t limit, struct bench_sample *ret_sample, struct err *err);
void bench_sample_release(struct bench_sample *sample);

#endif
