#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include "base/bytes.h"

#define SHA1_HEX_LEN 40

/*
 * SHA-1 (FIPS 180-4) in lower-case hex with a NUL, as Redis' redis.sha1hex
 * gives it. To recognise a value, not to protect one.
 */
void sha1_hex(struct bytes data, char hex[SHA1_HEX_LEN + 1]);

#endif
