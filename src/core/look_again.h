#ifndef CORE_LOOK_AGAIN_H
#define CORE_LOOK_AGAIN_H

#include "core/keylist.h"

struct err;
struct redis;

#define LOOK_AGAIN_SAMPLES 5

/* Which of the listed keys are there: their number, and the first few of them. */
struct look_again {
	uint64_t back;
	struct keylist sample;
	uint64_t indexes[LOOK_AGAIN_SAMPLES]; /* of the sample's keys in the list */
};
/* EXISTS, pipelined. Release the sample in either case. */
int look_again(struct redis *redis, const struct keylist *list, struct look_again *ret_look,
	       struct err *err);

#endif
