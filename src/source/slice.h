#ifndef SOURCE_SLICE_H
#define SOURCE_SLICE_H

#include "base/bytes.h"

struct buf;
struct err;

/* The exact slice of a checked JSON body at pointer. -1: nothing is there. */
int slice_select(struct bytes body, struct bytes pointer, struct bytes *ret_slice,
		 struct err *err);
/*
 * Appends the elements of array whose value at the pointer item is among ids,
 * each byte for byte, as '[' a ',' b ']'. Ids are compared as text: "7" is 7.
 * An element without an id is left out. -1: one of both is not an array, or
 * an id is neither string nor number. Both are checked JSON; no ids (length 0): "[]".
 */
int slice_keep(struct bytes array, struct bytes item, struct bytes ids, struct buf *buf,
	       struct err *err);

#endif
