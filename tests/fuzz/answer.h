#ifndef TESTS_FUZZ_ANSWER_H
#define TESTS_FUZZ_ANSWER_H

#include "base/bytes.h"

#include <stdint.h>

/*
 * A Redis on 127.0.0.1 (its port is returned) that greets properly and answers the Nth command
 * then with the Nth part of a text, which must live on; parts end with the byte 0xFE.
 */
uint16_t answer_start(void);
void answer_with(struct bytes text);

#endif
