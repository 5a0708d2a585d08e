#ifndef CORE_DRIFT_H
#define CORE_DRIFT_H

#include "base/bytes.h"
#include "base/json_diff.h"
#include "core/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fetcher;
struct inspect_filter;
struct ns;
struct nsset;
struct redis;

/* How a cached value stands to its source. */
enum drift_outcome {
	DRIFT_SAME,
	DRIFT_DIFFERS,
	DRIFT_ABSENT, /* the source has nothing there any more */
	DRIFT_MOVED,  /* the cached value changed or went while the source was asked */
	DRIFT_FAILED, /* the source failed, or no question could be made of the key */
	DRIFT_OUTCOMES,
};
extern const char *const drift_outcome_names[];

struct drift_item {
	const struct ns *ns;
	struct bytes key;
	enum drift_outcome outcome;
	int64_t ttl_ms;
	bool json;           /* both are: changes are structural; else only sizes differ */
	struct bytes cached; /* expanded */
	struct bytes source;
	const struct err *error; /* FAILED */
};

struct drift_options {
	const struct nsset *set;
	struct fetcher *fetcher;
	/* Samples are of these keys; else of the filter's; else of all. */
	const struct bytes *keys;
	size_t key_count;
	const struct inspect_filter *filter;
	uint64_t sample;
	/* Each sample once it is settled; everything in it lives inside the call. */
	void (*item)(void *ctx, const struct drift_item *item);
	void *ctx;
};

struct drift_report {
	uint64_t eligible; /* keys with a source, of which the samples are */
	uint64_t sampled;
	uint64_t outcomes[DRIFT_OUTCOMES]; /* add up to sampled */
	uint64_t source_failed;            /* of DRIFT_FAILED: by the source's fault */
	bool complete;
};

/*
 * Picks up to `sample` cached strings of namespaces with a source, each key as
 * likely as another (one walk), and fetches what their source has now, as
 * politely as a warm does; nothing is stored. A difference is only called one
 * if the cached value is still as it was after the answer. -1: ERR_REDIS,
 * ERR_INTERRUPTED; the report is true then, too.
 */
int drift_run(struct redis *redis, const struct drift_options *options,
	      struct drift_report *ret_report, struct err *err);

#endif
