#ifndef CORE_SIDECAR_H
#define CORE_SIDECAR_H

#include "base/bytes.h"

#include <stdbool.h>

struct buf;

/*
 * The companion key of a cached value, in the value's slot: a short string
 * that applications never look at.
 *   f:TOKEN                        a fetch is under way: only its holder may store
 *   v:SHA1\nETAG\nLAST-MODIFIED    what the stored value came with; SHA1 is the value's
 *   h:SHA1\nETAG\nLAST-MODIFIED\nHISTORY   the same, and how often it changes
 *                                  (volatility.h); lives longer than the value
 *   n:                             the source had nothing there
 * Dropping it (as an invalidation does) cancels every fetch under way.
 *
 * Name: cc:m:{TAG}LEN:KEY. TAG is KEY's non-empty hash tag, else KEY when it
 * holds no '}' and is not empty, else slot_name of its slot. LEN is KEY's
 * length in decimal, so that an orphan can be decoded.
 */
void sidecar_name(struct buf *buf, struct bytes key);
/*
 * The set that says which events were counted into a hash, in the hash's slot
 * and living as long: cc:o:{TAG}LEN:KEY.
 */
void sidecar_once_name(struct buf *buf, struct bytes key);
/* The key that a sidecar's name belongs to, a view into it; false when it is no such name. */
bool sidecar_key(struct bytes name, struct bytes *ret_key);

#endif
