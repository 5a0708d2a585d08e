#ifndef WIRE_LIBRARIES_H
#define WIRE_LIBRARIES_H

struct buf;

/* Appends a line each for the libraries that carry the wire: hiredis as compiled against,
 * libcurl as loaded. */
void libraries_describe(struct buf *buf);

#endif
