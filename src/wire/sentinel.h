#ifndef WIRE_SENTINEL_H
#define WIRE_SENTINEL_H

#include "base/bytes.h"

#include <stdint.h>

struct buf;
struct err;
struct mem_arena;
struct replica_places;
struct target;

/*
 * The sentinels that watch over a primary, and what they said last
 * (redis.io/docs/latest/develop/reference/sentinel-clients). Shared by all
 * sessions of a target, within one thread.
 */
struct sentinel;

/* places: "HOST[:PORT],HOST[:PORT]…", port 26379 by default; master: its name. ERR_USAGE. */
int sentinel_parse(struct bytes places, struct bytes master, struct sentinel **ret_sentinel,
		   struct err *err);
void sentinel_free(struct sentinel *sentinel);

/*
 * Asks the sentinels in turn, the one that answered last first, where the
 * primary is. *ret_primary is target with that address and no sentinels, to be
 * used and not released; its strings live as long as target. -1 with ERR_REDIS,
 * every sentinel named with its reason.
 */
int sentinel_find(const struct target *target, const volatile int *cancel,
		  struct target *ret_primary, struct err *err);
/* The replicas that the sentinels hold for well, asked in the same way. Strings in arena. */
int sentinel_replicas(const struct target *target, const volatile int *cancel,
		      struct mem_arena *arena, struct replica_places *ret_places,
		      struct err *err);
/* What was found last, without asking: like sentinel_find's, or target itself. */
struct target sentinel_found(const struct target *target);
/* Who told: the primary's name there, and in place the sentinel that answered last. */
const char *sentinel_told(const struct sentinel *sentinel, struct buf *place);
/* "HOST:PORT/DB" of the primary once found, else "sentinel NAME/DB". */
void sentinel_describe(const struct target *target, struct buf *buf);

#endif
