#ifndef CORE_DISCOVER_H
#define CORE_DISCOVER_H

#include "base/buf.h"
#include "core/shape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct redis;
struct template;

#define DISCOVER_NAMESPACES_MAX 200
#define DISCOVER_SAMPLES 8 /* values read of a family */

/* Keys of one template, as far as a walk tells. */
struct discover_family {
	char *name;
	struct buf pattern;
	struct template *key; /* NULL: the pattern is none (problem says why) */
	const char *problem;
	struct buf example;
	size_t shapes; /* found apart, and joined: digits or paths differ */
	uint64_t keys;
	uint64_t no_ttl;
	int64_t ttl_max_ms; /* of those that expire; -1: none */
	uint64_t expiring;  /* of the second walk: keys that expire, … */
	int64_t ttl_min_ms; /* the one that ends first, … */
	int64_t life_ms; /* and the longest time left and not used so far: it lived so long */
	unsigned types;  /* 1 << enum ns_type */
	/* of the values that were read */
	struct buf samples[DISCOVER_SAMPLES]; /* keys; then, where short and plain, values */
	size_t sample_count;
	size_t values; /* read */
	size_t json;   /* of them */
	/* where a variable is a date: how long after its day's end keys expire */
	int64_t plus_min_ms, plus_max_ms;
	int64_t day; /* of the first such key */
	uint64_t dated;
	bool days_differ;
	const struct discover_family
	    *leads_to; /* its values, or members, are ids of that one */
};

struct discover {
	char *target;
	struct discover_family *families; /* most keys first */
	size_t count;
	uint64_t keys;  /* looked at */
	uint64_t total; /* in the database (DBSIZE); 0: not known */
	uint64_t rest;  /* without a shape */
	bool complete;  /* all keys were looked at */
};

struct discover_options {
	const char *target;                         /* for the heading */
	uint64_t max_keys;                          /* looked at, at most; 0: all */
	void (*progress)(void *ctx, uint64_t keys); /* may be NULL */
	void *ctx;
};

/*
 * Infers templates, types, TTLs and relations from the keys that are there: two
 * walks with SCAN (whose order is by hash: its beginning is a fair sample), TYPE,
 * PTTL and OBJECT IDLETIME of each key, and a few values of each family. On failure what was
 * seen is dropped; release in either case.
 */
int discover_run(struct redis *redis, const struct discover_options *options,
		 struct discover *ret_discover, struct err *err);
void discover_release(struct discover *discover);
/* Appends the configuration, what is unsure in comments. */
void discover_write(const struct discover *discover, struct buf *buf);

#endif
