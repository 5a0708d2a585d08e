#ifndef OUT_HEXDUMP_H
#define OUT_HEXDUMP_H

#include "base/bytes.h"

#include <stddef.h>

struct out_stream;

/* Lines as xxd prints them: offset, 16 bytes in hexadecimal by twos, the printable ones; after
 * max bytes a line that says how many more there are. */
void out_hexdump(struct out_stream *stream, struct bytes b, size_t max);

#endif
