#ifndef WIRE_RESP_SCAN_H
#define WIRE_RESP_SCAN_H

#include "wire/reply.h"

#include <stddef.h>

/*
 * The replies that come by the million, recognised where they lie:
 *
 *   +TEXT CR LF            up to 64 bytes, no CR or LF among them
 *   :NUMBER CR LF          up to 18 digits behind an optional '-', no leading zero
 *   $LENGTH CR LF … CR LF  up to 9 digits, no leading zero
 *   $-1 CR LF
 *
 * Returns the length of the one that data begins with, whose text lies in
 * data; 0 when it is another, is not whole or is wrong: hiredis' reader knows.
 */
size_t resp_scan(const char *data, size_t len, struct reply *ret_reply);

#endif
