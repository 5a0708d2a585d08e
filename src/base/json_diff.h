#ifndef BASE_JSON_DIFF_H
#define BASE_JSON_DIFF_H

#include "base/bytes.h"

#include <stdbool.h>

/* One place where two documents differ. */
struct json_change {
	/* RFC 6901, in the document that has it; "": the whole. What is new within an array's
	 * element goes by the place that the element had before. */
	struct bytes path;
	struct bytes before; /* exact slices; ptr NULL: it is not there */
	struct bytes after;
};
/* The change lives inside the call. False ends the walk. */
typedef bool json_change_fn(void *ctx, const struct json_change *change);

/*
 * What leads from before to after, both well-formed (json_check). Members are
 * compared by name, whatever their order; of arrays stays what both have in the
 * same order (as far as that can be found in about a second: else by place), and
 * what stands between is compared one by one. Numbers are the same when their
 * value is (1, 1.0 and 10e-1), texts however they are escaped.
 */
void json_diff(struct bytes before, struct bytes after, json_change_fn *fn, void *ctx);
/* True when there is no change. */
bool json_same(struct bytes a, struct bytes b);

#endif
