#ifndef CORE_TOPK_H
#define CORE_TOPK_H

#include "base/bytes.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The most frequent texts of a stream in constant memory: Space-Saving
 * (Metwally, Agrawal, El Abbadi 2005). A text that occurs in more than
 * 1/TOPK_SIZE of all is certain to be among them; its count is too high by at
 * most `error`. No pointers: may lie in shared memory. Zero-initialise.
 */
#define TOPK_SIZE 48
#define TOPK_TEXT 120

struct topk {
	struct topk_item {
		uint64_t hash;
		uint64_t count; /* 0: free */
		uint64_t error;
		uint32_t
		    len; /* of the text; longer than TOPK_TEXT: only its beginning is here */
		char text[TOPK_TEXT];
	} items[TOPK_SIZE];
};

void topk_add(struct topk *topk, struct bytes text);
/* Adds what another stream's table is certain of. */
void topk_merge(struct topk *sum, const struct topk *part);
/*
 * Fills ret_items with the (at most count) most frequent by what is certain,
 * count - error, most first; returns how many. Those whose count is mostly
 * inherited from others are left out.
 */
size_t topk_best(const struct topk *topk, const struct topk_item **ret_items, size_t count);

#endif
