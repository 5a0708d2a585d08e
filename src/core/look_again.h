#ifndef CORE_LOOK_AGAIN_H
#define CORE_LOOK_AGAIN_H

#include "core/keylist.h"

struct err;
struct redis;

/*
 * Which of the listed keys are there (EXISTS, pipelined): their number, and
 * the first few of them in sample.
 */
int look_again(struct redis *redis, const struct keylist *list, uint64_t *ret_back,
	       struct keylist *sample, struct err *err);

#endif
