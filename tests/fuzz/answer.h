#ifndef TESTS_FUZZ_ANSWER_H
#define TESTS_FUZZ_ANSWER_H

#include "base/bytes.h"

#include <stdint.h>

/*
 * A Redis on 127.0.0.1 (its port is returned) that greets properly and answers the Nth command
 * then with the Nth part of a text, which must live on; parts end with the byte 0xFE. Nobody
 * has to wait: after a part that is no whole reply it hangs up, once; in place of a second one
 * before anything was answered, and after the last part, it answers with an error.
 */
uint16_t answer_start(void);
void answer_with(struct bytes text);

#endif
