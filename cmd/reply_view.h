#ifndef CMD_REPLY_VIEW_H
#define CMD_REPLY_VIEW_H

#include <stdbool.h>

struct buf;
struct reply;

/*
 * Appends a server's answer as redis-cli prints it: for people with types,
 * quotes and numbered elements (cliFormatReplyTTY), else the bytes as they are,
 * an element a line (cliFormatReplyRaw).
 */
void reply_view(struct buf *buf, const struct reply *reply, bool people);

#endif
