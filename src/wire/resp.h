#ifndef WIRE_RESP_H
#define WIRE_RESP_H

#include "base/bytes.h"
#include "wire/reply.h"

#include <stddef.h>

struct err;

/*
 * The RESP2 codec: hiredis' reader behind our types, and command writing. One per
 * connection. (https://redis.io/docs/reference/protocol-spec)
 */
struct resp;

/* The most that may be fed at once; more makes the reader move memory around. */
#define RESP_FEED ((size_t)64 * 1024)

/*
 * One whole reply, valid inside the call: strings at the top level lie in the
 * reader's own buffer. Must not feed. -1 stops the reading: nobody asked.
 */
typedef int resp_reply_fn(void *ctx, const struct reply *reply);

/* A reply of more than max_reply bytes is refused as soon as it shows. */
struct resp *resp_new(size_t max_reply, resp_reply_fn *fn, void *ctx);
void resp_free(struct resp *resp);
/*
 * Takes len (at most RESP_FEED) bytes and calls back for each reply completed.
 * -1 with ERR_REDIS when this is not RESP2, or too long, or too deep: the
 * connection is of no more use then.
 */
int resp_feed(struct resp *resp, const char *data, size_t len, struct err *err);
/*
 * The same without a copy: where to receive up to len (at most RESP_FEED) bytes,
 * and that so many have come.
 */
char *resp_room(struct resp *resp, size_t len);
int resp_came(struct resp *resp, size_t len, struct err *err);

/*
 * A command as an array of bulk strings: its size, and its bytes written to where
 * so much room is. Our own, because the formatter of hiredis 0.14 allocates and
 * prints through sprintf for every command: half of the client's time.
 */
size_t resp_command_size(const struct bytes *argv, size_t argc);
void resp_command_write(char *out, const struct bytes *argv, size_t argc);

#endif
